/* library_parts.h: the inside of a pd_library. Private to the room.
 *
 * Three parts with a lock each, which no call ever holds together: searching (catalogue, model, vectors), showing (a
 * connection whose strings outlive the call), learning (the job). */
#ifndef PD_LIBRARY_PARTS_H
#define PD_LIBRARY_PARTS_H

#include <pthread.h>

#include "kernels/kernels.h"
#include "library/library.h"
#include "library/library_paths.h"
#include "vindex/vindex.h"

/* Everything is opened by the first call that needs it. */
typedef struct pd_library_searcher {
    pthread_mutex_t lock;
    pd_store *store;
    pd_model *model;
    unsigned towers; /* of the model that is open */
    pd_session *text, *vision;
    pd_vindex *index;
    bool index_in_memory;
} pd_library_searcher;

typedef struct pd_library_learner {
    pthread_mutex_t lock;
    pthread_cond_t unused; /* n_users fell to 0 */
    pd_job *job;           /* NULL: none, or ended and put away */
    unsigned n_users;      /* calls that use the job outside the lock */
    int lock_fd;           /* -1: not ours */
    bool has_last;
    pd_progress last; /* of the job put away */
} pd_library_learner;

struct pd_library {
    pd_library_paths paths;
    char *model_option; /* name or directory */
    char *decoder_path; /* or NULL */
    unsigned cpu_mask, n_threads;
    pd_precision precision;
    pd_kernels kernels;
    pd_library_searcher searcher;
    pthread_mutex_t show_lock;
    pd_store *show_store;
    pd_library_learner learner;
};

/* The following three are called with searcher.lock held. */

/* Opens the catalogue for reading; PD_ERR_NO_MATCH with advice when nothing was ever learned here. */
PD_MUST_USE pd_status pd_library_need_store(pd_library *library, pd_error *err);

/* Opens the model with at least these towers (0: only to know what it is). */
PD_MUST_USE pd_status pd_library_need_model(pd_library *library, unsigned towers, pd_error *err);

/* Opens or refreshes the vectors, and mends them where that is needed: on disk when nobody learns, else in memory. */
PD_MUST_USE pd_status pd_library_need_index(pd_library *library, int64_t model, pd_error *err);

#endif
