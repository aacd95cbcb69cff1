/* A model on its way, as this program sees it: the other program tells, a thread listens. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/thread.h"
#include "hub/report.h"
#include "hub/start.h"

enum { LISTEN_MS = 100 };

struct pd_pull {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    pd_pull_state state;
    bool is_cancelled;
    int64_t rated_ns, rated_done; /* where the last rate was taken */
    /* of the thread alone, once it runs */
    pd_fetcher fetcher;
    pd_buf line;
    bool has_ended; /* the last report came */
    pthread_t thread;
    bool has_thread;
};

const char *pd_pull_phase_name(pd_pull_phase phase) { return pd_fetch_phase_name(phase); }

/* With the lock held. A mean over the last seconds: it neither jumps nor sticks. */
static void rate(pd_pull *pull)
{
    pd_pull_state *state = &pull->state;
    const int64_t now_ns = pd_clock_ns();
    const double seconds = (double)(now_ns - pull->rated_ns) / (double)PD_NS_PER_S;
    const bool is_transfer = state->phase >= PD_PULL_SMALL && state->phase <= PD_PULL_REST;
    if (!is_transfer || !pull->rated_ns) {
        pull->rated_ns = now_ns;
        pull->rated_done = state->done_bytes;
        state->rate = state->eta_s = -1;
        return;
    }
    if (seconds < 0.5)
        return;
    const double bytes = (double)(state->done_bytes - pull->rated_done), fresh = (bytes < 0 ? 0 : bytes) / seconds;
    const double share = seconds > 3 ? 1 : seconds / 3;
    state->rate = state->rate < 0 ? fresh : state->rate + share * (fresh - state->rate);
    pull->rated_ns = now_ns;
    pull->rated_done = state->done_bytes;
    state->eta_s =
        state->rate > 1 && state->total_bytes ? (double)(state->total_bytes - state->done_bytes) / state->rate : -1;
}

static void change(pd_pull *pull)
{
    pull->state.seq++;
    pthread_cond_broadcast(&pull->changed);
}

static void end(pd_pull *pull, pd_status outcome, const char *message)
{
    pthread_mutex_lock(&pull->lock);
    pd_pull_state *state = &pull->state;
    state->running = false;
    state->outcome = outcome;
    state->rate = state->eta_s = -1;
    if (outcome == PD_OK)
        state->phase = PD_PULL_READY;
    (void)snprintf(state->message, sizeof state->message, "%s", message);
    change(pull);
    pthread_mutex_unlock(&pull->lock);
}

/* What it says of folders is not taken for true: they follow from what was asked. */
static void take_report(pd_pull *pull, const pd_fetch_report *report)
{
    pthread_mutex_lock(&pull->lock);
    pd_pull_state *state = &pull->state;
    state->phase = report->phase;
    state->done_bytes = report->done;
    state->total_bytes = report->total;
    state->n_revoked += state->vision_ready && !report->vision_ready;
    state->vision_ready = report->vision_ready;
    state->vision_bytes = report->vision_bytes;
    (void)snprintf(state->sha256, sizeof state->sha256, "%s", report->sha256);
    if (report->revision[0])
        (void)snprintf(state->reference.revision, sizeof state->reference.revision, "%s", report->revision);
    if (report->is_last && report->outcome == PD_OK) /* without its ".part" */
        state->dir[strlen(state->dir) - strlen(PD_PULL_PART)] = '\0';
    rate(pull);
    change(pull);
    pthread_mutex_unlock(&pull->lock);
}

static void read_line(pd_pull *pull, const char *line, size_t len)
{
    pd_fetch_report report;
    pd_error error;
    if (pull->has_ended)
        return;
    const pd_status status = pd_fetch_report_parse(&report, line, len, &error);
    if (status == PD_OK)
        take_report(pull, &report);
    pull->has_ended = status != PD_OK || report.is_last;
    if (pull->has_ended)
        end(pull, status == PD_OK ? report.outcome : PD_ERR_CRASHED, status == PD_OK ? report.message : error.message);
}

