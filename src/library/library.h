/* library.h: the product in one header. CLI, server and tests drive these calls and see neither SQL nor tensors.
 *
 * A library is a directory (catalogue, vector files, lock) plus a cache directory (thumbnails, prepared weights) that
 * may be deleted at any time. Opening touches nothing heavy: the catalogue, the model and the vectors are opened by the
 * first call that needs them. A pd_library may be used by any number of threads; calls that search take turns. */
#ifndef PD_LIBRARY_LIBRARY_H
#define PD_LIBRARY_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/model.h"
#include "pipeline/pipeline.h"
#include "search/search.h"
#include "store/store.h"

typedef struct pd_library_options {
    const char *dir;       /* NULL: $XDG_DATA_HOME/pixel-detective as `data_home` tells */
    const char *data_home; /* the environment is read by the surfaces and handed down */
    const char *cache_home;
    const char *model;        /* name under a models directory, or a directory; NULL: "tiny" */
    const char *decoder_path; /* NULL: found */
    unsigned cpu_mask;
    pd_precision precision;
    unsigned n_threads; /* 0: one a CPU */
} pd_library_options;

void pd_library_options_init(pd_library_options *ret_options);

typedef struct pd_library pd_library;

PD_MUST_USE pd_status pd_library_open(pd_library **ret_library, const pd_library_options *options, pd_error *err);
void pd_library_close(pd_library **library); /* a running job is cancelled and waited for */

const char *pd_library_dir(const pd_library *library);

/* Learning. Takes the learner's lock: PD_ERR_BUSY with the other's pid in the sentence when it is taken. */
typedef struct pd_index_options {
    const char *const *folders;
    size_t n_folders; /* 0: every root the library has */
    bool recheck;
} pd_index_options;
PD_MUST_USE pd_status pd_library_index(pd_library *library, const pd_index_options *options, pd_error *err);
/* False when no job was started in this process. */
bool pd_library_job_snapshot(pd_library *library, pd_progress *ret_progress);
bool pd_library_job_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_progress *ret_progress);
void pd_library_job_pause(pd_library *library, bool paused);
void pd_library_job_cancel(pd_library *library);
/* Waits for the job's end, gives the lock back; *ret_progress is the last snapshot. PD_OK also when files failed. */
void pd_library_job_finish(pd_library *library, pd_progress *ret_progress);

/* Remembered errors of the files under the given folders (all roots when n is 0). */
PD_MUST_USE pd_status pd_library_errors(pd_library *library, const char *const *folders, size_t n_folders,
                                        bool (*visit)(void *user, const char *path, pd_status why,
                                                      const char *sentence),
                                        void *user, pd_error *err);

/* Searching. Works while a job runs, here or in another process. PD_ERR_NO_MATCH with advice while nothing is learned
 * yet; hits->total 0: what was learned is no longer there. */
PD_MUST_USE pd_status pd_library_search(pd_library *library, const char *query, size_t n, pd_hits *ret_hits,
                                        pd_error *err);
/* Each example is the path of a picture (in the library or not) or the id of a photo, as text. Several are averaged. */
PD_MUST_USE pd_status pd_library_similar(pd_library *library, const char *const *examples, size_t n_examples, size_t n,
                                         pd_hits *ret_hits, pd_error *err);
const char *pd_library_model_name(pd_library *library);

/* A photo by path or id. Strings are valid until the next call of this kind on this library, from any thread.
 * PD_ERR_NO_MATCH with a sentence when the library does not know it. */
PD_MUST_USE pd_status pd_library_show(pd_library *library, const char *path_or_id, pd_photo *ret_photo, pd_error *err);

typedef struct pd_library_status {
    int64_t files, learned, errors, offline;
    int64_t catalogue_bytes, vectors_bytes, thumbs_bytes, prepared_bytes;
    const char *model_name;
    const char *model_state; /* "cold": on disk, not loaded; "ready"; "missing" */
    int64_t learner_pid;     /* 0: nobody learns; another process or this one else */
} pd_library_status;
/* Of a library that does not exist yet: all zero. */
PD_MUST_USE pd_status pd_library_status_get(pd_library *library, pd_library_status *ret_status, pd_error *err);
PD_MUST_USE pd_status pd_library_roots(pd_library *library, bool (*visit)(void *user, const pd_root *root), void *user,
                                       pd_error *err);

#endif
