#include "decoder/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib.h>

#include "decoder/decode.h"
#include "decoder/sandbox.h"
#include "decoder/xmp_merge.h"
#include "media/protocol.h"

enum { FDS_MIN = 2, FDS = 3 }; /* of a request: the file, the slot; the sidecar or what is to be said in one, or -1 */

static void close_descriptors(const int fds[FDS])
{
    for (int i = 0; i < FDS; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* Takes the descriptors out of a message; those of a message that is not as it should be are closed. (There may be one
 * more than FDS: the room for them is rounded up.) */
static bool take_descriptors(struct msghdr *message, int ret_fds[FDS])
{
    size_t n = 0;
    int fds[FDS] = { -1, -1, -1 };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++, n++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (n < FDS)
                fds[n] = fd;
            else
                (void)close(fd);
        }
    }
    if (n >= FDS_MIN && n <= FDS && !(message->msg_flags & (MSG_CTRUNC | MSG_TRUNC))) {
        memcpy(ret_fds, fds, sizeof fds);
        return true;
    }
    close_descriptors(fds);
    return false;
}

/* False at the end of the socket, and for anything that is not a request: there is nobody to explain it to. */
static bool receive_request(int socket_fd, pd_decode_request *ret_request, int ret_fds[FDS])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FDS * sizeof(int))];
    } control;
    struct iovec part = { .iov_base = ret_request, .iov_len = sizeof *ret_request };
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
    };
    ssize_t n;
    do
        n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 || !take_descriptors(&message, ret_fds)) /* an empty packet may carry some too */
        return false;
    if (n == (ssize_t)sizeof *ret_request && pd_decode_request_is_sound(ret_request) &&
        (ret_fds[2] >= 0) == (ret_request->has_sidecar == 1))
        return true;
    close_descriptors(ret_fds);
    return false;
}

/* fstat of the C library is a look by path for the kernel, and paths are closed by now. */
static int look_at(int fd, struct stat *ret_info) { return (int)syscall(SYS_fstat, fd, ret_info); }

