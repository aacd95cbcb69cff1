/* app_parts.h: the inside of a pd_app. Private to the files app*.c.
 *
 * Lock order: job_lock, engine.look_lock, then lock. job_lock is held while a job is started or looked at, so that its
 * number and its counts change together; it may be held long. engine.look_lock is held while the library is asked about
 * its models. lock is held for copies only. */
#ifndef PD_SERVER_APP_PARTS_H
#define PD_SERVER_APP_PARTS_H

#include <pthread.h>

#include "base/clock.h"
#include "server/app.h"

typedef enum pd_app_step_state { PD_STEP_WAITING, PD_STEP_WORKING, PD_STEP_READY, PD_STEP_FAILED } pd_app_step_state;
typedef enum pd_app_step_id { PD_STEP_CATALOGUE, PD_STEP_MODEL, PD_STEP_COUNT } pd_app_step_id;

typedef struct pd_app_step {
    pd_app_step_state state;
    double ms;      /* once it is ready */
    pd_error error; /* once it has failed */
} pd_app_step;

typedef struct pd_app_root {
    char *path;
    int64_t n_photos;
    bool offline;
} pd_app_root;

/* What the library holds. */
typedef struct pd_app_shelf {
    bool known; /* it was opened */
    int64_t files, learned, errors, offline;
    pd_app_root *roots;
    size_t n_roots;
} pd_app_shelf;

typedef struct pd_app_job {
    uint64_t number; /* 1, 2, 3 ...; 0: none yet */
    bool running;    /* as far as the snapshot knows */
    bool retry_waits;
    bool again_waits; /* with another model, when it has ended */
    char **roots;     /* what it learns */
    size_t n_roots;
    bool everything;     /* every root there is; none was named */
    uint64_t lines_seen; /* of its own log */
    pd_progress progress;
} pd_app_job;

typedef struct pd_app_line {
    uint64_t seq;     /* of the snapshot that told it first */
    pd_log_line line; /* numbered over the whole run */
} pd_app_line;

/* The last snapshot of a job. */
typedef struct pd_app_ending {
    uint64_t seq, last_line;
    char *text; /* without its log */
} pd_app_ending;

/* The log, and what was said last about each job. */
typedef struct pd_app_journal {
    pd_app_line *lines; /* [PD_APP_LOG_LINES], a ring: line n stands at n % PD_APP_LOG_LINES */
    uint64_t last_line;
    pd_app_ending endings[PD_APP_ENDINGS]; /* a ring: the k-th stands at k % PD_APP_ENDINGS */
    uint64_t n_endings;
} pd_app_journal;

/* What is in memory of one model, or was. */
typedef struct pd_app_resident {
    char *dir;
    char key[PD_HUB_KEY_BYTES];
    pd_hub_kind kind;
    pd_residence state; /* the busiest of its parts */
    double fraction;    /* of a loading */
    int64_t bytes;
    pd_residence text; /* of the part that questions wait for ... */
    double text_fraction, text_ms;
    char error[PD_ERROR_MESSAGE_BYTES]; /* FAILED: why */
} pd_app_resident;

typedef struct pd_app_models {
    pd_app_resident *list; /* [n] in the order in which they were needed first */
    size_t n;
    char next[PD_HUB_KEY_BYTES]; /* chosen, and not answering yet; "" */
    bool rests;                  /* something was put away, and nothing is in memory */
    int64_t resting_bytes;       /* resident memory the last time that it was so; 0: never */
} pd_app_models;

/* What machines write. */
typedef struct pd_app_writing {
    bool captions; /* wanted in the background */
    bool known;    /* the above was read */
    bool any;      /* a queue was started: `state` counts */
    bool due;      /* to be started when nothing hinders */
    pd_annotation_state state;
} pd_app_writing;

typedef struct pd_app_fetching {
    bool any; /* something was fetched: `state` counts */
    pd_pull_state state;
} pd_app_fetching;

/* What the library has of models. Read with `lock`, like all else; look_lock is held besides from asking the library
 * until its answer is here, so that an older answer never takes the place of a newer one. */
