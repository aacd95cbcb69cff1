/* work.h: what the user did for photos: tags, ratings, favourites, captions, albums; and what the user kept of
 * searching: saved searches and history. Part of store.h's contract: include that.
 *
 * The user's word wins for ever: nothing a machine or a file says changes it, and what the user took away stays away.
 * Work hangs on the photo. It follows the photo through moves, renames and edits of the file; when the file vanishes it
 * is kept with the content and comes back with the next photo that has that content.
 *
 * Every edit is one step of a journal and can be undone, newest first, across processes. Edits are small transactions
 * of their own; beside a learner they wait for its batch (PD_ERR_BUSY when that takes longer than 10 s). */
#ifndef PD_STORE_WORK_H
#define PD_STORE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_store pd_store;

#define PD_WORK_TAG_BYTES_MAX 256
#define PD_WORK_NAME_BYTES_MAX 256 /* of an album, of a saved search */
#define PD_WORK_CAPTION_BYTES_MAX 8192
#define PD_WORK_PHOTOS_MAX 1000000      /* of one edit */
#define PD_WORK_QUERY_BYTES_MAX 4096    /* of a saved search, of one in the history */
#define PD_WORK_UNDO_STEPS_MAX 1000     /* older ones are forgotten */
#define PD_WORK_UNDO_VALUES_MAX 4000000 /* that all steps changed: the oldest are forgotten, the newest never */
#define PD_WORK_HISTORY_MAX 500

typedef enum pd_edit_kind {
    PD_EDIT_TAG,      /* text: the tag; gives it */
    PD_EDIT_UNTAG,    /* takes it: also one that the file or a machine gave */
    PD_EDIT_RATING,   /* number: 0..5; PD_WORK_UNSET: what the file says counts again */
    PD_EDIT_FAVORITE, /* number: 1 or 0 */
    PD_EDIT_CAPTION,  /* text: the caption, "" for none; NULL: what a machine says counts again */
    PD_EDIT_ALBUM,    /* text: the album's name, made when there is none; at its end, in the order of `photos` */
    PD_EDIT_UNALBUM,
    PD_EDIT_KIND_COUNT
} pd_edit_kind;
#define PD_WORK_UNSET (-1)

typedef struct pd_edit {
    pd_edit_kind kind;
    const char *text; /* UTF-8 without control characters; blanks at both ends are taken off; else PD_ERR_USAGE */
    int number;
    const int64_t *photos; /* ids; unknown ones are passed over */
    size_t n_photos;
} pd_edit;
/* *ret_n: photos that are different now; 0 makes no step of the journal. *ret_step (may be NULL): its number. */
PD_MUST_USE pd_status pd_store_edit(pd_store *store, const pd_edit *edit, int64_t *ret_n, int64_t *ret_step,
                                    pd_error *err);
/* Takes back the newest step, when its number is `step` (0: whatever it is). *ret_sentence, on the heap: what was taken
 * back ("tag 'beach' of 3 photos"). PD_ERR_NO_MATCH: nothing to take back, or `step` is not the newest. */
PD_MUST_USE pd_status pd_store_undo(pd_store *store, int64_t step, char **ret_sentence, pd_error *err);
/* The newest step: number (0: none) and sentence, on the heap. */
PD_MUST_USE pd_status pd_store_undo_next(pd_store *store, int64_t *ret_step, char **ret_sentence, pd_error *err);

/* What the user, the file and machines say about one photo. Strings live until the next call of this kind. */
typedef enum pd_said_by { PD_SAID_USER = 1, PD_SAID_FILE = 2, PD_SAID_MACHINE = 3 } pd_said_by;
typedef struct pd_tag {
    const char *name;
    pd_said_by by;
    float score;   /* of a machine's, 0..1; NAN else */
    bool doubtful; /* a machine's */
} pd_tag;
typedef struct pd_work {
    int rating;           /* 0..5, user's or the file's (rejected, -1, is 0 here) */
    pd_said_by rating_by; /* 0: nobody said anything */
    bool favorite;
    const char *caption; /* user's, else machine's, else the file's description, else title; "" */
    pd_said_by caption_by;
    bool caption_doubtful;       /* the caption that counts is a machine's, and doubtful */
    float caption_score;         /* of the caption that counts when it is a machine's, 0..1; NAN else */
    const char *caption_machine; /* what the machine wrote, whatever counts; "" */
    const pd_tag *tags;          /* by name, each once: the user's, the file's, a machine's; without those taken away */
    size_t n_tags;
    const char *const *albums; /* by name */
    size_t n_albums;
} pd_work;
/* NO_MATCH (no sentence): no such photo. */
PD_MUST_USE pd_status pd_store_work(pd_store *store, int64_t photo, pd_work *ret_work, pd_error *err);

