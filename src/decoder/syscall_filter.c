#include "decoder/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#define FIRST_FOREIGN 0x40000000U /* calls of the x32 ABI, under numbers of their own */
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#define FIRST_FOREIGN UINT32_MAX
#endif

enum {
    CONDITIONS = 2,
    PROGRAM_MAX = 700, /* instructions: checked where they are appended */
};

#define ALLOW SECCOMP_RET_ALLOW
#define KILL SECCOMP_RET_KILL_PROCESS
#define FAIL(number) (SECCOMP_RET_ERRNO | (number))
#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

typedef enum condition_kind {
    ALWAYS, /* no condition */
    IS,     /* the argument is `value`, all 64 bits */
    HAS,    /* the argument has every bit of `value` set */
} condition_kind;

typedef struct condition {
    uint8_t kind, argument;
    uint32_t value;
} condition;

/* The first rule whose number and conditions fit decides. */
typedef struct rule {
    uint32_t number, action;
    condition conditions[CONDITIONS];
} rule;

/* Those that look at their arguments. (The kernel remembers which numbers are always allowed and does not even run the
 * program for them: so the order does not matter for the others.) */
static const rule careful_rules[] = {
    { SYS_mmap, KILL, { { HAS, 2, PROT_EXEC } } },     /* no new code */
    { SYS_mprotect, KILL, { { HAS, 2, PROT_EXEC } } }, /* nor any other that turns into code */
    { SYS_mmap, ALLOW, { { ALWAYS, 0, 0 } } },
    { SYS_mprotect, ALLOW, { { ALWAYS, 0, 0 } } },
    { SYS_clone, ALLOW, { { HAS, 0, THREAD_FLAGS } } }, /* threads, not processes */
    { SYS_clone, KILL, { { ALWAYS, 0, 0 } } },
    { SYS_clone3,
      FAIL(ENOSYS),
      { { ALWAYS, 0, 0 } } }, /* its flags lie where no filter can see them: glibc falls back */
    { SYS_prlimit64, ALLOW, { { IS, 0, 0 }, { IS, 1, RLIMIT_AS } } },
    { SYS_prlimit64, ALLOW, { { IS, 0, 0 }, { IS, 1, RLIMIT_CPU } } },
    { SYS_prlimit64, ALLOW, { { IS, 0, 0 }, { IS, 2, 0 } } }, /* reading */
    { SYS_prlimit64, FAIL(EPERM), { { ALWAYS, 0, 0 } } },
    { SYS_prctl, ALLOW, { { IS, 0, PR_SET_NAME } } }, /* libraries name their threads */
    { SYS_prctl, FAIL(EPERM), { { ALWAYS, 0, 0 } } },
    { SYS_write, ALLOW, { { IS, 0, STDERR_FILENO } } },
    { SYS_writev, ALLOW, { { IS, 0, STDERR_FILENO } } },
    { SYS_write, FAIL(EBADF), { { ALWAYS, 0, 0 } } },
    { SYS_writev, FAIL(EBADF), { { ALWAYS, 0, 0 } } },
    { SYS_ioctl, FAIL(ENOTTY), { { ALWAYS, 0, 0 } } }, /* isatty */
};

static const uint32_t allowed[] = {
    SYS_futex,
    SYS_read,
    SYS_pread64,
    SYS_lseek,
    SYS_close,
    SYS_fstat,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_getpid,
    SYS_gettid,
    SYS_getrusage,
    SYS_setitimer,
    SYS_sysinfo,
    SYS_getcpu,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
#ifdef SYS_time
    SYS_time,
#endif
};

/* Libraries look for files that would be nice to have, and go on without. */
static const uint32_t unseen[] = {
    SYS_openat, SYS_openat2, SYS_faccessat, SYS_faccessat2, SYS_newfstatat, SYS_statx, SYS_readlinkat, SYS_getcwd,
#ifdef SYS_open
    SYS_open,   SYS_access,  SYS_stat,      SYS_lstat,      SYS_readlink,
#endif
};

/* No picture needs these: who calls them is not a library any more. */
static const uint32_t deadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_process_madvise,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill, /* of others: abort() has its rule before */
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_sendto, /* anywhere but to the program */
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_truncate,
    SYS_setxattr,
    SYS_open_by_handle_at,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    SYS_pivot_root,
    SYS_unshare,
    SYS_setns,
    SYS_setuid,
    SYS_setresuid,
    SYS_setgid,
    SYS_capset,
    SYS_pkey_mprotect,
    SYS_memfd_create,
    SYS_shmget,
    SYS_mq_open,
    SYS_io_uring_setup,
    SYS_userfaultfd,
    SYS_perf_event_open,
    SYS_bpf,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_personality,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
    SYS_creat,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
