/* depthwise_vec.h: private to kernels: the depthwise convolution on vectors; include a vec_<isa>.h before.
 *
 * Channels are the vectors and the innermost loop. Pixels whose three columns all lie inside the picture go four at a
 * time, so that neighbours share the loads of what they overlap in; the others one at a time with fewer columns. Rows
 * outside are left out by the range of ky. So no channel loop ever asks where it is. */
#ifndef PD_KERNELS_DEPTHWISE_VEC_H
#define PD_KERNELS_DEPTHWISE_VEC_H

#include <stdbool.h>

#include "kernels/kernels_isa.h"

#define TAPS 3
#define PIXELS_MAX 4

#define FORCE_INLINE static inline __attribute__((always_inline))

/* The taps of one output row, or of a part of it, that lie inside the picture: [first, end). */
struct taps {
    size_t first, end;
};

/* Of an output at `at`: tap t reads at * stride + t * dilation - pad. */
static struct taps find_taps(size_t at, const pd_depthwise *d, size_t pad, size_t size)
{
    struct taps taps = { 0, TAPS };
    while (taps.first < TAPS && at * d->stride + taps.first * d->dilation < pad)
        taps.first++;
    while (taps.end > taps.first && at * d->stride + (taps.end - 1) * d->dilation >= size + pad)
        taps.end--;
    return taps;
}

/* Neighbours in one output row with the same taps: where those begin, row by row of the kernel. */
struct window {
    const float *x[TAPS], *w[TAPS];
    size_t rows, columns;
    float *y;
};

static struct window open_window(const pd_depthwise *d, struct taps ky, struct taps kx, size_t oy, size_t ox)
{
    struct window window = { .rows = ky.end - ky.first, .columns = kx.end - kx.first };
    window.y = d->y + (oy * d->w_out + ox) * d->channels;
    for (size_t row = 0; row < window.rows; row++) {
        const size_t y = oy * d->stride + (ky.first + row) * d->dilation - d->pad_top;
        const size_t x = ox * d->stride + kx.first * d->dilation - d->pad_left;
        window.x[row] = d->x + (y * d->w_in + x) * d->channels;
        window.w[row] = d->w + ((ky.first + row) * TAPS + kx.first) * d->channels;
    }
    return window;
}

/* How a window moves; constants wherever a network's common shapes allow it. */
struct shape {
    size_t pixels, rows, columns, stride, dilation;
};

/* One vector of channels of all pixels. `part`: fewer channels than lanes are left. */
FORCE_INLINE void convolve(const pd_depthwise *d, const struct window *window, const struct shape s, size_t channel,
                           const bool part)
{
    const size_t channels = d->channels, left = channels - channel;
    vec sum[PIXELS_MAX];
#pragma GCC unroll 4
    for (size_t i = 0; i < s.pixels; i++)
        sum[i] = part ? vec_load_part(d->bias + channel, left) : vec_load(d->bias + channel);
#pragma GCC unroll 3
    for (size_t row = 0; row < s.rows; row++)
#pragma GCC unroll 3
        for (size_t column = 0; column < s.columns; column++) {
            const float *w = window->w[row] + column * channels + channel;
            const vec weight = part ? vec_load_part(w, left) : vec_load(w);
#pragma GCC unroll 4
            for (size_t i = 0; i < s.pixels; i++) {
                const float *x = window->x[row] + (i * s.stride + column * s.dilation) * channels + channel;
                sum[i] = vec_mul_add(weight, part ? vec_load_part(x, left) : vec_load(x), sum[i]);
            }
        }
    const bool clamp = d->activation == PD_ACTIVATION_RELU6;
#pragma GCC unroll 4
    for (size_t i = 0; i < s.pixels; i++) {
        const vec value = clamp ? vec_max(vec_set(0.0f), vec_min(vec_set(6.0f), sum[i])) : sum[i];
        if (part)
            vec_store_part(window->y + i * channels + channel, value, left);
        else
            vec_store(window->y + i * channels + channel, value);
    }
}

FORCE_INLINE void convolve_channels(const pd_depthwise *d, const struct window *window, const struct shape s)
{
    size_t channel = 0;
    for (; channel + LANES <= d->channels; channel += LANES)
        convolve(d, window, s, channel, false);
    if (channel < d->channels)
        convolve(d, window, s, channel, true);
}

/* PIXELS_MAX neighbours with all columns. */
static void convolve_inside(const pd_depthwise *d, const struct window *window)
{
    const bool common = d->dilation == 1 && window->rows == TAPS;
    if (common && d->stride == 1)
        convolve_channels(d, window, (struct shape){ PIXELS_MAX, TAPS, TAPS, 1, 1 });
    else if (common && d->stride == 2)
        convolve_channels(d, window, (struct shape){ PIXELS_MAX, TAPS, TAPS, 2, 1 });
    else
        convolve_channels(d, window, (struct shape){ PIXELS_MAX, window->rows, TAPS, d->stride, d->dilation });
}

static void convolve_one(const pd_depthwise *d, const struct window *window)
{
    if (d->dilation == 1 && window->rows == TAPS && window->columns == TAPS)
        convolve_channels(d, window, (struct shape){ 1, TAPS, TAPS, 1, 1 });
    else
        convolve_channels(d, window, (struct shape){ 1, window->rows, window->columns, d->stride, d->dilation });
}

static bool has_all(struct taps taps) { return taps.first == 0 && taps.end == TAPS; }

static void depthwise(const pd_depthwise *d)
{
    for (size_t oy = 0; oy < d->h_out; oy++) {
        const struct taps ky = find_taps(oy, d, d->pad_top, d->h_in);
        for (size_t ox = 0; ox < d->w_out;) {
            const struct taps kx = find_taps(ox, d, d->pad_left, d->w_in);
            const struct window window = open_window(d, ky, kx, oy, ox);
            const size_t last = ox + PIXELS_MAX - 1;
            if (has_all(kx) && last < d->w_out && has_all(find_taps(last, d, d->pad_left, d->w_in))) {
                convolve_inside(d, &window);
                ox += PIXELS_MAX;
            } else {
                convolve_one(d, &window);
                ox++;
            }
        }
    }
}

#endif