/* False: nothing more will come. */
static bool read_some(pd_pull *pull)
{
    enum { STEP = 4096 };
    if (pd_buf_reserve(&pull->line, STEP) != PD_OK)
        return false; /* a line without an end */
    const ssize_t n = read(pull->fetcher.tell_fd, pull->line.data + pull->line.len, STEP);
    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0)
        return false;
    pull->line.len += (size_t)n;
    size_t begin = 0;
    for (char *end_of_line; (end_of_line = memchr(pull->line.data + begin, '\n', pull->line.len - begin)) != NULL;) {
        const size_t len = (size_t)(end_of_line - pull->line.data) - begin;
        read_line(pull, pull->line.data + begin, len);
        begin += len + 1;
    }
    memmove(pull->line.data, pull->line.data + begin, pull->line.len - begin);
    pull->line.len -= begin;
    return !pull->has_ended;
}

static bool was_cancelled(pd_pull *pull)
{
    pthread_mutex_lock(&pull->lock);
    const bool is_cancelled = pull->is_cancelled;
    pthread_mutex_unlock(&pull->lock);
    return is_cancelled;
}

static void *listen_to(void *user)
{
    pd_pull *pull = user;
    bool goes_on = true;
    while (goes_on) {
        struct pollfd entry = { .fd = pull->fetcher.tell_fd, .events = POLLIN };
        const int n = poll(&entry, 1, LISTEN_MS);
        if (n > 0)
            goes_on = read_some(pull);
        if (was_cancelled(pull) && pull->fetcher.ask_fd >= 0) {
            (void)close(pull->fetcher.ask_fd); /* that is how it is told; its last report still comes */
            pull->fetcher.ask_fd = -1;
        }
    }
    (void)pd_fetcher_end(&pull->fetcher);
    if (!pull->has_ended)
        end(pull, PD_ERR_CRASHED,
            PD_FETCH_PROGRAM " ended without a word; what is here is kept, and the next pull goes on from there");
    return NULL;
}

static pd_json *write_request(const pd_pull *pull, const pd_pull_options *options)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    const pd_hub_reference *reference = &pull->state.reference;
    failed |= pd_json_set_int(json, "version", PD_FETCH_VERSION) != PD_OK;
    failed |=
        pd_json_set_text(json, "endpoint",
                         options->endpoint && options->endpoint[0] ? options->endpoint : PD_HUB_ENDPOINT) != PD_OK;
    failed |= pd_json_set_text(json, "token", options->token) != PD_OK;
    failed |= pd_json_set_text(json, "repository", reference->repository) != PD_OK;
    failed |= pd_json_set_text(json, "revision", reference->revision) != PD_OK;
    failed |= pd_json_set_text(json, "key", reference->key) != PD_OK;
    failed |= pd_json_set_text(json, "models_dir", options->models_dir) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_status send_request(const pd_pull *pull, const pd_pull_options *options, pd_error *err)
{
    pd_buf line;
    pd_buf_init(&line, PD_FETCH_LINE_BYTES_MAX);
    pd_json *json = write_request(pull, options);
    pd_status status = PD_OK;
    if (!json || pd_json_write(json, false, &line) != PD_OK || pd_buf_append(&line, "\n", 1) != PD_OK)
        status = pd_error_set_nomem(err);
    else
        (void)pd_fetcher_ask(&pull->fetcher, line.data, line.len); /* one that died will be heard to end */
    pd_json_free(&json);
    pd_buf_done(&line);
    return status;
}

/* True: it lies here already as it was asked for, and that needs nobody else. */
static bool is_here(const pd_hub_reference *reference, const char *dir)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", dir, PD_PULL_RECORD);
    pd_buf text;
    pd_buf_init(&text, PD_PULL_RECORD_BYTES_MAX);
    pd_json *record = NULL;
    pd_str revision;
    const bool is_commit = strlen(reference->revision) == 40 && strspn(reference->revision, "0123456789abcdef") == 40;
    const bool same = is_commit && n > 0 && (size_t)n < sizeof path &&
                      pd_file_read(path, PD_PULL_RECORD_BYTES_MAX, &text, NULL) == PD_OK &&
                      pd_json_parse(&record, text.data, text.len, NULL) == PD_OK &&
                      pd_json_read_string(pd_json_get(record, "revision"), &revision) &&
                      pd_str_equal(revision, pd_str_of(reference->revision));
    pd_json_free(&record);
    pd_buf_done(&text);
    return same;
}

