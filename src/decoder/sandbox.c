#include "decoder/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "media/protocol.h"

enum {
    DESCRIPTORS_MAX = 64,
    MARGIN_S = 2, /* the program's own clock comes first, and its sentence is better */
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool has_address_limit = false; /* the sanitizers reserve terabytes */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
static const bool has_address_limit = false;
#else
static const bool has_address_limit = true;
#endif
#else
static const bool has_address_limit = true;
#endif

/* Bytes of address space that the process has now; 0 when the system does not tell. */
static uint64_t measure_address_space(void)
{
    char text[64] = { 0 };
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    const ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return n > 0 ? strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Lowers the soft limit: the hard one stays, so that the next file can have another. */
static pd_status set_soft_limit(int resource, const char *name, uint64_t value, pd_error *err)
{
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return pd_error_set_errno(err, errno, "cannot read the limit of %s", name);
    limit.rlim_cur = value < limit.rlim_max ? value : limit.rlim_max;
    if (setrlimit((__rlimit_resource_t)resource, &limit) != 0)
        return pd_error_set_errno(err, errno, "cannot limit %s", name);
    return PD_OK;
}

pd_status pd_sandbox_enter(pd_error *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return pd_error_set_errno(err, errno, "cannot give up privileges");
    const struct rlimit none = { 0 }, few = { DESCRIPTORS_MAX, DESCRIPTORS_MAX };
    if (setrlimit(RLIMIT_CORE, &none) != 0 || setrlimit(RLIMIT_NOFILE, &few) != 0)
        return pd_error_set_errno(err, errno, "cannot limit core files and descriptors");
    return PD_OK;
}

pd_status pd_sandbox_begin_file(uint64_t mapped_bytes, uint32_t timeout_ms, pd_error *err)
{
    const uint32_t seconds = timeout_ms / 1000 + MARGIN_S;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return pd_error_set_errno(err, errno, "cannot read the processor time used");
    const uint64_t used_s = (uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec;
    PD_TRY(set_soft_limit(RLIMIT_CPU, "processor time", used_s + seconds, err));
    if (has_address_limit) {
        const uint64_t now = measure_address_space();
        PD_TRY(set_soft_limit(RLIMIT_AS, "memory", now + mapped_bytes + PD_MEDIA_DECODER_BYTES_MAX, err));
    }
    const struct itimerval timer = { .it_value = { .tv_sec = seconds } };
    if (setitimer(ITIMER_REAL, &timer, NULL) != 0)
        return pd_error_set_errno(err, errno, "cannot start the clock");
    return PD_OK;
}

void pd_sandbox_end_file(void)
{
    const struct itimerval stopped = { 0 };
    (void)setitimer(ITIMER_REAL, &stopped, NULL);
}
