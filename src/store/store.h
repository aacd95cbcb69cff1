/* store.h: the catalogue: what the library knows, in one SQLite file. The only room that knows SQL.
 *
 * Three nouns. A *root* is a folder the user named. A *content* is a sequence of bytes, known by its SHA-256: learning
 * (picture facts, metadata, hash, embeddings) hangs on it. A *photo* is a file: a path under a root, with the size and
 * time at which it was last read, and the content it then had; its id is stable through renames. So moved, copied and
 * renamed files keep what was learned. What the user did for photos is in work.h, finding them by words and following
 * their changes in words.h, what machines write and settings in machine.h: parts of this contract.
 *
 * A pd_store is one connection: one thread at a time; open one per thread. Any number may read while one writes (WAL).
 * Paths are bytes. Strings in results are borrowed until the next call on the same pd_store, unless said otherwise.
 * A full disk is PD_ERR_FULL, a catalogue that is no database or is damaged PD_ERR_CORRUPT, one from a newer version
 * PD_ERR_UNSUPPORTED, a lock held too long (10 s) PD_ERR_BUSY. */
#ifndef PD_STORE_STORE_H
#define PD_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/look.h"
#include "base/sha256.h"
#include "base/texts.h"
#include "store/machine.h"
#include "store/words.h"
#include "store/work.h"

#define PD_STORE_PATH_BYTES_MAX 4096

typedef struct pd_store pd_store;

typedef enum pd_store_mode {
    PD_STORE_READ,  /* PD_ERR_NOT_FOUND when there is no catalogue yet. An older version is read as it is */
    PD_STORE_WRITE, /* created and migrated when needed */
} pd_store_mode;

PD_MUST_USE pd_status pd_store_open(pd_store **ret_store, const char *path, pd_store_mode mode, pd_error *err);
void pd_store_close(pd_store **store);
/* False: an older version, opened for reading. It is read as it is: some of it slowly, and without words, labels and
 * the user's work, which it does not have: what needs them is PD_ERR_UNSUPPORTED. Opening for writing mends that. */
bool pd_store_is_current(const pd_store *store);

/* A batch: all or nothing. Rollback is safe when nothing is open. */
PD_MUST_USE pd_status pd_store_begin(pd_store *store, pd_error *err);
PD_MUST_USE pd_status pd_store_commit(pd_store *store, pd_error *err);
void pd_store_rollback(pd_store *store);

/* Roots. `path` is absolute and resolved, without a slash at its end. Adding twice gives the same id. */
typedef struct pd_root {
    int64_t id;
    const char *path;
    bool offline;
    int64_t n_photos;
} pd_root;
PD_MUST_USE pd_status pd_store_root_add(pd_store *store, const char *path, int64_t *ret_id, pd_error *err);
/* The folder itself is elsewhere now, and online; its photos are moved one by one. */
PD_MUST_USE pd_status pd_store_root_move(pd_store *store, int64_t root_id, const char *path, pd_error *err);
PD_MUST_USE pd_status pd_store_root_set_offline(pd_store *store, int64_t root_id, bool offline, pd_error *err);
PD_MUST_USE pd_status pd_store_roots(pd_store *store, bool (*visit)(void *user, const pd_root *root), void *user,
                                     pd_error *err); /* visit returns false to stop */

/* Models: a small number for a model's id. find: PD_ERR_NO_MATCH (no sentence) when nothing was learned with it. A name
 * may be a path; the catalogue tells of the model by its last part. */
PD_MUST_USE pd_status pd_store_model_add(pd_store *store, const char *model_id, const char *name, size_t dim,
                                         int64_t *ret_model, pd_error *err);
PD_MUST_USE pd_status pd_store_model_find(pd_store *store, const char *model_id, int64_t *ret_model, pd_error *err);
/* From now on the name means that model, whether something was learned with it or not; several names may mean one. add
 * does so, too. */
PD_MUST_USE pd_status pd_store_model_call(pd_store *store, const char *model_id, const char *name, pd_error *err);
/* The model that the name means; where nothing says, the last one that was told of by it: a guess for who has not
 * opened the model. As find. */
PD_MUST_USE pd_status pd_store_model_named(pd_store *store, const char *name, int64_t *ret_model, pd_error *err);

