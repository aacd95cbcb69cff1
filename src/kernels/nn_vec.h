/* nn_vec.h: private to kernels: what stands between the matrix products, on vectors; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_NN_VEC_H
#define PD_KERNELS_NN_VEC_H

#include <float.h>
#include <math.h>

#include "kernels/math_vec.h"

/* The smallest and the largest of a row and 0. */
static void find_range(const float *x, size_t k, float *ret_lo, float *ret_hi)
{
    vec lowest[2] = { vec_set(0.0f), vec_set(0.0f) }, highest[2] = { vec_set(0.0f), vec_set(0.0f) };
    size_t i = 0;
    for (; i + 2 * LANES <= k; i += 2 * LANES) /* two of each, so that one need not wait for the other */
        for (size_t j = 0; j < 2; j++) {
            lowest[j] = vec_min(vec_load(x + i + j * LANES), lowest[j]);
            highest[j] = vec_max(vec_load(x + i + j * LANES), highest[j]);
        }
    for (; i < k; i += LANES) { /* the lanes beyond are 0, as the start */
        lowest[0] = vec_min(vec_load_part(x + i, k - i), lowest[0]);
        highest[0] = vec_max(vec_load_part(x + i, k - i), highest[0]);
    }
    *ret_lo = vec_smallest(vec_min(lowest[0], lowest[1]));
    *ret_hi = vec_largest(vec_max(highest[0], highest[1]));
}

/* As the specification, but x * (1 / scale). The range is exact, so scale and zero are the same bits. */
static void quantise_row(const float *x, size_t k, uint8_t *q, float *ret_scale, float *ret_zero)
{
    float lo, hi;
    find_range(x, k, &lo, &hi);
    const float exact = (hi - lo) / 255.0f;
    const float scale = exact >= FLT_MIN ? exact : 1.0f;
    const float zero = rintf(-lo / scale);
    const vec factor = vec_set(1.0f / scale);
    const vec_i32 shift = vec_i32_round(vec_set(zero));
    size_t i = 0;
    for (; i + 4 * LANES <= k; i += 4 * LANES) {
        vec_i32 steps[4];
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++)
            steps[j] = vec_i32_add(vec_i32_round(vec_mul(vec_load(x + i + j * LANES), factor)), shift);
        vec_i32_store_u8_four(q + i, steps);
    }
    for (; i < k; i += LANES) {
        const vec_i32 steps = vec_i32_add(vec_i32_round(vec_mul(vec_load_part(x + i, k - i), factor)), shift);
        vec_i32_store_u8(q + i, steps, k - i);
    }
    *ret_scale = scale;
    *ret_zero = zero;
}

static void quantise_rows(const float *x, size_t ld, size_t m, size_t k, const pd_rows_u8 *ret_rows)
{
    for (size_t row = 0; row < m; row++) {
        uint8_t *q = ret_rows->q + row * ret_rows->ld_q;
        quantise_row(x + row * ld, k, q, ret_rows->scale + row, ret_rows->zero + row);
        for (size_t i = k; i < ret_rows->ld_q; i++)
            q[i] = 0;
    }
}

static float sum_squares_from(const float *x, size_t k, float mean)
{
    const vec centre = vec_set(mean);
    vec sum = vec_set(0.0f);
    for (size_t i = 0; i < k; i += LANES) {
        const vec off = vec_keep_part(vec_sub(vec_load_part(x + i, k - i), centre), k - i);
        sum = vec_mul_add(off, off, sum);
    }
    return vec_sum(sum);
}

static void layer_norm(const float *x, size_t m, size_t k, const float *w, const float *b, float eps, float *y)
{
    for (size_t row = 0; row < m; row++, x += k, y += k) {
        vec sum = vec_set(0.0f);
        for (size_t i = 0; i < k; i += LANES)
            sum = vec_add(sum, vec_load_part(x + i, k - i));
        const float mean = vec_sum(sum) / (float)k;
        const vec factor = vec_set(1.0f / sqrtf(sum_squares_from(x, k, mean) / (float)k + eps)), centre = vec_set(mean);
        for (size_t i = 0; i < k; i += LANES) {
            const vec weight = w ? vec_load_part(w + i, k - i) : vec_set(1.0f);
            const vec shift = b ? vec_load_part(b + i, k - i) : vec_set(0.0f);
            const vec norm = vec_mul(vec_sub(vec_load_part(x + i, k - i), centre), factor);
            vec_store_part(y + i, vec_mul_add(norm, weight, shift), k - i);
        }
    }
}

static void activate(pd_activation activation, float *x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(x + i, vec_activate(activation, vec_load(x + i)));
    if (i < n)
        vec_store_part(x + i, vec_activate(activation, vec_load_part(x + i, n - i)), n - i);
}

#endif
