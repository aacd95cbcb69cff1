/* library_parts.h: the inside of a pd_library. Private to the room.
 *
 * Parts with a lock each, of which no call holds two, but the reader's, the finder's and the models', shortly, within
 * the searcher's: searching (catalogue, vectors, embedded words), finding (filters, orders, kept results), reading (a
 * connection for what must not wait for a search), showing, writing (what the user does), learning (the job),
 * annotating (the queue of captions and tags), models (which are used, and what is known of them; what is loaded of
 * them is the residency's), decoding (a pool for single pictures), views (their cache), resting (when what is open is
 * put away). */
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

/* Everything is opened by the first call that needs it, and of one model at a time. */
typedef struct pd_library_searcher {
    pthread_mutex_t lock;
    pd_store *store;
    char model_id[PD_SHA256_TEXT_BYTES]; /* whose the rest is; "": nothing is there */
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
    int64_t model;                        /* the store's number; 0 without meaning */
    const char *model_name;               /* lives as long as the library */
    int64_t version, n_vectors, last_seq; /* of the library */
} pd_kept;

/* Filters, orders and results. A question without meaning needs nothing else, so it waits for no model. */
typedef struct pd_library_finder {
    pthread_mutex_t lock;
    pd_store *store;
    pd_columns *columns;
    pd_rows *rows;
    int64_t rows_model; /* whose index the rows are of */
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

/* The one queue of what machines write. */
typedef struct pd_library_annotator {
    pthread_mutex_t lock;
    pthread_cond_t unused;     /* n_users fell to 0 */
    pd_annotation *annotation; /* NULL: none, or ended and put away */
    unsigned n_users;          /* calls that use it outside the lock */
    int lock_fd;               /* -1: not ours */
    bool has_last;
    pd_annotation_state last; /* of the queue put away */
} pd_library_annotator;

/* Reads the catalogue and nothing else. */
typedef struct pd_library_reader {
    pthread_mutex_t lock;
    pd_store *store;
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

/* A model that was named, and what is known of it since it was open. */
typedef struct pd_library_known {
    char *name;                    /* key or directory: as it was named */
    char *dir;                     /* where it was open; NULL: it was not */
    char id[PD_SHA256_TEXT_BYTES]; /* of what was open there */
    size_t dim, side;
} pd_library_known;

#define PD_LIBRARY_KNOWN_MAX 256
typedef struct pd_library_shelf {
    pthread_mutex_t lock;
    pd_library_known *known; /* [n], room for PD_LIBRARY_KNOWN_MAX: names live as long as the library */
    size_t n;
    const char *option;              /* --model; NULL: the library's settings say */
    _Atomic(const char *) answering; /* name of the model that answered last */
    const char *taken_over; /* name of the chosen model that was found to know all that the answering one knows */
    int64_t compared_ns;    /* when that was looked at last */
    pd_residency *residency;

    pthread_mutex_t watch_lock; /* held while the watcher is told */
    void (*changed)(void *user);
    void *changed_user;
} pd_library_shelf;

/* What rests longer than the idle time is put away by a thread. */
typedef struct pd_library_rest {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    double idle_s;   /* negative: never */
    int64_t used_ns; /* when something was asked last; 0: all is put away */
    bool has_thread, closing;
    pthread_t thread;
} pd_library_rest;

/* The one pull. What others see is a copy, kept by the thread that watches it. */
typedef struct pd_library_fetching {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool was_started;
    pd_pull_state state; /* its seq goes on over several pulls */
    pd_pull *pull;       /* NULL: it has ended */
    bool is_claimed;     /* somebody is about to start one */
    bool has_thread, closing;
    pthread_t thread;
    bool use; /* of the thread alone, as the library's options below */
    char *endpoint, *token, *fetch_path;
    char hub[PD_HUB_NAME_BYTES]; /* the endpoint's name */
    bool offline;
} pd_library_fetching;

struct pd_library {
    pd_library_paths paths;
    char *decoder_path; /* or NULL */
    unsigned cpu_mask, n_threads;
    atomic_uint n_workers; /* that learn and write; 0: the setting was not read yet */
    pd_precision precision;
    pd_kernels kernels;
    pd_library_searcher searcher;
    pd_library_finder finder;
    pthread_mutex_t show_lock;
    pd_store *show_store; /* its strings outlive the call: it is used for nothing else */
    pd_library_reader reader;
    pd_library_writer writer;
    pd_library_learner learner;
    pd_library_annotator annotator;
    pd_library_decoders decoders;
    pd_library_views views;
    pd_library_shelf shelf;
    pd_library_rest rest;
    pd_library_fetching fetching;
};

/* Which model, and what is known of it. */
typedef enum pd_library_which {
    PD_LIBRARY_ANSWERING, /* searches with it */
    PD_LIBRARY_CHOSEN,    /* learns with it */
} pd_library_which;
typedef struct pd_library_choice {
    const char *name; /* lives as long as the library */
    char *dir;        /* NULL: it is not here */
    bool is_known;    /* it was open, and this is what it was: */
    char id[PD_SHA256_TEXT_BYTES];
    size_t dim, side;
} pd_library_choice;

PD_MUST_USE pd_status pd_library_shelf_init(pd_library *library, const pd_library_options *options, pd_error *err);
void pd_library_shelf_done(pd_library *library);
/* Takes the models' lock, and before it the reader's. pd_library_choice_done in every case. */
PD_MUST_USE pd_status pd_library_choose(pd_library *library, pd_library_which which, pd_library_choice *ret_choice,
                                        pd_error *err);
/* The same of a model that is named. */
PD_MUST_USE pd_status pd_library_choose_named(pd_library *library, const char *name, pd_library_choice *ret_choice,
                                              pd_error *err);
/* After a job: the chosen model answers from now on, in other processes too, when it knows enough. */
void pd_library_settle_models(pd_library *library);
/* Another model is chosen: whether it knows enough is looked at anew. */
void pd_library_forget_takeover(pd_library *library);
void pd_library_choice_done(pd_library_choice *choice);
/* Borrows a part of a chosen model, and makes it known. PD_ERR_NOT_FOUND with a sentence: it is not here. PD_ERR_BUSY:
 * it is another than what was known when it was chosen. No lock is held meanwhile. */
PD_MUST_USE pd_status pd_library_borrow(pd_library *library, pd_library_choice *choice, pd_model_part part,
                                        const atomic_bool *cancelled, pd_lease *ret_lease, pd_error *err);
/* The name of the captioner that is chosen, on the heap. */
#define PD_LIBRARY_CAPTIONER "tiny-caption" /* until another is */
PD_MUST_USE pd_status pd_library_captioner(pd_library *library, char **ret_name, pd_error *err);
/* A name for people: the key, or the last part of the directory. */
const char *pd_library_short_name(const char *name);
/* The busiest of its parts; NULL: none was ever needed. */
const char *pd_library_state_of(pd_library *library, const char *dir);

/* A model as people name it (pd_library_model_use) as the settings name it: a key, or an absolute directory. On the
 * heap; NULL: out of memory. */
PD_MUST_USE char *pd_library_model_key(const char *name);
/* Its directory, on the heap; NOT_FOUND with a sentence. */
PD_MUST_USE pd_status pd_library_find_named(const pd_library *library, const char *name, char **ret_dir, pd_error *err);
/* As pd_library_model_use, of one that was in use before: it is not opened, so that nothing has to be loaded. */
PD_MUST_USE pd_status pd_library_model_use_again(pd_library *library, const char *name, pd_error *err);
/* As pd_library_set_idle, of one model. */
void pd_library_set_model_idle(pd_library *library, const char *name, double idle_s);

/* How many threads learn and write. Takes the reader's lock, once. */
unsigned pd_library_workers(pd_library *library);

PD_MUST_USE pd_status pd_library_fetching_init(pd_library_fetching *fetching, const pd_library_options *options,
                                               pd_error *err);
void pd_library_fetching_done(pd_library *library); /* cancels, and waits */

/* Removes what this library learned with a model. BUSY: somebody learns. */
PD_MUST_USE pd_status pd_library_forget_learned(pd_library *library, const char *model_id, pd_error *err);

/* What is learned with a model before all of it is here (library_early.c). `model` is a name as the settings have it.
 */

/* Before the first picture: notes what it is learned with. What was learned early with other bytes is forgotten. The
 * choice is arriving, and known. BUSY: somebody learns. */
PD_MUST_USE pd_status pd_library_early_begin(pd_library *library, const pd_library_choice *choice, pd_error *err);
/* Before a model is used: what was learned with it early stays when it was learned with the bytes that are in `dir`
 * now, and is forgotten when not. Nothing is decided where `dir` is NULL or arriving. BUSY: somebody learns. */
PD_MUST_USE pd_status pd_library_early_judge(pd_library *library, const char *model, const char *dir, pd_error *err);
/* What was learned early was wrong, or is not wanted. BUSY: somebody learns. */
PD_MUST_USE pd_status pd_library_early_revoke(pd_library *library, const char *model, pd_error *err);
/* *ret_early: something was learned early, and is not judged yet. */
PD_MUST_USE pd_status pd_library_early_look(pd_store *store, const char *model, bool *ret_early, pd_error *err);

void pd_library_rest_init(pd_library_rest *rest, double idle_s);
void pd_library_rest_done(pd_library *library);
/* Somebody asks: what is open stays for the idle time. Takes the lock of resting alone. */
void pd_library_touch(pd_library *library);

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

/* The following are called with searcher.lock held. */

/* Opens the catalogue for reading; PD_ERR_NO_MATCH with advice when nothing was ever learned here. */
PD_MUST_USE pd_status pd_library_need_store(pd_library *library, pd_error *err);

/* What the searcher has becomes that of this model: what is another's is put away. */
void pd_library_turn_to(pd_library *library, const char *model_id);
void pd_library_searcher_clear(pd_library_searcher *searcher); /* everything but the lock */

/* Opens or refreshes the vectors, and mends them where that is needed: on disk when nobody learns, else in memory. */
PD_MUST_USE pd_status pd_library_need_index(pd_library *library, const pd_library_choice *model, int64_t number,
                                            pd_error *err);

#endif
