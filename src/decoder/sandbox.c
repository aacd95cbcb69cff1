#include "decoder/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "decoder/landlock.h"
#include "decoder/syscall_filter.h"
#include "media/protocol.h"

enum {
    DESCRIPTORS_MAX =
        16,       /* the three standard ones, the socket, memory_fd, the file, the slot; and some for libraries */
    MARGIN_S = 2, /* the program's own clock comes first, and its sentence is better */
};

/* The sanitizers reserve terabytes of addresses, and when they find something they open files and start programs to
 * explain it: their builds are for finding faults of ours, and say in `walls` that they have left out these two. */
#define WALLS_OF_SANITIZERS (PD_WALLS_ALL & ~(uint32_t)(PD_WALL_SYSCALLS | PD_WALL_MEMORY))
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WALLS_OF_BUILD WALLS_OF_SANITIZERS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WALLS_OF_BUILD WALLS_OF_SANITIZERS
#else
#define WALLS_OF_BUILD PD_WALLS_ALL
#endif
#else
#define WALLS_OF_BUILD PD_WALLS_ALL
#endif

/* Bytes of address space that the process has now; 0 when the system does not tell. */
static uint64_t measure_address_space(int memory_fd)
{
    char text[64] = { 0 };
    const ssize_t n = memory_fd < 0 ? -1 : pread(memory_fd, text, sizeof text - 1, 0);
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

/* The hard limit too: root could raise it again, but root's powers are given up next. False: not limited. */
static bool set_limit(int resource, uint64_t value)
{
    const struct rlimit limit = { value, value };
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0;
}

/* What the largest file may need: the soft limit of each file is lower. */
static bool limit_memory(int memory_fd)
{
    const uint64_t now = measure_address_space(memory_fd);
    return now &&
           set_limit(RLIMIT_AS, now + PD_MEDIA_FILE_BYTES_MAX + PD_DECODE_SLOT_BYTES + PD_MEDIA_DECODER_BYTES_MAX);
}

/* RLIMIT_NPROC is not among them: it counts all processes of the user, not those of this one. */
static bool limit_resources(void)
{
    return set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) && set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
}

/* Not dumpable: no core file whatever the system's settings, and no other process of the same user looks inside. */
static bool drop_privileges(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
    return syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static pd_status leave_surroundings(int socket_fd, int *ret_memory_fd, pd_error *err)
{
    if (chdir("/") != 0)
        return pd_error_set_errno(err, errno, "cannot leave the folder");
    if (syscall(SYS_close_range, socket_fd + 1, UINT32_MAX, 0) != 0 && errno != ENOSYS)
        return pd_error_set_errno(err, errno, "cannot close what is open");
    *ret_memory_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    return PD_OK;
}

pd_status pd_sandbox_enter(pd_sandbox *ret_sandbox, uint32_t wanted, int socket_fd, pd_error *err)
{
    pd_sandbox sandbox = { .walls = 0 };
    wanted &= WALLS_OF_BUILD;
    PD_TRY(leave_surroundings(socket_fd, &sandbox.memory_fd, err));
    if ((wanted & PD_WALL_MEMORY) && limit_memory(sandbox.memory_fd))
        sandbox.walls |= PD_WALL_MEMORY;
    if ((wanted & PD_WALL_LIMITS) && limit_resources())
        sandbox.walls |= PD_WALL_LIMITS;
    if ((wanted & PD_WALL_PRIVILEGES) && drop_privileges())
        sandbox.walls |= PD_WALL_PRIVILEGES;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) /* the condition for the two that follow */
        return pd_error_set_errno(err, errno, "cannot give up privileges");
    uint32_t landlock = 0;
    if (pd_landlock_enter(wanted, &landlock, NULL) == PD_OK)
        sandbox.walls |= landlock;
    if ((wanted & PD_WALL_SYSCALLS) && pd_syscall_filter_load(socket_fd, NULL) == PD_OK)
        sandbox.walls |= PD_WALL_SYSCALLS;
    *ret_sandbox = sandbox;
    return PD_OK;
}

pd_status pd_sandbox_begin_file(const pd_sandbox *sandbox, uint64_t mapped_bytes, uint32_t timeout_ms, pd_error *err)
{
    const uint32_t seconds = timeout_ms / 1000 + MARGIN_S;
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return pd_error_set_errno(err, errno, "cannot read the processor time used");
    const uint64_t used_s = (uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec;
    if (sandbox->walls & PD_WALL_LIMITS)
        PD_TRY(set_soft_limit(RLIMIT_CPU, "processor time", used_s + seconds, err));
    if (sandbox->walls & PD_WALL_MEMORY) {
        const uint64_t now = measure_address_space(sandbox->memory_fd);
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
