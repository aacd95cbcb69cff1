/* residency_fixture.h: looking at a residency, and borrowing from it in a thread. For tests. */
#ifndef PD_TESTS_RESIDENCY_FIXTURE_H
#define PD_TESTS_RESIDENCY_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "model/model.h"

static inline void nap(int ms) { nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * PD_NS_PER_MS }, NULL); }

typedef struct looked {
    const char *dir; /* NULL: any */
    pd_model_part part;
    bool found;
    pd_resident resident; /* without its strings */
    char error[PD_ERROR_MESSAGE_BYTES];
} looked;

static inline void keep(void *user, const pd_resident *resident)
{
    looked *l = user;
    if (resident->part != l->part || (l->dir && strcmp(l->dir, resident->dir) != 0))
        return;
    l->found = true;
    l->resident = *resident;
    (void)snprintf(l->error, sizeof l->error, "%s", resident->error ? resident->error : "");
}

static inline looked look(pd_residency *residency, const char *dir, pd_model_part part)
{
    looked l = { .dir = dir, .part = part };
    pd_residency_visit(residency, keep, &l);
    return l;
}

static inline pd_residence state_of(pd_residency *residency, pd_model_part part)
{
    return look(residency, NULL, part).resident.state;
}

/* Waits, for a long time at most. */
static inline bool comes_to(pd_residency *residency, pd_model_part part, pd_residence state)
{
    for (int i = 0; i < 3000 && state_of(residency, part) != state; i++)
        nap(10);
    return state_of(residency, part) == state;
}

typedef struct borrower {
    pd_residency *residency;
    const char *dir;
    const atomic_bool *cancelled;
    pd_status status;
    pd_error error;
    pd_lease lease;
} borrower;

static inline void *borrow_in_thread(void *user)
{
    borrower *b = user;
    b->status = pd_residency_borrow(b->residency, b->dir, PD_PART_TEXT, b->cancelled, &b->lease, &b->error);
    return NULL;
}

#endif
