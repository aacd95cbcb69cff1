#include "nn/nn.h"

#include <string.h>

#define KERNEL 3 /* rows and columns of every window here */

/* Widened rows kept at a time, in floats (256 KiB): they and the filtered rows stay in a second-level cache. */
#define BAND_FLOATS ((size_t)64 << 10)

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

static size_t pad_along(size_t in, size_t stride, bool tf_padding)
{
    if (!tf_padding)
        return KERNEL - 1;
    const size_t rest = in % stride ? in % stride : stride;
    return KERNEL > rest ? KERNEL - rest : 0;
}

static size_t count_out(size_t in, size_t pad, size_t stride, size_t dilation)
{
    const size_t padded = in + pad * dilation, reach = dilation * (KERNEL - 1) + 1;
    return padded >= reach ? (padded - reach) / stride + 1 : 0;
}

pd_window pd_window_make(size_t h_in, size_t w_in, size_t stride, size_t dilation, bool tf_padding)
{
    const size_t pad_h = pad_along(h_in, stride, tf_padding), pad_w = pad_along(w_in, stride, tf_padding);
    return (pd_window){ .h_in = h_in,
                        .w_in = w_in,
                        .h_out = count_out(h_in, pad_h, stride, dilation),
                        .w_out = count_out(w_in, pad_w, stride, dilation),
                        .stride = stride,
                        .dilation = dilation,
                        .pad_top = pad_h / 2 * dilation,
                        .pad_left = pad_w / 2 * dilation };
}

/* Rows of the window's input that output rows [first, end) read: [*ret_first, *ret_end). */
static void find_rows(const pd_window *window, size_t first, size_t end, size_t *ret_first, size_t *ret_end)
{
    const size_t top = first * window->stride, bottom = (end - 1) * window->stride + window->dilation * (KERNEL - 1);
    *ret_first = smaller(top > window->pad_top ? top - window->pad_top : 0, window->h_in);
    *ret_end = bottom >= window->pad_top ? smaller(bottom - window->pad_top + 1, window->h_in) : 0;
    *ret_end = larger(*ret_end, *ret_first);
}

/* Output rows of one band: as many as let the widened rows beneath them fit, at least 1. */
static size_t band_rows(const pd_mobile *mobile)
{
    const pd_window *window = &mobile->window;
    const size_t fit = BAND_FLOATS / (window->w_in * mobile->expand.n), reach = window->dilation * (KERNEL - 1) + 1;
    const size_t rows = fit > reach ? (fit - reach) / window->stride + 1 : 1;
    return smaller(rows, window->h_out);
}

/* Widened rows beneath one band. */
static size_t wide_rows(const pd_mobile *mobile)
{
    const pd_window *window = &mobile->window;
    const size_t rows = (band_rows(mobile) - 1) * window->stride + window->dilation * (KERNEL - 1) + 1;
    return smaller(rows, window->h_in);
}

size_t pd_mobile_need(const pd_mobile *mobile)
{
    const pd_window *window = &mobile->window;
    const size_t wide_pixels = wide_rows(mobile) * window->w_in, pixels = band_rows(mobile) * window->w_out;
    const size_t columns = mobile->stem ? pd_arena_need(wide_pixels * mobile->expand.k, sizeof(float)) : 0;
    return pd_arena_need(wide_pixels * mobile->expand.n, sizeof(float)) +
           pd_arena_need(pixels * mobile->expand.n, sizeof(float)) +
           larger(columns + pd_linear_need(&mobile->expand, wide_pixels), pd_linear_need(&mobile->reduce, pixels));
}

