/* vector_vec.h: private to kernels: dots and halves on vectors; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_VECTOR_VEC_H
#define PD_KERNELS_VECTOR_VEC_H

#include <string.h>

#include "kernels/kernels_isa.h"

#define CHAINS 4 /* sums that do not wait for each other */

static float dot_f32(const float *a, const float *b, size_t n)
{
    vec sum[CHAINS] = { vec_set(0.0f), vec_set(0.0f), vec_set(0.0f), vec_set(0.0f) };
    size_t i = 0;
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 4
        for (size_t chain = 0; chain < CHAINS; chain++)
            sum[chain] = vec_mul_add(vec_load(a + i + chain * LANES), vec_load(b + i + chain * LANES), sum[chain]);
    for (; i < n; i += LANES)
        sum[0] = vec_mul_add(vec_load_part(a + i, n - i), vec_load_part(b + i, n - i), sum[0]);
    return vec_sum(vec_add(vec_add(sum[0], sum[1]), vec_add(sum[2], sum[3])));
}

static inline vec load_halves_part(const uint16_t *half, size_t n)
{
    uint16_t lanes[LANES] = { 0 };
    memcpy(lanes, half, (n < LANES ? n : LANES) * sizeof *half);
    return vec_of_half(lanes);
}

static float dot_f16(const uint16_t *half, const float *b, size_t n)
{
    vec sum[CHAINS] = { vec_set(0.0f), vec_set(0.0f), vec_set(0.0f), vec_set(0.0f) };
    size_t i = 0;
    for (; i + CHAINS * LANES <= n; i += CHAINS * LANES)
#pragma GCC unroll 4
        for (size_t chain = 0; chain < CHAINS; chain++)
            sum[chain] =
                vec_mul_add(vec_of_half(half + i + chain * LANES), vec_load(b + i + chain * LANES), sum[chain]);
    for (; i < n; i += LANES)
        sum[0] = vec_mul_add(load_halves_part(half + i, n - i), vec_load_part(b + i, n - i), sum[0]);
    return vec_sum(vec_add(vec_add(sum[0], sum[1]), vec_add(sum[2], sum[3])));
}

static void float_of_half(const uint16_t *half, size_t n, float *ret_value)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(ret_value + i, vec_of_half(half + i));
    if (i < n)
        vec_store_part(ret_value + i, load_halves_part(half + i, n - i), n - i);
}

static void half_of_float(const float *value, size_t n, uint16_t *ret_half)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store_half(ret_half + i, vec_load(value + i));
    if (i < n) {
        uint16_t lanes[LANES];
        vec_store_half(lanes, vec_load_part(value + i, n - i));
        memcpy(ret_half + i, lanes, (n - i) * sizeof *ret_half);
    }
}

#endif
