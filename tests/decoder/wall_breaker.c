/* wall_breaker.c: a "decoder" that goes in behind the walls it is told of and then tries to get out. Only for
 * test_walls.
 *
 * Each "picture" is a text. The first is "enter WALLS" (PD_WALL_*), answered with "entered WALLS": those that stand.
 * The second is "DEED WORD" and is answered with "crossed", or "refused: ERRNO" - unless the deed ended the process.
 * The answers are failures, because these have room for a sentence. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "decoder/sandbox.h"
#include "media/protocol.h"

/* What is asked of the sandbox: two seconds with its margin for deeds that run out of time, or else what a busy machine
 * may need. */
enum { SHORT_MS = 10, LONG_MS = 600000 };

typedef struct scene {
    const char *word; /* for the deed: a path, a number */
    int file_fd, slot_fd;
    pid_t parent; /* asked before the walls close */
} scene;

/* 0: done; -1: errno says why not. */
typedef int deed(const scene *s);

static int close_if_open(int fd)
{
    if (fd < 0)
        return -1;
    (void)close(fd);
    return 0;
}

static int open_to_read(const scene *s) { return close_if_open(open(s->word, O_RDONLY | O_CLOEXEC)); }

static int open_to_write(const scene *s) { return close_if_open(open(s->word, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }

static int open_new_way(const scene *s)
{
    const uint64_t how[3] = { O_RDONLY | O_CLOEXEC };
    return close_if_open((int)syscall(SYS_openat2, AT_FDCWD, s->word, how, sizeof how));
}

static int look_at_file(const scene *s)
{
    struct stat info;
    return stat(s->word, &info);
}

static int remove_file(const scene *s) { return unlink(s->word); }

static int make_folder(const scene *s) { return mkdir(s->word, 0700); }

static int open_memory_of_parent(const scene *s)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)s->parent);
    return close_if_open(open(path, O_RDONLY | O_CLOEXEC));
}

static int read_memory_of_parent(const scene *s)
{
    char here = 0;
    const struct iovec local = { &here, 1 }, remote = { (void *)(uintptr_t)strtoull(s->word, NULL, 16), 1 };
    return process_vm_readv(s->parent, &local, 1, &remote, 1, 0) == 1 ? 0 : -1;
}

static int trace_parent(const scene *s) { return (int)ptrace(PTRACE_SEIZE, s->parent, NULL, NULL); }

static int signal_parent(const scene *s) { return kill(s->parent, SIGURG); } /* one that is ignored */

static int signal_thread_of_parent(const scene *s) { return (int)syscall(SYS_tgkill, s->parent, s->parent, SIGURG); }

static int open_handle_of_parent(const scene *s) { return close_if_open((int)syscall(SYS_pidfd_open, s->parent, 0)); }

