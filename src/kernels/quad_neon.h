/* quad_neon.h: private to kernels: exact dots of four columns. ARM multiplies signed bytes, so inputs are taken less
 * 128: whoever scales the sums takes 128 from their zero as well. */
#ifndef PD_KERNELS_QUAD_NEON_H
#define PD_KERNELS_QUAD_NEON_H

#include "kernels/vec_neon.h"

#define F32_QUADS 4 /* x 6 rows of sums: 24 of 32 registers */
#define QUAD_OFFSET 128

static inline int8x8_t spread_group(const uint8_t *a)
{
    uint32_t group;
    __builtin_memcpy(&group, a, sizeof group);
    return vreinterpret_s8_u32(vdup_n_u32(group ^ 0x80808080u));
}

static inline int8x16_t quad_load(const int8_t *b) { return vld1q_s8(b); }
typedef int8x16_t quad_weights;

#ifdef __ARM_FEATURE_DOTPROD

#define I8_QUADS 4

typedef int8x16_t quad_inputs; /* four inputs, four times */
typedef int32x4_t quad_dots;

static inline quad_dots quad_zero(void) { return vdupq_n_s32(0); }
static inline quad_inputs quad_spread(const uint8_t *a)
{
    const int8x8_t group = spread_group(a);
    return vcombine_s8(group, group);
}
static inline quad_dots quad_add(quad_dots dots, quad_inputs a, quad_weights b) { return vdotq_s32(dots, b, a); }
static inline vec quad_sum(quad_dots dots) { return vcvtq_f32_s32(dots); }

#else

#define I8_QUADS 2

typedef int8x8_t quad_inputs; /* four inputs, twice */
typedef struct quad_dots {
    int32x4_t low, high; /* two sums a column */
} quad_dots;

static inline quad_dots quad_zero(void) { return (quad_dots){ vdupq_n_s32(0), vdupq_n_s32(0) }; }
static inline quad_inputs quad_spread(const uint8_t *a) { return spread_group(a); }
static inline quad_dots quad_add(quad_dots dots, quad_inputs a, quad_weights b)
{
    return (quad_dots){ vpadalq_s16(dots.low, vmull_s8(vget_low_s8(b), a)),
                        vpadalq_s16(dots.high, vmull_s8(vget_high_s8(b), a)) };
}
static inline vec quad_sum(quad_dots dots) { return vcvtq_f32_s32(vpaddq_s32(dots.low, dots.high)); }

#endif
#endif
