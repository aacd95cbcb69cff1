/* mem.h: the only allocator of the program. Products of count and size are checked for overflow. Thread-safe.
 *
 * Memory from every function here is freed with pd_mem_free (NULL is fine). NULL means out of memory. */
#ifndef PD_BASE_MEM_H
#define PD_BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

/* Zeroed memory for count elements of `size` bytes; count 0 gives a valid pointer. */
PD_MUST_USE void *pd_mem_alloc(size_t count, size_t size) __attribute__((malloc, alloc_size(1, 2)));

/* As realloc; new bytes are not zeroed. On failure NULL, and `ptr` is still owned by the caller. */
PD_MUST_USE void *pd_mem_realloc(void *ptr, size_t count, size_t size) __attribute__((alloc_size(2, 3)));

/* `size` bytes, not zeroed, aligned to `alignment` (a power of two, >= sizeof(void *)). */
PD_MUST_USE void *pd_mem_alloc_aligned(size_t alignment, size_t size) __attribute__((malloc, alloc_size(2)));

/* Copies: of `len` bytes; of `len` bytes plus a NUL; of a C string. */
PD_MUST_USE void *pd_mem_dup(const void *data, size_t len) __attribute__((malloc));
PD_MUST_USE char *pd_mem_dup_text(const char *text, size_t len) __attribute__((malloc));
PD_MUST_USE char *pd_mem_dup_string(const char *string) __attribute__((malloc));

void pd_mem_free(void *ptr);

/* Gives free memory back to the system: milliseconds, for after something large was freed. */
void pd_mem_trim(void);
/* What is freed goes back to the system soon, also from places that pd_mem_trim does not reach: for a program that runs
 * all day. Once, before there are threads. */
void pd_mem_keep_little(void);

/* Test hook: the nth allocation from now fails; 0 disarms. Returns the allocations seen since the last call. */
size_t pd_mem_fail_at(size_t nth);

/* Live allocations, and allocations ever made: a test that reads the latter around a call proves 'allocates nothing'.
 */
size_t pd_mem_live(void);
size_t pd_mem_made(void);

#endif
