/* vec_neon.h: private to kernels: vectors of 4 floats with what every 64-bit ARM has. The same names stand in the other
 * vec_*.h, so that the *_vec.h files are written once; a `_part` function touches the first n lanes only (n may exceed
 * LANES), other lanes are 0. */
#ifndef PD_KERNELS_VEC_NEON_H
#define PD_KERNELS_VEC_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 4
#define VEC_TILE_ROWS 12 /* x 2 vectors of sums, 2 of the right and 1 of the left operand: 27 of 32 registers */
#define CORNER 4         /* x 4 floats are transposed in registers */

typedef float32x4_t vec;
typedef int32x4_t vec_i32;

static inline vec vec_set(float x) { return vdupq_n_f32(x); }
static inline vec vec_load(const float *p) { return vld1q_f32(p); }
static inline vec vec_load_part(const float *p, size_t n)
{
    if (n >= LANES)
        return vld1q_f32(p);
    float lanes[LANES] = { 0.0f };
    for (size_t i = 0; i < n; i++)
        lanes[i] = p[i];
    return vld1q_f32(lanes);
}
static inline void vec_store(float *p, vec x) { vst1q_f32(p, x); }
static inline void vec_store_part(float *p, vec x, size_t n)
{
    float lanes[LANES];
    if (n >= LANES) {
        vst1q_f32(p, x);
        return;
    }
    vst1q_f32(lanes, x);
    for (size_t i = 0; i < n; i++)
        p[i] = lanes[i];
}
static inline vec vec_keep_part(vec x, size_t n)
{
    static const uint32_t ones_then_zeros[2 * LANES] = { ~0u, ~0u, ~0u, ~0u };
    const uint32x4_t lanes = vld1q_u32(ones_then_zeros + LANES - (n < LANES ? n : LANES));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), lanes));
}

static inline vec vec_add(vec a, vec b) { return vaddq_f32(a, b); }
static inline vec vec_sub(vec a, vec b) { return vsubq_f32(a, b); }
static inline vec vec_mul(vec a, vec b) { return vmulq_f32(a, b); }
static inline vec vec_div(vec a, vec b) { return vdivq_f32(a, b); }
static inline vec vec_divide(vec a, vec b) { return vec_div(a, b); } /* b from 1 to 2^126, nearly rounded */
static inline vec vec_min(vec a, vec b) { return vbslq_f32(vcltq_f32(a, b), a, b); } /* b when either is NaN */
static inline vec vec_max(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); } /* b when either is NaN */
static inline vec vec_abs(vec x) { return vabsq_f32(x); }
static inline vec vec_round(vec x) { return vrndnq_f32(x); }                              /* nearest, ties to even */
static inline vec vec_mul_add(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }         /* a * b + c */
static inline vec vec_sub_mul(vec a, vec b, vec c) { return vfmsq_f32(c, a, b); }         /* c - a * b */
static inline vec vec_add_product(vec sum, vec a, vec b) { return vfmaq_f32(sum, a, b); } /* sum + a * b */

/* x * 2^n, n an integer that keeps the result a normal number: n is added to the exponent of 1. */
static inline vec vec_scale_2(vec x, vec n)
{
    const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
    return vmulq_f32(x, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
}

static inline float vec_sum(vec x) { return vaddvq_f32(x); }
static inline float vec_smallest(vec x) { return vminvq_f32(x); }
static inline float vec_largest(vec x) { return vmaxvq_f32(x); }

/* Bytes: x holds integers, clamped to 0..255. */
static inline vec_i32 vec_i32_of_u8(const uint8_t *p)
{
    uint32_t bytes;
    __builtin_memcpy(&bytes, p, LANES);
    const uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(words)));
}
static inline vec vec_of_u8(const uint8_t *p) { return vcvtq_f32_s32(vec_i32_of_u8(p)); }
static inline void vec_i32_store_u8(uint8_t *p, vec_i32 x, size_t n)
{
    const int16x4_t words = vqmovn_s32(x);
    const uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vqmovun_s16(vcombine_s16(words, words))), 0);
    if (n >= LANES)
        __builtin_memcpy(p, &bytes, LANES);
    else
        __builtin_memcpy(p, &bytes, n);
}
static inline vec_i32 vec_i32_round(vec x) { return vcvtnq_s32_f32(x); } /* nearest, ties to even */
static inline void vec_i32_store_u8_four(uint8_t *p, const vec_i32 x[4])
{
    const int16x8_t low = vcombine_s16(vqmovn_s32(x[0]), vqmovn_s32(x[1]));
    const int16x8_t high = vcombine_s16(vqmovn_s32(x[2]), vqmovn_s32(x[3]));
    vst1q_u8(p, vcombine_u8(vqmovun_s16(low), vqmovun_s16(high)));
}
static inline vec_i32 vec_i32_set(int32_t x) { return vdupq_n_s32(x); }
static inline vec_i32 vec_i32_add(vec_i32 a, vec_i32 b) { return vaddq_s32(a, b); }
static inline vec_i32 vec_i32_mul(vec_i32 a, vec_i32 b) { return vmulq_s32(a, b); }
#define vec_i32_shift_right(x, bits) vshrq_n_s32(x, bits)

/* Halves. */
static inline vec vec_of_half(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
static inline void vec_store_half(uint16_t *p, vec x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }

/* to[column][row] = from[row][column] for CORNER x CORNER floats. */
static inline void vec_transpose(const float *from, size_t ld, float *to, size_t ld_to)
{
    const float32x4x2_t ab = vtrnq_f32(vld1q_f32(from), vld1q_f32(from + ld));
    const float32x4x2_t cd = vtrnq_f32(vld1q_f32(from + 2 * ld), vld1q_f32(from + 3 * ld));
    vst1q_f32(to, vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0])));
    vst1q_f32(to + ld_to, vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1])));
    vst1q_f32(to + 2 * ld_to, vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0])));
    vst1q_f32(to + 3 * ld_to, vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1])));
}

/* Pairs of bf16: the floats of the first, and of the second, of LANES pairs. */
static inline vec vec_even_of_pairs(const uint16_t *p)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u16(vld1q_u16(p)), 16));
}
static inline vec vec_odd_of_pairs(const uint16_t *p)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u16(vld1q_u16(p)), vdupq_n_u32(0xFFFF0000u)));
}

#endif
