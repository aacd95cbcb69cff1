/* journal.h: every value of the user's work is written through here, so that each edit can be taken back. */
#ifndef PD_STORE_JOURNAL_H
#define PD_STORE_JOURNAL_H

#include "store/store.h"

/* Values are pinned: they are in the catalogue (step_undo.kind). */
typedef enum pd_cell_kind {
    PD_CELL_RATING = 1,   /* of work: number */
    PD_CELL_FAVORITE = 2, /* of work: number, 1 or absent */
    PD_CELL_CAPTION = 3,  /* of work: text */
    PD_CELL_TAG = 4,      /* of work and key (the folded tag): number (1 given, 0 taken away), text (the tag) */
    PD_CELL_ALBUM = 5,    /* of album: key (folded), text (its name) */
    PD_CELL_MEMBER = 6,   /* of album and work: number, the place in it */
    PD_CELL_KIND_END
} pd_cell_kind;

/* One value: where it is, and what it is. */
typedef struct pd_cell {
    pd_cell_kind kind;
    int64_t work, album;
    const char *key;
    bool is_set; /* false: absent */
    int64_t number;
    const char *text;
} pd_cell;

/* A step that is being made. id 0: no step, nothing is remembered. */
typedef struct pd_step {
    int64_t id, n;
} pd_step;

PD_MUST_USE pd_status pd_step_begin(pd_store *store, pd_step *ret_step, pd_error *err);
/* Without any change there is no step, and *ret_id is 0. Forgets the oldest steps beyond the limits. */
PD_MUST_USE pd_status pd_step_end(pd_store *store, const pd_step *step, const char *sentence, int64_t *ret_id,
                                  pd_error *err);

/* *ret_is_set: it has any value. */
PD_MUST_USE pd_status pd_cell_read(pd_store *store, const pd_cell *cell, bool *ret_is_set, pd_error *err);
/* Makes it so, and remembers in the step what was before. *ret_changed: it was different. */
PD_MUST_USE pd_status pd_cell_write(pd_store *store, pd_step *step, const pd_cell *cell, bool *ret_changed,
                                    pd_error *err);

#endif
