/* events.c: the snapshot, once or as server-sent events. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "server/handlers.h"

enum {
    KEEP_ALIVE_MS = 15000,
    EVENT_BYTES_MAX = 4 << 20, /* a snapshot with a full log is under 1 MB */
    HTTP_OK = 200,
    HTTP_ACCEPTED = 202,
};

static void answer_snapshot(pd_app *app, unsigned code, pd_reply *reply)
{
    pd_app_cursor cursor = { 0 };
    pd_buf buf;
    pd_buf_init(&buf, EVENT_BYTES_MAX);
    (void)pd_app_next(app, &cursor, 0, &buf);
    (void)pd_buf_append(&buf, "\n", 1);
    const size_t len = buf.len;
    pd_reply_text_take(reply, code, pd_buf_take(&buf), len);
}

void pd_reply_snapshot(pd_app *app, pd_reply *reply) { answer_snapshot(app, HTTP_ACCEPTED, reply); }

void pd_handle_snapshot(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    answer_snapshot(app, HTTP_OK, reply);
}

/* One stream. Used by its connection's thread alone. */
typedef struct events {
    pd_app *app;
    pd_app_cursor cursor;
    pd_buf pending; /* an event on its way out */
    size_t sent;    /* of it */
} events;

/* Fills `pending` with the next event, or a comment when nothing happens. False: the end. */
static bool write_event(events *e)
{
    pd_buf snapshot;
    pd_buf_init(&snapshot, EVENT_BYTES_MAX);
    pd_buf_clear(&e->pending);
    e->sent = 0;
    const pd_app_news news = pd_app_next(e->app, &e->cursor, KEEP_ALIVE_MS, &snapshot);
    if (news == PD_APP_SNAPSHOT)
        (void)pd_buf_appendf(&e->pending, "event: snapshot\nid: %llu\ndata: %s\n\n", (unsigned long long)e->cursor.seq,
                             snapshot.data ? snapshot.data : "");
    else if (news == PD_APP_QUIET)
        (void)pd_buf_append_string(&e->pending, ": still here\n\n");
    const bool good = snapshot.status == PD_OK && e->pending.status == PD_OK;
    pd_buf_done(&snapshot);
    return good && news != PD_APP_END; /* without memory the stream ends; the client comes again */
}

static size_t read_events(void *user, char *buf, size_t max)
{
    events *e = user;
    if (e->sent == e->pending.len && !write_event(e))
        return 0;
    const size_t left = e->pending.len - e->sent;
    const size_t n = left < max ? left : max;
    memcpy(buf, e->pending.data + e->sent, n);
    e->sent += n;
    return n;
}

static void free_events(void *user)
{
    events *e = user;
    pd_buf_done(&e->pending);
    pd_mem_free(e);
}

void pd_handle_events(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *after = request->headers[PD_HEADER_LAST_EVENT_ID];
    uint64_t seq;
    if (!after)
        after = pd_uri_text(&request->uri, "after");
    events *e = pd_mem_alloc(1, sizeof *e);
    if (!e) {
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    e->app = app;
    pd_buf_init(&e->pending, EVENT_BYTES_MAX);
    if (after && pd_parse_u64(after, UINT64_MAX, &seq))
        pd_app_cursor_after(app, seq, &e->cursor);
    pd_app_wake(app);
    *reply = (pd_reply){ .code = HTTP_OK,
                         .mime = "text/event-stream",
                         .kind = PD_BODY_STREAM,
                         .stream = { .read = read_events, .free = free_events, .user = e } };
}
