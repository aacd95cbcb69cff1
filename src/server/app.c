#include "server/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "server/app_parts.h"

pd_status pd_app_create(pd_app **ret_app, const pd_app_options *options, pd_error *err)
{
    pd_app *app = pd_mem_alloc(1, sizeof *app);
    pd_app_line *lines = pd_mem_alloc(PD_APP_LOG_LINES, sizeof *lines);
    pd_log_line *job_lines = pd_mem_alloc(PD_JOB_LOG_LINES, sizeof *job_lines);
    if (!app || !lines || !job_lines) {
        pd_mem_free(app);
        pd_mem_free(lines);
        pd_mem_free(job_lines);
        return pd_error_set_nomem(err);
    }
    app->options = *options;
    app->journal.lines = lines;
    app->job_lines = job_lines;
    app->seq = 1;
    pd_time_format_utc(pd_clock_unix_ns() / PD_NS_PER_S, app->started);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&app->job_lock, NULL);
    pthread_mutex_init(&app->show_lock, NULL);
    pthread_mutex_init(&app->engine.look_lock, NULL);
    pthread_mutex_init(&app->lock, NULL);
    pthread_cond_init(&app->changed, &attributes);
    pthread_cond_init(&app->askings.asked, &attributes);
    pthread_condattr_destroy(&attributes);
    *ret_app = app;
    return PD_OK;
}

void pd_app_stop(pd_app *app)
{
    pthread_mutex_lock(&app->lock);
    app->closing = true;
    pd_app_askings_cancel(app);
    pthread_cond_broadcast(&app->changed);
    const bool watches = app->threads.watches, prepares = app->threads.prepares;
    const bool is_watched = app->askings.is_watched;
    pthread_mutex_unlock(&app->lock);
    pd_library_job_cancel(app->options.library);
    pd_library_annotate_cancel(app->options.library);
    pd_library_pull_cancel(app->options.library);
    pd_library_stop_decoding(app->options.library);
    pd_library_stop_loading(app->options.library);
    pd_library_watch_models(app->options.library, NULL, NULL);
    if (watches)
        pthread_join(app->threads.watcher, NULL); /* it shows the end of the job first */
    if (prepares)
        pthread_join(app->threads.preparer, NULL);
    if (is_watched)
        pthread_join(app->askings.watcher, NULL);
    pthread_mutex_lock(&app->lock);
    app->threads.watches = app->threads.prepares = app->askings.is_watched = false;
    app->stopping = true;
    pthread_cond_broadcast(&app->changed);
    pthread_mutex_unlock(&app->lock);
}

void pd_app_free(pd_app **app)
{
    pd_app *a = *app;
    if (!a)
        return;
    pd_app_shelf_done(&a->shelf);
    pd_app_models_done(&a->engine.models);
    for (size_t i = 0; i < a->job.n_roots; i++)
        pd_mem_free(a->job.roots[i]);
    pd_mem_free(a->job.roots);
    for (size_t i = 0; i < PD_APP_ENDINGS; i++)
        pd_mem_free(a->journal.endings[i].text);
    pd_mem_free(a->text);
    pd_mem_free(a->journal.lines);
    pd_mem_free(a->job_lines);
    pthread_cond_destroy(&a->askings.asked);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->engine.look_lock);
    pthread_mutex_destroy(&a->show_lock);
    pthread_mutex_destroy(&a->job_lock);
    pd_mem_free(a);
    *app = NULL;
}

bool pd_app_is_closing(pd_app *app)
{
    pthread_mutex_lock(&app->lock);
    const bool closing = app->closing;
    pthread_mutex_unlock(&app->lock);
    return closing;
}

const pd_app_options *pd_app_options_of(const pd_app *app) { return &app->options; }

void pd_app_changed(pd_app *app)
{
    app->seq++;
    pthread_cond_broadcast(&app->changed);
}

void pd_app_log_copy(pd_app *app, const pd_log_line *line)
{
    const uint64_t number = ++app->journal.last_line;
    pd_app_line *place = &app->journal.lines[number % PD_APP_LOG_LINES];
    place->line = *line;
    place->line.number = number;
    place->seq = app->seq + 1; /* the change that is just being made */
}

