/* near.h: which of the known words was meant. */
#ifndef PD_BASE_NEAR_H
#define PD_BASE_NEAR_H

#include <stdbool.h>
#include <stddef.h>

#define PD_NEAR_BYTES_MAX 32 /* longer words are near to nothing */

/* Edits (insert, delete, replace, swap neighbours) from one word to the other, or SIZE_MAX when one is too long. */
size_t pd_near_distance(const char *a, const char *b);

/* True when `typed` looks like a slip for `known`: a beginning of it of at least 2 letters, or few edits away. */
bool pd_near_match(const char *typed, const char *known);

#endif
