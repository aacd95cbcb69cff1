/* scalar_nn.c: what stands between the matrix products of a network. */
#include <float.h>
#include <math.h>

#include "kernels/kernels_isa.h"
#include "kernels/scalar.h"

static void quantise_row(const float *x, size_t k, uint8_t *ret_q, float *ret_scale, float *ret_zero, size_t ld_q)
{
    float lo = 0.0f, hi = 0.0f;
    for (size_t i = 0; i < k; i++) {
        lo = x[i] < lo ? x[i] : lo;
        hi = x[i] > hi ? x[i] : hi;
    }
    const float exact = (hi - lo) / 255.0f;
    const float scale = exact >= FLT_MIN ? exact : 1.0f;
    const float zero = rintf(-lo / scale);
    for (size_t i = 0; i < k; i++) {
        const float q = rintf(x[i] / scale) + zero;
        ret_q[i] = q >= 255.0f ? 255 : q > 0.0f ? (uint8_t)q : 0;
    }
    for (size_t i = k; i < ld_q; i++)
        ret_q[i] = 0;
    *ret_scale = scale;
    *ret_zero = zero;
}

static void quantise_rows(const float *x, size_t ld, size_t m, size_t k, const pd_rows_u8 *ret_rows)
{
    for (size_t row = 0; row < m; row++)
        quantise_row(x + row * ld, k, ret_rows->q + row * ret_rows->ld_q, ret_rows->scale + row, ret_rows->zero + row,
                     ret_rows->ld_q);
}

static void round_rows(const float *x, size_t ld, size_t m, size_t k, uint16_t *ret_half, size_t ld_half)
{
    for (size_t row = 0; row < m; row++)
        for (size_t i = 0; i < ld_half; i++)
            ret_half[row * ld_half + i] = i < k ? pd_bf16_of_float(x[row * ld + i]) : 0;
}

/* One output of the convolution: pixel (oy, ox), one channel. */
static double convolve(const pd_depthwise *d, size_t oy, size_t ox, size_t channel)
{
    double sum = d->bias[channel];
    for (size_t ky = 0; ky < 3; ky++)
        for (size_t kx = 0; kx < 3; kx++) {
            const size_t y = oy * d->stride + ky * d->dilation - d->pad_top; /* wraps above h_in when negative */
            const size_t x = ox * d->stride + kx * d->dilation - d->pad_left;
            if (y < d->h_in && x < d->w_in)
                sum += (double)d->x[(y * d->w_in + x) * d->channels + channel] *
                       (double)d->w[(ky * 3 + kx) * d->channels + channel];
        }
    return sum;
}

static void depthwise(const pd_depthwise *d)
{
    float *y = d->y;
    for (size_t oy = 0; oy < d->h_out; oy++)
        for (size_t ox = 0; ox < d->w_out; ox++)
            for (size_t channel = 0; channel < d->channels; channel++)
                *y++ = (float)pd_scalar_activate(d->activation, convolve(d, oy, ox, channel));
}

/* Softmax over what query t sees, in scratch; returns how many tokens that are. */
static size_t weigh_tokens(const pd_attention *a, size_t t, size_t first)
{
    const size_t seen = a->causal ? t + 1 : a->n_keys;
    double largest = -INFINITY, total = 0.0;
    for (size_t u = 0; u < seen; u++) {
        double dot = 0.0;
        for (size_t i = 0; i < a->d_head; i++)
            dot += (double)a->q[t * a->ld_q + first + i] * (double)a->k[u * a->ld + first + i];
        a->scratch[u] = (float)(dot * (double)a->scale);
        largest = fmax(largest, a->scratch[u]);
    }
    for (size_t u = 0; u < seen; u++)
        total += exp(a->scratch[u] - largest);
    for (size_t u = 0; u < seen; u++)
        a->scratch[u] = (float)(exp(a->scratch[u] - largest) / total);
    return seen;
}

static void attention(const pd_attention *a)
{
    for (size_t head = 0; head < a->n_heads; head++)
        for (size_t t = 0; t < a->n_queries; t++) {
            const size_t first = head * a->d_head;
            const size_t seen = weigh_tokens(a, t, first);
            for (size_t i = 0; i < a->d_head; i++) {
                double sum = 0.0;
                for (size_t u = 0; u < seen; u++)
                    sum += (double)a->scratch[u] * (double)a->v[u * a->ld + first + i];
                a->out[t * a->ld_out + first + i] = (float)sum;
            }
        }
}

static void layer_norm(const float *x, size_t m, size_t k, const float *w, const float *b, float eps, float *y)
{
    for (size_t row = 0; row < m; row++, x += k, y += k) {
        double sum = 0.0, square = 0.0;
        for (size_t i = 0; i < k; i++)
            sum += x[i];
        const double mean = sum / (double)k;
        for (size_t i = 0; i < k; i++)
            square += (x[i] - mean) * (x[i] - mean);
        const double factor = 1.0 / sqrt(square / (double)k + (double)eps);
        for (size_t i = 0; i < k; i++)
            y[i] = (float)((x[i] - mean) * factor * (w ? w[i] : 1.0f) + (b ? b[i] : 0.0f));
    }
}

static void activate(pd_activation activation, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)pd_scalar_activate(activation, x[i]);
}

void pd_kernels_scalar_nn(pd_kernels *ret_kernels)
{
    ret_kernels->quantise_rows = quantise_rows;
    ret_kernels->round_rows = round_rows;
    ret_kernels->depthwise = depthwise;
    ret_kernels->attention = attention;
    ret_kernels->layer_norm = layer_norm;
    ret_kernels->activate = activate;
}