void pd_app_log(pd_app *app, pd_log_level level, const char *format, ...)
{
    pd_log_line line = { .unix_ns = pd_clock_unix_ns(), .level = level };
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line.text, sizeof line.text, format, args);
    va_end(args);
    pd_app_log_copy(app, &line);
}

void pd_app_look_soon(pd_app *app)
{
    app->stale = true;
    pthread_cond_broadcast(&app->changed);
}

/* By any thread. */
static void models_changed(void *user)
{
    pd_app *app = user;
    pthread_mutex_lock(&app->lock);
    pd_app_look_soon(app);
    pthread_mutex_unlock(&app->lock);
}

void pd_app_attend(pd_app *app)
{
    pthread_mutex_lock(&app->lock);
    const bool begins = !app->closing && !app->threads.watches;
    if (begins)
        app->threads.watches = pd_thread_start(&app->threads.watcher, "pd-watch", pd_app_watch, app, NULL) == PD_OK;
    pthread_mutex_unlock(&app->lock);
    if (begins)
        pd_library_watch_models(app->options.library, models_changed, app);
}

void pd_app_wake(pd_app *app)
{
    pd_app_attend(app);
    pthread_mutex_lock(&app->lock);
    const bool again = app->threads.prepares && !app->threads.preparing;
    if (!app->closing && !app->threads.prepares) {
        app->threads.prepares =
            pd_thread_start(&app->threads.preparer, "pd-prepare", pd_app_prepare, app, NULL) == PD_OK;
        app->threads.preparing = app->threads.prepares;
    }
    pthread_mutex_unlock(&app->lock);
    if (again)
        pd_app_prefetch(app, PD_PART_TEXT);
}

/* The line before the oldest that is kept. */
static uint64_t line_before_kept(const pd_app *app)
{
    return app->journal.last_line > PD_APP_LOG_LINES ? app->journal.last_line - PD_APP_LOG_LINES : 0;
}

void pd_app_cursor_after(pd_app *app, uint64_t seq, pd_app_cursor *ret_cursor)
{
    pd_app_cursor cursor = { 0 };
    pthread_mutex_lock(&app->lock);
    if (seq > 0 && seq <= app->seq) {
        cursor = (pd_app_cursor){ .begun = true, .owed = true, .seq = seq, .line = app->journal.last_line };
        while (cursor.line > line_before_kept(app) && app->journal.lines[cursor.line % PD_APP_LOG_LINES].seq > seq)
            cursor.line--;
    }
    pthread_mutex_unlock(&app->lock);
    *ret_cursor = cursor;
}

static pd_json *line_json(const pd_log_line *line)
{
    static const char *const levels[] = {
        [PD_LOG_INFO] = "info", [PD_LOG_WARNING] = "warning", [PD_LOG_ERROR] = "error"
    };
    char time[PD_TIME_TEXT_BYTES + 8], seconds[PD_TIME_TEXT_BYTES];
    pd_time_format_utc(line->unix_ns / PD_NS_PER_S, seconds);
    seconds[strcspn(seconds, "Z")] = '\0';
    (void)snprintf(time, sizeof time, "%s.%03dZ", seconds, (int)(line->unix_ns % PD_NS_PER_S / PD_NS_PER_MS));
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "n", (int64_t)line->number);
    failed |= pd_json_set_text(json, "time", time);
    failed |= pd_json_set_text(json, "level", levels[line->level]);
    failed |= pd_json_set_text(json, "text", line->text);
    if (failed)
        pd_json_free(&json);
    return json;
}

