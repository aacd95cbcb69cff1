#include "media/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* A clean environment: no plug-in paths, no debug switches of libraries, nothing of the user's; one thread and one heap
 * for each decoder, and a time zone that is not looked up in a file. */
static const char *const child_environment[] = { "LC_ALL=C.UTF-8",     "TZ=UTC0",           "VIPS_CONCURRENCY=1",
                                                 "MALLOC_ARENA_MAX=1", "OMP_NUM_THREADS=1", NULL };

/* Waits until the socket has something to read. PD_ERR_TIMEOUT after the deadline. */
static pd_status wait_readable(int socket_fd, int64_t deadline_ns)
{
    for (;;) {
        const int64_t left_ns = deadline_ns - pd_clock_ns();
        if (left_ns <= 0)
            return PD_ERR_TIMEOUT;
        struct pollfd entry = { .fd = socket_fd, .events = POLLIN };
        const int n = poll(&entry, 1, (int)((left_ns + PD_NS_PER_MS - 1) / PD_NS_PER_MS));
        if (n > 0)
            return PD_OK;
        if (n < 0 && errno != EINTR)
            return PD_ERR_IO;
    }
}

/* One packet; its real length even when longer than `size`. The end of the socket is PD_ERR_CRASHED. Descriptors that a
 * decoder might send along are dropped by the kernel, as no room is offered for them. */
static pd_status receive(int socket_fd, int64_t deadline_ns, void *ret_packet, size_t size, size_t *ret_bytes)
{
    PD_TRY(wait_readable(socket_fd, deadline_ns));
    ssize_t n;
    do
        n = recv(socket_fd, ret_packet, size, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return PD_ERR_CRASHED;
    *ret_bytes = (size_t)n;
    return PD_OK;
}

static int prepare_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error) /* a process group of its own: Ctrl-C in the terminal is for the program, not for each decoder */
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error)
        error = posix_spawnattr_setflags(attributes,
                                         POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return error;
}

static int prepare_files(posix_spawn_file_actions_t *actions, int socket_fd)
{
    /* the socket first: it may lie on 0, 1 or 2 when the program was started with those closed */
    int error = posix_spawn_file_actions_adddup2(actions, socket_fd, PD_DECODE_SOCKET_FD);
    for (int fd = 0; fd < 3 && !error; fd++)
        error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, PD_DECODE_SOCKET_FD + 1);
    return error;
}

static int spawn(pid_t *ret_pid, const char *path, int socket_fd)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = posix_spawnattr_init(&attributes);
    if (error)
        return error;
    error = posix_spawn_file_actions_init(&actions);
    if (error) {
        posix_spawnattr_destroy(&attributes);
        return error;
    }
    error = prepare_attributes(&attributes);
    if (!error)
        error = prepare_files(&actions, socket_fd);
    char *name = strdupa(path);
    if (!error)
        error = posix_spawn(ret_pid, path, &actions, &attributes, (char *const[]){ name, NULL },
                            (char *const *)(uintptr_t)child_environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return error;
}

static pd_status await_hello(pd_process *process, const char *path, pd_error *err)
{
    pd_decode_hello hello;
    size_t bytes = 0;
    const int64_t deadline_ns = pd_clock_ns() + PD_PROCESS_START_MS * PD_NS_PER_MS;
    if (receive(process->socket, deadline_ns, &hello, sizeof hello, &bytes) != PD_OK)
        return pd_error_set(err, PD_ERR_NOT_FOUND,
                            "the picture decoder %s does not start: is libvips installed (Debian: libvips42)?", path);
    if (bytes != sizeof hello || hello.magic != PD_DECODE_MAGIC || hello.version != PD_DECODE_VERSION)
        return pd_error_set(err, PD_ERR_NOT_FOUND,
                            "%s is not the picture decoder of this version of Pixel Detective: install both together",
                            path);
    process->walls = hello.walls & PD_WALLS_ALL;
    return PD_OK;
}

pd_status pd_process_start(pd_process *ret_process, const char *path, pd_error *err)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return pd_error_set_errno(err, errno, "cannot make a socket for a picture decoder");
    pd_process process = { .socket = sockets[0] };
    const int error = spawn(&process.pid, path, sockets[1]);
    (void)close(sockets[1]);
    if (error) {
        (void)close(sockets[0]);
        if (error == ENOENT || error == EACCES || error == ENOEXEC)
            return pd_error_set(err, PD_ERR_NOT_FOUND,
                                "the picture decoder %s is missing or cannot be run: it belongs beside pixel-detective",
                                path);
        return pd_error_set_errno(err, error, "cannot start the picture decoder %s", path);
    }
    const pd_status status = await_hello(&process, path, err);
    if (status != PD_OK) {
        (void)pd_process_end(&process);
        return status;
    }
    *ret_process = process;
    return PD_OK;
}

static pd_status send_request(int socket_fd, const pd_decode_request *request, const int fds[3])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = { 0 };
    const size_t fds_bytes = (request->has_sidecar ? 3 : 2) * sizeof(int);
    pd_decode_request copy = *request;
    struct iovec part = { .iov_base = &copy, .iov_len = sizeof copy };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = CMSG_SPACE(fds_bytes)
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds_bytes);
    memcpy(CMSG_DATA(header), fds, fds_bytes);
    ssize_t n;
    do
        n = sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof copy ? PD_OK : PD_ERR_BUSY;
}

pd_status pd_process_ask(const pd_process *process, const pd_decode_request *request, const int fds[3], void *reply,
                         size_t size, size_t *ret_bytes)
{
    const int64_t deadline_ns = pd_clock_ns() + request->timeout_ms * PD_NS_PER_MS;
    PD_TRY(send_request(process->socket, request, fds));
    return receive(process->socket, deadline_ns, reply, size, ret_bytes);
}

int pd_process_end(pd_process *process)
{
    int wait_status = 0;
    if (!process->pid)
        return wait_status;
    (void)kill(process->pid, SIGKILL); /* of a process that died by itself, the first cause stays in the wait status */
    while (waitpid(process->pid, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    (void)close(process->socket);
    *process = (pd_process){ 0 };
    return wait_status;
}
