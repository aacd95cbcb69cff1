#include "fetch/talk.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"

static const int64_t pace_ns = 100 * PD_NS_PER_MS;

pd_status pd_talk_hear(const pd_talk *talk, pd_buf *line, pd_error *err)
{
    for (;;) {
        char letter;
        const ssize_t n = read(talk->in_fd, &letter, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != 1)
            return pd_error_set(err, PD_ERR_USAGE, PD_FETCH_PROGRAM " is started by pixel-detective");
        if (letter == '\n')
            return PD_OK;
        if (pd_buf_append(line, &letter, 1) != PD_OK)
            return pd_error_set(err, PD_ERR_LIMIT, "the request is too long");
    }
}

/* Waits at most so long for the end of the pipe. */
static void listen_for(pd_talk *talk, int ms)
{
    struct pollfd entry = { .fd = talk->in_fd, .events = POLLIN };
    char rest[64];
    if (talk->is_cancelled || poll(&entry, 1, ms) <= 0)
        return;
    const ssize_t n = read(talk->in_fd, rest, sizeof rest);
    talk->is_cancelled = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
}

bool pd_talk_is_cancelled(pd_talk *talk)
{
    listen_for(talk, 0);
    return talk->is_cancelled;
}

bool pd_talk_wait(pd_talk *talk, int64_t ms)
{
    const int64_t end_ns = pd_clock_ns() + ms * PD_NS_PER_MS;
    for (int64_t left; !talk->is_cancelled && (left = end_ns - pd_clock_ns()) > 0;)
        listen_for(talk, (int)(left / PD_NS_PER_MS) + 1);
    return !talk->is_cancelled;
}

static pd_json *write_report(const pd_report *report)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "phase", pd_fetch_phase_name(report->phase)) != PD_OK;
    failed |= pd_json_set_int(json, "done", report->done) != PD_OK;
    failed |= pd_json_set_int(json, "total", report->total > 0 ? report->total : 0) != PD_OK;
    failed |= pd_json_set_text(json, "revision", report->revision) != PD_OK;
    failed |= pd_json_set_text(json, "sha256", report->sha256) != PD_OK;
    failed |= pd_json_set_bool(json, "vision_ready", report->vision_ready) != PD_OK;
    failed |= pd_json_set_int(json, "vision_bytes", report->vision_bytes) != PD_OK;
    if (report->is_last) {
        failed |= pd_json_set_text(json, "outcome", pd_status_name(report->outcome)) != PD_OK;
        failed |= pd_json_set_text(json, "message", report->message) != PD_OK;
        failed |= pd_json_set_text(json, "dir", report->dir) != PD_OK;
    }
    if (failed)
        pd_json_free(&json);
    return json;
}

void pd_talk_tell(pd_talk *talk, const pd_report *report, bool now)
{
    const int64_t now_ns = pd_clock_ns();
    if (!now && now_ns - talk->told_ns < pace_ns)
        return;
    pd_buf line;
    pd_buf_init(&line, PD_FETCH_LINE_BYTES_MAX);
    pd_json *json = write_report(report);
    if (json && pd_json_write(json, false, &line) == PD_OK && pd_buf_append(&line, "\n", 1) == PD_OK &&
        pd_fd_write_all(talk->out_fd, line.data, line.len) != PD_OK)
        talk->is_cancelled = true;
    pd_json_free(&json);
    pd_buf_done(&line);
    talk->told_ns = now_ns;
}
