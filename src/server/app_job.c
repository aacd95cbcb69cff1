/* app_job.c: the one job as the snapshot tells it: started, watched, ended, and again. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "server/app_parts.h"

enum {
    WATCH_MS = 250,       /* longest wait for a change of a running job */
    SHELF_JOB_MS = 1000,  /* between two looks into the catalogue while a job runs */
    SHELF_IDLE_MS = 5000, /* and while another process may be learning */
    SHELF_PATIENCE = 20,  /* looks take at most one in so many parts of the time */
    VIEWED_MS = 20000,    /* somebody still looks at a page */
};

static void free_roots(char **roots, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pd_mem_free(roots[i]);
    pd_mem_free(roots);
}

static bool copy_roots(const char *const *folders, size_t n, char ***ret_roots)
{
    char **roots = pd_mem_alloc(n, sizeof *roots);
    size_t done = 0;
    while (roots && done < n && (roots[done] = pd_mem_dup_string(folders[done])) != NULL)
        done++;
    if (!roots || done < n) {
        free_roots(roots, roots ? done : 0);
        return false;
    }
    *ret_roots = roots;
    return true;
}

/* With lock held: lines of the job's log that are not in ours yet. */
static void take_lines(pd_app *app, const pd_log_line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint64_t missed = lines[i].number - app->job.lines_seen - 1;
        if (missed > 0)
            pd_app_log(app, PD_LOG_WARNING, "%" PRIu64 " lines came too fast and were not kept", missed);
        pd_app_log_copy(app, &lines[i]);
        app->job.lines_seen = lines[i].number;
    }
}

static bool is_bad_end(pd_status outcome)
{
    return outcome != PD_OK && outcome != PD_ERR_PARTIAL && outcome != PD_ERR_CANCELLED;
}

/* With lock held: the job is over, and this is its last snapshot. */
static void settle(pd_app *app)
{
    app->job.running = false;
    if (is_bad_end(app->job.progress.outcome)) {
        app->trouble.status = app->job.progress.outcome;
        (void)pd_error_set(&app->trouble, app->job.progress.outcome, "%s",
                           app->job.progress.message[0] ? app->job.progress.message
                                                        : pd_status_name(app->job.progress.outcome));
    }
}

/* With job_lock held: brings the snapshot up to date with the job. */
static void look(pd_app *app)
{
    pd_library *library = app->options.library;
    pd_progress progress;
    if (!app->job.running || !pd_library_job_snapshot(library, &progress))
        return;
    const bool ended = progress.phase == PD_PHASE_READY && !progress.running;
    const size_t n = pd_library_job_log(library, app->job.lines_seen, app->job_lines, PD_JOB_LOG_LINES);
    pd_app_shelf shelf = { 0 };
    bool has_shelf = false;
    if (ended) {
        pd_library_job_finish(library, &progress);
        has_shelf = pd_app_shelf_read(app, &shelf, NULL) == PD_OK;
    }
    pthread_mutex_lock(&app->lock);
    const bool differs = progress.seq != app->job.progress.seq || n > 0 || ended;
    take_lines(app, app->job_lines, n);
    app->job.progress = progress;
    if (has_shelf)
        (void)pd_app_shelf_put(app, &shelf);
    if (ended)
        settle(app);
    if (differs)
        pd_app_changed(app);
    if (ended)
        pd_app_keep_ending(app);
    app->writing.due |= ended && !is_bad_end(progress.outcome); /* there are new photos to write about */
    pthread_mutex_unlock(&app->lock);
    if (ended)
        pd_app_models_ask(app); /* the next model may answer now */
}

/* The roots of the library, for a job of which none was named: only to be told. NULL and 0 when there is no memory. */
static char **copy_shelf_roots(pd_app *app, size_t *ret_n)
{
    pthread_mutex_lock(&app->lock);
    const size_t n = app->shelf.n_roots;
    char **roots = pd_mem_alloc(n, sizeof *roots);
    size_t done = 0;
    while (roots && done < n && (roots[done] = pd_mem_dup_string(app->shelf.roots[done].path)) != NULL)
        done++;
    pthread_mutex_unlock(&app->lock);
    *ret_n = done;
    return roots;
}

/* With job_lock held: the job runs, and has a number of its own from here on. Takes `roots`. */
static void publish_start(pd_app *app, char **roots, size_t n_roots, bool everything, pd_speed speed)
{
    pd_progress progress = { 0 };
    if (everything) {
        pd_mem_free(roots);
        roots = copy_shelf_roots(app, &n_roots);
    }
    (void)pd_library_job_snapshot(app->options.library, &progress);
    pthread_mutex_lock(&app->lock);
    free_roots(app->job.roots, app->job.n_roots);
    app->job = (pd_app_job){ .number = app->job.number + 1,
                             .running = true,
                             .roots = roots,
                             .n_roots = n_roots,
                             .everything = everything,
                             .progress = progress };
    app->trouble.status = PD_OK;
    if (app->speed != speed) /* changed meanwhile */
        pd_library_job_speed(app->options.library, app->speed);
    pd_app_changed(app);
    const bool closed = app->closing;
    pthread_mutex_unlock(&app->lock);
    if (closed)
        pd_library_job_cancel(app->options.library);
}

