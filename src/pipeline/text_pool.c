#include "pipeline/text_pool.h"

#include <string.h>

#include "base/mem.h"

#define CHUNK_BYTES ((size_t)1 << 16)

struct pd_text_chunk {
    pd_text_chunk *next;
    size_t used, size;
    char text[];
};

const char *pd_text_pool_keep(pd_text_pool *pool, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    pd_text_chunk *chunk = pool->chunks;
    if (!chunk || chunk->size - chunk->used < bytes) {
        const size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        chunk = pd_mem_alloc(1, sizeof *chunk + size);
        if (!chunk)
            return NULL;
        chunk->size = size;
        chunk->next = pool->chunks;
        pool->chunks = chunk;
    }
    char *copy = chunk->text + chunk->used;
    memcpy(copy, text, bytes);
    chunk->used += bytes;
    return copy;
}

void pd_text_pool_done(pd_text_pool *pool)
{
    while (pool->chunks) {
        pd_text_chunk *next = pool->chunks->next;
        pd_mem_free(pool->chunks);
        pool->chunks = next;
    }
}

void *pd_list_grow(void *items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return items;
    const size_t wanted = *capacity ? 2 * *capacity : 16;
    void *grown = pd_mem_realloc(items, wanted, size);
    if (grown)
        *capacity = wanted;
    return grown;
}
