/* library.h: the product in one header. CLI, server and tests drive these calls and see neither SQL nor tensors.
 *
 * A library is a directory (catalogue, vector files, lock) plus a cache directory (thumbnails, prepared weights) that
 * may be deleted at any time. Opening touches nothing heavy: the catalogue, the model and the vectors are opened by the
 * first call that needs them. A pd_library may be used by any number of threads. Questions that need the model take
 * turns; those of filters alone, windows of kept results and what only reads the catalogue (show, roots, errors,
 * totals) do not wait for the model. */
#ifndef PD_LIBRARY_LIBRARY_H
#define PD_LIBRARY_LIBRARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "annotate/annotate.h"
#include "base/error.h"
#include "hub/hub.h"
#include "model/model.h"
#include "pipeline/pipeline.h"
#include "query/query.h"
#include "search/search.h"
#include "store/store.h"

#define PD_LIBRARY_VIEWS_BYTES_MAX ((int64_t)2 << 30) /* of the cache's views; the ones unused longest go first */
#define PD_LIBRARY_DECODER_IDLE_S 30                  /* decoders without work for this long end */

typedef struct pd_library_options {
    const char *dir;       /* NULL: $XDG_DATA_HOME/pixel-detective as `data_home` tells */
    const char *data_home; /* the environment is read by the surfaces and handed down */
    const char *cache_home;
    const char *model;        /* key under a models directory, or a directory; NULL: what the library uses, else "tiny".
                               * Named here it is this process's choice, and the library's is left alone */
    const char *decoder_path; /* NULL: found */
    unsigned cpu_mask;
    pd_precision precision;
    unsigned n_threads;      /* 0: one a CPU */
    int64_t views_bytes_max; /* 0: PD_LIBRARY_VIEWS_BYTES_MAX */
    double idle_s;           /* after which models and vectors are put away; 0: PD_RESIDENCY_IDLE_S; negative: never */
    const char *hub_endpoint, *hub_token; /* HF_ENDPOINT, HF_TOKEN; NULL: none */
    bool hub_offline;                     /* HF_HUB_OFFLINE */
    const char *fetch_path;               /* NULL: found */
} pd_library_options;

void pd_library_options_init(pd_library_options *ret_options);

typedef struct pd_library pd_library;

PD_MUST_USE pd_status pd_library_open(pd_library **ret_library, const pd_library_options *options, pd_error *err);
void pd_library_close(pd_library **library); /* a running job is cancelled and waited for, a loading is stopped */

const char *pd_library_dir(const pd_library *library);

/* Learning. Takes the learner's lock: PD_ERR_BUSY with the other's pid in the sentence when it is taken. */
typedef struct pd_index_options {
    const char *const *folders;
    size_t n_folders; /* 0: every root the library has */
    bool recheck;
    bool retry; /* try remembered errors again; unlike recheck, what is fine is not hashed again */
    pd_speed speed;
} pd_index_options;
PD_MUST_USE pd_status pd_library_index(pd_library *library, const pd_index_options *options, pd_error *err);
/* False when no job was started in this process. */
bool pd_library_job_snapshot(pd_library *library, pd_progress *ret_progress);
bool pd_library_job_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_progress *ret_progress);
void pd_library_job_pause(pd_library *library, bool paused);
void pd_library_job_speed(pd_library *library, pd_speed speed);
void pd_library_job_cancel(pd_library *library);
/* Copies the job's log lines numbered above `after`, oldest first; when there are more than n_max, the newest. Numbers
 * begin at 1 for every job and have no gaps. 0 lines when no job was started. */
size_t pd_library_job_log(pd_library *library, uint64_t after, pd_log_line *ret_lines, size_t n_max);
/* Waits for the job's end, gives the lock back; *ret_progress is the last snapshot. PD_OK also when files failed. */
void pd_library_job_finish(pd_library *library, pd_progress *ret_progress);

/* Remembered errors of the files under the given folders (all roots when n is 0). */
PD_MUST_USE pd_status pd_library_errors(pd_library *library, const char *const *folders, size_t n_folders,
                                        bool (*visit)(void *user, const char *path, pd_status why,
                                                      const char *sentence),
                                        void *user, pd_error *err);

/* Opens what searching needs, so that the first query does not wait: the catalogue, or the model's text tower, prepared
 * if it never was. Safe beside everything else; a search waits for it instead of doing it twice. NO_MATCH without a
 * catalogue is PD_OK here. */
PD_MUST_USE pd_status pd_library_prepare_catalogue(pd_library *library, pd_error *err);
PD_MUST_USE pd_status pd_library_prepare_model(pd_library *library, pd_error *err);

