/* worklist.h: the contents that a phase has to write about, newest first, but for those that are asked to come first.
 *
 * What is to do is what the catalogue lacks: the list asks for it window by window, and only remembers what is being
 * written about and what cannot be written about for now. Private to the room. One thread at a time. */
#ifndef PD_ANNOTATE_WORKLIST_H
#define PD_ANNOTATE_WORKLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "annotate/slate.h"
#include "store/store.h"

#define PD_WORKLIST_WINDOW 512
/* Contents that are out or put aside at once. When all of the newest so many are aside (a drive is away, and nobody
 * scanned since), what is older waits for the next run. */
#define PD_WORKLIST_ASIDE_MAX (PD_MACHINE_TODO_MAX - PD_WORKLIST_WINDOW)

typedef struct pd_worklist {
    pd_store *store;
    pd_machine_query query;
    int64_t window[PD_WORKLIST_WINDOW];
    size_t n, next;
    int64_t urgent[PD_SLATE_FIRST_MAX]; /* asked to come first */
    size_t n_urgent, next_urgent;
    uint64_t urgent_number;
    int64_t aside[PD_WORKLIST_ASIDE_MAX]; /* sorted: handed out, and not given back as done */
    size_t n_aside;
} pd_worklist;

/* `query` and its source are borrowed for the life of the list. *ret_todo: how many there are now. */
PD_MUST_USE pd_status pd_worklist_begin(pd_worklist *list, pd_store *store, const pd_machine_query *query,
                                        int64_t *ret_todo, pd_error *err);
/* What is asked for on the slate comes first. *ret_any false: there is nothing left to be handed out. */
PD_MUST_USE pd_status pd_worklist_next(pd_worklist *list, pd_slate *slate, int64_t *ret_content, bool *ret_any,
                                       pd_error *err);
/* One that was handed out is in the catalogue now. One of which nobody says this is not handed out again. */
void pd_worklist_done(pd_worklist *list, int64_t content);
/* One that was handed out was not begun: it comes again. */
void pd_worklist_return(pd_worklist *list, int64_t content);

#endif