typedef struct pd_app_engine {
    pthread_mutex_t look_lock;
    pd_app_models models;
    pd_app_fetching fetching;
} pd_app_engine;

/* What is being answered, and who looks whether its askers are still there. */
typedef struct pd_app_askings {
    pd_app_asking *first;
    pthread_cond_t asked;
    bool is_watched; /* the thread below is to be joined */
    pthread_t watcher;
} pd_app_askings;

typedef struct pd_app_threads {
    bool prepares, watches; /* the threads below are to be joined */
    bool preparing;
    pthread_t preparer, watcher;
} pd_app_threads;

struct pd_app {
    pd_app_options options;
    char started[PD_TIME_TEXT_BYTES];
    pthread_mutex_t job_lock;
    pd_log_line *job_lines;    /* [PD_JOB_LOG_LINES], room for looking at a job; with job_lock */
    pthread_mutex_t show_lock; /* what pd_library_show gives lives until its next call */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t seq;
    bool closing;      /* no new work */
    bool stopping;     /* no more waiting */
    int64_t viewed_ns; /* somebody waited for news */
    pd_app_shelf shelf;
    pd_app_step steps[PD_STEP_COUNT];
    pd_app_job job;
    pd_speed speed;
    pd_error trouble; /* what the state ERROR is about; status PD_OK: nothing */
    pd_app_engine engine;
    pd_app_writing writing;
    bool stale; /* the watcher is to look at once */

    pd_app_journal journal;
    char *text; /* of the snapshot `text_seq`, without its log; NULL: not written yet */
    uint64_t text_seq;

    pd_app_askings askings;
    pd_app_threads threads;
};

/* All below are called with `lock` held, unless they say otherwise. */

void pd_app_changed(pd_app *app); /* seq grows, everybody wakes */
void pd_app_log(pd_app *app, pd_log_level level, const char *format, ...) PD_PRINTF(3, 4);
void pd_app_log_copy(pd_app *app, const pd_log_line *line); /* a line of a job, under its own time */

/* The snapshot without its log and its last brace, on the heap; NULL when out of memory. */
PD_MUST_USE char *pd_app_write(const pd_app *app);
void pd_app_askings_cancel(pd_app *app); /* all that are, and their watcher ends */
/* Keeps the present snapshot as the end of a job. */
void pd_app_keep_ending(pd_app *app);

/* What the library holds now: without the lock. On failure *shelf is as it was. */
PD_MUST_USE pd_status pd_app_shelf_read(pd_app *app, pd_app_shelf *shelf, pd_error *err);
void pd_app_shelf_done(pd_app_shelf *shelf);
/* Takes the new one in place of the old. True: something is different. */
bool pd_app_shelf_put(pd_app *app, pd_app_shelf *shelf);

/* The models, what is fetched and what is written as they are now: without the lock. */
void pd_app_models_look(pd_app *app);
void pd_app_fetching_look(pd_app *app);
void pd_app_writing_look(pd_app *app);
void pd_app_models_done(pd_app_models *models);
/* The model that questions wait for; NULL: it was never needed. */
const pd_app_resident *pd_app_answering(const pd_app *app);
int64_t pd_app_resident_bytes(void); /* memory of this process; 0: not known */
/* Which model comes next: after everything that may change it. Without the lock. */
void pd_app_models_ask(pd_app *app);
/* Begins to write when it is due and can be done. */
void pd_app_writing_begin(pd_app *app);
/* It is to be done, by the watcher. again: what runs is ended first, since what it writes with has changed. */
void pd_app_writing_due(pd_app *app, bool again);
bool pd_app_wants_captions(pd_app *app); /* the setting, read once a run; false while it cannot be read */

void pd_app_look_soon(pd_app *app); /* the watcher does; with lock held */

/* Every root again, with the model that is chosen now; what runs is ended first. Without the lock. */
PD_MUST_USE pd_status pd_app_relearn(pd_app *app, pd_error *err);

/* Threads. Both without the lock. */
void *pd_app_prepare(void *app);
void *pd_app_watch(void *app);
void pd_app_prepare_again(pd_app *app);

#endif
