#include "server/server_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "server/server.h"

#define LOCK_NAME "serve.lock"
#define URL_NAME "serve.url"

enum { URL_BYTES_MAX = 512, TELL_TRIES = 200 }; /* 10 ms each */

pd_status pd_server_lock_take(int *ret_fd, const char *dir, pd_error *err)
{
    PD_TRY(pd_dir_make(dir, err));
    char *path = pd_path_join(dir, LOCK_NAME);
    if (!path)
        return pd_error_set_nomem(err);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    pd_status status = PD_OK;
    if (fd < 0)
        status = pd_error_set_errno(err, errno, "cannot open '%s'", path);
    else if (fcntl(fd, F_OFD_SETLK, &lock) != 0)
        status = errno == EAGAIN || errno == EACCES
                     ? pd_error_set(err, PD_ERR_BUSY, "this library is open in another process")
                     : pd_error_set_errno(err, errno, "cannot lock '%s'", path);
    pd_mem_free(path);
    if (status == PD_OK)
        *ret_fd = fd;
    else if (fd >= 0)
        close(fd);
    return status;
}

pd_status pd_server_lock_tell(const char *dir, const char *url, pd_error *err)
{
    char *path = pd_path_join(dir, URL_NAME);
    const pd_status status = path ? pd_file_replace(path, url, strlen(url), false, err) : pd_error_set_nomem(err);
    pd_mem_free(path);
    return status;
}

void pd_server_lock_release(int *fd, const char *dir)
{
    if (*fd < 0)
        return;
    char *path = pd_path_join(dir, URL_NAME);
    if (path)
        (void)unlink(path); /* while the lock is held: nobody else's */
    pd_mem_free(path);
    close(*fd);
    *fd = -1;
}

static bool is_locked(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    const bool locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return locked;
}

/* The holder locks first and tells its address a moment later. */
char *pd_server_running(const pd_library *library)
{
    const char *dir = pd_library_dir(library);
    char *lock_path = pd_path_join(dir, LOCK_NAME), *url_path = pd_path_join(dir, URL_NAME);
    char *url = NULL;
    pd_buf text;
    pd_buf_init(&text, URL_BYTES_MAX);
    for (int i = 0; lock_path && url_path && !url && i < TELL_TRIES && is_locked(lock_path); i++) {
        if (pd_file_read(url_path, URL_BYTES_MAX, &text, NULL) == PD_OK && text.len > 0)
            url = pd_buf_take(&text);
        else
            nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    pd_buf_done(&text);
    pd_mem_free(lock_path);
    pd_mem_free(url_path);
    return url;
}