/* Finding. One question, one result: an order of photos that stays as it is while it is kept, however much is learned
 * meanwhile, and of which any window can be asked for by the result's number. The newest PD_LIBRARY_RESULTS_MAX are
 * kept; an equal question to an unchanged library is the same result. Works while a job runs, here or elsewhere. */
#define PD_LIBRARY_RESULTS_MAX 8
#define PD_LIBRARY_EXAMPLES_MAX 64
#define PD_LIBRARY_WINDOW_MAX 10000 /* photos described at once */

/* An example: the path of a picture (in the library or not) or the id of a photo, as text; or an open picture. */
typedef struct pd_example {
    const char *text; /* NULL: fd */
    int fd;           /* read-only, seekable; stays the caller's. Looked at, never stored */
} pd_example;

typedef struct pd_question {
    const char *text;           /* query/query.h; "" or NULL: every photo, or only the examples */
    const pd_example *examples; /* like like: parts of weight 1; they themselves are not among the results */
    size_t n_examples;
    pd_order order;   /* NONE: what the query says, else by score; without meaning NEWEST */
    uint64_t result;  /* not 0: no new question, but a window of that result; text and examples do not count */
    size_t offset, n; /* n <= PD_LIBRARY_WINDOW_MAX */
    const atomic_bool *cancelled; /* NULL, or looked at between the steps: PD_ERR_CANCELLED */
} pd_question;

typedef struct pd_hit {
    int64_t id;     /* photo */
    char *path;     /* owned by the result */
    float score;    /* cosine with what was asked, [-1, 1]; NAN: nothing was, or the photo is not learned */
    int match;      /* 0..100, search/search.h says of what; -1: nothing to compare */
    char taken[32]; /* "" when unknown */
    uint32_t width, height;
    int rating; /* 0..5 */
    bool favorite;
    char *caption;         /* that counts, owned by the result; NULL: none */
    pd_said_by caption_by; /* 0: nobody; the USER without a caption took it away */
    bool caption_doubtful; /* a machine's */
} pd_hit;
void pd_hit_done(pd_hit *hit);

typedef struct pd_hits {
    pd_hit *items; /* the window */
    size_t n;
    uint64_t result;   /* its number; 0: not kept */
    int64_t total;     /* photos that pass the filters; of none: all that could be read */
    int64_t strong;    /* the first so many are above the line, in every order; -1: nothing was asked but filters */
    pd_order order;    /* that it is in */
    const char *model; /* that scored; NULL: none was needed. Lives as long as the library */
    bool english_only; /* the question has words of another script, and the model knows English alone */
} pd_hits;

/* PD_ERR_NO_MATCH with advice while nothing is learned yet, or when the result is not kept any more (ask again).
 * hits->total 0: nothing passes. A filter-only question needs no model. */
PD_MUST_USE pd_status pd_library_find(pd_library *library, const pd_question *question, pd_hits *ret_hits,
                                      pd_error *err);
void pd_hits_done(pd_hits *hits);
/* The ids of a result's photos, in its order; range->n may be more than there are. *ret_ids: heap, pd_mem_free. */
PD_MUST_USE pd_status pd_library_result_photos(pd_library *library, uint64_t result, const pd_result_range *range,
                                               int64_t **ret_ids, size_t *ret_n, pd_error *err);

/* Values of a field among the photos that the query finds (its own filters on that field apart), for a filter panel:
 * columns/columns.h says which and in what order. question->visit is called under a lock: it asks the library nothing.
 */
PD_MUST_USE pd_status pd_library_values(pd_library *library, const char *query, const pd_value_question *question,
                                        pd_error *err);

/* The user's own work: store/work.h says what each does. What is done is a step of the journal, and can be taken back.
 * Calls that change something take turns; visitors are called under a lock: they ask the library nothing. Of a library
 * that does not exist yet there is nothing to read, and nothing to edit. */
typedef struct pd_step {
    int64_t number; /* 0: nothing was changed, or there is nothing to take back */
    int64_t photos; /* of an edit: that are different now */
    char *sentence; /* "tag 'beach' of 3 photos"; NULL when number is 0 */
} pd_step;
void pd_step_done(pd_step *step);
PD_MUST_USE pd_status pd_library_edit(pd_library *library, const pd_edit *edit, pd_step *ret_step, pd_error *err);
/* Takes back the newest step, when its number is `number` (0: whatever it is). */
PD_MUST_USE pd_status pd_library_undo(pd_library *library, int64_t number, pd_step *ret_step, pd_error *err);
PD_MUST_USE pd_status pd_library_undo_next(pd_library *library, pd_step *ret_step, pd_error *err);
PD_MUST_USE pd_status pd_library_albums(pd_library *library, bool (*visit)(void *user, const pd_album *album),
                                        void *user, pd_error *err);