/* With job_lock held: a pull begins to learn by itself, as soon as the image tower is here. */
static void adopt(pd_app *app)
{
    pd_progress progress;
    pthread_mutex_lock(&app->lock);
    const bool may_be = !app->job.running && app->engine.fetching.any;
    const pd_speed speed = app->speed;
    pthread_mutex_unlock(&app->lock);
    if (may_be && pd_library_job_snapshot(app->options.library, &progress) && progress.running)
        publish_start(app, NULL, 0, true, speed);
}

/* With job_lock held. Takes `roots` on success. */
static pd_status start(pd_app *app, char **roots, size_t n_roots, bool retry, pd_error *err)
{
    pthread_mutex_lock(&app->lock);
    const bool closing = app->closing;
    const pd_speed speed = app->speed;
    pthread_mutex_unlock(&app->lock);
    if (closing)
        return pd_error_set(err, PD_ERR_CANCELLED, "the program is ending; start it again to learn more");
    const pd_index_options options = {
        .folders = (const char *const *)roots, .n_folders = n_roots, .retry = retry, .speed = speed
    };
    PD_TRY(pd_library_index(app->options.library, &options, err));
    publish_start(app, roots, n_roots, n_roots == 0, speed);
    return PD_OK;
}

pd_status pd_app_learn(pd_app *app, const char *const *folders, size_t n, pd_error *err)
{
    char **roots = NULL;
    if (!copy_roots(folders, n, &roots))
        return pd_error_set_nomem(err);
    pthread_mutex_lock(&app->job_lock);
    look(app); /* a job that has just ended makes room */
    const pd_status status = start(app, roots, n, false, err);
    pthread_mutex_unlock(&app->job_lock);
    if (status == PD_OK)
        pd_app_wake(app);
    else
        free_roots(roots, n);
    return status;
}

/* With job_lock held and no job there: the folders of a job that was ended by an error again, else all. */
static pd_status start_retry(pd_app *app, pd_error *err)
{
    char **roots = NULL;
    const bool same = app->job.number > 0 && is_bad_end(app->job.progress.outcome) && !app->job.everything;
    const size_t n = same ? app->job.n_roots : 0;
    if (!copy_roots((const char *const *)app->job.roots, n, &roots))
        return pd_error_set_nomem(err);
    const pd_status status = start(app, roots, n, true, err);
    if (status != PD_OK)
        free_roots(roots, n);
    return status;
}

pd_status pd_app_retry(pd_app *app, pd_error *err)
{
    pthread_mutex_lock(&app->lock);
    const bool unopened = app->steps[PD_STEP_CATALOGUE].state == PD_STEP_FAILED;
    pthread_mutex_unlock(&app->lock);
    if (unopened) {
        pd_app_prepare_again(app);
        return PD_OK;
    }
    pd_status status = PD_OK;
    pthread_mutex_lock(&app->job_lock);
    look(app);
    if (app->job.running) {
        pthread_mutex_lock(&app->lock);
        app->job.retry_waits = true;
        pd_app_changed(app);
        pthread_mutex_unlock(&app->lock);
    } else {
        status = start_retry(app, err);
    }
    pthread_mutex_unlock(&app->job_lock);
    if (status == PD_OK)
        pd_app_wake(app);
    return status;
}

/* With job_lock held and no job there: every root again, if there is any. */
static pd_status start_again(pd_app *app, pd_error *err)
{
    size_t n = 0;
    char **roots = copy_shelf_roots(app, &n);
    free_roots(roots, n);
    return n > 0 ? start(app, NULL, 0, false, err) : PD_OK;
}

/* What waited for the end of a job. */
static void keep_promise(pd_app *app)
{
    pd_error err;
    pd_status status = PD_OK;
    pthread_mutex_lock(&app->job_lock);
    pthread_mutex_lock(&app->lock);
    const bool due = !app->job.running && !app->closing;
    const bool again = due && app->job.again_waits, retry = due && !again && app->job.retry_waits;
    if (again)
        app->job.again_waits = false;
    if (retry)
        app->job.retry_waits = false;
    pthread_mutex_unlock(&app->lock);
    if (again)
        status = start_again(app, &err);
    else if (retry)
        status = start_retry(app, &err);
    if (status != PD_OK) {
        pthread_mutex_lock(&app->lock);
        pd_app_log(app, PD_LOG_ERROR, "%s", err.message);
        pd_app_changed(app);
        pthread_mutex_unlock(&app->lock);
    }
    pthread_mutex_unlock(&app->job_lock);
}

pd_status pd_app_relearn(pd_app *app, pd_error *err)
{
    pd_status status = PD_OK;
    pthread_mutex_lock(&app->job_lock);
    look(app);
    if (app->job.running) { /* what it learns with is not wanted any more */
        pthread_mutex_lock(&app->lock);
        app->job.again_waits = true;
        pthread_mutex_unlock(&app->lock);
        pd_library_job_cancel(app->options.library);
    } else {
        status = start_again(app, err);
    }
    pthread_mutex_unlock(&app->job_lock);
    pd_app_attend(app);
    return status;
}

