/* app.h: what every connection sees of the program: one snapshot under one lock.
 *
 * The state (docs/http.md 'Snapshot') follows from three things: what the library holds, what is prepared, and the one
 * job. Two threads keep it true: one prepares (begun by the first page that is looked at), one watches the job. Both
 * and all connections meet under one lock; `seq` grows with every change. Internally locked. */
#ifndef PD_SERVER_APP_H
#define PD_SERVER_APP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "library/library.h"

#define PD_APP_LOG_LINES 1000      /* kept */
#define PD_APP_LOG_LINES_FIRST 200 /* of these, sent to somebody new */
#define PD_APP_ENDINGS 16          /* last snapshots of jobs, kept so that every stream sees each of them */
#define PD_APP_BEAT_MS 100         /* between two snapshots of a stream: 10 a second */

typedef struct pd_app pd_app;

/* Texts are borrowed for the life of the app; NULL as in pd_server_options. */
typedef struct pd_app_options {
    pd_library *library;
    const char *version, *home, *browse_root;
    const char *token; /* PD_TOKEN_DIGITS hex digits */
} pd_app_options;

PD_MUST_USE pd_status pd_app_create(pd_app **ret_app, const pd_app_options *options, pd_error *err);
/* Cancels the job, lets its last batch be committed, shows its end to every stream, ends every wait. */
void pd_app_stop(pd_app *app);
void pd_app_free(pd_app **app);
bool pd_app_is_closing(pd_app *app); /* what goes on for long is to end */

const pd_app_options *pd_app_options_of(const pd_app *app);

/* A page is looked at: begins to prepare and to watch, once; and to load what questions need, when it was put away. */
void pd_app_wake(pd_app *app);
void pd_app_attend(pd_app *app); /* begins to watch, once */
/* A hint, of what is likely to be needed: of the model that answers, once it was needed. */
void pd_app_prefetch(pd_app *app, pd_model_part part);

/* What somebody has been sent already. Zeroed: nothing. */
typedef struct pd_app_cursor {
    bool begun;            /* seq and line mean something */
    bool owed;             /* the present snapshot goes out even when it was sent before */
    uint64_t seq, line;    /* last snapshot; last line of the log */
    int64_t not_before_ns; /* of the next snapshot */
} pd_app_cursor;

/* A cursor that goes on after the snapshot `seq`; one of another run of the server starts anew. */
void pd_app_cursor_after(pd_app *app, uint64_t seq, pd_app_cursor *ret_cursor);

typedef enum pd_app_news { PD_APP_SNAPSHOT, PD_APP_QUIET, PD_APP_END } pd_app_news;
/* Waits for a snapshot that the cursor has not seen and appends its text (one line) to `buf`. QUIET: none came within
 * timeout_ms; END: the app stops, and nothing more will come. Out of memory is remembered in the buffer. */
pd_app_news pd_app_next(pd_app *app, pd_app_cursor *cursor, int timeout_ms, pd_buf *buf);

/* The job. Refused while the app stops (CANCELLED) or another job runs (BUSY). n 0: every root. */
PD_MUST_USE pd_status pd_app_learn(pd_app *app, const char *const *folders, size_t n, pd_error *err);
/* Again what failed: opening the library, a job that was ended by an error, files. Waits for the end of a running job
 * without holding the caller. */
PD_MUST_USE pd_status pd_app_retry(pd_app *app, pd_error *err);
void pd_app_speed(pd_app *app, pd_speed speed); /* of this job and those after it */
/* False: no job runs. */
PD_MUST_USE bool pd_app_pause(pd_app *app, bool paused);
PD_MUST_USE bool pd_app_cancel(pd_app *app);

/* The model with this key is used from now on; a job begins that learns with it, after the one that runs. cancelled: as
 * in pd_library_model_use. */
PD_MUST_USE pd_status pd_app_use_model(pd_app *app, const char *key, const atomic_bool *cancelled, pd_error *err);
PD_MUST_USE pd_status pd_app_pull(pd_app *app, const char *reference, bool use, pd_error *err);
PD_MUST_USE bool pd_app_pull_cancel(pd_app *app); /* false: nothing is fetched */
void pd_app_look_again(pd_app *app);              /* the snapshot is as true as it can be */

/* The background queue of tags and captions. False: none runs. */
PD_MUST_USE pd_status pd_app_write_about(pd_app *app, pd_error *err);
PD_MUST_USE bool pd_app_writing_pause(pd_app *app, bool paused);
PD_MUST_USE bool pd_app_writing_cancel(pd_app *app);

#define PD_APP_IDLE_S_MAX 86400

/* Settings. */
typedef struct pd_app_settings {
    double idle_s;
    bool captions;
    unsigned threads, threads_max;
} pd_app_settings;
PD_MUST_USE pd_status pd_app_settings_get(pd_app *app, pd_app_settings *ret_settings, pd_error *err);
PD_MUST_USE pd_status pd_app_captions_set(pd_app *app, bool on, pd_error *err);

/* Resident memory, now and the last time that all models were put away (0: never). */
void pd_app_memory(pd_app *app, int64_t *ret_bytes, int64_t *ret_resting_bytes);

/* A photo as `show --json` tells it, with name, root and offline; the caller's. */
PD_MUST_USE pd_status pd_app_photo(pd_app *app, uint64_t id, pd_json **ret_json, pd_error *err);

/* The same as a hit that nothing was asked for; the caller ends it (pd_hit_done). NO_MATCH: no such photo. */
PD_MUST_USE pd_status pd_app_hit(pd_app *app, int64_t id, pd_hit *ret_hit, pd_error *err);

/* A question that is being answered: a newer one of the same tab ends it, and so does its asker who hangs up, and the
 * end of the app. */
#define PD_APP_TAB_BYTES_MAX 64 /* of a tab's name */
typedef struct pd_app_asking {
    struct pd_app_asking *next;
    int socket;
    char tab[PD_APP_TAB_BYTES_MAX + 1];
    bool overtaken;
    atomic_bool cancelled;
} pd_app_asking;
/* `asking` stays where it is until pd_app_asking_end, and so does the socket (-1: not known). tab NULL or "": none. */
void pd_app_asking_begin(pd_app *app, pd_app_asking *asking, int socket, const char *tab);
/* True: a newer question of the tab came meanwhile. */
bool pd_app_asking_end(pd_app *app, pd_app_asking *asking);

/* Visits the library's folders as the last snapshot has them, under the lock: be quick. */
void pd_app_roots(pd_app *app, void (*visit)(void *user, const char *path, bool offline), void *user);

#endif
