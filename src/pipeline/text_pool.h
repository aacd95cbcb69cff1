/* text_pool.h: many strings that live and die together, and arrays that grow.
 *
 * Private to the room. A million paths cost their bytes, not an allocation each. One thread at a time. */
#ifndef PD_PIPELINE_TEXT_POOL_H
#define PD_PIPELINE_TEXT_POOL_H

#include <stddef.h>

#include "base/attr.h"

typedef struct pd_text_chunk pd_text_chunk;

typedef struct pd_text_pool {
    pd_text_chunk *chunks; /* newest first; zeroed: empty */
} pd_text_pool;

/* A copy that lives as long as the pool; NULL when out of memory. */
PD_MUST_USE const char *pd_text_pool_keep(pd_text_pool *pool, const char *text);
void pd_text_pool_done(pd_text_pool *pool);

/* Room for one more element of `size` bytes: the array, doubled when count has reached *capacity. NULL when out of
 * memory; `items` is still the caller's then, as it was. */
PD_MUST_USE void *pd_list_grow(void *items, size_t *capacity, size_t count, size_t size);

#endif
