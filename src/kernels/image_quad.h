/* image_quad.h: private to kernels: the row pass of a resize where vectors have 4 lanes: one pixel, and a lane to
 * spare; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_IMAGE_QUAD_H
#define PD_KERNELS_IMAGE_QUAD_H

#include "kernels/image_vec.h"

/* The fourth byte belongs to the next pixel; the last one of a row has none. */
static inline vec_i32 load_pixel(const uint8_t *in, size_t left)
{
    uint8_t bytes[LANES] = { 0 };
    memcpy(bytes, in, left > 1 ? LANES : RGB);
    return vec_i32_of_u8(bytes);
}

static void resize_rows(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t rows, uint8_t *out, size_t ld_out)
{
    size_t width = 0; /* of what outputs read: nothing beyond is known to be there */
    for (size_t i = 0; i < r->n_out; i++)
        width = r->first[i] + r->count[i] > width ? r->first[i] + r->count[i] : width;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < r->n_out; i++) {
            const size_t first = r->first[i];
            const int32_t *weight = r->weight + i * r->weights_max;
            vec_i32 sum = vec_i32_set(1 << (PD_RESIZE_BITS - 1));
            for (size_t tap = 0; tap < r->count[i]; tap++) {
                const size_t pixel = first + tap;
                const vec_i32 value = load_pixel(in + row * ld_in + pixel * RGB, width - pixel);
                sum = vec_i32_add(sum, vec_i32_mul(value, vec_i32_set(weight[tap])));
            }
            vec_i32_store_u8(out + row * ld_out + i * RGB, vec_i32_shift_right(sum, PD_RESIZE_BITS), RGB);
        }
}

#endif
