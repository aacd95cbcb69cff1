/* vec_sse2.h: private to kernels: vectors of 4 floats with what every x86-64 has. The same names stand in the other
 * vec_*.h, so that the *_vec.h files are written once; a `_part` function touches the first n lanes only (n may exceed
 * LANES), other lanes are 0. */
#ifndef PD_KERNELS_VEC_SSE2_H
#define PD_KERNELS_VEC_SSE2_H

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 4
#define VEC_TILE_ROWS 6 /* x 2 vectors of sums, 2 of the right operand, 1 of the left, 1 product: all 16 registers */
#define CORNER 4        /* x 4 floats are transposed in registers */

typedef __m128 vec;
typedef __m128i vec_i32;

static inline __m128i first_lanes(size_t n)
{
    static const int32_t ones_then_zeros[2 * LANES] = { -1, -1, -1, -1 };
    const int32_t *lanes = ones_then_zeros + LANES - (n < LANES ? n : LANES);
    return _mm_loadu_si128((const __m128i *)(const void *)lanes);
}

static inline vec vec_set(float x) { return _mm_set1_ps(x); }
static inline vec vec_load(const float *p) { return _mm_loadu_ps(p); }
static inline vec vec_load_part(const float *p, size_t n)
{
    if (n >= LANES)
        return _mm_loadu_ps(p);
    float lanes[LANES] = { 0.0f };
    for (size_t i = 0; i < n; i++)
        lanes[i] = p[i];
    return _mm_loadu_ps(lanes);
}
static inline void vec_store(float *p, vec x) { _mm_storeu_ps(p, x); }
static inline void vec_store_part(float *p, vec x, size_t n)
{
    float lanes[LANES];
    if (n >= LANES) {
        _mm_storeu_ps(p, x);
        return;
    }
    _mm_storeu_ps(lanes, x);
    for (size_t i = 0; i < n; i++)
        p[i] = lanes[i];
}
static inline vec vec_keep_part(vec x, size_t n) { return _mm_and_ps(x, _mm_castsi128_ps(first_lanes(n))); }

static inline vec vec_add(vec a, vec b) { return _mm_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm_div_ps(a, b); }
static inline vec vec_divide(vec a, vec b) { return vec_div(a, b); } /* b from 1 to 2^126, nearly rounded */
static inline vec vec_min(vec a, vec b) { return _mm_min_ps(a, b); } /* b when either is NaN */
static inline vec vec_max(vec a, vec b) { return _mm_max_ps(a, b); } /* b when either is NaN */
static inline vec vec_abs(vec x) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), x); }
/* To nearest, ties to even; |x| < 2^31, or NaN for any result. */
static inline vec vec_round(vec x) { return _mm_cvtepi32_ps(_mm_cvtps_epi32(x)); }
static inline vec vec_mul_add(vec a, vec b, vec c) { return _mm_add_ps(_mm_mul_ps(a, b), c); } /* a * b + c */
static inline vec vec_sub_mul(vec a, vec b, vec c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); } /* c - a * b */
static inline vec vec_add_product(vec sum, vec a, vec b) { return _mm_add_ps(sum, _mm_mul_ps(a, b)); }

/* x * 2^n, n an integer that keeps the result a normal number: n is added to the exponent of 1. */
static inline vec vec_scale_2(vec x, vec n)
{
    const __m128i exponent = _mm_add_epi32(_mm_cvtps_epi32(n), _mm_set1_epi32(127));
    return _mm_mul_ps(x, _mm_castsi128_ps(_mm_slli_epi32(exponent, 23)));
}

static inline float vec_sum(vec x)
{
    const __m128 two = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vec_smallest(vec x)
{
    const __m128 two = _mm_min_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_min_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vec_largest(vec x) { return -vec_smallest(_mm_sub_ps(_mm_setzero_ps(), x)); }

/* Bytes: x holds integers, clamped to 0..255. */
static inline vec_i32 vec_i32_of_u8(const uint8_t *p)
{
    int32_t bytes;
    __builtin_memcpy(&bytes, p, LANES);
    const __m128i zero = _mm_setzero_si128();
    return _mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(bytes), zero), zero);
}
static inline vec vec_of_u8(const uint8_t *p) { return _mm_cvtepi32_ps(vec_i32_of_u8(p)); }
static inline void vec_i32_store_u8(uint8_t *p, vec_i32 x, size_t n)
{
    const __m128i words = _mm_packs_epi32(x, x);
    const int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    if (n >= LANES)
        __builtin_memcpy(p, &bytes, LANES);
    else
        __builtin_memcpy(p, &bytes, n);
}
static inline vec_i32 vec_i32_round(vec x) { return _mm_cvtps_epi32(x); } /* nearest, ties to even */
static inline void vec_i32_store_u8_four(uint8_t *p, const vec_i32 x[4])
{
    const __m128i low = _mm_packs_epi32(x[0], x[1]), high = _mm_packs_epi32(x[2], x[3]);
    _mm_storeu_si128((__m128i *)(void *)p, _mm_packus_epi16(low, high));
}
static inline vec_i32 vec_i32_set(int32_t x) { return _mm_set1_epi32(x); }
static inline vec_i32 vec_i32_add(vec_i32 a, vec_i32 b) { return _mm_add_epi32(a, b); }
/* Low halves of products do not depend on the sign, so the unsigned product of every other lane serves. */
static inline vec_i32 vec_i32_mul(vec_i32 a, vec_i32 b)
{
    const __m128i even = _mm_mul_epu32(a, b);
    const __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
    return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
}
#define vec_i32_shift_right(x, bits) _mm_srai_epi32(x, bits)

