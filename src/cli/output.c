#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

enum {
    OUT_FLUSH_BYTES = 1 << 16,
    SENTENCE_BYTES_MAX = 1 << 15, /* a path of 4,096 bytes, all escaped, and its reason */
};

void pd_out_init(pd_out *out, int fd)
{
    *out = (pd_out){ .fd = fd, .terminal = isatty(fd) == 1 };
    pd_buf_init(&out->buf, PD_JSON_BYTES_MAX);
}

void pd_out_done(pd_out *out) { pd_buf_done(&out->buf); }

static void flush_buf(pd_out *out)
{
    if (!out->sys_errno && out->buf.len && pd_fd_write_all(out->fd, out->buf.data, out->buf.len) != PD_OK)
        out->sys_errno = errno;
    out->buf.len = 0;
}

static void flush_when_full(pd_out *out)
{
    if (out->buf.len >= OUT_FLUSH_BYTES)
        flush_buf(out);
}

void pd_out_bytes(pd_out *out, const void *data, size_t len)
{
    (void)pd_buf_append(&out->buf, data, len);
    flush_when_full(out);
}

void pd_out_text(pd_out *out, const char *text) { pd_out_bytes(out, text, strlen(text)); }

static void append_formatted(pd_buf *buf, const char *format, va_list args)
{
    char text[1024];
    const int n = vsnprintf(text, sizeof text, format, args);
    if (n > 0)
        (void)pd_buf_append(buf, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void pd_outf(pd_out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_formatted(&out->buf, format, args);
    va_end(args);
    flush_when_full(out);
}

void pd_out_printable(pd_out *out, const char *text)
{
    (void)pd_text_append_printable(&out->buf, text, strlen(text));
    flush_when_full(out);
}

void pd_out_json_take(pd_out *out, pd_json *json, bool pretty)
{
    const size_t len_before = out->buf.len;
    const pd_status status = json ? pd_json_write(json, pretty, &out->buf) : PD_ERR_NOMEM;
    pd_json_free(&json);
    if (status == PD_OK) {
        pd_out_text(out, "\n");
        return;
    }
    out->buf.len = len_before; /* no half documents */
    out->buf.status = status;
}

pd_status pd_out_finish(pd_out *out, pd_error *err)
{
    if (out->buf.status == PD_OK)
        flush_buf(out);
    if (out->sys_errno == EPIPE)
        return PD_ERR_CANCELLED;
    if (out->sys_errno)
        return pd_error_set_errno(err, out->sys_errno, "cannot write the results to standard output");
    if (out->buf.status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "the results are longer than %zu bytes; ask for fewer with -n",
                            out->buf.len_max);
    return out->buf.status == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

/* A sentence may quote a path as it is; a backslash in it is a letter like others (the path may be escaped already). */
static void append_sentence(pd_buf *buf, const char *sentence)
{
    const size_t len = strlen(sentence);
    for (size_t i = 0; i < len;) {
        uint32_t code;
        const size_t used = pd_utf8_next(sentence + i, len - i, &code);
        if (code == '\\')
            (void)pd_buf_append(buf, "\\", 1);
        else
            (void)pd_text_append_printable(buf, sentence + i, used);
        i += used;
    }
}

void pd_write_or_leave(int fd, const void *data, size_t len)
{
    const pd_status status = pd_fd_write_all(fd, data, len);
    (void)status;
}

void pd_say(const char *sentence)
{
    pd_buf line;
    pd_buf_init(&line, SENTENCE_BYTES_MAX);
    (void)pd_buf_append_string(&line, "pixel-detective: ");
    append_sentence(&line, sentence);
    (void)pd_buf_append(&line, "\n", 1);
    if (line.status == PD_OK)
        pd_write_or_leave(STDERR_FILENO, line.data, line.len);
    else
        pd_write_or_leave(STDERR_FILENO, "pixel-detective: out of memory\n", 31);
    pd_buf_done(&line);
}

void pd_sayf(const char *format, ...)
{
    pd_buf text;
    pd_buf_init(&text, SENTENCE_BYTES_MAX);
    va_list args;
    va_start(args, format);
    append_formatted(&text, format, args);
    va_end(args);
    pd_say(text.data ? text.data : "out of memory");
    pd_buf_done(&text);
}
