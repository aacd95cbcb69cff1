/* feed.h: hands out what is to be done, and sees to it that no content is learned twice in one run.
 *
 * Private to the room. A reader of a file claims the content it found; while that claim stands (until the writer has
 * committed what was learned, or the reader finds nothing to learn), a second file with the same bytes is deferred and
 * handed out again later. Internally locked. */
#ifndef PD_PIPELINE_FEED_H
#define PD_PIPELINE_FEED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/sha256.h"
#include "pipeline/board.h"
#include "pipeline/plan.h"

typedef struct pd_claim {
    uint8_t sha256[PD_SHA256_BYTES];
} pd_claim;

typedef struct pd_deferred {
    const pd_todo *todo;
    pd_claim content;
} pd_deferred;

typedef struct pd_feed {
    pthread_mutex_t lock;
    pthread_cond_t released;
    pd_board *board;
    const pd_plan *plan;
    size_t next;    /* of plan->todo */
    pd_speed speed; /* of the round: another one on the board ends it */
    pd_claim *claims;
    size_t n_claims, claims_capacity; /* few: as many as are between reading and commit */
    pd_deferred *deferred;
    size_t n_deferred, deferred_capacity;
} pd_feed;

void pd_feed_init(pd_feed *feed, const pd_plan *plan, pd_board *board);
void pd_feed_done(pd_feed *feed);

/* A round is what one set of threads does: threads keep the priority they began with. */
void pd_feed_begin_round(pd_feed *feed, pd_speed speed);

/* The next file; waits while the job is paused, or while all that is left is deferred. NULL: nothing more to begin in
 * this round. */
const pd_todo *pd_feed_next(pd_feed *feed);

/* Whether every file was handed out. */
bool pd_feed_is_empty(pd_feed *feed);

/* True: the content is the caller's. False: another has it, and `todo` is deferred. NOMEM counts as stopped. */
bool pd_feed_claim(pd_feed *feed, const pd_todo *todo, const uint8_t sha256[PD_SHA256_BYTES]);
void pd_feed_release(pd_feed *feed, const uint8_t sha256[PD_SHA256_BYTES]);

/* Wakes those who wait: after the board was told to cancel or stop. */
void pd_feed_wake(pd_feed *feed);

#endif