static int open_socket(const scene *s)
{
    (void)s;
    return close_if_open(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_local_socket(const scene *s)
{
    (void)s;
    return close_if_open(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int connect_out(const scene *s)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)strtoul(s->word, NULL, 10)),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
}

/* Anywhere but to the program: the kernel answers that a file is no socket, if it is asked at all. */
static int send_elsewhere(const scene *s)
{
    return sendto(s->file_fd, "", 1, MSG_NOSIGNAL, NULL, 0) < 0 && errno != ENOTSOCK ? -1 : 0;
}

static int pass_descriptor(const scene *s)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    char byte = 0;
    struct iovec part = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(header), &s->file_fd, sizeof(int));
    int pair[2]; /* not to the program, which takes one packet as the answer */
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    return sendmsg(pair[0], &message, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

static int run_program(const scene *s)
{
    (void)execl(s->word, s->word, (char *)NULL); /* ends with 0: test_walls takes that for crossed */
    return -1;
}

static int wait_for(pid_t pid)
{
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int fork_old_way(const scene *s)
{
    (void)s;
    return wait_for((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int fork_new_way(const scene *s)
{
    uint64_t arguments[8] = { [4] = SIGCHLD }; /* struct clone_args */
    (void)s;
    return wait_for((pid_t)syscall(SYS_clone3, arguments, sizeof arguments));
}

#ifdef SYS_fork
static int fork_plain(const scene *s)
{
    (void)s;
    return wait_for((pid_t)syscall(SYS_fork));
}
#endif

static int map_code(const scene *s)
{
    (void)s;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
                                                                                                                  : 0;
}

static int map_slot_as_code(const scene *s)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, s->slot_fd, 0) == MAP_FAILED ? -1 : 0;
}

static int turn_into_code(const scene *s)
{
    (void)s;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int take_memory(const scene *s)
{
    const size_t bytes = (size_t)PD_MEDIA_DECODER_BYTES_MAX + ((size_t)64 << 20);
    (void)s;
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

/* Raises its own limit first, as far as that goes: the largest file and what it may take. */
static int take_all_memory(const scene *s)
{
    struct rlimit limit;
    const size_t bytes = (size_t)PD_MEDIA_FILE_BYTES_MAX + PD_MEDIA_DECODER_BYTES_MAX + ((size_t)64 << 20);
    (void)s;
    (void)getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = limit.rlim_max = RLIM_INFINITY;
    if (setrlimit(RLIMIT_AS, &limit) != 0 && getrlimit(RLIMIT_AS, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_AS, &limit);
    }
    return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int burn_processor(const scene *s)
{
    const struct itimerval stopped = { 0 };
    const clock_t end = clock() + 3 * CLOCKS_PER_SEC;
    (void)s;
    (void)setitimer(ITIMER_REAL, &stopped, NULL); /* the other clock */
    while (clock() < end)
        continue;
    return 0;
}

static int allow_core_file(const scene *s)
{
    const struct rlimit limit = { 4096, 4096 };
    (void)s;
    return setrlimit(RLIMIT_CORE, &limit);
}

static int be_looked_into(const scene *s)
{
    (void)s;
    errno = EACCES;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 ? 0 : -1;
}

static int keep_capability(const scene *s)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { 0 };
    (void)s;
    if (syscall(SYS_capget, &header, sets) != 0)
        return -1;
    errno = EPERM;
    return sets[0].effective | sets[0].permitted | sets[1].effective | sets[1].permitted ? 0 : -1;
}

static int hoard_descriptors(const scene *s)
{
    for (int i = 0; i < 32; i++)
        if (dup(s->file_fd) < 0)
            return -1;
    return 0;
}

static int write_file(const scene *s)
{
    const int fd = open(s->word, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    (void)signal(SIGXFSZ, SIG_IGN);
    return fd >= 0 && write(fd, "x", 1) == 1 ? 0 : -1;
}

static int write_slot_by_call(const scene *s) { return write(s->slot_fd, "x", 1) == 1 ? 0 : -1; }

static int call_unlisted(const scene *s) { return fcntl(s->slot_fd, F_GETFL) >= 0 ? 0 : -1; }

static int make_ring(const scene *s)
{
    uint8_t parameters[120] = { 0 }; /* struct io_uring_params */
    (void)s;
    return close_if_open((int)syscall(SYS_io_uring_setup, 1, parameters));
}

static int make_memory_file(const scene *s)
{
    (void)s;
    return close_if_open(memfd_create("more", MFD_CLOEXEC));
}

static int make_namespace(const scene *s)
{
    (void)s;
    return unshare(CLONE_NEWUSER);
}

static int make_keyring(const scene *s)
{
    (void)s;
    return syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -4 /* of the user */, 1) < 0 ? -1 : 0;
}

#ifdef __x86_64__
static int call_by_32_bits(const scene *s)
{
    long result;
    (void)s;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid of 32-bit programs */) : "memory");
    errno = ENOSYS;
    return result > 0 ? 0 : -1;
}

static int call_by_x32(const scene *s)
{
    (void)s;
    return syscall(0x40000000 + SYS_getpid) > 0 || errno == ENOSYS ? 0 : -1; /* the kernel was asked */
}
#endif

static int keep_environment(const scene *s)
{
    errno = ENOENT;
    return getenv(s->word) ? 0 : -1;
}

static int do_nothing(const scene *s)
{
    (void)s;
    return 0;
}

static int abort_itself(const scene *s)
{
    (void)s;
    abort();
}

static int sleep_long(const scene *s)
{
    (void)s;
    const struct timespec time = { .tv_sec = 6 };
    return nanosleep(&time, NULL);
}

static void *end_thread(void *arg) { return arg; }

static int start_thread(const scene *s)
{
    pthread_t thread;
    (void)s;
    errno = pthread_create(&thread, NULL, end_thread, NULL);
    return errno ? -1 : pthread_join(thread, NULL);
}

static const struct {
    const char *name;
    deed *deed;
} deeds[] = {
    { "nothing", do_nothing },
    { "thread", start_thread },
    { "abort", abort_itself },
    { "open", open_to_read },
    { "create", open_to_write },
    { "openat2", open_new_way },
    { "stat", look_at_file },
    { "unlink", remove_file },
    { "mkdir", make_folder },
    { "parent-mem", open_memory_of_parent },
    { "parent-readv", read_memory_of_parent },
    { "ptrace", trace_parent },
    { "kill", signal_parent },
    { "tgkill", signal_thread_of_parent },
    { "pidfd", open_handle_of_parent },
    { "socket", open_socket },
    { "unix-socket", open_local_socket },
    { "connect", connect_out },
    { "sendto", send_elsewhere },
    { "pass-fd", pass_descriptor },
    { "exec", run_program },
    { "clone", fork_old_way },
    { "clone3", fork_new_way },
#ifdef SYS_fork
    { "fork", fork_plain },
#endif
    { "map-code", map_code },
    { "map-slot-code", map_slot_as_code },
    { "mprotect-code", turn_into_code },
    { "memory", take_memory },
    { "all-memory", take_all_memory },
    { "burn", burn_processor },
    { "sleep", sleep_long },
    { "core", allow_core_file },
    { "dumpable", be_looked_into },
    { "capability", keep_capability },
    { "descriptors", hoard_descriptors },
    { "write", write_file },
    { "write-slot", write_slot_by_call },
    { "unlisted", call_unlisted },
    { "io_uring", make_ring },
    { "memfd", make_memory_file },
    { "unshare", make_namespace },
    { "keyctl", make_keyring },
#ifdef __x86_64__
    { "int80", call_by_32_bits },
    { "x32", call_by_x32 },
#endif
    { "environment", keep_environment },
};

static void answer(uint64_t id, const char *text)
{
    pd_decode_reply reply = {
        .magic = PD_DECODE_MAGIC, .version = PD_DECODE_VERSION, .id = id, .status = PD_ERR_UNSUPPORTED
    };
    (void)snprintf(reply.message, sizeof reply.message, "%s", text);
    (void)!send(PD_DECODE_SOCKET_FD, &reply, sizeof reply, MSG_NOSIGNAL);
}

static void enter(const char *walls, pd_sandbox *ret_sandbox, uint64_t id)
{
    char text[64] = "the sandbox does not close";
    if (pd_sandbox_enter(ret_sandbox, (uint32_t)strtoul(walls, NULL, 10), PD_DECODE_SOCKET_FD, NULL) == PD_OK)
        (void)snprintf(text, sizeof text, "entered %u", ret_sandbox->walls);
    answer(id, text);
}

static void act(const char *name, const scene *s, const pd_sandbox *sandbox, uint64_t id)
{
    char text[64] = "no such deed";
    for (size_t i = 0; i < PD_COUNT_OF(deeds); i++) {
        if (strcmp(deeds[i].name, name) != 0)
            continue;
        const bool overstays = deeds[i].deed == burn_processor || deeds[i].deed == sleep_long;
        if (pd_sandbox_begin_file(sandbox, 0, overstays ? SHORT_MS : LONG_MS, NULL) != PD_OK)
            break;
        const int result = deeds[i].deed(s);
        (void)snprintf(text, sizeof text, result == 0 ? "crossed" : "refused: %s", strerrorname_np(errno));
        pd_sandbox_end_file();
    }
    answer(id, text);
}

static bool receive(pd_decode_request *ret_request, int ret_fds[2])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = { ret_request, sizeof *ret_request };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
    };
    if (recvmsg(PD_DECODE_SOCKET_FD, &message, 0) != (ssize_t)sizeof *ret_request)
        return false;
    memcpy(ret_fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), 2 * sizeof(int));
    return true;
}

int main(void)
{
    const pd_decode_hello hello = { .magic = PD_DECODE_MAGIC, .version = PD_DECODE_VERSION };
    (void)!send(PD_DECODE_SOCKET_FD, &hello, sizeof hello, MSG_NOSIGNAL);
    scene s = { .parent = getppid() };
    pd_sandbox sandbox = { .memory_fd = -1 };
    pd_decode_request request;
    int fds[2];
    while (receive(&request, fds)) {
        char text[4096] = { 0 };
        (void)!pread(fds[0], text, sizeof text - 1, 0);
        char *word = strchrnul(text, ' ');
        s.word = *word ? word + 1 : word;
        *word = '\0';
        s.file_fd = fds[0];
        s.slot_fd = fds[1];
        if (strcmp(text, "enter") == 0)
            enter(s.word, &sandbox, request.id);
        else
            act(text, &s, &sandbox, request.id);
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
    return 0;
}
