#include "base/arena.h"

#include <stdint.h>

#include "base/check.h"
#include "base/mem.h"

size_t pd_arena_need(size_t count, size_t size)
{
    PD_CHECK(size == 0 || count <= (SIZE_MAX - PD_ARENA_ALIGNMENT) / size);
    return (count * size + PD_ARENA_ALIGNMENT - 1) & ~(size_t)(PD_ARENA_ALIGNMENT - 1);
}

pd_status pd_arena_init(pd_arena *arena, size_t size)
{
    unsigned char *base = pd_mem_alloc_aligned(PD_ARENA_ALIGNMENT, size);
    if (!base)
        return PD_ERR_NOMEM;
    *arena = (pd_arena){ .base = base, .size = size };
    return PD_OK;
}

void pd_arena_done(pd_arena *arena)
{
    pd_mem_free(arena->base);
    *arena = (pd_arena){ 0 };
}

void *pd_arena_take(pd_arena *arena, size_t count, size_t size)
{
    const size_t need = pd_arena_need(count, size);
    PD_CHECK(need <= arena->size - arena->used);
    void *block = arena->base + arena->used;
    arena->used += need;
    return block;
}

void pd_arena_rewind(pd_arena *arena, size_t mark)
{
    PD_CHECK(mark <= arena->used);
    arena->used = mark;
}
