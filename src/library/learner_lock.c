#include "library/learner_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

enum { PID_TEXT_BYTES = 32, NAME_TRIES = 20 };

static bool read_pid(int fd, int64_t *ret_pid)
{
    char text[PID_TEXT_BYTES];
    const ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    uint64_t pid;
    if (!pd_parse_u64(text, INT32_MAX, &pid))
        return false;
    *ret_pid = (int64_t)pid;
    return true;
}

/* The holder takes the lock first and writes his name right after: who comes in between waits a moment. */
static int64_t read_holder(int fd)
{
    int64_t pid = -1;
    for (int i = 0; i < NAME_TRIES && !read_pid(fd, &pid); i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    return pid;
}

pd_status pd_learner_lock_take(int *ret_fd, const char *path, pd_error *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    char text[PID_TEXT_BYTES];
    const int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    pd_status status = PD_OK;
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            const int64_t pid = read_holder(fd);
            status = pid > 0 ? pd_error_set(err, PD_ERR_BUSY,
                                            "this library is being taught by another process (pid %" PRId64 ")", pid)
                             : pd_error_set(err, PD_ERR_BUSY, "this library is being taught by another process");
        } else {
            status = pd_error_set_errno(err, errno, "cannot lock '%s'", path);
        }
    } else if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        status = pd_error_set_errno(err, errno ? errno : ENOSPC, "cannot write '%s'", path);
    }
    if (status == PD_OK)
        *ret_fd = fd;
    else
        close(fd);
    return status;
}

void pd_learner_lock_release(int *fd)
{
    if (*fd < 0)
        return;
    (void)!ftruncate(*fd, 0); /* a name that stays does no harm: only the lock counts */
    close(*fd);
    *fd = -1;
}

int64_t pd_learner_lock_holder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    int64_t pid = 0;
    if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
        pid = read_holder(fd);
    close(fd);
    return pid;
}
