#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

bool pd_path_is_within(const char *inner, const char *outer)
{
    if (strcmp(outer, "/") == 0)
        return inner[0] == '/';
    const size_t len = strlen(outer);
    return strncmp(inner, outer, len) == 0 && (inner[len] == '/' || inner[len] == '\0');
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

static int open_beneath(const char *root, const char *path)
{
    enum { FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
    const int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    const char *inner = path + (strcmp(root, "/") == 0 ? 0 : strlen(root));
    const struct open_how how = { .flags = FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, folder, inner + strspn(inner, "/"), &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = open_and_look(root, path, FLAGS);
    const int sys_errno = errno;
    close(folder);
    errno = sys_errno;
    return fd;
}

pd_status pd_file_open_beneath(const char *root, const char *path, int *ret_fd, pd_error *err)
{
    const int fd = open_beneath(root, path);
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
