/* vec_avx2.h: private to kernels: vectors of 8 floats. The same names stand in the other vec_*.h, so that the *_vec.h
 * files are written once; a `_part` function touches the first n lanes only (n may exceed LANES), other lanes are 0. */
#ifndef PD_KERNELS_VEC_AVX2_H
#define PD_KERNELS_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/transpose_avx.h"

#define LANES 8
#define VEC_TILE_ROWS 6 /* x 2 vectors of sums, 2 of the right and 1 of the left operand: 15 of 16 registers */

typedef __m256 vec;
typedef __m256i vec_i32;

static inline __m256i first_lanes(size_t n)
{
    static const int32_t ones_then_zeros[2 * LANES] = { -1, -1, -1, -1, -1, -1, -1, -1 };
    const int32_t *lanes = ones_then_zeros + LANES - (n < LANES ? n : LANES);
    return _mm256_loadu_si256((const __m256i *)(const void *)lanes);
}

static inline vec vec_set(float x) { return _mm256_set1_ps(x); }
static inline vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
static inline vec vec_load_part(const float *p, size_t n)
{
    return n >= LANES ? _mm256_loadu_ps(p) : _mm256_maskload_ps(p, first_lanes(n));
}
static inline void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
static inline void vec_store_part(float *p, vec x, size_t n)
{
    if (n >= LANES)
        _mm256_storeu_ps(p, x);
    else /* not always: AMD's masked stores are slow */
        _mm256_maskstore_ps(p, first_lanes(n), x);
}
static inline vec vec_keep_part(vec x, size_t n) { return _mm256_and_ps(x, _mm256_castsi256_ps(first_lanes(n))); }

static inline vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm256_div_ps(a, b); }
static inline vec vec_divide(vec a, vec b) { return vec_div(a, b); }    /* b from 1 to 2^126, nearly rounded */
static inline vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); } /* b when either is NaN */
static inline vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); } /* b when either is NaN */
static inline vec vec_abs(vec x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline vec vec_round(vec x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vec vec_mul_add(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }  /* a * b + c */
static inline vec vec_sub_mul(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a * b */

/* x * 2^n, n an integer that keeps the result a normal number: n is added to the exponent of 1. */
static inline vec vec_scale_2(vec x, vec n)
{
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

/* sum + a * b as the instruction itself: through the intrinsic, gcc 12 spills the sums of large tiles. */
static inline vec vec_add_product(vec sum, vec a, vec b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
}

static inline float vec_sum(vec x)
{
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vec_smallest(vec x)
{
    const __m128 four = _mm_min_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vec_largest(vec x) { return -vec_smallest(_mm256_sub_ps(_mm256_setzero_ps(), x)); }

/* Bytes: x holds integers, clamped to 0..255. */
static inline vec_i32 vec_i32_of_u8(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p));
}
static inline vec vec_of_u8(const uint8_t *p) { return _mm256_cvtepi32_ps(vec_i32_of_u8(p)); }
static inline void vec_i32_store_u8(uint8_t *p, vec_i32 x, size_t n)
{
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const long long bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    if (n >= LANES)
        __builtin_memcpy(p, &bytes, LANES);
    else
        __builtin_memcpy(p, &bytes, n);
}
static inline vec_i32 vec_i32_round(vec x) { return _mm256_cvtps_epi32(x); } /* nearest, ties to even */
static inline void vec_i32_store_u8_four(uint8_t *p, const vec_i32 x[4])
{
    const __m256i low = _mm256_packs_epi32(x[0], x[1]), high = _mm256_packs_epi32(x[2], x[3]);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7), bytes = _mm256_packus_epi16(low, high);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm256_permutevar8x32_epi32(bytes, order));
}
static inline vec_i32 vec_i32_set(int32_t x) { return _mm256_set1_epi32(x); }
static inline vec_i32 vec_i32_add(vec_i32 a, vec_i32 b) { return _mm256_add_epi32(a, b); }
static inline vec_i32 vec_i32_mul(vec_i32 a, vec_i32 b) { return _mm256_mullo_epi32(a, b); }
#define vec_i32_shift_right(x, bits) _mm256_srai_epi32(x, bits)

/* Halves. */
static inline vec vec_of_half(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}
static inline void vec_store_half(uint16_t *p, vec x)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

/* Pairs of bf16: the floats of the first, and of the second, of LANES pairs. */
static inline vec vec_even_of_pairs(const uint16_t *p)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p), 16));
}
static inline vec vec_odd_of_pairs(const uint16_t *p)
{
    const __m256i pairs = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32((int32_t)0xFFFF0000)));
}

#endif