static pd_status check_options(const pd_pull_options *options, const pd_hub_reference *reference, pd_error *err)
{
    if (!reference->repository[0])
        return pd_error_set(err, PD_ERR_USAGE, "%s came with the program: there is nothing to fetch", reference->key);
    if (options->offline)
        return pd_error_set(err, PD_ERR_NETWORK, "HF_HUB_OFFLINE is set: the hub is not asked; unset it to fetch %s",
                            reference->repository);
    return PD_OK;
}

static pd_status make_dir(pd_pull *pull, const pd_pull_options *options, pd_error *err)
{
    pd_pull_state *state = &pull->state;
    const int n = snprintf(state->dir, sizeof state->dir, "%s/%s", options->models_dir, state->reference.key);
    if (n < 0 || (size_t)n + sizeof PD_PULL_PART > sizeof state->dir || options->models_dir[0] != '/')
        return pd_error_set(err, PD_ERR_LIMIT, "the folder for models is no absolute path, or too long: '%.200s'",
                            options->models_dir);
    if (is_here(&state->reference, state->dir)) {
        state->phase = PD_PULL_READY;
        state->vision_ready = true;
        pull->has_ended = true;
        return PD_OK;
    }
    (void)snprintf(state->dir + n, sizeof state->dir - (size_t)n, "%s", PD_PULL_PART);
    return check_options(options, &state->reference, err);
}

static pd_status start(pd_pull *pull, const pd_pull_options *options, pd_error *err)
{
    PD_TRY(pd_hub_reference_parse(options->reference, &pull->state.reference, err));
    PD_TRY(make_dir(pull, options, err));
    if (pull->has_ended)
        return PD_OK;
    PD_TRY(pd_fetcher_start(&pull->fetcher, options->fetch_path, err));
    PD_TRY(send_request(pull, options, err));
    pull->state.running = true;
    PD_TRY(pd_thread_start(&pull->thread, "pd-pull", listen_to, pull, err));
    pull->has_thread = true;
    return PD_OK;
}

pd_status pd_pull_start(pd_pull **ret_pull, const pd_pull_options *options, pd_error *err)
{
    pd_pull *pull = pd_mem_alloc(1, sizeof *pull);
    if (!pull)
        return pd_error_set_nomem(err);
    pthread_mutex_init(&pull->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pull->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pd_buf_init(&pull->line, PD_FETCH_LINE_BYTES_MAX);
    pull->state.seq = 1;
    pull->state.rate = pull->state.eta_s = -1;
    const pd_status status = start(pull, options, err);
    if (status == PD_OK)
        *ret_pull = pull;
    else
        pd_pull_finish(&pull);
    return status;
}

void pd_pull_look(pd_pull *pull, pd_pull_state *ret_state)
{
    pthread_mutex_lock(&pull->lock);
    *ret_state = pull->state;
    pthread_mutex_unlock(&pull->lock);
}

void pd_pull_wait(pd_pull *pull, uint64_t seq, int timeout_ms, pd_pull_state *ret_state)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const int64_t ns = until.tv_nsec + timeout_ms * PD_NS_PER_MS;
    until.tv_sec += ns / PD_NS_PER_S;
    until.tv_nsec = ns % PD_NS_PER_S;
    pthread_mutex_lock(&pull->lock);
    while (pull->state.seq <= seq && pull->state.running &&
           pthread_cond_timedwait(&pull->changed, &pull->lock, &until) != ETIMEDOUT)
        continue;
    *ret_state = pull->state;
    pthread_mutex_unlock(&pull->lock);
}

void pd_pull_cancel(pd_pull *pull)
{
    pthread_mutex_lock(&pull->lock);
    pull->is_cancelled = true;
    pthread_mutex_unlock(&pull->lock);
}

void pd_pull_finish(pd_pull **pull)
{
    pd_pull *p = *pull;
    if (!p)
        return;
    pd_pull_cancel(p);
    if (p->has_thread)
        (void)pthread_join(p->thread, NULL);
    else
        (void)pd_fetcher_end(&p->fetcher);
    pd_buf_done(&p->line);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    pd_mem_free(p);
    *pull = NULL;
}