/* Appends `text`, the lines after cursor->line up to `last`, and the end of the document; moves the cursor. */
static void append_snapshot(pd_app *app, const char *text, uint64_t last, pd_app_cursor *cursor, pd_buf *buf)
{
    if (!text) {
        buf->status = PD_ERR_NOMEM;
        return;
    }
    uint64_t line = cursor->begun ? cursor->line : last > PD_APP_LOG_LINES_FIRST ? last - PD_APP_LOG_LINES_FIRST : 0;
    if (line < line_before_kept(app))
        line = line_before_kept(app);
    (void)pd_buf_append_string(buf, text);
    (void)pd_buf_append_string(buf, ",\"log\":[");
    for (const uint64_t before = line; line < last; line++) {
        pd_json *json = line_json(&app->journal.lines[(line + 1) % PD_APP_LOG_LINES].line);
        if (line > before)
            (void)pd_buf_append_string(buf, ",");
        if (!json || pd_json_write(json, false, buf) != PD_OK)
            buf->status = PD_ERR_NOMEM;
        pd_json_free(&json);
    }
    (void)pd_buf_append_string(buf, "]}");
    cursor->line = line;
    cursor->begun = true;
    cursor->owed = false;
}

void pd_app_keep_ending(pd_app *app)
{
    pd_app_ending *place = &app->journal.endings[app->journal.n_endings % PD_APP_ENDINGS];
    pd_mem_free(place->text);
    *place = (pd_app_ending){ .seq = app->seq, .last_line = app->journal.last_line, .text = pd_app_write(app) };
    app->journal.n_endings++;
}

/* The first end of a job that the cursor has not seen and that is not the present snapshot; NULL: none. */
static const pd_app_ending *find_ending(const pd_app *app, const pd_app_cursor *cursor)
{
    const uint64_t first = app->journal.n_endings > PD_APP_ENDINGS ? app->journal.n_endings - PD_APP_ENDINGS : 0;
    for (uint64_t k = first; cursor->begun && k < app->journal.n_endings; k++) {
        const pd_app_ending *ending = &app->journal.endings[k % PD_APP_ENDINGS];
        if (ending->text && ending->seq > cursor->seq && ending->seq < app->seq)
            return ending;
    }
    return NULL;
}

static void tell_now(pd_app *app, pd_app_cursor *cursor, pd_buf *buf)
{
    const pd_app_ending *ending = find_ending(app, cursor);
    if (ending) {
        append_snapshot(app, ending->text, ending->last_line, cursor, buf);
        cursor->seq = ending->seq;
        return;
    }
    if (!app->text || app->text_seq != app->seq) {
        pd_mem_free(app->text);
        app->text = pd_app_write(app);
        app->text_seq = app->seq;
    }
    append_snapshot(app, app->text, app->journal.last_line, cursor, buf);
    cursor->seq = app->seq;
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / PD_NS_PER_S, .tv_nsec = ns % PD_NS_PER_S };
}

pd_app_news pd_app_next(pd_app *app, pd_app_cursor *cursor, int timeout_ms, pd_buf *buf)
{
    const int64_t deadline = pd_clock_ns() + timeout_ms * PD_NS_PER_MS;
    pd_app_news news = PD_APP_QUIET;
    pthread_mutex_lock(&app->lock);
    for (;;) {
        const int64_t now = pd_clock_ns();
        const bool is_new = !cursor->begun || cursor->owed || cursor->seq != app->seq;
        app->viewed_ns = now;
        if (is_new && (now >= cursor->not_before_ns || app->stopping)) {
            tell_now(app, cursor, buf);
            cursor->not_before_ns = pd_clock_ns() + PD_APP_BEAT_MS * PD_NS_PER_MS;
            news = PD_APP_SNAPSHOT;
            break;
        }
        if (app->stopping) {
            news = PD_APP_END;
            break;
        }
        if (now >= deadline)
            break;
        const int64_t until = is_new && cursor->not_before_ns < deadline ? cursor->not_before_ns : deadline;
        const struct timespec when = timespec_of(until);
        (void)pthread_cond_timedwait(&app->changed, &app->lock, &when);
    }
    pthread_mutex_unlock(&app->lock);
    return news;
}

void pd_app_roots(pd_app *app, void (*visit)(void *user, const char *path, bool offline), void *user)
{
    pthread_mutex_lock(&app->lock);
    for (size_t i = 0; i < app->shelf.n_roots; i++)
        visit(user, app->shelf.roots[i].path, app->shelf.roots[i].offline);
    pthread_mutex_unlock(&app->lock);
}
