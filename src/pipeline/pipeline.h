/* pipeline.h: the background loader: a job that learns folders.
 *
 *     scan -> (changed?) -> decode threads -> embed threads -> writer (one transaction a batch)
 *
 * Queues between the stages are bounded and pass ownership. Newest files first. One pd_job at a time may write a
 * library (the caller holds the learner's lock). What the job knows about itself is one pd_progress under one lock;
 * anybody may copy it at any time (pd_job_snapshot) and nothing in a worker knows who looks. */
#ifndef PD_PIPELINE_PIPELINE_H
#define PD_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "store/store.h"
#include "vindex/vindex.h"

typedef enum pd_phase {
    PD_PHASE_PREPARE, /* opening catalogue and model */
    PD_PHASE_SCAN,    /* finding pictures */
    PD_PHASE_LEARN,   /* decoding and embedding */
    PD_PHASE_INDEX,   /* vector file brought up to date */
    PD_PHASE_READY,   /* done, or stopped; see outcome */
    PD_PHASE_COUNT
} pd_phase;

const char *pd_phase_name(pd_phase phase); /* "prepare", "scan", "learn", "index", "ready" */

typedef enum pd_log_level { PD_LOG_INFO, PD_LOG_WARNING, PD_LOG_ERROR } pd_log_level;

#define PD_JOB_LOG_LINES 1000 /* kept for pd_job_log; the oldest go first */
#define PD_PROGRESS_NEWEST 24 /* photos learned last */
#define PD_PROGRESS_ERRORS 16 /* newest last; all are in the catalogue */
#define PD_PROGRESS_TEXT_BYTES 256

/* How hard to work. Can be changed in the middle of a job, also upwards and without privileges: the files in work are
 * finished, and fresh threads and decoders go on. */
typedef enum pd_speed {
    PD_SPEED_NORMAL, /* every CPU, at a lower priority than what the user does (nice 5) */
    PD_SPEED_FULL,   /* every CPU, at the program's own priority */
    PD_SPEED_GENTLE, /* about a quarter of the time, at the lowest priority (nice 19) */
    PD_SPEED_COUNT
} pd_speed;
const char *pd_speed_name(pd_speed speed); /* "normal", "full", "gentle" */

typedef struct pd_log_line {
    uint64_t number; /* 1, 2, 3 ... within a job */
    int64_t unix_ns;
    pd_log_level level;
    char text[PD_PROGRESS_TEXT_BYTES];
} pd_log_line;

typedef struct pd_file_error {
    char path[PD_PROGRESS_TEXT_BYTES]; /* printable; cut at the front when longer */
    char reason[PD_PROGRESS_TEXT_BYTES];
} pd_file_error;

typedef struct pd_newest {
    int64_t photo; /* id: its row, thumbnail and vector are there when the snapshot says so */
    uint32_t width, height;
} pd_newest;

/* A value: copied whole under the lock, consistent in itself. learned + unchanged + moved + failed <= found, and
 * done <= todo always. */
typedef struct pd_progress {
    uint64_t seq; /* grows with every change */
    pd_phase phase;
    bool running, paused, cancelling;
    pd_status outcome;                    /* once phase is READY: OK, PARTIAL, CANCELLED or what ended the job */
    char message[PD_PROGRESS_TEXT_BYTES]; /* the sentence that goes with a bad outcome, "" else */
    int64_t found;                        /* candidates seen so far */
    int64_t todo, done;                   /* files that need work, and those finished one way or another */
    int64_t learned;                      /* embedded in this run */
    int64_t unchanged;                    /* nothing to learn: as it was, or a copy of what is learned */
    int64_t moved, removed, skipped;
    int64_t failed;  /* remembered errors included; a folder that cannot be read is one */
    double rate;     /* files a second over the last seconds; 0: not known yet */
    double eta_s;    /* -1: not known yet; never negative else */
    double fraction; /* 0..1 of the whole job, never goes back */
    double elapsed_s;
    pd_speed speed;
    size_t n_newest;
    pd_newest newest[PD_PROGRESS_NEWEST]; /* newest first */
    size_t n_errors;
    pd_file_error errors[PD_PROGRESS_ERRORS];
} pd_progress;