/* What the catalogue has of a model. NO_MATCH, without a sentence: no such number. */
typedef struct pd_model_row {
    char id[PD_SHA256_TEXT_BYTES];
    int64_t vectors_bytes; /* of its embeddings */
} pd_model_row;
PD_MUST_USE pd_status pd_store_model_get(pd_store *store, int64_t model, pd_model_row *ret_row, pd_error *err);

/* Removes what was learned with a model, in one transaction; its vector file is wrong then. What the store does not
 * know is no error. */
PD_MUST_USE pd_status pd_store_model_forget(pd_store *store, const char *model_id, pd_error *err);

/* What a scan compares with: one row for every photo under a root. Memory of `path` is valid during the visit. */
typedef struct pd_photo_state {
    int64_t id;
    const char *path;
    int64_t bytes, mtime_ns;
    int64_t sidecar_ns; /* time of the sidecar that was read with it; 0: there was none */
    int64_t content;    /* 0: never read successfully */
    uint32_t reader;    /* of the content's metadata: see pd_content */
    bool learned;       /* has an embedding of the given model */
    bool failed;        /* a remembered error for these bytes and time */
} pd_photo_state;
PD_MUST_USE pd_status pd_store_photo_states(pd_store *store, int64_t root_id, int64_t model,
                                            bool (*visit)(void *user, const pd_photo_state *state), void *user,
                                            pd_error *err);

#define PD_STORE_ABSENT INT32_MIN

/* More of how it was taken. */
typedef struct pd_shot {
    double focal35_mm;            /* NAN: not known */
    int32_t flash, white_balance; /* EXIF's numbers; PD_STORE_ABSENT */
    const char *subsec;           /* digits behind the seconds of `taken` */
} pd_shot;

/* Facts of a content, as the decoder found them. Absent numbers are NAN or 0, absent texts "". */
typedef struct pd_content {
    uint8_t sha256[PD_SHA256_BYTES];
    const char *type;
    uint32_t width, height, pages, orientation;
    const char *taken, *taken_source, *make, *camera, *lens;
    uint32_t iso;
    double exposure_s, fnumber, focal_mm, gps_lat, gps_lon, gps_alt;
    pd_shot shot;
    int32_t rating;  /* PD_STORE_ABSENT */
    pd_texts texts;  /* sound; of a photo read from the catalogue: all of them, as long as its strings */
    uint32_t reader; /* version of the readers of metadata that found all this */
    bool has_phash;  /* its pixels were seen: hash and look count */
    uint64_t phash;
    pd_look look; /* read: no colours and sharpness NAN when not known */
} pd_content;
/* Inserts or updates by sha256, texts included; without a phash a known one stays, and its look. */
PD_MUST_USE pd_status pd_store_content_put(pd_store *store, const pd_content *content, int64_t *ret_content,
                                           pd_error *err);
/* *ret_content 0 when unknown; *ret_learned: an embedding of `model` is there. */
PD_MUST_USE pd_status pd_store_content_find(pd_store *store, const uint8_t sha256[PD_SHA256_BYTES], int64_t model,
                                            int64_t *ret_content, bool *ret_learned, pd_error *err);

/* Photos. Inserts or updates the photo at `path`; clears its remembered error. content 0: unreadable so far. */
typedef struct pd_photo_file {
    int64_t root_id;
    const char *path; /* absolute */
    int64_t bytes, mtime_ns;
    int64_t content;
    int64_t sidecar_ns; /* 0: none */
} pd_photo_file;
PD_MUST_USE pd_status pd_store_photo_put(pd_store *store, const pd_photo_file *file, int64_t *ret_id, pd_error *err);
/* The file `id` is now elsewhere: keeps the id and a remembered error. A photo that was known at the new path is gone:
 * its row is removed. PD_ERR_NO_MATCH (no sentence) when there is no such id. */
PD_MUST_USE pd_status pd_store_photo_move(pd_store *store, int64_t id, const pd_photo_file *file, pd_error *err);
/* Its content, what was learned and the user's work stay: a file that moves, or comes back, finds them again. */
PD_MUST_USE pd_status pd_store_photo_remove(pd_store *store, int64_t id, pd_error *err);
/* Remembers why the photo could not be learned; the row stays (or is made). status: a pd_status value. */
PD_MUST_USE pd_status pd_store_photo_fail(pd_store *store, const pd_photo_file *file, pd_status why,
                                          const char *sentence, pd_error *err);