#endif
};

typedef struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short n;
    bool is_too_long;
} program;

static void append(program *p, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    if (p->n == PROGRAM_MAX) {
        p->is_too_long = true;
        return;
    }
    p->code[p->n++] = (struct sock_filter){ .code = code, .jt = if_true, .jf = if_false, .k = k };
}

static void append_load(program *p, size_t offset) { append(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }

/* Both machines that we know are little-endian: the low half of an argument comes first. */
static size_t argument_offset(unsigned argument, bool is_high)
{
    return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + (is_high ? sizeof(uint32_t) : 0);
}

static uint8_t condition_length(const condition *c)
{
    static const uint8_t lengths[] = { [ALWAYS] = 0, [IS] = 4, [HAS] = 3 };
    return lengths[c->kind];
}

/* Goes on with the next instruction where the condition holds, else over it and `rest` more. */
static void append_condition(program *p, const condition *c, uint8_t rest)
{
    if (c->kind == ALWAYS)
        return;
    if (c->kind == IS) {
        append_load(p, argument_offset(c->argument, true));
        append(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, (uint8_t)(rest + 2));
    }
    append_load(p, argument_offset(c->argument, false));
    if (c->kind == HAS)
        append(p, BPF_ALU | BPF_AND | BPF_K, c->value, 0, 0);
    append(p, BPF_JMP | BPF_JEQ | BPF_K, c->value, 0, rest);
}

/* Leaves the number loaded for the next rule. */
static void append_rule(program *p, const rule *r)
{
    const uint8_t second = condition_length(&r->conditions[1]);
    const uint8_t both = (uint8_t)(condition_length(&r->conditions[0]) + second);
    append(p, BPF_JMP | BPF_JEQ | BPF_K, r->number, 0, (uint8_t)(both + 1));
    append_condition(p, &r->conditions[0], (uint8_t)(second + 1));
    append_condition(p, &r->conditions[1], 1);
    append(p, BPF_RET | BPF_K, r->action, 0, 0);
    if (both)
        append_load(p, offsetof(struct seccomp_data, nr));
}

static void append_list(program *p, const uint32_t *numbers, size_t n, uint32_t action)
{
    for (size_t i = 0; i < n; i++)
        append_rule(p, &(rule){ .number = numbers[i], .action = action });
}

/* What depends on who this process is. */
static void append_own_rules(program *p, int socket_fd)
{
    const uint32_t fd = (uint32_t)socket_fd;
    const rule rules[] = {
        { SYS_recvmsg, ALLOW, { { IS, 0, fd } } },
        { SYS_sendto, ALLOW, { { IS, 0, fd }, { IS, 4, 0 } } }, /* no address: only to the other end */
        { SYS_tgkill, ALLOW, { { IS, 0, (uint32_t)getpid() } } },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rules); i++)
        append_rule(p, &rules[i]);
}

static void write_program(program *p, int socket_fd)
{
    append_load(p, offsetof(struct seccomp_data, arch));
    append(p, BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 1, 0); /* 32-bit calls have other numbers */
    append(p, BPF_RET | BPF_K, KILL, 0, 0);
    append_load(p, offsetof(struct seccomp_data, nr));
    append(p, BPF_JMP | BPF_JGE | BPF_K, FIRST_FOREIGN, 0, 1);
    append(p, BPF_RET | BPF_K, KILL, 0, 0);
    append_own_rules(p, socket_fd);
    for (size_t i = 0; i < PD_COUNT_OF(careful_rules); i++)
        append_rule(p, &careful_rules[i]);
    append_list(p, allowed, PD_COUNT_OF(allowed), ALLOW);
    append_list(p, unseen, PD_COUNT_OF(unseen), FAIL(EACCES));
    append_list(p, deadly, PD_COUNT_OF(deadly), KILL);
    append(p, BPF_RET | BPF_K, FAIL(ENOSYS), 0, 0);
}

pd_status pd_syscall_filter_load(int socket_fd, pd_error *err)
{
    program p = { .n = 0 };
    write_program(&p, socket_fd);
    if (p.is_too_long)
        return pd_error_set(err, PD_ERR_INTERNAL, "the list of system calls is too long");
    const struct sock_fprog filter = { .len = p.n, .filter = p.code };
    const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (result == 0)
        return PD_OK;
    const int sys_errno = result > 0 ? ESRCH : errno; /* > 0: a thread that has a filter of its own */
    (void)pd_error_set_errno(err, sys_errno, "the kernel takes no list of system calls");
    return PD_ERR_UNSUPPORTED;
}