PD_MUST_USE pd_status pd_library_album_make(pd_library *library, const char *name, pd_step *ret_step, pd_error *err);
PD_MUST_USE pd_status pd_library_album_rename(pd_library *library, const char *name, const char *to, pd_step *ret_step,
                                              pd_error *err);
PD_MUST_USE pd_status pd_library_album_remove(pd_library *library, const char *name, pd_step *ret_step, pd_error *err);
PD_MUST_USE pd_status pd_library_saved(pd_library *library, pd_saved_visit visit, void *user, pd_error *err);
PD_MUST_USE pd_status pd_library_saved_put(pd_library *library, const char *name, const char *query, pd_error *err);
PD_MUST_USE pd_status pd_library_saved_remove(pd_library *library, const char *name, pd_error *err);
PD_MUST_USE pd_status pd_library_history(pd_library *library, size_t n_max, pd_saved_visit visit, void *user,
                                         pd_error *err);
PD_MUST_USE pd_status pd_library_history_add(pd_library *library, const char *query, pd_error *err);
PD_MUST_USE pd_status pd_library_history_clear(pd_library *library, pd_error *err);

/* The user's work as one JSON document (docs/formats.md), appended to `buf`, and back. Taking in adds: what is here
 * already stays. A document that is none of these is PD_ERR_FORMAT (UNSUPPORTED: of a newer version) before anything is
 * changed. It is taken in by pieces, so that a learner goes on meanwhile; taking it in again does no harm. */
#define PD_LIBRARY_WORK_VERSION 1
#define PD_LIBRARY_WORK_BYTES_MAX ((size_t)256 << 20)
typedef struct pd_work_counts {
    int64_t edits;   /* in the document: one for each photo of each, and for each empty album */
    int64_t photos;  /* of these, taken in: somebody here has the picture */
    int64_t waiting; /* of these, kept until the picture comes */
    int64_t albums, searches;
} pd_work_counts;
PD_MUST_USE pd_status pd_library_work_export(pd_library *library, pd_buf *buf, pd_work_counts *ret, pd_error *err);
PD_MUST_USE pd_status pd_library_work_import(pd_library *library, const char *json, size_t len, pd_work_counts *ret,
                                             pd_error *err);

/* Copies the originals into a folder (made when missing): never over a file that is there (a number is put
 * behind the name), times kept, each written beside and renamed. A copy that fails costs that copy; a full disk ends it
 * (PD_ERR_FULL). `progress` (or NULL) is called now and then and returns false to stop: PD_ERR_CANCELLED. What is
 * copied stays, and *ret_copies tells of it, also when it ends early. */
#define PD_LIBRARY_COPY_NAMES_MAX 10000 /* photos of one name in a folder; a further one fails */
typedef struct pd_copies {
    int64_t copied, renamed, failed, bytes;
    char first_failure[PD_ERROR_MESSAGE_BYTES]; /* "" */
} pd_copies;
typedef struct pd_copying {
    const int64_t *ids;
    size_t n;
    const char *folder;
    bool (*progress)(void *user, const pd_copies *so_far, size_t n);
    void *user;
} pd_copying;
PD_MUST_USE pd_status pd_library_copy(pd_library *library, const pd_copying *copying, pd_copies *ret_copies,
                                      pd_error *err);

const char *pd_library_model_name(pd_library *library);

/* A photo by path or id, and what the user, the file and machines say about it (ret_work may be NULL). Strings are
 * valid until the next call of this kind on this library, from any thread. PD_ERR_NO_MATCH with a sentence when the
 * library does not know it. */
PD_MUST_USE pd_status pd_library_show(pd_library *library, const char *path_or_id, pd_photo *ret_photo,
                                      pd_work *ret_work, pd_error *err);

/* A picture of a photo as a file that is ready to be sent. */
typedef struct pd_rendition {
    int fd; /* read-only; the caller closes it */
    int64_t bytes;
    const char *mime; /* "image/webp" or "image/jpeg" */
    char tag[96];     /* content's SHA-256 and size: changes whenever the bytes would */
} pd_rendition;
/* side 0: the thumbnail that learning made (made again when the cache was emptied). Else a JPEG whose long side is at
 * most `side` px (PD_MEDIA_RENDITION_SIDE_MAX), made now and cached, or found in the cache. `if_not` (or NULL): a tag
 * that the caller has already; when it still holds, fd is -1 and nothing is opened or made. The original is opened
 * beneath its root: a link that leads out of it is refused (PD_ERR_NOT_FOUND). PD_ERR_NO_MATCH: no such photo;
 * PD_ERR_NOT_FOUND: the original is not there any more; others as pd_media_decode. Calls run beside each other, at most
 * one decoder a CPU; decoders end after a while without work. */
