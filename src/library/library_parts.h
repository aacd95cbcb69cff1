/* library_parts.h: the inside of a pd_library. Private to the room.
 *
 * Parts with a lock each, of which no call holds two, but the reader's and the finder's, shortly, within the
 * searcher's: searching (catalogue, model, vectors), finding (filters, orders, kept results), reading (a connection for
 * what must not wait for a search), showing, writing (what the user does), learning (the job), decoding (a pool for
 * single pictures), views (their cache). */
#ifndef PD_LIBRARY_PARTS_H
#define PD_LIBRARY_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernels/kernels.h"
#include "library/library.h"
#include "library/library_paths.h"
#include "media/media.h"
#include "vindex/vindex.h"

/* Embeddings of words that were asked lately, and of everyday ones (pd_null_mix). */
#define PD_LIBRARY_TEXTS_MAX 64
typedef struct pd_library_text {
    char *text;       /* NULL: none */
    float *embedding; /* [dim] */
    uint64_t used;    /* by which question */
} pd_library_text;

/* Everything is opened by the first call that needs it. */
typedef struct pd_library_searcher {
    pthread_mutex_t lock;
    pd_store *store;
    pd_model *model;
    unsigned towers; /* of the model that is open */
    pd_session *text, *vision;
    pd_vindex *index;
    bool index_in_memory;
    pd_library_text texts[PD_LIBRARY_TEXTS_MAX];
    uint64_t n_asked;
    float *bank; /* [n_bank, dim], or NULL */
    size_t n_bank;
} pd_library_searcher;

/* A result that windows can be asked of. */
typedef struct pd_kept {
    uint64_t number; /* 0: none */
    uint64_t used;   /* by which question */
    pd_result *result;
    pd_query *query; /* what was asked */
    char *examples;  /* NULL: pictures without a name were among them, and nothing is equal to that */
    pd_order order;
    bool has_meaning, english_only;
    int64_t version, n_vectors, last_seq; /* of the library */
} pd_kept;

/* Filters, orders and results. A question without meaning needs nothing else, so it waits for no model. */
typedef struct pd_library_finder {
    pthread_mutex_t lock;
    pd_store *store;
    pd_columns *columns;
    pd_rows *rows;
    int64_t model; /* the store's number of the model; 0: not known yet */
    pd_kept kept[PD_LIBRARY_RESULTS_MAX];
    uint64_t n_numbers, n_asked;
} pd_library_finder;

typedef struct pd_library_learner {
    pthread_mutex_t lock;
    pthread_cond_t unused; /* n_users fell to 0 */
    pd_job *job;           /* NULL: none, or ended and put away */
    unsigned n_users;      /* calls that use the job outside the lock */
    int lock_fd;           /* -1: not ours */
    bool has_last;
    pd_progress last;        /* of the job put away */
    pd_log_line *last_lines; /* [n_last_lines]: its log */
    size_t n_last_lines;
} pd_library_learner;

/* Reads the catalogue and nothing else. */
typedef struct pd_library_reader {
    pthread_mutex_t lock;
    pd_store *store;
    char *model_id; /* of the model, once it was open; NULL: not known yet */
} pd_library_reader;

/* Writes what the user does. */
typedef struct pd_library_writer {
    pthread_mutex_t lock;
    pd_store *store; /* NULL: nothing was changed yet */
} pd_library_writer;

/* Decoder processes for single pictures. They are ended by a thread that waits until they have been idle. */
typedef struct pd_library_decoders {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pd_media_pool *pool; /* NULL: none */
    unsigned n_users;
    int64_t idle_since_ns; /* while n_users is 0 */
    bool has_reaper, closing;
    pthread_t reaper;
} pd_library_decoders;

typedef struct pd_library_views {
    pthread_mutex_t lock;
    int64_t bytes; /* in the cache, as far as this process knows; -1: not looked yet */
    int64_t bytes_max;
} pd_library_views;

