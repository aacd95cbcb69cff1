#include "server/telling.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

enum {
    HTTP_OK = 200,
    BEAT_MS = 200,
    KEEP_ALIVE_MS = 2000,
    LOOK_MS = 100, /* longest time that the end of the app goes unseen */
    EVENT_BYTES_MAX = 4096
};

struct pd_telling {
    pd_app *app;
    pd_telling_work work;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    pd_buf news; /* the document that is to be sent */
    bool has_news;
    bool ended; /* the work is done */
    bool gone;  /* nobody reads any more */
    /* the connection's alone */
    bool said_all;
    int64_t sent_ns;
    pd_buf event;
    size_t event_sent;
};

bool pd_telling_say_take(pd_telling *t, pd_json *json)
{
    pthread_mutex_lock(&t->lock);
    pd_buf_clear(&t->news);
    t->has_news = json && pd_json_write(json, false, &t->news) == PD_OK;
    const bool go_on = !t->gone;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
    pd_json_free(&json);
    return go_on;
}

static void *run_work(void *user)
{
    pd_telling *t = user;
    t->work.work(t, t->work.user);
    pthread_mutex_lock(&t->lock);
    t->ended = true;
    pthread_cond_signal(&t->changed);
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* Waits for news, but not sooner than the beat allows, and writes them or that there are none. */
static void write_event(pd_telling *t)
{
    const int64_t beat = t->sent_ns + BEAT_MS * PD_NS_PER_MS;
    const int64_t deadline = pd_clock_ns() + KEEP_ALIVE_MS * PD_NS_PER_MS;
    pd_buf_clear(&t->event);
    pthread_mutex_lock(&t->lock);
    int64_t now = pd_clock_ns();
    while (!t->ended && (t->has_news ? now < beat : now < deadline) && !pd_app_is_closing(t->app)) {
        const int64_t due = t->has_news ? beat : deadline, look = now + LOOK_MS * PD_NS_PER_MS;
        const int64_t until = due < look ? due : look;
        const struct timespec when = { .tv_sec = until / PD_NS_PER_S, .tv_nsec = until % PD_NS_PER_S };
        (void)pthread_cond_timedwait(&t->changed, &t->lock, &when);
        now = pd_clock_ns();
    }
    if (t->has_news)
        (void)pd_buf_appendf(&t->event, "event: %s\ndata: %s\n\n", t->work.name, t->news.data);
    else if (!t->ended)
        (void)pd_buf_append_string(&t->event, ": still at it\n\n");
    t->has_news = false;
    t->said_all = t->ended || pd_app_is_closing(t->app);
    pthread_mutex_unlock(&t->lock);
    t->event_sent = 0;
    t->sent_ns = pd_clock_ns();
}

static size_t read_telling(void *user, char *buf, size_t max)
{
    pd_telling *t = user;
    if (t->event_sent == t->event.len) {
        if (t->said_all)
            return 0;
        write_event(t);
        if (t->event.len == 0) /* the end, without news */
            return 0;
    }
    const size_t left = t->event.len - t->event_sent;
    const size_t n = left < max ? left : max;
    memcpy(buf, t->event.data + t->event_sent, n);
    t->event_sent += n;
    return n;
}

static void free_telling(pd_telling *t)
{
    t->work.free(t->work.user);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    pd_buf_done(&t->news);
    pd_buf_done(&t->event);
    pd_mem_free(t);
}

static void end_telling(void *user)
{
    pd_telling *t = user;
    pthread_mutex_lock(&t->lock);
    t->gone = true;
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    free_telling(t);
}

void pd_telling_begin(pd_app *app, const pd_telling_work *work, pd_reply *reply)
{
    pd_error err = { 0 };
    pthread_condattr_t attributes;
    pd_telling *t = pd_mem_alloc(1, sizeof *t);
    if (!t) {
        work->free(work->user);
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    t->app = app;
    t->work = *work;
    pd_buf_init(&t->news, EVENT_BYTES_MAX);
    pd_buf_init(&t->event, EVENT_BYTES_MAX + 64);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pd_thread_start(&t->thread, "pd-telling", run_work, t, &err) != PD_OK) {
        free_telling(t);
        pd_reply_error(reply, &err);
        return;
    }
    *reply = (pd_reply){ .code = HTTP_OK,
                         .mime = "text/event-stream",
                         .kind = PD_BODY_STREAM,
                         .stream = { .read = read_telling, .free = end_telling, .user = t } };
}