typedef struct pd_job_options {
    const char *const *folders; /* as the user named them; each becomes a root, or belongs to one */
    size_t n_folders;           /* 0: every root of the catalogue; one that is not there goes offline */
    const char *catalogue_path; /* files of the library; see library.c */
    const char *vectors_dir;
    const char *thumbs_dir;
    const char *decoder_path; /* NULL: found by media */
    pd_residency *residency;  /* the image tower is borrowed for as long as the job runs; borrowed until the job is
                               * finished */
    const char *model_dir;
    const char *model_name; /* as pd_store_model_add has it; NULL: the directory's last part */
    unsigned cpu_mask;
    unsigned n_threads; /* 0: one a CPU */
    bool recheck;       /* try remembered errors again, hash every file again */
    bool retry;         /* only try remembered errors again */
    pd_speed speed;
} pd_job_options;

typedef struct pd_job pd_job;

/* Checks the folders (missing: NOT_FOUND; a file: FORMAT; unreadable: IO; each with a sentence) and starts. Everything
 * else happens on the job's own threads. Options are copied. */
PD_MUST_USE pd_status pd_job_start(pd_job **ret_job, const pd_job_options *options, pd_error *err);
void pd_job_snapshot(pd_job *job, pd_progress *ret_progress);
/* Waits until the snapshot's seq differs from `seq` or timeout_ms has passed; then copies it. */
void pd_job_wait_change(pd_job *job, uint64_t seq, int timeout_ms, pd_progress *ret_progress);
void pd_job_pause(pd_job *job, bool paused); /* files in work are finished, no new ones begun */
void pd_job_speed(pd_job *job, pd_speed speed);
/* Copies the lines numbered above `after`, oldest first; when there are more than n_max, the newest. Returns how many.
 */
size_t pd_job_log(pd_job *job, uint64_t after, pd_log_line *ret_lines, size_t n_max);
void pd_job_cancel(pd_job *job); /* commits what is learned, then ends */
/* Waits for the end (cancel first to end early) and frees. */
void pd_job_finish(pd_job **job);

/* The vector file is a cache of the catalogue's embeddings. These are the only hands that write it: a job after every
 * batch, and the library when it finds a file that is missing, damaged or behind. One thread at a time. */

/* The vector file of a model: "<dir>/<model id>.vectors", on the heap; NULL when out of memory. */
PD_MUST_USE char *pd_vectors_path(const char *dir, const char *model_id);

typedef struct pd_vectors_of {
    int64_t model; /* the store's number */
    const char *model_id;
    size_t dim;
    const pd_kernels *kernels;
} pd_vectors_of;

/* Appends and commits the embeddings that the catalogue has beyond the index's last. */
PD_MUST_USE pd_status pd_vectors_catch_up(pd_vindex *index, pd_store *store, const pd_vectors_of *of, pd_error *err);

/* Whether index and catalogue tell the same number of rows and the same last one. */
PD_MUST_USE pd_status pd_vectors_agree(const pd_vindex *index, pd_store *store, int64_t model, bool *ret_agree,
                                       pd_error *err);

/* Opens `path` for append (NULL: in memory only) and catches up; starts anew over a file that disagrees with the
 * catalogue. */
PD_MUST_USE pd_status pd_vectors_open(pd_vindex **ret_index, const char *path, pd_store *store, const pd_vectors_of *of,
                                      pd_error *err);

/* Thumbnails lie in the cache by content: <dir>/ab/<sha256>.webp. A job writes them while it learns; who finds one
 * missing may make it again. Thread-safe. */
PD_MUST_USE char *pd_thumbs_path(const char *dir, const uint8_t sha256[PD_SHA256_BYTES]); /* heap; NULL: no memory */
/* Written whole or not at all; not made durable, since it can be made again. */
PD_MUST_USE pd_status pd_thumbs_write(const char *dir, const uint8_t sha256[PD_SHA256_BYTES], const void *data,
                                      size_t len, pd_error *err);

/* What a job would find in a folder, counted without reading a file. `tell` is called every so often and at the end
 * (complete); it returns false to stop (PD_ERR_CANCELLED). The same rules as a scan: hidden files, ignored folders.
 * Errors of `folder` itself as pd_job_start. */
typedef struct pd_folder_count {
    int64_t pictures, folders, files; /* folders without `folder` itself; files of every kind, but hidden ones */
    bool complete;
} pd_folder_count;
PD_MUST_USE pd_status pd_folder_count_pictures(const char *folder,
                                               bool (*tell)(void *user, const pd_folder_count *count), void *user,
                                               pd_error *err);

#endif