struct pd_library {
    pd_library_paths paths;
    char *model_option; /* name or directory */
    char *decoder_path; /* or NULL */
    unsigned cpu_mask, n_threads;
    pd_precision precision;
    pd_kernels kernels;
    pd_library_searcher searcher;
    pd_library_finder finder;
    atomic_bool is_model_ready; /* a session is open */
    pthread_mutex_t show_lock;
    pd_store *show_store; /* its strings outlive the call: it is used for nothing else */
    pd_library_reader reader;
    pd_library_writer writer;
    pd_library_learner learner;
    pd_library_decoders decoders;
    pd_library_views views;
};

/* Opens the catalogue for reading. One of an older version is first brought up to date, unless somebody learns or it
 * cannot be written: then it is read as it is. NOT_FOUND: there is none. */
PD_MUST_USE pd_status pd_library_open_store(const pd_library *library, pd_store **ret_store, pd_error *err);

/* PD_ERR_NO_MATCH with advice: nothing was ever learned here. */
pd_status pd_library_explain_nothing(pd_error *err);

/* Opens the reader's catalogue, with reader.lock held. NOT_FOUND: there is none. */
PD_MUST_USE pd_status pd_library_need_reader(pd_library *library, pd_error *err);

/* Calls `ask` with the reader's catalogue, under its lock; a library that does not exist yet has nothing to tell, which
 * is no error. */
PD_MUST_USE pd_status pd_library_ask_store(pd_library *library,
                                           pd_status (*ask)(pd_store *store, void *user, pd_error *err), void *user,
                                           pd_error *err);

/* Takes the writer, its catalogue open and made when there was none; on failure nothing is taken. */
PD_MUST_USE pd_status pd_library_begin_writing(pd_library *library, pd_store **ret_store, pd_error *err);
void pd_library_end_writing(pd_library *library);

void pd_library_decoders_init(pd_library_decoders *decoders);
void pd_library_decoders_done(pd_library_decoders *decoders);
/* pd_media_decode with the library's decoders; calls run beside each other. pd_library_picture_done in every case. */
PD_MUST_USE pd_status pd_library_decode(pd_library *library, int fd, const pd_media_request *request,
                                        pd_picture *ret_picture, pd_error *err);
void pd_library_picture_done(pd_library *library, pd_picture *picture);

/* Opens the folder that `path` lies in, as pd_file_open_beneath; the file itself need not be there. */
PD_MUST_USE pd_status pd_library_open_folder(const char *root, const char *path, int *ret_fd, pd_error *err);

/* Path and innermost root of a photo, both on the heap. NO_MATCH with a sentence: there is none. */
PD_MUST_USE pd_status pd_library_find_photo(pd_library *library, int64_t id, char **ret_path, char **ret_root,
                                            pd_error *err);

/* Words into an .xmp file, as pd_media_merge_sidecar, with the library's decoders. */
PD_MUST_USE pd_status pd_library_merge_sidecar(pd_library *library, int fd, const pd_sidecar_words *words,
                                               char **ret_xmp, size_t *ret_bytes, pd_error *err);

/* The path of the innermost root that holds `path`, on the heap, with the reader's lock held. NOT_FOUND: none does. */
PD_MUST_USE pd_status pd_library_root_of(pd_store *store, const char *path, char **ret_root, pd_error *err);

/* Counts a view that was put into the cache and, when there are too many, removes the ones unused longest. */
void pd_library_views_added(pd_library *library, int64_t bytes);

/* The following three are called with searcher.lock held. */

/* Opens the catalogue for reading; PD_ERR_NO_MATCH with advice when nothing was ever learned here. */
PD_MUST_USE pd_status pd_library_need_store(pd_library *library, pd_error *err);

/* Opens the model with at least these towers (0: only to know what it is). */
PD_MUST_USE pd_status pd_library_need_model(pd_library *library, unsigned towers, pd_error *err);

/* Opens or refreshes the vectors, and mends them where that is needed: on disk when nobody learns, else in memory. */
PD_MUST_USE pd_status pd_library_need_index(pd_library *library, int64_t model, pd_error *err);

#endif
