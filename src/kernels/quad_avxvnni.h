/* quad_avxvnni.h: private to kernels: exact dots of eight columns, the VEX form of the product of bytes. */
#ifndef PD_KERNELS_QUAD_AVXVNNI_H
#define PD_KERNELS_QUAD_AVXVNNI_H

#include "kernels/vec_avx2.h"

#define I8_QUADS 2 /* x 6 rows of sums: 12 of 16 registers */
#define QUAD_OFFSET 0

typedef __m256i quad_inputs; /* four inputs, eight times */
typedef __m256i quad_weights;
typedef __m256i quad_dots;

/* As the instruction itself, which keeps gcc 12 from spilling sums around the loop. */
static inline __m256i add_bytes(__m256i sum, __m256i a, __m256i b)
{
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
}

static inline quad_dots quad_zero(void) { return _mm256_setzero_si256(); }
static inline quad_inputs quad_spread(const uint8_t *a)
{
    int32_t group;
    __builtin_memcpy(&group, a, sizeof group);
    return _mm256_set1_epi32(group);
}
static inline quad_weights quad_load(const int8_t *b) { return _mm256_load_si256((const __m256i *)(const void *)b); }
static inline quad_dots quad_add(quad_dots dots, quad_inputs a, quad_weights b) { return add_bytes(dots, a, b); }
static inline vec quad_sum(quad_dots dots) { return _mm256_cvtepi32_ps(dots); }

#endif