static pd_status map_file(int fd, const uint8_t **ret_data, size_t *ret_len, pd_error *err)
{
    struct stat info;
    if (look_at(fd, &info) != 0)
        return pd_error_set_errno(err, errno, "cannot look at the file");
    if (!S_ISREG(info.st_mode) || info.st_size <= 0)
        return pd_error_set(err, PD_ERR_FORMAT, "the file is empty, or not a regular file");
    if ((uint64_t)info.st_size > PD_MEDIA_FILE_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the file is too large");
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return pd_error_set_errno(err, errno, "cannot read the file");
    *ret_data = map;
    *ret_len = (size_t)info.st_size;
    return PD_OK;
}

static pd_status map_slot(int fd, uint8_t **ret_slot, pd_error *err)
{
    struct stat info;
    if (look_at(fd, &info) != 0 || info.st_size != (off_t)PD_DECODE_SLOT_BYTES)
        return pd_error_set(err, PD_ERR_IO, "the shared memory for the picture has the wrong size");
    void *map = mmap(NULL, PD_DECODE_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return pd_error_set_errno(err, errno, "cannot map the shared memory for the picture");
    *ret_slot = map;
    return PD_OK;
}

/* A sidecar that cannot be read, or is too large to be one, is none. */
static void map_sidecar(int fd, pd_decode_input *input)
{
    struct stat info;
    if (fd < 0 || look_at(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0 ||
        (uint64_t)info.st_size > PD_MEDIA_SIDECAR_BYTES_MAX)
        return;
    void *map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return;
    input->sidecar = map;
    input->sidecar_bytes = (size_t)info.st_size;
}

static void unmap(const uint8_t *data, size_t len)
{
    if (data)
        (void)munmap((void *)(uintptr_t)data, len);
}

/* The file is a sidecar, and what would be its picture's sidecar are the words for it. */
static pd_status merge_sidecar(const pd_decode_input *input, const pd_decode_request *request, pd_decode_output *output,
                               pd_error *err)
{
    const pd_xmp_wishes wishes = { .texts = { (const char *)input->sidecar, input->sidecar_bytes },
                                   .rating = request->rating };
    pd_buf merged;
    if (!pd_texts_are_sound(wishes.texts))
        return pd_error_set(err, PD_ERR_FORMAT, "the words for the sidecar are not as they should be");
    pd_buf_init(&merged, PD_MEDIA_SIDECAR_BYTES_MAX);
    const pd_status status = pd_xmp_merge(input->data, input->len, &wishes, &merged, err);
    if (status == PD_OK) {
        memcpy(output->slot, merged.data, merged.len);
        output->reply.rendition_bytes = (uint32_t)merged.len;
    }
    pd_buf_done(&merged);
    return status;
}

static pd_status answer(const pd_sandbox *sandbox, const pd_decode_request *request, const int fds[FDS],
                        pd_decode_output *output, pd_error *err)
{
    pd_decode_input input = { 0 };
    uint8_t *slot = NULL;
    struct stat info;
    const uint64_t file_bytes = look_at(fds[0], &info) == 0 && info.st_size > 0 ? (uint64_t)info.st_size : 0;
    pd_status status = pd_sandbox_begin_file(sandbox, file_bytes + PD_DECODE_SLOT_BYTES, request->timeout_ms, err);
    if (status == PD_OK)
        status = map_file(fds[0], &input.data, &input.len, err);
    if (status == PD_OK)
        status = map_slot(fds[1], &slot, err);
    if (status == PD_OK) {
        map_sidecar(fds[2], &input);
        output->slot = slot;
        status =
            request->merge ? merge_sidecar(&input, request, output, err) : pd_decode_file(&input, request, output, err);
    }
    pd_sandbox_end_file();
    unmap(slot, PD_DECODE_SLOT_BYTES);
    unmap(input.data, input.len);
    unmap(input.sidecar, input.sidecar_bytes);
    return status;
}

/* Statuses that the other side does not expect from a decoder become the nearest one that it does. */
static pd_status limit_status(pd_status status)
{
    const bool is_expected = status == PD_OK || status == PD_ERR_NOMEM || status == PD_ERR_IO ||
                             status == PD_ERR_FORMAT || status == PD_ERR_UNSUPPORTED || status == PD_ERR_LIMIT;
    return is_expected ? status : PD_ERR_IO;
}

/* One packet: the struct, then the texts. */
static bool send_answer(int socket_fd, const pd_decode_output *output)
{
    uint8_t packet[PD_DECODE_ANSWER_BYTES_MAX];
    const size_t bytes = sizeof output->reply + output->texts.len;
    memcpy(packet, &output->reply, sizeof output->reply);
    if (output->texts.len)
        memcpy(packet + sizeof output->reply, output->texts.data, output->texts.len);
    ssize_t n;
    do
        n = send(socket_fd, packet, bytes, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

bool pd_decoder_answer(const pd_sandbox *sandbox, int socket_fd)
{
    pd_decode_request request;
    int fds[FDS];
    if (!receive_request(socket_fd, &request, fds))
        return false;
    pd_error error = { 0 };
    pd_decode_output output = { 0 };
    pd_buf_init(&output.texts, PD_TEXTS_BYTES_MAX);
    const pd_status status = limit_status(answer(sandbox, &request, fds, &output, &error));
    close_descriptors(fds);
    if (status != PD_OK) {
        output.reply = (pd_decode_reply){ .status = status };
        pd_decode_message_set(&output.reply, error.message);
        pd_buf_clear(&output.texts);
    }
    output.reply.magic = PD_DECODE_MAGIC;
    output.reply.version = PD_DECODE_VERSION;
    output.reply.id = request.id;
    output.reply.text_bytes = (uint32_t)output.texts.len;
    const bool is_sent = send_answer(socket_fd, &output);
    pd_buf_done(&output.texts);
    return is_sent;
}

/* The file is mapped: where it cannot be read, or was cut meanwhile, the kernel says so with a signal. */
static void exit_on_bus_error(int signal_number)
{
    (void)signal_number;
    _exit(PD_DECODE_EXIT_FILE_IO);
}

/* What GLib says before it gives up: its warnings go nowhere, and that memory ran out is worth an exit status of its
 * own. (It ends the process with SIGTRAP after this, as for every other mistake.) */
static void hear_glib(const char *domain, GLogLevelFlags level, const char *message, void *user)
{
    (void)domain;
    (void)user;
    if ((level & G_LOG_LEVEL_ERROR) && strstr(message, "failed to allocate"))
        _exit(PD_DECODE_EXIT_MEMORY);
}

int pd_decoder_serve(int socket_fd)
{
    const struct sigaction bus = { .sa_handler = exit_on_bus_error };
    pd_sandbox sandbox;
    pd_error error;
    (void)g_log_set_default_handler(hear_glib, NULL);
    if (pd_decode_init(&error) != PD_OK || sigaction(SIGBUS, &bus, NULL) != 0 ||
        pd_sandbox_enter(&sandbox, PD_WALLS_ALL, socket_fd, &error) != PD_OK)
        return EXIT_FAILURE;
    const pd_decode_hello hello = { .magic = PD_DECODE_MAGIC, .version = PD_DECODE_VERSION, .walls = sandbox.walls };
    if (send(socket_fd, &hello, sizeof hello, MSG_NOSIGNAL) != (ssize_t)sizeof hello)
        return EXIT_FAILURE;
    while (pd_decoder_answer(&sandbox, socket_fd))
        continue;
    return EXIT_SUCCESS;
}
