/* The decoder's side of the socket: requests and descriptors as only a broken program would send them.
 *
 * Input: how many descriptors (0..4, modulo 5), what they are (4 bytes, modulo KINDS), how long the packet is (1 byte),
 * whether its magic and version are made right (1 byte), the packet, and the rest is what the file holds. */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "decoder/decode.h"
#include "decoder/serve.h"
#include "media/reply.h"

enum { HEAD_BYTES = 7, FDS_MAX = 4, FDS_LOOKED_AT = 64, FILE_BYTES_MAX = 256 };

typedef enum kind {
    FILE_WITH_BYTES,
    SLOT,
    SLOT_TOO_SMALL,
    SLOT_READ_ONLY,
    FOLDER,
    PIPE_END,
    SOCKET_END,
    ENDLESS, /* /dev/zero */
    WRITE_ONLY,
    KINDS
} kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_memory(size_t bytes, const void *content, size_t n)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0 || (n && pwrite(fd, content, n, 0) != (ssize_t)n))
        abort();
    return fd;
}

static int reopen(int fd, int flags)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int other = open(path, flags | O_CLOEXEC);
    (void)close(fd);
    return other;
}

static int open_kind(kind what, const uint8_t *bytes, size_t n)
{
    int pair[2] = { -1, -1 };
    switch (what) {
    case FILE_WITH_BYTES: return open_memory(n, bytes, n);
    case SLOT: return open_memory(PD_DECODE_SLOT_BYTES, NULL, 0);
    case SLOT_TOO_SMALL: return open_memory(PD_DECODE_SLOT_BYTES - 1, NULL, 0);
    case SLOT_READ_ONLY: return reopen(open_memory(PD_DECODE_SLOT_BYTES, NULL, 0), O_RDONLY);
    case FOLDER: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case PIPE_END:
        if (pipe2(pair, O_CLOEXEC) != 0)
            abort();
        break;
    case SOCKET_END:
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
            abort();
        break;
    case ENDLESS: return open("/dev/zero", O_RDONLY | O_CLOEXEC);
    case WRITE_ONLY: return reopen(open_memory(n, bytes, n), O_WRONLY);
    case KINDS: break;
    }
    (void)close(pair[1]);
    return pair[0];
}

static unsigned count_open(void)
{
    unsigned n = 0;
    for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void send_packet(int socket_fd, const void *packet, size_t bytes, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = { 0 };
    struct iovec part = { .iov_base = (void *)(uintptr_t)packet, .iov_len = bytes };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
    if (n_fds) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        *CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                                     .cmsg_type = SCM_RIGHTS,
                                                     .cmsg_len = CMSG_LEN(n_fds * sizeof(int)) };
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, n_fds * sizeof(int));
    }
    if (sendmsg(socket_fd, &message, MSG_NOSIGNAL) != (ssize_t)bytes)
        abort();
}

/* An answer comes exactly when the decoder says so, and it is one that the program would take. */
static void check_answer(int socket_fd, bool has_answered, const pd_decode_request *request)
{
    uint8_t reply[PD_DECODE_ANSWER_BYTES_MAX + 1];
    const ssize_t n = recv(socket_fd, reply, sizeof reply, MSG_DONTWAIT);
    if (has_answered != (n > 0))
        abort();
    if (!has_answered)
        return;
    const uint8_t *slot = (const uint8_t *)(uintptr_t)0x100000; /* only addresses are computed from it */
    pd_picture picture;
    bool has_lied = false;
    const pd_status status = pd_reply_read(reply, (size_t)n, request, slot, &picture, &has_lied, NULL);
    if (has_lied || !pd_decode_request_is_sound(request) || status == PD_ERR_INTERNAL)
        abort();
    if (status == PD_OK)
        pd_picture_release(&picture);
}

static void run(const uint8_t *head, const pd_decode_request *request, size_t packet_bytes, const uint8_t *file,
                size_t file_bytes)
{
    int sockets[2], fds[FDS_MAX];
    const size_t n_fds = head[0] % (FDS_MAX + 1);
    const pd_sandbox no_walls = { .memory_fd = -1 };
    const unsigned n_open = count_open();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        abort();
    for (size_t i = 0; i < n_fds; i++) {
        fds[i] = open_kind((kind)(head[1 + i] % KINDS), file, file_bytes);
        if (fds[i] < 0)
            abort();
    }
    send_packet(sockets[0], request, packet_bytes, fds, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        (void)close(fds[i]);
    const bool has_answered = pd_decoder_answer(&no_walls, sockets[1]);
    if (has_answered && (n_fds != 2U + (request->has_sidecar == 1) || packet_bytes != sizeof *request))
        abort();
    check_answer(sockets[0], has_answered, request);
    (void)close(sockets[0]);
    (void)close(sockets[1]);
    if (count_open() != n_open)
        abort(); /* somebody who sends enough of these would fill the table */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    if (!is_ready && pd_decode_init(NULL) != PD_OK)
        abort();
    is_ready = true;
    if (size < HEAD_BYTES)
        return 0;
    union {
        pd_decode_request request;
        uint8_t bytes[256];
    } packet = { 0 };
    size_t packet_bytes = data[5];
    if (packet_bytes > size - HEAD_BYTES)
        packet_bytes = size - HEAD_BYTES;
    memcpy(packet.bytes, data + HEAD_BYTES, packet_bytes);
    if (data[6] & 1) {
        packet.request.magic = PD_DECODE_MAGIC;
        packet.request.version = PD_DECODE_VERSION;
        packet_bytes = packet_bytes < sizeof packet.request ? sizeof packet.request : packet_bytes;
    }
    size_t file_bytes = size - HEAD_BYTES - (packet_bytes < size - HEAD_BYTES ? packet_bytes : size - HEAD_BYTES);
    if (file_bytes > FILE_BYTES_MAX)
        file_bytes = FILE_BYTES_MAX;
    run(data, &packet.request, packet_bytes, data + size - file_bytes, file_bytes);
    return 0;
}
