#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Atomic size_t seen, fail_at, live, made;

static bool refused(void)
{
    const size_t nth = atomic_fetch_add_explicit(&seen, 1, memory_order_relaxed) + 1;
    const size_t at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    return at && nth == at;
}

static void *counted(void *ptr)
{
    if (ptr) {
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&made, 1, memory_order_relaxed);
    }
    return ptr;
}

void *pd_mem_alloc(size_t count, size_t size)
{
    if (refused() || (size && count > SIZE_MAX / size))
        return NULL;
    return counted(calloc(count ? count : 1, size ? size : 1));
}

void *pd_mem_realloc(void *ptr, size_t count, size_t size)
{
    if (refused() || (size && count > SIZE_MAX / size))
        return NULL;
    const size_t product = count * size;
    const size_t bytes = product > 0 ? product : 1;
    return ptr ? realloc(ptr, bytes) : counted(malloc(bytes));
}

void *pd_mem_alloc_aligned(size_t alignment, size_t size)
{
    if (refused() || size > SIZE_MAX - alignment)
        return NULL;
    const size_t rounded = ((size ? size : 1) + alignment - 1) & ~(alignment - 1);
    return counted(aligned_alloc(alignment, rounded));
}

void *pd_mem_dup(const void *data, size_t len)
{
    void *copy = pd_mem_alloc(len, 1);
    if (copy && len)
        memcpy(copy, data, len);
    return copy;
}

char *pd_mem_dup_text(const char *text, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = pd_mem_alloc(len + 1, 1);
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

char *pd_mem_dup_string(const char *string) { return pd_mem_dup_text(string, strlen(string)); }

void pd_mem_free(void *ptr)
{
    if (ptr)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(ptr);
}

void pd_mem_trim(void) { (void)malloc_trim(0); }

/* glibc raises its thresholds with what is freed, up to tens of megabytes, and malloc_trim leaves the top of every
 * arena but the first as it is: what a thread used once stays. Thresholds that were set are not raised. */
void pd_mem_keep_little(void)
{
    enum { TOP_BYTES = 256 << 10, MAPPED_BYTES = 1 << 20, ARENAS = 4 };
    (void)mallopt(M_TRIM_THRESHOLD, TOP_BYTES);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
    (void)mallopt(M_ARENA_MAX, ARENAS);
}

size_t pd_mem_fail_at(size_t nth)
{
    atomic_store(&fail_at, nth);
    return atomic_exchange(&seen, 0);
}

size_t pd_mem_live(void) { return atomic_load(&live); }
size_t pd_mem_made(void) { return atomic_load(&made); }