PD_MUST_USE pd_status pd_store_errors(pd_store *store, int64_t root_id, /* 0: all roots */
                                      bool (*visit)(void *user, const char *path, pd_status why, const char *sentence),
                                      void *user, pd_error *err);

/* Embeddings: fp16, dim elements, by content and model. `seq` grows by one per embedding ever stored. */
PD_MUST_USE pd_status pd_store_embedding_put(pd_store *store, int64_t content, int64_t model, const uint16_t *half,
                                             size_t dim, int64_t *ret_seq, pd_error *err);
/* Visits embeddings of a model with seq > after, in order of seq. */
PD_MUST_USE pd_status pd_store_embeddings(pd_store *store, int64_t model, int64_t after,
                                          bool (*visit)(void *user, int64_t seq, int64_t content, const uint16_t *half,
                                                        size_t dim),
                                          void *user, pd_error *err);
/* Copies one; PD_ERR_NO_MATCH without a sentence when there is none. */
PD_MUST_USE pd_status pd_store_embedding_get(pd_store *store, int64_t content, int64_t model, uint16_t *ret_half,
                                             size_t dim, pd_error *err);
/* Number of embeddings and greatest seq of a model: what a vector file must agree with. */
PD_MUST_USE pd_status pd_store_embedding_extent(pd_store *store, int64_t model, int64_t *ret_count,
                                                int64_t *ret_last_seq, pd_error *err);

/* Whether `model` knows every photo that `other` knows, but those whose last learning failed. Looks through all that
 * `other` knows when it does. */
PD_MUST_USE pd_status pd_store_model_covers(pd_store *store, int64_t model, int64_t other, bool *ret_covers,
                                            pd_error *err);

/* Everything about a photo; strings live until the next call on this store. */
typedef struct pd_photo {
    int64_t id, content;
    const char *path;
    int64_t bytes, mtime_ns;
    pd_content facts;          /* facts.type "" when content is 0 */
    const char *learned_model; /* name of the newest model that learned it; NULL: none */
    const char *learned_at;    /* "YYYY-MM-DDTHH:MM:SSZ" */
    pd_status error_status;    /* PD_OK: none remembered */
    const char *error;         /* sentence, or NULL */
} pd_photo;
/* PD_ERR_NO_MATCH (no sentence) when there is none. */
PD_MUST_USE pd_status pd_store_photo_by_id(pd_store *store, int64_t id, pd_photo *ret_photo, pd_error *err);
PD_MUST_USE pd_status pd_store_photo_by_path(pd_store *store, const char *path, pd_photo *ret_photo, pd_error *err);
/* The photos that have a content, lowest id first. */
PD_MUST_USE pd_status pd_store_photos_of_content(pd_store *store, int64_t content,
                                                 bool (*visit)(void *user, const pd_photo *photo), void *user,
                                                 pd_error *err);

/* Photos that have a content, in an order, without looking at the whole catalogue. */
typedef enum pd_store_order {
    PD_STORE_OLDEST, /* the camera's wall clock, the file's where there is none; ties by lower id */
    PD_STORE_NEWEST, /* the same backwards */
    PD_STORE_NAME,   /* of the file, by its bytes; ties by lower id */
} pd_store_order;
typedef struct pd_store_window {
    pd_store_order order;
    size_t offset, n;
} pd_store_window;
/* Copies the ids in the window, at most window->n. *ret_total: how many there are in all. */
PD_MUST_USE pd_status pd_store_browse(pd_store *store, const pd_store_window *window, int64_t *ret_ids, size_t *ret_n,
                                      int64_t *ret_total, pd_error *err);

typedef struct pd_store_totals {
    int64_t files, learned, errors, offline; /* photos; with an embedding of `model`; with an error; on offline roots */
} pd_store_totals;
PD_MUST_USE pd_status pd_store_totals_get(pd_store *store, int64_t model, pd_store_totals *ret_totals, pd_error *err);

#endif