void pd_app_look_again(pd_app *app)
{
    pthread_mutex_lock(&app->job_lock);
    look(app);
    adopt(app);
    pthread_mutex_unlock(&app->job_lock);
    pd_app_models_look(app);
    pd_app_fetching_look(app);
    pd_app_writing_look(app);
}

void pd_app_speed(pd_app *app, pd_speed speed)
{
    pthread_mutex_lock(&app->lock);
    app->speed = speed;
    pthread_mutex_unlock(&app->lock);
    pd_library_job_speed(app->options.library, speed);
    pthread_mutex_lock(&app->job_lock);
    look(app);
    pthread_mutex_unlock(&app->job_lock);
}

bool pd_app_pause(pd_app *app, bool paused)
{
    pthread_mutex_lock(&app->job_lock);
    look(app);
    const bool running = app->job.running;
    if (running)
        pd_library_job_pause(app->options.library, paused);
    look(app);
    pthread_mutex_unlock(&app->job_lock);
    return running;
}

bool pd_app_cancel(pd_app *app)
{
    pthread_mutex_lock(&app->job_lock);
    look(app);
    const bool running = app->job.running;
    if (running)
        pd_library_job_cancel(app->options.library);
    look(app);
    pthread_mutex_unlock(&app->job_lock);
    return running;
}

/* What the watcher knows of the time. */
typedef struct watch {
    int64_t next_ns; /* of the next look into the catalogue */
} watch;

/* What goes on, and what is known of it. */
typedef struct works {
    bool job, fetching, writing, viewed;
    uint64_t job_seq, fetching_seq, writing_seq;
} works;

/* Waits until there is something to look at. False: the app closes, and nothing runs that has an end to be shown. */
static bool wait_for_work(pd_app *app, works *w)
{
    pthread_mutex_lock(&app->lock);
    const pd_app_fetching *fetching = &app->engine.fetching;
    const pd_app_writing *writing = &app->writing;
    const int64_t until = pd_clock_ns() + SHELF_IDLE_MS * PD_NS_PER_MS;
    const struct timespec when = { .tv_sec = until / PD_NS_PER_S, .tv_nsec = until % PD_NS_PER_S };
    while (!app->job.running && !fetching->state.running && !writing->state.running && !app->stale && !app->closing &&
           pd_clock_ns() < until)
        (void)pthread_cond_timedwait(&app->changed, &app->lock, &when);
    app->stale = false;
    *w = (works){ .job = app->job.running,
                  .fetching = fetching->state.running,
                  .writing = writing->state.running,
                  .viewed = pd_clock_ns() - app->viewed_ns < VIEWED_MS * PD_NS_PER_MS,
                  .job_seq = app->job.progress.seq,
                  .fetching_seq = fetching->state.seq,
                  .writing_seq = writing->state.seq };
    const bool go_on = w->job || w->writing || !app->closing;
    pthread_mutex_unlock(&app->lock);
    return go_on;
}

/* Until one of them is further; the others are looked at then too. */
static void wait_for_change(pd_app *app, const works *w)
{
    pd_library *library = app->options.library;
    union {
        pd_progress job;
        pd_pull_state pull;
        pd_annotation_state annotation;
    } state;
    if (w->job)
        (void)pd_library_job_wait(library, w->job_seq, WATCH_MS, &state.job);
    else if (w->fetching)
        (void)pd_library_pull_wait(library, w->fetching_seq, WATCH_MS, &state.pull);
    else if (w->writing)
        (void)pd_library_annotate_wait(library, w->writing_seq, WATCH_MS, &state.annotation);
}

/* Counts anew what the library holds, when somebody looks and it is time. */
static void refresh_shelf(pd_app *app, watch *w, bool running)
{
    const int64_t begun_ns = pd_clock_ns();
    pd_app_shelf shelf = { 0 };
    if (begun_ns < w->next_ns || pd_app_shelf_read(app, &shelf, NULL) != PD_OK)
        return;
    const int64_t took_ns = pd_clock_ns() - begun_ns;
    const int64_t pause_ns = (running ? SHELF_JOB_MS : SHELF_IDLE_MS) * PD_NS_PER_MS;
    w->next_ns = begun_ns + (took_ns * SHELF_PATIENCE > pause_ns ? took_ns * SHELF_PATIENCE : pause_ns);
    pthread_mutex_lock(&app->lock);
    if (app->steps[PD_STEP_CATALOGUE].state == PD_STEP_READY && pd_app_shelf_put(app, &shelf))
        pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
    pd_app_shelf_done(&shelf);
}

void *pd_app_watch(void *user)
{
    pd_app *app = user;
    watch w = { 0 };
    works now;
    while (wait_for_work(app, &now)) {
        wait_for_change(app, &now);
        pd_app_look_again(app);
        keep_promise(app);
        pd_app_writing_begin(app);
        if (now.viewed)
            refresh_shelf(app, &w, now.job);
    }
    return NULL;
}