/* The pixels under the window of output row y as matrix rows: [w_out, 9 * channels], zeros beyond the picture. */
static void gather_windows(const pd_window *window, const float *x, size_t channels, size_t y, float *ret_rows)
{
    const size_t row_floats = KERNEL * KERNEL * channels;
    for (size_t ox = 0; ox < window->w_out; ox++)
        for (size_t ky = 0; ky < KERNEL; ky++)
            for (size_t kx = 0; kx < KERNEL; kx++) {
                const size_t iy = y * window->stride + ky * window->dilation - window->pad_top; /* wraps: outside */
                const size_t ix = ox * window->stride + kx * window->dilation - window->pad_left;
                float *to = ret_rows + ox * row_floats + (ky * KERNEL + kx) * channels;
                if (iy < window->h_in && ix < window->w_in)
                    memcpy(to, x + (iy * window->w_in + ix) * channels, channels * sizeof *to);
                else
                    memset(to, 0, channels * sizeof *to);
            }
}

/* Rows [first, end) of the widened map, from the block's input x. */
static void widen(const pd_nn *nn, const pd_mobile *mobile, const float *x, size_t first, size_t end, float *ret_wide)
{
    const size_t w = mobile->window.w_in, k = mobile->expand.k, mark = nn->arena->used;
    const float *rows = x + first * w * k;
    if (mobile->stem) {
        float *columns = pd_arena_take(nn->arena, (end - first) * w * k, sizeof *columns);
        for (size_t y = first; y < end; y++)
            gather_windows(&mobile->picture, x, k / (KERNEL * KERNEL), y, columns + (y - first) * w * k);
        rows = columns;
    }
    pd_linear_run(nn, &mobile->expand, rows, k,
                  &(pd_gemm){ .m = (end - first) * w,
                              .activation = PD_ACTIVATION_RELU6,
                              .c = ret_wide,
                              .ld_c = mobile->expand.n });
    pd_arena_rewind(nn->arena, mark);
}

void pd_mobile_run(const pd_nn *nn, const pd_mobile *mobile, const float *x, float *y)
{
    const pd_window *window = &mobile->window;
    const size_t mark = nn->arena->used, band = band_rows(mobile), channels = mobile->expand.n;
    const size_t row_floats = window->w_in * channels;
    float *wide = pd_arena_take(nn->arena, wide_rows(mobile) * row_floats, sizeof *wide);
    float *filtered = pd_arena_take(nn->arena, band * window->w_out * channels, sizeof *filtered);
    size_t have_first = 0, have_end = 0; /* rows of the widened map that `wide` holds */

    for (size_t oy = 0; oy < window->h_out; oy += band) {
        const size_t oy_end = smaller(oy + band, window->h_out), m = (oy_end - oy) * window->w_out;
        size_t first, end;
        find_rows(window, oy, oy_end, &first, &end);
        if (first < have_end)
            memmove(wide, wide + (first - have_first) * row_floats, (have_end - first) * row_floats * sizeof *wide);
        else
            have_end = first;
        have_first = first;
        if (have_end < end)
            widen(nn, mobile, x, have_end, end, wide + (have_end - first) * row_floats);
        have_end = larger(have_end, end);
        const size_t top = oy * window->stride;
        nn->kernels->depthwise(&(pd_depthwise){ .h_in = end - first,
                                                .w_in = window->w_in,
                                                .h_out = oy_end - oy,
                                                .w_out = window->w_out,
                                                .channels = channels,
                                                .stride = window->stride,
                                                .dilation = window->dilation,
                                                .pad_top = window->pad_top > top ? window->pad_top - top : 0,
                                                .pad_left = window->pad_left,
                                                .x = wide,
                                                .w = mobile->w,
                                                .bias = mobile->bias,
                                                .activation = PD_ACTIVATION_RELU6,
                                                .y = filtered });
        const size_t n = mobile->reduce.n, at = oy * window->w_out * n;
        pd_linear_run(
            nn, &mobile->reduce, filtered, channels,
            &(pd_gemm){
                .m = m, .residual = mobile->residual ? x + at : NULL, .ld_residual = n, .c = y + at, .ld_c = n });
    }
    pd_arena_rewind(nn->arena, mark);
}
