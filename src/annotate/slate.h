/* slate.h: what an annotation says of itself, and what it is asked: one pd_annotation_state under one lock.
 *
 * Private to the room. Internally locked. */
#ifndef PD_ANNOTATE_SLATE_H
#define PD_ANNOTATE_SLATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "annotate/annotate.h"

#define PD_SLATE_SAMPLES 64 /* of the window that the rate is measured in */
#define PD_SLATE_WINDOW_S 10.0
#define PD_SLATE_WAIT_MS 500   /* between two looks whether a job still learns */
#define PD_SLATE_FIRST_MAX 512 /* contents that come first: what fills a screen, and the next */

typedef struct pd_slate_sample {
    int64_t ns, done;
} pd_slate_sample;

typedef struct pd_slate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pd_annotation_state now;
    atomic_bool cancelled; /* also looked at by who loads models for us */
    bool (*must_wait)(void *user);
    void *user;
    int64_t first[PD_SLATE_FIRST_MAX]; /* asked for last, in their order */
    size_t n_first;
    uint64_t first_number; /* of that asking */
    pd_slate_sample samples[PD_SLATE_SAMPLES];
    size_t first_sample, n_samples;
} pd_slate;

void pd_slate_init(pd_slate *slate, bool (*must_wait)(void *user), void *user);
void pd_slate_done(pd_slate *slate);

void pd_slate_look(pd_slate *slate, pd_annotation_state *ret_state);
void pd_slate_wait(pd_slate *slate, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state);
void pd_slate_pause(pd_slate *slate, bool paused);
void pd_slate_cancel(pd_slate *slate);
void pd_slate_first(pd_slate *slate, const int64_t *contents, size_t n);
/* Copies those that were asked for, unless that asking (*number; 0 at first) was copied before: then 0. */
size_t pd_slate_copy_first(pd_slate *slate, uint64_t *number, int64_t ret_contents[PD_SLATE_FIRST_MAX]);

/* May something be begun? Waits while paused, or while a job learns; false: cancelled. */
bool pd_slate_may_begin(pd_slate *slate);
/* The same without waiting: false when paused, or a job learns, or cancelled. */
bool pd_slate_going_on(pd_slate *slate);
bool pd_slate_is_cancelled(pd_slate *slate);

/* A phase begins with so much to do. */
void pd_slate_enter(pd_slate *slate, bool captioning, int64_t todo);
typedef struct pd_slate_counts {
    int64_t done, tagged, captioned, doubtful, failed;
} pd_slate_counts;
void pd_slate_add(pd_slate *slate, const pd_slate_counts *counts);
void pd_slate_end(pd_slate *slate, pd_status outcome, const char *message);

#endif
