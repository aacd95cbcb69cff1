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

/* Neighbours in one output row that go together: `n` pixels, each with the same taps. */
struct pixels {
    struct taps ky, kx;
    size_t origin; /* element of x under tap (0, 0) of the first; wraps below 0 where that tap is outside */
    float *y;
};

/* One vector of channels of n neighbours. `part`: fewer channels than lanes are left. */
FORCE_INLINE void convolve(const pd_depthwise *d, const struct pixels *p, struct taps kx, size_t channel,
                           const size_t n, const size_t stride, const size_t dilation, const bool part)
{
    const size_t channels = d->channels, left = channels - channel;
    vec sum[PIXELS_MAX];
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++)
        sum[i] = part ? vec_load_part(d->bias + channel, left) : vec_load(d->bias + channel);
    for (size_t row = p->ky.first; row < p->ky.end; row++)
#pragma GCC unroll 3
        for (size_t column = kx.first; column < kx.end; column++) {
            const float *w = d->w + (row * TAPS + column) * channels + channel;
            const size_t origin = p->origin + channel + (row * d->dilation * d->w_in + column * dilation) * channels;
            const vec weight = part ? vec_load_part(w, left) : vec_load(w);
#pragma GCC unroll 4
            for (size_t i = 0; i < n; i++) {
                const float *x = d->x + (origin + i * stride * channels);
                sum[i] = vec_mul_add(weight, part ? vec_load_part(x, left) : vec_load(x), sum[i]);
            }
        }
    const bool clamp = d->activation == PD_ACTIVATION_RELU6;
#pragma GCC unroll 4
    for (size_t i = 0; i < n; i++) {
        const vec value = clamp ? vec_max(vec_set(0.0f), vec_min(vec_set(6.0f), sum[i])) : sum[i];
        if (part)
            vec_store_part(p->y + i * channels + channel, value, left);
        else
            vec_store(p->y + i * channels + channel, value);
    }
}

FORCE_INLINE void convolve_channels(const pd_depthwise *d, const struct pixels *p, struct taps kx, const size_t n,
                                    const size_t stride, const size_t dilation)
{
    size_t channel = 0;
    for (; channel + LANES <= d->channels; channel += LANES)
        convolve(d, p, kx, channel, n, stride, dilation, false);
    if (channel < d->channels)
        convolve(d, p, kx, channel, n, stride, dilation, true);
}

/* PIXELS_MAX neighbours with all columns; the strides in use are constants here, so that equal loads become one. */
static void convolve_inside(const pd_depthwise *d, const struct pixels *p)
{
    const struct taps all = { 0, TAPS };
    if (d->dilation == 1 && d->stride == 1)
        convolve_channels(d, p, all, PIXELS_MAX, 1, 1);
    else if (d->dilation == 1 && d->stride == 2)
        convolve_channels(d, p, all, PIXELS_MAX, 2, 1);
    else
        convolve_channels(d, p, all, PIXELS_MAX, d->stride, d->dilation);
}

static void convolve_one(const pd_depthwise *d, const struct pixels *p)
{
    convolve_channels(d, p, p->kx, 1, d->stride, d->dilation);
}

static bool has_all(struct taps taps) { return taps.first == 0 && taps.end == TAPS; }

static void depthwise(const pd_depthwise *d)
{
    for (size_t oy = 0; oy < d->h_out; oy++) {
        struct pixels p = { .ky = find_taps(oy, d, d->pad_top, d->h_in) };
        const size_t row = (oy * d->stride - d->pad_top) * d->w_in;
        for (size_t ox = 0; ox < d->w_out;) {
            p.kx = find_taps(ox, d, d->pad_left, d->w_in);
            p.origin = (row + ox * d->stride - d->pad_left) * d->channels;
            p.y = d->y + (oy * d->w_out + ox) * d->channels;
            const size_t last = ox + PIXELS_MAX - 1;
            if (has_all(p.kx) && last < d->w_out && has_all(find_taps(last, d, d->pad_left, d->w_in))) {
                convolve_inside(d, &p);
                ox += PIXELS_MAX;
            } else {
                convolve_one(d, &p);
                ox++;
            }
        }
    }
}

#endif
