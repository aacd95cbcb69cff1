/* deed.h: what editing and taking in a user's work from elsewhere have in common. */
#ifndef PD_STORE_DEED_H
#define PD_STORE_DEED_H

#include "store/journal.h"
#include "store/work_text.h"

/* One thing done, checked: kind, text and number as in pd_edit. */
typedef struct pd_deed {
    pd_edit_kind kind;
    bool has_text;
    pd_work_text text;
    int number;
    int64_t album, last; /* ALBUM and UNALBUM: 0: there is none. The last place in it that is taken */
} pd_deed;

/* Checks, and finds the album. Done in every case. */
PD_MUST_USE pd_status pd_deed_make(pd_store *store, pd_deed *ret_deed, pd_edit_kind kind, const char *text, int number,
                                   pd_error *err);
void pd_deed_done(pd_deed *deed);

/* The value that the deed is about, for this work: as it shall be. */
pd_cell pd_deed_cell(const pd_deed *deed, int64_t work);
/* Does it; ALBUM: makes the album, and puts the work at its end where it is not in it. */
PD_MUST_USE pd_status pd_deed_do(pd_store *store, pd_step *step, pd_deed *deed, int64_t work, bool *ret_changed,
                                 pd_error *err);

/* The photo's work, made where it has none (work.c). */
PD_MUST_USE pd_status pd_work_need(pd_store *store, int64_t photo, int64_t *ret_work, pd_error *err);

#endif
