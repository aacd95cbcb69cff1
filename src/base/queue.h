/* queue.h: a bounded queue of pointers between threads. Internally locked.
 *
 * A pushed item belongs to the queue, a popped one to the popper (moves, not copies). Closing ends pushes at once and
 * pops once the queue is empty. */
#ifndef PD_BASE_QUEUE_H
#define PD_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"

typedef struct pd_queue pd_queue;

PD_MUST_USE pd_status pd_queue_create(pd_queue **ret_queue, size_t capacity);
void pd_queue_free(pd_queue **queue); /* items still inside are the caller's loss: drain first */

/* Waits for room. False: the queue is closed, and the item is still the caller's. */
PD_MUST_USE bool pd_queue_push(pd_queue *queue, void *item);

/* Waits for an item, at most until `deadline_ns` of pd_clock_ns (INT64_MAX: for ever).
 * NULL: closed and empty, or the deadline passed (*ret_closed tells which; may be NULL). */
PD_MUST_USE void *pd_queue_pop(pd_queue *queue, int64_t deadline_ns, bool *ret_closed);

void pd_queue_close(pd_queue *queue);
size_t pd_queue_count(pd_queue *queue);

#endif
