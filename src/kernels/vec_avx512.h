/* vec_avx512.h: private to kernels: vectors of 16 floats. The same names stand in the other vec_*.h, so that the
 * *_vec.h files are written once; a `_part` function touches the first n lanes only (n may exceed LANES), other lanes
 * are 0. */
#ifndef PD_KERNELS_VEC_AVX512_H
#define PD_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/transpose_avx.h"

#define LANES 16
#define VEC_TILE_ROWS 12 /* x 2 vectors of sums, 2 of the right and 1 of the left operand: 27 of 32 registers */

typedef __m512 vec;
typedef __m512i vec_i32;

static inline __mmask16 first_lanes(size_t n) { return n >= LANES ? 0xFFFF : (__mmask16)((1u << n) - 1); }

static inline vec vec_set(float x) { return _mm512_set1_ps(x); }
static inline vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
static inline vec vec_load_part(const float *p, size_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
static inline void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
static inline void vec_store_part(float *p, vec x, size_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
static inline vec vec_keep_part(vec x, size_t n) { return _mm512_maskz_mov_ps(first_lanes(n), x); }

static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
/* b from 1 to 2^126, nearly rounded: an estimate of 14 bits and a step of Newton's take half the time of a division. */
static inline vec vec_divide(vec a, vec b)
{
    const vec guess = _mm512_rcp14_ps(b);
    return _mm512_mul_ps(a, _mm512_mul_ps(guess, _mm512_fnmadd_ps(b, guess, _mm512_set1_ps(2.0f))));
}
static inline vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); } /* b when either is NaN */
static inline vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); } /* b when either is NaN */
static inline vec vec_abs(vec x) { return _mm512_abs_ps(x); }
static inline vec vec_round(vec x) { return _mm512_roundscale_ps(x, 0); }                /* nearest, ties to even */
static inline vec vec_mul_add(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }  /* a * b + c */
static inline vec vec_sub_mul(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a * b */
static inline vec vec_scale_2(vec x, vec n) { return _mm512_scalef_ps(x, n); }           /* x * 2^n, n an integer */

/* sum + a * b as the instruction itself: through the intrinsic, gcc 12 spills the sums of large tiles. */
static inline vec vec_add_product(vec sum, vec a, vec b)
{
    __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}

static inline float vec_sum(vec x) { return _mm512_reduce_add_ps(x); }
static inline float vec_smallest(vec x) { return _mm512_reduce_min_ps(x); }
static inline float vec_largest(vec x) { return _mm512_reduce_max_ps(x); }

/* Bytes: x holds integers, clamped to 0..255. */
static inline vec_i32 vec_i32_of_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
}
static inline vec vec_of_u8(const uint8_t *p) { return _mm512_cvtepi32_ps(vec_i32_of_u8(p)); }
static inline void vec_i32_store_u8(uint8_t *p, vec_i32 x, size_t n)
{
    const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(x, _mm512_setzero_si512()));
    _mm_mask_storeu_epi8(p, first_lanes(n), bytes);
}
static inline vec_i32 vec_i32_round(vec x) { return _mm512_cvtps_epi32(x); } /* nearest, ties to even */
static inline void vec_i32_store_u8_four(uint8_t *p, const vec_i32 x[4])
{
    const __m512i low = _mm512_packs_epi32(x[0], x[1]), high = _mm512_packs_epi32(x[2], x[3]);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high)));
}
static inline vec_i32 vec_i32_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline vec_i32 vec_i32_add(vec_i32 a, vec_i32 b) { return _mm512_add_epi32(a, b); }
static inline vec_i32 vec_i32_mul(vec_i32 a, vec_i32 b) { return _mm512_mullo_epi32(a, b); }
#define vec_i32_shift_right(x, bits) _mm512_srai_epi32(x, bits)

/* Halves. */
static inline vec vec_of_half(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
static inline void vec_store_half(uint16_t *p, vec x)
{
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}

#endif
