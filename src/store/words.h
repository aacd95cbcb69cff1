/* words.h: finding photos by what is written about them, and what the columns of filtering are made from. Part of
 * store.h's contract: include that. */
#ifndef PD_STORE_WORDS_H
#define PD_STORE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/look.h"

typedef struct pd_store pd_store;

/* Full text (FTS5, unicode61 without diacritics) over a photo's file name, folders, caption, tags, keywords, title,
 * description, persons, camera; and trigrams over the file name. `score`: bm25, larger is better. */
typedef bool (*pd_word_visit)(void *user, int64_t photo, double score);
/* Any of the words; best first, at most n_max. For fusing with meaning. Stop words, and words that more than 10,000
 * photos have, do not count: they tell none from another. */
PD_MUST_USE pd_status pd_store_words_any(pd_store *store, const char *words, size_t n_max, pd_word_visit visit,
                                         void *user, pd_error *err);
/* The same in what machines wrote, and any does not look there: what is doubtful counts less. */
PD_MUST_USE pd_status pd_store_words_machine(pd_store *store, const char *words, size_t n_max, pd_word_visit visit,
                                             void *user, pd_error *err);
/* These words next to each other in one of those texts, or this piece of a file name (of at least three characters).
 * Every photo once, by id; `score` is 0. */
PD_MUST_USE pd_status pd_store_words_exact(pd_store *store, const char *words, pd_word_visit visit, void *user,
                                           pd_error *err);

/* Photos by a text of some kind; pattern: a whole text, or a glob with * and ?; case and diacritics do not count for
 * ASCII and Latin letters. Every photo once, in no order. */
typedef enum pd_text_where {
    PD_WHERE_TAG, /* the user's, the file's keywords, the machine's; what the user took away is not there */
    PD_WHERE_PERSON,
    PD_WHERE_ALBUM,
    PD_WHERE_CAPTION, /* `pattern` is words, all of which occur in caption, title or description */
} pd_text_where;
PD_MUST_USE pd_status pd_store_text_photos(pd_store *store, pd_text_where where, const char *pattern,
                                           bool (*visit)(void *user, int64_t photo), void *user, pd_error *err);
/* The distinct texts of TAG, PERSON or ALBUM that begin with `prefix` ("": all), the most frequent first. */
PD_MUST_USE pd_status pd_store_text_values(pd_store *store, pd_text_where where, const char *prefix,
                                           bool (*visit)(void *user, const char *text, int64_t n_photos), void *user,
                                           pd_error *err); /* visit returns false when it has enough */

/* Changes (an older catalogue: 0): a number that grows with every change of a photo, its content or its work, by
 * whatever process. */
PD_MUST_USE pd_status pd_store_version(pd_store *store, int64_t *ret_version, pd_error *err);

typedef struct pd_photo_marks {
    /* is_rated: with 1 or more */
    bool is_rated, favorite, has_tag, has_caption, has_album;
} pd_photo_marks;
/* Which catalogue this is: made by chance with it, so that a cache of another one at the same path is not taken for its
 * own. Zeros: an older catalogue, opened for reading, has none. */
#define PD_STORE_IDENTITY_BYTES 16
PD_MUST_USE pd_status pd_store_identity(pd_store *store, uint8_t ret_identity[PD_STORE_IDENTITY_BYTES], pd_error *err);

/* What filters, orders and counts look at. Strings live during the visit. Absent: NAN, 0, "". */
typedef struct pd_photo_row {
    int64_t id, content, root_id;
    bool gone;                    /* the photo is no more: only id counts */
    bool is_dated;                /* sort_time is the camera's, not the file's */
    const char *path, *sort_time; /* "YYYY-MM-DDTHH:MM:SS" */
    int64_t bytes;
    const char *type, *make, *camera, *lens;
    uint32_t width, height, iso;
    double exposure_s, fnumber, focal_mm, lat, lon;
    int flash;  /* 1 fired, 0 not, -1 not known */
    int rating; /* 0..5, the user's else the file's */
    pd_photo_marks marks;
    pd_look look;
} pd_photo_row;
/* Photos with a content that changed after `version` (0: all that there are), in order of change: of two rows of one
 * photo the later one counts. *ret_version: what to ask with next. One consistent view. An older catalogue tells all
 * photos as version 0. visit returns false to stop: *ret_version is then that row's. */
PD_MUST_USE pd_status pd_store_rows(pd_store *store, int64_t version,
                                    bool (*visit)(void *user, const pd_photo_row *row), void *user,
                                    int64_t *ret_version, pd_error *err);

#endif
