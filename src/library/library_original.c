/* library_original.c: photos and the roots they lie under. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/beneath.h"
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

static pd_status open_root(const char *root, int *ret_fd, pd_error *err)
{
    const int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", root);
    *ret_fd = fd;
    return PD_OK;
}

pd_status pd_library_open_folder(const char *root, const char *path, int *ret_fd, pd_error *err)
{
    char *folder = pd_mem_dup_text(path, strlen(path) - strlen(pd_path_name(path)));
    if (!folder)
        return pd_error_set_nomem(err);
    const size_t len = strlen(folder);
    if (len > 1)
        folder[len - 1] = '\0'; /* the slash */
    const pd_status status =
        strcmp(folder, root) == 0 ? open_root(root, ret_fd, err) : pd_file_open_beneath(root, folder, ret_fd, err);
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