static inline __m128i vec_i32_choose(__m128i mask, __m128i yes, __m128i no)
{
    return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

/* Halves, after Fabian Giesen's half_to_float_fast5 and float_to_half_rtne_fast3 (public domain): exponents are moved
 * by a multiplication or an addition of floats, which also takes care of numbers below the smallest normal one. */
static inline vec vec_of_half(const uint16_t *p)
{
    const __m128i half = _mm_unpacklo_epi16(_mm_loadl_epi64((const __m128i *)(const void *)p), _mm_setzero_si128());
    const __m128i magnitude = _mm_and_si128(half, _mm_set1_epi32(0x7FFF));
    const __m128i sign = _mm_slli_epi32(_mm_xor_si128(half, magnitude), 16);
    const __m128i shifted = _mm_slli_epi32(magnitude, 13);
    const __m128 scaled = _mm_mul_ps(_mm_castsi128_ps(shifted), _mm_castsi128_ps(_mm_set1_epi32((254 - 15) << 23)));
    const __m128i special = _mm_and_si128(_mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7BFF)), /* infinity, NaN */
                                          _mm_set1_epi32(0xFF << 23));
    return _mm_or_ps(scaled, _mm_castsi128_ps(_mm_or_si128(sign, special)));
}

static inline void vec_store_half(uint16_t *p, vec x)
{
    const __m128i bits = _mm_castps_si128(x), sign = _mm_and_si128(bits, _mm_set1_epi32((int32_t)0x80000000));
    const __m128i magnitude = _mm_xor_si128(bits, sign);
    const __m128i small_magic = _mm_set1_epi32((127 - 15 + 23 - 10 + 1) << 23);
    const __m128 small_sum = _mm_add_ps(_mm_castsi128_ps(magnitude), _mm_castsi128_ps(small_magic));
    const __m128i small = _mm_sub_epi32(_mm_castps_si128(small_sum), small_magic);
    const __m128i odd = _mm_srai_epi32(_mm_slli_epi32(magnitude, 31 - 13), 31);
    const __m128i biased = _mm_add_epi32(magnitude, _mm_set1_epi32(0xFFF - ((127 - 15) << 23)));
    const __m128i normal = _mm_srli_epi32(_mm_sub_epi32(biased, odd), 13);
    const __m128i finite = vec_i32_choose(_mm_cmpgt_epi32(_mm_set1_epi32((127 - 14) << 23), magnitude), small, normal);
    const __m128i quiet = _mm_and_si128(_mm_castps_si128(_mm_cmpunord_ps(x, x)), _mm_set1_epi32(0x200));
    const __m128i special = _mm_or_si128(quiet, _mm_set1_epi32(0x7C00));
    const __m128i half = vec_i32_choose(_mm_cmpgt_epi32(_mm_set1_epi32((127 + 16) << 23), magnitude), finite, special);
    const __m128i signed_half = _mm_or_si128(half, _mm_srai_epi32(sign, 16)); /* fits a signed 16-bit number */
    _mm_storel_epi64((__m128i *)(void *)p, _mm_packs_epi32(signed_half, signed_half));
}

/* to[column][row] = from[row][column] for CORNER x CORNER floats. */
static inline void vec_transpose(const float *from, size_t ld, float *to, size_t ld_to)
{
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + ld);
    __m128 c = _mm_loadu_ps(from + 2 * ld), d = _mm_loadu_ps(from + 3 * ld);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a);
    _mm_storeu_ps(to + ld_to, b);
    _mm_storeu_ps(to + 2 * ld_to, c);
    _mm_storeu_ps(to + 3 * ld_to, d);
}

/* Pairs of bf16: the floats of the first, and of the second, of LANES pairs. */
static inline vec vec_even_of_pairs(const uint16_t *p)
{
    return _mm_castsi128_ps(_mm_slli_epi32(_mm_loadu_si128((const __m128i *)(const void *)p), 16));
}
static inline vec vec_odd_of_pairs(const uint16_t *p)
{
    const __m128i pairs = _mm_loadu_si128((const __m128i *)(const void *)p);
    return _mm_castsi128_ps(_mm_and_si128(pairs, _mm_set1_epi32((int32_t)0xFFFF0000)));
}

#endif
