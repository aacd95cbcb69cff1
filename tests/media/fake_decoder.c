/* fake_decoder.c: a decoder that does what the first word of the "picture" tells it to. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "good_reply.h"

static void send_reply(const void *bytes, size_t n) { (void)!send(PD_DECODE_SOCKET_FD, bytes, n, MSG_NOSIGNAL); }

static void answer_well(const pd_decode_request *request, int slot_fd)
{
    uint8_t *slot = mmap(NULL, PD_DECODE_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, slot_fd, 0);
    for (int i = 0; i < 24; i++)
        slot[i] = (uint8_t)(10 * i);
    (void)munmap(slot, PD_DECODE_SLOT_BYTES);
    pd_decode_reply reply;
    fill_good_reply(request, &reply);
    send_reply(&reply, sizeof reply);
}

static void fail(const pd_decode_request *request)
{
    pd_decode_reply reply = { .magic = PD_DECODE_MAGIC,
                              .version = PD_DECODE_VERSION,
                              .id = request->id,
                              .status = PD_ERR_UNSUPPORTED,
                              .message = "a kind nobody reads" };
    send_reply(&reply, sizeof reply);
}

static void act(const char *word, const pd_decode_request *request, int slot_fd)
{
    static const char garbage[PD_DECODE_ANSWER_BYTES_MAX + 1] = "garbage";
    if (strcmp(word, "crash") == 0)
        (void)(signal(SIGSEGV, SIG_DFL), raise(SIGSEGV)); /* a sanitizer would catch it */
    else if (strcmp(word, "exit") == 0)
        _exit(3);
    else if (strcmp(word, "disk") == 0)
        _exit(PD_DECODE_EXIT_FILE_IO);
    else if (strcmp(word, "hang") == 0)
        (void)pause();
    else if (strcmp(word, "silent") == 0)
        (void)(close(PD_DECODE_SOCKET_FD), pause());
    else if (strcmp(word, "short") == 0)
        send_reply(garbage, 5);
    else if (strcmp(word, "long") == 0)
        send_reply(garbage, sizeof garbage);
    else if (strcmp(word, "fail") == 0)
        fail(request);
    else if (strcmp(word, "lie") == 0) {
        pd_decode_reply reply;
        fill_good_reply(request, &reply);
        reply.pixel_height = 1u << 31;
        send_reply(&reply, sizeof reply);
    } else if (strcmp(word, "shrink") == 0) {
        if (ftruncate(slot_fd, 0) == 0)
            _exit(4); /* the seal did not hold */
        answer_well(request, slot_fd);
    } else if (strcmp(word, "last") == 0) {
        answer_well(request, slot_fd);
        _exit(0); /* dies while idle */
    } else {
        answer_well(request, slot_fd);
    }
}

int main(void)
{
    const pd_decode_hello hello = { .magic = PD_DECODE_MAGIC, .version = PD_DECODE_VERSION };
    send_reply(&hello, sizeof hello);
    for (;;) {
        pd_decode_request request;
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control;
        struct iovec part = { &request, sizeof request };
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes
        };
        if (recvmsg(PD_DECODE_SOCKET_FD, &message, 0) != (ssize_t)sizeof request)
            return 0;
        int fds[2];
        memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fds);
        char word[16] = { 0 };
        (void)!pread(fds[0], word, sizeof word - 1, 0);
        act(word, &request, fds[1]);
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
}