/* For pictures that changed names with each other, in one transaction. First what was done for the photo is kept with
 * `content`, which was its, as if it were gone; then what is kept for `content` goes to a photo that has it and for
 * which nothing was done, to `photo` before others. Neither needs there to be any. */
PD_MUST_USE pd_status pd_store_work_part(pd_store *store, int64_t photo, int64_t content, pd_error *err);
PD_MUST_USE pd_status pd_store_work_follow(pd_store *store, int64_t content, int64_t photo, pd_error *err);

/* The caption that counts, alone: a small part of what pd_store_work costs. By nobody (0), text "", where there is none
 * and where there is no such photo. Lives until the next call of this kind. */
typedef struct pd_said_caption {
    const char *text;
    pd_said_by by; /* USER with "": the user took it away */
    bool doubtful; /* a machine's */
} pd_said_caption;
PD_MUST_USE pd_status pd_store_caption(pd_store *store, int64_t photo, pd_said_caption *ret_caption, pd_error *err);

/* Albums. As tags, they are known by their name whatever its case and diacritics. */
typedef struct pd_album {
    int64_t id;
    const char *name;
    int64_t n_photos;
    int64_t cover; /* a photo; 0 when empty */
} pd_album;
PD_MUST_USE pd_status pd_store_albums(pd_store *store, bool (*visit)(void *user, const pd_album *album), void *user,
                                      pd_error *err);
/* Renaming to a name that exists and removing are steps of the journal too. NO_MATCH with a sentence: no such album. */
PD_MUST_USE pd_status pd_store_album_make(pd_store *store, const char *name, int64_t *ret_step, pd_error *err);
PD_MUST_USE pd_status pd_store_album_rename(pd_store *store, const char *name, const char *to, int64_t *ret_step,
                                            pd_error *err); /* PD_ERR_USAGE: `to` exists */
PD_MUST_USE pd_status pd_store_album_remove(pd_store *store, const char *name, int64_t *ret_step, pd_error *err);

/* Saved searches, by name; history, newest first, the same text once, nothing empty. */
typedef struct pd_saved {
    const char *name; /* of history: "" */
    const char *query;
    int64_t at; /* seconds since 1970 */
} pd_saved;
typedef bool (*pd_saved_visit)(void *user, const pd_saved *saved);
PD_MUST_USE pd_status pd_store_saved_put(pd_store *store, const char *name, const char *query, pd_error *err);
PD_MUST_USE pd_status pd_store_saved_remove(pd_store *store, const char *name, pd_error *err);
PD_MUST_USE pd_status pd_store_saved(pd_store *store, pd_saved_visit visit, void *user, pd_error *err);
PD_MUST_USE pd_status pd_store_history_add(pd_store *store, const char *query, pd_error *err);
PD_MUST_USE pd_status pd_store_history_clear(pd_store *store, pd_error *err);
PD_MUST_USE pd_status pd_store_history(pd_store *store, size_t n_max, pd_saved_visit visit, void *user, pd_error *err);

/* What carries a user's work from one library to another: one record for each thing done, in the order that taking them
 * in again needs. Photos are known by their content and, when that is not there, by their path. */
typedef struct pd_work_record {
    pd_edit_kind kind; /* ALBUM with sha256 all zero and path "": an empty album */
    const char *text;
    int number;
    uint8_t sha256[32];
    const char *path;
} pd_work_record;
PD_MUST_USE pd_status pd_store_work_export(pd_store *store, bool (*visit)(void *user, const pd_work_record *record),
                                           void *user, pd_error *err);
/* Within a batch (pd_store_begin) of the caller. *ret_n: photos that took it; 0: nobody here knows that picture, and it
 * is kept for when it comes. Adds; what is here already stays. Not a step of the journal. */
PD_MUST_USE pd_status pd_store_work_import(pd_store *store, const pd_work_record *record, int64_t *ret_n,
                                           pd_error *err);

#endif
