/* residency_parts.h: what a pd_residency is made of. Private to the files residency*.c.
 *
 *     cold ──needed──► loading ──► ready ──rested, unloaded, memory short──► idle ──needed──► loading
 *       ▲                │  ▲
 *       └──nobody waits──┤  │ needed again
 *                        ▼  │
 *                       failed
 *
 * residency.c knows the parts and their states, residency_loader.c brings them in, residency_borrow.c lends them,
 * residency_keeper.c puts them away. One lock. Nothing is opened, closed or told while it is held. */
#ifndef PD_MODEL_RESIDENCY_PARTS_H
#define PD_MODEL_RESIDENCY_PARTS_H

#include <pthread.h>

#include "model/model.h"

#define PD_RESIDENCY_SPARES_MAX 8 /* sessions of a part that are kept for the next borrowers */
#define PD_RESIDENCY_NEVER_NS INT64_MAX

/* What is in memory for a part. */
typedef struct pd_residency_contents {
    pd_model *model;
    pd_captioner *captioner; /* of the captioner's part, in place of a model */
    pd_session *spares[PD_RESIDENCY_SPARES_MAX];
    size_t n_spares;
} pd_residency_contents;

typedef struct pd_residency_place pd_residency_place;

typedef struct pd_residency_part {
    pd_residency_place *of;
    pd_model_part kind;
    bool needed; /* ever */
    pd_residence state;
    bool wanted;         /* LOADING: waits for its turn; else it is being loaded */
    bool hinted;         /* LOADING: for somebody who does not wait */
    atomic_bool unasked; /* LOADING: nobody waits, nor is it hinted; looked at while it is loaded */
    bool leaving;        /* to be put away as soon as nobody has it */
    bool was_ready;      /* it is IDLE, not COLD, when it is not there */
    uint64_t ticket;     /* of the want: the lowest is served first */
    uint64_t n_failures; /* loadings that failed */
    unsigned n_waiting, n_borrowed;
    int64_t used_ns; /* when the last borrower left */
    double load_ms, fraction;
    size_t model_bytes, session_bytes, n_sessions;
    pd_residency_contents in_memory;
    pd_error error; /* FAILED */
} pd_residency_part;

/* A directory. */
struct pd_residency_place {
    char *dir;
    bool is_old;                               /* what lies there now is another: nobody finds this one any more */
    double idle_s;                             /* NAN: as the residency's */
    char weights_sha256[PD_SHA256_TEXT_BYTES]; /* "": nothing is promised */
    pd_residency_part parts[PD_PART_COUNT];
};

struct pd_residency {
    unsigned cpu_mask;
    pd_precision precision;
    char *cache_dir, *system_root;
    double look_s;
    void (*changed)(void *user);
    void *changed_user;

    pthread_mutex_t lock;
    pthread_cond_t work;   /* for the loader */
    pthread_cond_t rested; /* for the keeper */
    pthread_cond_t loaded; /* for borrowers: some loading came to its end */
    double idle_s;
    pd_residency_place *places[PD_RESIDENCY_DIRS_MAX]; /* once there, they stay */
    size_t n_places;
    uint64_t n_tickets;
    int64_t keeper_due_ns;       /* when the keeper looks next; PD_RESIDENCY_NEVER_NS: when it is told to */
    bool closing;                /* nothing is loaded any more */
    bool has_loader, has_keeper; /* threads to be joined */
    pthread_t loader, keeper;
};

/* Without the lock. */

void pd_residency_tell(const pd_residency *residency); /* something has changed */
void pd_residency_close_contents(pd_residency_contents *contents);
void *pd_residency_run_loader(void *residency);
void *pd_residency_run_keeper(void *residency);

/* With the lock. */

/* NULL: never heard of. */
pd_residency_place *pd_residency_find_place(const pd_residency *r, const char *dir);
PD_MUST_USE pd_status pd_residency_need_place(pd_residency *r, const char *dir, pd_residency_place **ret_place,
                                              pd_error *err);
/* The same for a part that will be wanted, which needs the threads. */
PD_MUST_USE pd_status pd_residency_need_part(pd_residency *r, const char *dir, pd_model_part kind,
                                             pd_residency_part **ret_part, pd_error *err);
/* The next part for which `choose` holds, `after` it (NULL: the first); NULL: no more. */
pd_residency_part *pd_residency_next_part(const pd_residency *r, const pd_residency_part *after,
                                          bool (*choose)(const pd_residency_part *p));
/* In memory, and nobody has it or is about to. */
bool pd_residency_is_resting(const pd_residency_part *p);

/* It is to be loaded, unless it is there. True: its state is another now. */
bool pd_residency_want(pd_residency *r, pd_residency_part *p);
/* Nobody wants it any more: as if it had not been wanted. */
void pd_residency_give_up(pd_residency_part *p);
/* After every change of n_waiting or hinted: a loading that nobody asks for is given up, or stops soon. */
void pd_residency_review(pd_residency_part *p);
/* This part rests, or will: the keeper looks at the latest when it is due. */
void pd_residency_tell_keeper(pd_residency *r, const pd_residency_part *p);

#endif
