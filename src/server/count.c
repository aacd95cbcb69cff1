/* count.c: how many pictures a folder holds, told while it is counted. */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/handlers.h"
#include "server/places.h"

enum { HTTP_OK = 200, BEAT_MS = 200, KEEP_ALIVE_MS = 2000, EVENT_BYTES_MAX = 512 };

/* One stream: the connection's thread reads what a thread of its own counts. */
typedef struct counting {
    char *folder;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    pd_folder_count count;
    bool news;  /* the count has changed since it was sent */
    bool ended; /* the thread counts no more */
    bool gone;  /* nobody reads any more */
    /* the connection's alone */
    bool said_all;
    int64_t sent_ns;
    char event[EVENT_BYTES_MAX];
    size_t event_len, event_sent;
} counting;

static bool take_count(void *user, const pd_folder_count *count)
{
    counting *c = user;
    pthread_mutex_lock(&c->lock);
    c->count = *count;
    c->news = true;
    const bool go_on = !c->gone;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static void *run_count(void *user)
{
    counting *c = user;
    const pd_status status = pd_folder_count_pictures(c->folder, take_count, c, NULL);
    pthread_mutex_lock(&c->lock);
    c->ended = true;
    c->news = true;
    if (status != PD_OK) /* it went away meanwhile: what was seen is all there is */
        c->count.complete = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Waits for news, but not sooner than the beat allows. False: nothing new for a while. */
static bool wait_for_news(counting *c, pd_folder_count *ret_count)
{
    const int64_t beat = c->sent_ns + BEAT_MS * PD_NS_PER_MS;
    const int64_t deadline = pd_clock_ns() + KEEP_ALIVE_MS * PD_NS_PER_MS;
    pthread_mutex_lock(&c->lock);
    int64_t now = pd_clock_ns();
    while (!c->ended && (c->news ? now < beat : now < deadline)) {
        const int64_t until = c->news ? beat : deadline;
        const struct timespec when = { .tv_sec = until / PD_NS_PER_S, .tv_nsec = until % PD_NS_PER_S };
        (void)pthread_cond_timedwait(&c->changed, &c->lock, &when);
        now = pd_clock_ns();
    }
    const bool news = c->news;
    c->news = false;
    c->said_all = c->ended;
    *ret_count = c->count;
    pthread_mutex_unlock(&c->lock);
    return news;
}

static void write_event(counting *c)
{
    pd_folder_count count;
    pd_buf buf;
    pd_buf_init(&buf, EVENT_BYTES_MAX);
    if (wait_for_news(c, &count))
        (void)pd_buf_appendf(&buf,
                             "event: count\ndata: {\"pictures\":%lld,\"folders\":%lld,\"files\":%lld,"
                             "\"complete\":%s}\n\n",
                             (long long)count.pictures, (long long)count.folders, (long long)count.files,
                             count.complete ? "true" : "false");
    else
        (void)pd_buf_append_string(&buf, ": still counting\n\n");
    c->event_len = buf.status == PD_OK ? buf.len : 0;
    c->event_sent = 0;
    if (c->event_len)
        memcpy(c->event, buf.data, buf.len);
    c->sent_ns = pd_clock_ns();
    pd_buf_done(&buf);
}

static size_t read_count(void *user, char *buf, size_t max)
{
    counting *c = user;
    if (c->event_sent == c->event_len) {
        if (c->said_all)
            return 0;
        write_event(c);
    }
    const size_t left = c->event_len - c->event_sent;
    const size_t n = left < max ? left : max;
    memcpy(buf, c->event + c->event_sent, n);
    c->event_sent += n;
    return n;
}

static void free_counting(counting *c)
{
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    pd_mem_free(c->folder);
    pd_mem_free(c);
}

static void end_count(void *user)
{
    counting *c = user;
    pthread_mutex_lock(&c->lock);
    c->gone = true;
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    free_counting(c);
}

/* Takes the folder. */
static void answer_count(char *folder, pd_reply *reply)
{
    pd_error err = { 0 };
    pthread_condattr_t attributes;
    counting *c = pd_mem_alloc(1, sizeof *c);
    if (!c) {
        pd_mem_free(folder);
        (void)pd_error_set_nomem(&err);
        pd_reply_error(reply, &err);
        return;
    }
    c->folder = folder;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pd_thread_start(&c->thread, "pd-count", run_count, c, &err) != PD_OK) {
        free_counting(c);
        pd_reply_error(reply, &err);
        return;
    }
    *reply = (pd_reply){ .code = HTTP_OK,
                         .mime = "text/event-stream",
                         .kind = PD_BODY_STREAM,
                         .stream = { .read = read_count, .free = end_count, .user = c } };
}

void pd_handle_count(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *typed = pd_uri_text(&request->uri, "path");
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (pd_place_find(app, typed ? typed : "", &place, &err) != PD_OK) {
        pd_reply_error(reply, &err);
    } else if (place.kind != PD_PLACE_FOLDER) {
        pd_place_refuse(&place, reply);
    } else {
        answer_count(place.real, reply);
        place.real = NULL;
    }
    pd_place_done(&place);
}