PD_MUST_USE pd_status pd_library_rendition(pd_library *library, int64_t id, uint32_t side, const char *if_not,
                                           pd_rendition *ret_rendition, pd_error *err);

/* Ends what waits for a decoder, here and from now on, with PD_ERR_CANCELLED: for a program that ends. The job has
 * decoders of its own. */
void pd_library_stop_decoding(pd_library *library);

/* Models. A library uses one for searching: it answers, and jobs learn with it. Embeddings of several live side by
 * side. After pd_library_model_use the old one answers until a job has learned with the new one what the old one knew
 * (at once, when that was done before); the choice outlives the process. */
typedef struct pd_library_model {
    const char *key, *dir;     /* dir NULL: not here */
    const pd_hub_entry *entry; /* NULL: not in the catalogue */
    pd_hub_kind kind;
    const char *repository, *revision; /* "" when nothing says */
    bool built_in, complete;           /* complete: all of it is here */
    bool chosen, answering;            /* captioner: chosen */
    int64_t disk_bytes;
    int64_t memory_bytes; /* while loaded */
    pd_residence state;   /* the busiest of its parts */
    double fraction, idle_s, load_ms;
    const char *error; /* FAILED, or a directory that cannot be used: why; NULL */
    int64_t learned;   /* photos of this library; -1: not known */
} pd_library_model;
/* The catalogue, what is installed beside it, and the model in use when it is a directory elsewhere. Visited under a
 * lock: the visitor asks the library nothing. Reads folders and small files only. */
PD_MUST_USE pd_status pd_library_models(pd_library *library, bool (*visit)(void *user, const pd_library_model *model),
                                        void *user, pd_error *err);
/* name: a key, "owner/name", a catalogue name, or a directory with a '/'. The model is opened first (every part of it
 * that use needs): what cannot be used is refused with a sentence, and the old one stays. Search model or captioner by
 * what it is. *ret_learned: how many photos it knows already; a job brings the rest (pd_library_index). -1: it is a
 * captioner. cancelled (or NULL) is looked at while it is opened: PD_ERR_CANCELLED, and the old one stays. */
PD_MUST_USE pd_status pd_library_model_use(pd_library *library, const char *name, const atomic_bool *cancelled,
                                           int64_t *ret_learned, pd_error *err);
PD_MUST_USE pd_status pd_library_model_load(pd_library *library, const char *name, pd_error *err);   /* begins to */
PD_MUST_USE pd_status pd_library_model_unload(pd_library *library, const char *name, pd_error *err); /* NULL: all */
/* What is in memory, or was: for pd_residency_visit (cheap, waits for no loading), and for whoever borrows beside the
 * library. `changed` (NULL: nobody) is called after every change of it, by any thread; it asks the library nothing. */
pd_residency *pd_library_residency(pd_library *library);
void pd_library_watch_models(pd_library *library, void (*changed)(void *user), void *user);
/* Ends what waits for a model, here and from now on, with PD_ERR_CANCELLED: for a program that ends. */
void pd_library_stop_loading(pd_library *library);
/* Files, prepared weights, and (with `embeddings`) what this library learned with it. The one in use is refused. */
typedef struct pd_remove_options {
    bool embeddings;
    bool dry_run; /* only looks */
} pd_remove_options;
typedef struct pd_removal {
    int64_t files_bytes, prepared_bytes;
    int64_t photos;           /* of this library that it knows */
    int64_t embeddings_bytes; /* what is known of them takes so much; of that in the catalogue others are kept next */
} pd_removal;
PD_MUST_USE pd_status pd_library_model_remove(pd_library *library, const char *name, const pd_remove_options *options,
                                              pd_removal *ret_removal, pd_error *err);
void pd_library_set_idle(pd_library *library, const char *name, double idle_s); /* NULL: all */
double pd_library_idle(pd_library *library);                                    /* of all; negative: never */
/* How many threads learn and write: the option, else a setting of the library, else one a CPU. set: from the next job
 * on, and kept with the library. PD_ERR_USAGE: 0, or more than PD_LIBRARY_THREADS_MAX. */
#define PD_LIBRARY_THREADS_MAX 256
PD_MUST_USE pd_status pd_library_threads_get(pd_library *library, unsigned *ret_threads, pd_error *err);
PD_MUST_USE pd_status pd_library_threads_set(pd_library *library, unsigned threads, pd_error *err);

