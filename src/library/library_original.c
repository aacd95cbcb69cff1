/* library_original.c: opening what lies under a root, and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

typedef struct root_search {
    const char *path;
    char *best;
    bool failed;
} root_search;

static bool visit_root(void *user, const pd_root *root)
{
    root_search *s = user;
    if (!pd_path_is_within(s->path, root->path) || (s->best && strlen(s->best) >= strlen(root->path)))
        return true;
    pd_mem_free(s->best);
    s->best = pd_mem_dup_string(root->path);
    s->failed = !s->best;
    return !s->failed;
}

pd_status pd_library_root_of(pd_store *store, const char *path, char **ret_root, pd_error *err)
{
    root_search s = { .path = path };
    pd_status status = pd_store_roots(store, visit_root, &s, err);
    if (status == PD_OK && s.failed)
        status = pd_error_set_nomem(err);
    else if (status == PD_OK && !s.best)
        status = pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' lies in no folder of the library", path);
    if (status == PD_OK)
        *ret_root = s.best;
    else
        pd_mem_free(s.best);
    return status;
}

/* Where the system cannot resolve beneath a folder (Linux before 5.6, some containers): what was opened tells where it
 * is. */
static int open_and_look(const char *root, const char *path, int flags)
{
    char link[64], real_root[PATH_MAX], real_path[PATH_MAX];
    const int fd = open(path, flags | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, real_path, sizeof real_path - 1);
    if (n > 0 && realpath(root, real_root)) {
        real_path[n] = '\0';
        if (pd_path_is_within(real_path, real_root))
            return fd;
    }
    close(fd);
    errno = EXDEV;
    return -1;
}

static int open_beneath(const char *root, const char *path, int flags)
{
    const int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    const char *inner = path + (strcmp(root, "/") == 0 ? 0 : strlen(root));
    const struct open_how how = { .flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, folder, inner + strspn(inner, "/"), &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_and_look(root, path, flags);
    const int sys_errno = errno;
    close(folder);
    errno = sys_errno;
    return fd;
}

static pd_status open_root(const char *root, int *ret_fd, pd_error *err)
{
    const int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", root);
    *ret_fd = fd;
    return PD_OK;
}

static pd_status open_inside(const char *root, const char *path, int flags, int *ret_fd, pd_error *err)
{
    const int fd = open_beneath(root, path, flags | O_CLOEXEC);
    if (fd >= 0) {
        *ret_fd = fd;
        return PD_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "the file '%s' is not there any more", path);
    if (errno == EXDEV || errno == ELOOP)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' leads out of its folder '%s'", path, root);
    return pd_error_set_errno(err, errno, "cannot open '%s'", path);
}

pd_status pd_library_open_original(const char *root, const char *path, int *ret_fd, pd_error *err)
{
    return open_inside(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, ret_fd, err);
}

pd_status pd_library_open_folder(const char *root, const char *path, int *ret_fd, pd_error *err)
{
    char *folder = pd_mem_dup_text(path, strlen(path) - strlen(pd_path_name(path)));
    if (!folder)
        return pd_error_set_nomem(err);
    const size_t len = strlen(folder);
    if (len > 1)
        folder[len - 1] = '\0'; /* the slash */
    const pd_status status = strcmp(folder, root) == 0 ? open_root(root, ret_fd, err)
                                                       : open_inside(root, folder, O_RDONLY | O_DIRECTORY, ret_fd, err);
    pd_mem_free(folder);
    return status;
}

pd_status pd_library_find_photo(pd_library *library, int64_t id, char **ret_path, char **ret_root, pd_error *err)
{
    pd_photo photo;
    char *path = NULL, *root = NULL;
    pthread_mutex_lock(&library->reader.lock);
    pd_status status = pd_library_need_reader(library, err);
    if (status == PD_OK)
        status = pd_store_photo_by_id(library->reader.store, id, &photo, err);
    if (status == PD_OK && !(path = pd_mem_dup_string(photo.path)))
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_library_root_of(library->reader.store, path, &root, err);
    pthread_mutex_unlock(&library->reader.lock);
    if (status == PD_ERR_NO_MATCH)
        status = pd_error_set(err, status, "the library has no photo %" PRId64, id);
    if (status != PD_OK) {
        pd_mem_free(path);
        return status;
    }
    *ret_path = path;
    *ret_root = root;
    return PD_OK;
}
