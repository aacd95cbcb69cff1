/* arena.h: memory that is handed out in a row and given back all at once. One thread at a time.
 *
 * Sized once, at creation; a session's forward pass takes from it and never from the heap. */
#ifndef PD_BASE_ARENA_H
#define PD_BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"
#include "base/status.h"

#define PD_ARENA_ALIGNMENT 64 /* of every block: a cache line, and the widest vector register */

typedef struct pd_arena {
    unsigned char *base;
    size_t size;
    size_t used;
} pd_arena;

/* Space for `size` bytes of blocks. Sum the blocks with pd_arena_need. */
PD_MUST_USE pd_status pd_arena_init(pd_arena *arena, size_t size);
void pd_arena_done(pd_arena *arena);

/* Bytes that one block of count * size takes, alignment included. */
size_t pd_arena_need(size_t count, size_t size);

/* A block, aligned, not zeroed. The caller has sized the arena: running out is a programming error and aborts. */
void *pd_arena_take(pd_arena *arena, size_t count, size_t size);

/* Gives back every block taken after `mark` was read from arena->used. */
void pd_arena_rewind(pd_arena *arena, size_t mark);

#endif