/* Who would be asked for models, as pd_hub_name; lives as long as the library. *ret_offline: nobody is. */
const char *pd_library_hub(const pd_library *library, bool *ret_offline);

/* The one pull of this process. With `use`, learning begins as soon as the image tower is here. */
PD_MUST_USE pd_status pd_library_pull(pd_library *library, const char *reference, bool use, pd_error *err);
bool pd_library_pull_look(pd_library *library, pd_pull_state *ret_state); /* false: none was started */
bool pd_library_pull_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_pull_state *ret_state);
void pd_library_pull_cancel(pd_library *library);

/* What machines write. Works beside a job of learning, which goes first. One at a time for a library, whatever process:
 * PD_ERR_BUSY. */
typedef struct pd_annotate_options {
    bool tags, captions;
} pd_annotate_options;
PD_MUST_USE pd_status pd_library_annotate(pd_library *library, const pd_annotate_options *options, pd_error *err);
bool pd_library_annotate_look(pd_library *library, pd_annotation_state *ret_state); /* false: none was started */
bool pd_library_annotate_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state);
void pd_library_annotate_pause(pd_library *library, bool paused);
void pd_library_annotate_cancel(pd_library *library);
void pd_library_annotate_first(pd_library *library, const int64_t *photos, size_t n); /* these are looked at */
void pd_library_annotate_finish(pd_library *library, pd_annotation_state *ret_state);
/* Whether captions are written in the background: a setting of the library, off at first. */
PD_MUST_USE pd_status pd_library_captions_get(pd_library *library, bool *ret_on, pd_error *err);
PD_MUST_USE pd_status pd_library_captions_set(pd_library *library, bool on, pd_error *err);
/* Tags and a caption for one photo (id as text; also written to the catalogue) or any picture's path (only told). When
 * they cannot be written there (PD_ERR_FULL, PD_ERR_BUSY), *ret_written holds them even so. cancelled (or NULL) is
 * looked at while models are loaded: PD_ERR_CANCELLED. */
PD_MUST_USE pd_status pd_library_describe(pd_library *library, const pd_example *picture, const atomic_bool *cancelled,
                                          pd_written *ret_written, pd_error *err);

/* XMP sidecars, on command: NAME.EXT.xmp beside the originals, with title, caption, tags and rating that the user gave
 * (and, with `machine`, those of machines that are not doubtful). An existing sidecar keeps all that others wrote: tags
 * are added, and a caption or a rating is put in only where there is none, or where we wrote it. Originals stay
 * untouched. */
typedef struct pd_sidecars {
    int64_t written; /* or, of a dry run, would be */
    int64_t unchanged, failed;
    char first_failure[PD_ERROR_MESSAGE_BYTES];
} pd_sidecars;
typedef struct pd_sidecar_options {
    const int64_t *ids;
    size_t n;
    bool machine, dry_run;
    bool (*progress)(void *user, const pd_sidecars *so_far, size_t n);
    void *user;
} pd_sidecar_options;
PD_MUST_USE pd_status pd_library_sidecars(pd_library *library, const pd_sidecar_options *options,
                                          pd_sidecars *ret_sidecars, pd_error *err);

typedef struct pd_library_status {
    int64_t files, learned, errors, offline;
    int64_t catalogue_bytes, vectors_bytes, thumbs_bytes, prepared_bytes;
    const char *model_name;
    const char *model_state; /* a pd_residence_name, or "missing" */
    int64_t learner_pid;     /* 0: nobody learns; another process or this one else */
} pd_library_status;
/* Of a library that does not exist yet: all zero. Opens the model and looks at every file of the caches. */
PD_MUST_USE pd_status pd_library_status_get(pd_library *library, pd_library_status *ret_status, pd_error *err);

/* The same counts as cheap as they can be had, to be asked many times a second: two rows are read, nothing heavy is
 * opened and nobody is waited for but other readers of the catalogue. */
typedef struct pd_library_totals {
    int64_t files, learned, errors, offline; /* learned: before the model is open, by the last model of its name */
    const char *model_name;
    const char *model_state; /* a pd_residence_name, or "missing" */
} pd_library_totals;
/* Of a library that does not exist yet: all zero. */
PD_MUST_USE pd_status pd_library_totals_get(pd_library *library, pd_library_totals *ret_totals, pd_error *err);
PD_MUST_USE pd_status pd_library_roots(pd_library *library, bool (*visit)(void *user, const pd_root *root), void *user,
                                       pd_error *err);

#endif
