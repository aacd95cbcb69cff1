/* image_vec.h: private to kernels: the column pass of a resize, and pixels to floats, on vectors; include a
 * vec_<isa>.h before. */
#ifndef PD_KERNELS_IMAGE_VEC_H
#define PD_KERNELS_IMAGE_VEC_H

#include <string.h>

#include "kernels/kernels_isa.h"

#define RGB 3
#define BYTES (4 * LANES) /* of one output row at a time: a cache line or half of one of every source row */

static inline vec_i32 add_tap(vec_i32 sum, const uint8_t *in, int32_t weight)
{
    return vec_i32_add(sum, vec_i32_mul(vec_i32_of_u8(in), vec_i32_set(weight)));
}

/* BYTES bytes of output i, from column `in` of the source. */
static void weigh_bytes(const pd_resize *r, size_t i, const uint8_t *in, size_t ld_in, uint8_t *out)
{
    const int32_t *weight = r->weight + i * r->weights_max;
    vec_i32 sum[4];
#pragma GCC unroll 4
    for (size_t part = 0; part < 4; part++)
        sum[part] = vec_i32_set(1 << (PD_RESIZE_BITS - 1));
    for (size_t tap = 0; tap < r->count[i]; tap++, in += ld_in)
#pragma GCC unroll 4
        for (size_t part = 0; part < 4; part++)
            sum[part] = add_tap(sum[part], in + part * LANES, weight[tap]);
#pragma GCC unroll 4
    for (size_t part = 0; part < 4; part++)
        vec_i32_store_u8(out + part * LANES, vec_i32_shift_right(sum[part], PD_RESIZE_BITS), LANES);
}

/* The last n < BYTES bytes of output i. */
static void weigh_tail(const pd_resize *r, size_t i, const uint8_t *in, size_t ld_in, size_t n, uint8_t *out)
{
    const int32_t *weight = r->weight + i * r->weights_max;
    for (size_t first = 0; first < n; first += LANES) {
        const size_t left = n - first < LANES ? n - first : LANES;
        vec_i32 sum = vec_i32_set(1 << (PD_RESIZE_BITS - 1));
        for (size_t tap = 0; tap < r->count[i]; tap++) {
            uint8_t bytes[LANES] = { 0 };
            memcpy(bytes, in + tap * ld_in + first, left);
            sum = add_tap(sum, bytes, weight[tap]);
        }
        vec_i32_store_u8(out + first, vec_i32_shift_right(sum, PD_RESIZE_BITS), left);
    }
}

static void resize_columns(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t width, uint8_t *out,
                           size_t ld_out)
{
    const size_t n = width * RGB;
    for (size_t i = 0; i < r->n_out; i++) {
        const uint8_t *from = in + r->first[i] * ld_in;
        uint8_t *to = out + i * ld_out;
        size_t byte = 0;
        for (; byte + BYTES <= n; byte += BYTES)
            weigh_bytes(r, i, from + byte, ld_in, to + byte);
        if (byte < n)
            weigh_tail(r, i, from + byte, ld_in, n - byte, to + byte);
    }
}

/* Three vectors hold LANES whole pixels, so the factors repeat after three. */
static void normalise_rgb(const uint8_t *x, size_t n, const float mul[3], const float add[3], float *y)
{
    float factors[RGB * LANES], shifts[RGB * LANES];
    for (size_t i = 0; i < RGB * LANES; i++) {
        factors[i] = mul[i % RGB];
        shifts[i] = add[i % RGB];
    }
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t part = 0; part < RGB; part++) {
            const size_t at = part * LANES;
            vec_store(y + i * RGB + at,
                      vec_mul_add(vec_of_u8(x + i * RGB + at), vec_load(factors + at), vec_load(shifts + at)));
        }
    for (size_t byte = i * RGB; byte < n * RGB; byte++)
        y[byte] = (float)x[byte] * mul[byte % RGB] + add[byte % RGB];
}

#endif
