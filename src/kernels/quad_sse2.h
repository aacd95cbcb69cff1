/* quad_sse2.h: private to kernels: exact dots of four columns on 16-bit lanes: SSE2 has no product of bytes. */
#ifndef PD_KERNELS_QUAD_SSE2_H
#define PD_KERNELS_QUAD_SSE2_H

#include "kernels/vec_sse2.h"

#define F32_QUADS 2 /* x 6 rows of sums: 12 of 16 registers */
#define I8_QUADS 1  /* of two vectors */
#define QUAD_OFFSET 0

typedef __m128i quad_inputs; /* four inputs, twice */
typedef struct quad_weights {
    __m128i low, high; /* of columns 0 and 1; of 2 and 3 */
} quad_weights;
typedef struct quad_dots {
    __m128i low, high; /* two sums a column */
} quad_dots;

static inline quad_dots quad_zero(void) { return (quad_dots){ _mm_setzero_si128(), _mm_setzero_si128() }; }

static inline quad_inputs quad_spread(const uint8_t *a)
{
    int32_t group;
    __builtin_memcpy(&group, a, sizeof group);
    const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(group), _mm_setzero_si128());
    return _mm_unpacklo_epi64(words, words);
}

static inline quad_weights quad_load(const int8_t *b)
{
    const __m128i bytes = _mm_load_si128((const __m128i *)(const void *)b);
    return (quad_weights){ _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8),
                           _mm_srai_epi16(_mm_unpackhi_epi8(bytes, bytes), 8) };
}

static inline quad_dots quad_add(quad_dots dots, quad_inputs a, quad_weights b)
{
    return (quad_dots){ _mm_add_epi32(dots.low, _mm_madd_epi16(a, b.low)),
                        _mm_add_epi32(dots.high, _mm_madd_epi16(a, b.high)) };
}

static inline vec quad_sum(quad_dots dots)
{
    const __m128 low = _mm_castsi128_ps(dots.low), high = _mm_castsi128_ps(dots.high);
    const __m128i even = _mm_castps_si128(_mm_shuffle_ps(low, high, 0x88));
    const __m128i odd = _mm_castps_si128(_mm_shuffle_ps(low, high, 0xDD));
    return _mm_cvtepi32_ps(_mm_add_epi32(even, odd));
}

#endif
