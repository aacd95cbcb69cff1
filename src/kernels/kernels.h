/* kernels.h: the arithmetic of the engine, one table of functions per instruction set.
 *
 * pd_kernels_init fills the table scalar first (kernels.c: the specification, never optimised), then lets each
 * instruction set overwrite what it does better. Tables are values, immutable after init; every function is pure:
 * no allocation, no state, any number of threads.
 *
 * Matrices are row-major; `ld` is the distance of two rows in elements. Activations are NHWC: a picture of h x w pixels
 * with c channels is a matrix [h * w, c], so that a pointwise convolution is a GEMM.
 *
 * Integer results are the same bits on every instruction set; float results agree within the bound given beside the
 * member as normalised mean squared error (checked by tests/kernels/check_kernels.c). */
#ifndef PD_KERNELS_KERNELS_H
#define PD_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Width of a panel of packed weights, in columns (outputs). The same for every instruction set and element type, so
 * that prepared weights on disk serve every CPU. */
#define PD_PANEL_COLUMNS 16

/* Changes whenever the packed layouts below change: part of the key of prepared weights on disk. */
#define PD_KERNELS_LAYOUT 1

/* Nothing here is meant for more inputs than this per output (keeps int8 sums exact in 32 bits: 255 * 127 * 65535). */
#define PD_GEMM_K_MAX 65535

typedef enum pd_activation {
    PD_ACTIVATION_NONE,
    PD_ACTIVATION_RELU6,
    PD_ACTIVATION_QUICK_GELU, /* x * sigmoid(1.702 x): OpenAI's CLIP */
    PD_ACTIVATION_GELU,       /* x * (1 + erf(x / sqrt 2)) / 2 */
    PD_ACTIVATION_GELU_TANH,  /* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): SigLIP */
    PD_ACTIVATION_COUNT
} pd_activation;

/* What a GEMM does with its sums: c[i][j] = activation(sum + bias[j]) + residual[i][j]. */
typedef struct pd_gemm {
    size_t m, n, k;        /* c is [m, n]; k is the length of the sums, 1 <= k <= PD_GEMM_K_MAX */
    const float *bias;     /* [n], or NULL */
    const float *residual; /* [m, n], or NULL; may be c itself */
    size_t ld_residual;
    pd_activation activation;
    float *c; /* [m, n], written */
    size_t ld_c;
} pd_gemm;

/* Weights [n, k] packed for gemm_f32: panels of PD_PANEL_COLUMNS outputs, each panel k rows of 16 floats:
 *     packed[panel][k][column] = w[panel * 16 + column][k], zero beyond n.          64-byte aligned. */
size_t pd_pack_f32_bytes(size_t n, size_t k);
void pd_pack_f32(const float *w, size_t n, size_t k, float *ret_packed); /* w: [n, k] */

/* Weights [n, k] quantised and packed for gemm_i8: w ~ q * scale[output], q in [-127, 127], symmetric per output.
 * Panels of 16 outputs, each panel ceil(k / 4) groups of 64 bytes:
 *     packed[panel][group][column][0..3] = q[panel * 16 + column][4 * group + 0..3], zero beyond n and k.
 * scale and sum (of the q of one output, times scale: what an activation offset of 1 adds) have ceil16(n) elements. */
typedef struct pd_weights_i8 {
    const int8_t *packed; /* 64-byte aligned */
    const float *scale;   /* [ceil16(n)] */
    const float *sum;     /* [ceil16(n)] */
} pd_weights_i8;
size_t pd_pack_i8_bytes(size_t n, size_t k);
void pd_pack_i8(const float *w, size_t n, size_t k, int8_t *ret_packed, float *ret_scale, float *ret_sum);

/* A float rounded to bf16, its upper half: to nearest, ties to even; NaN stays NaN. */
static inline uint16_t pd_bf16_of_float(float value)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
}

/* Weights [n, k] rounded to bf16 and packed for gemm_bf16: panels of 16 outputs, each panel ceil(k / 2) pairs of 64
 * bytes:
 *     packed[panel][pair][column][0..1] = w[panel * 16 + column][2 * pair + 0..1], zero beyond n and k. */
size_t pd_pack_bf16_bytes(size_t n, size_t k);
void pd_pack_bf16(const float *w, size_t n, size_t k, uint16_t *ret_packed);

/* Activations [m, k] as unsigned bytes, asymmetric per row: x ~ (q - zero) * scale, 0 exactly representable.
 * ld_q is a multiple of 4, >= k; the bytes of a row beyond k are 0. */
typedef struct pd_rows_u8 {
    uint8_t *q;   /* [m, ld_q] */
    float *scale; /* [m] */
    float *zero;  /* [m], an integer in [0, 255] */
    size_t ld_q;
} pd_rows_u8;

/* A 3 x 3 depthwise convolution over NHWC, with padding by zeros.
 * y[oy][ox][ch] = activation(bias[ch] + sum over (ky, kx) of x[oy * stride - pad_top + ky * dilation]
 *                 [ox * stride - pad_left + kx * dilation][ch] * w[ky * 3 + kx][ch]) */
typedef struct pd_depthwise {
    size_t h_in, w_in, h_out, w_out, channels;
    size_t stride, dilation, pad_top, pad_left;
    const float *x;           /* [h_in * w_in, channels] */
    const float *w;           /* [9, channels] */
    const float *bias;        /* [channels] */
    pd_activation activation; /* NONE or RELU6 */
    float *y;                 /* [h_out * w_out, channels], not x */
} pd_depthwise;

/* Softmax attention of one sequence, all heads. q, k, v are views into row-major buffers: row t of head h begins at
 * base + t * ld + h * d_head. out[t][h * d_head ..] = sum over u of softmax_u(scale * q_t . k_u) * v_u. */
typedef struct pd_attention {
    size_t n_queries, n_keys; /* the same number within one sequence; others look at another's keys */
    size_t n_heads, d_head;
    const float *q, *k, *v;
    size_t ld_q, ld; /* of q; of k and v */
    float scale;
    bool causal; /* query t sees u <= t only; as many keys as queries */
    float *out;
    size_t ld_out;
    float *scratch; /* pd_attention_scratch(n_keys) floats */
} pd_attention;
size_t pd_attention_scratch(size_t n_keys);

/* One pass of a separable resize over 8-bit RGB, as Pillow's ImagingResample does it (src/libImaging/Resample.c, "8bpc"
 * paths): for output i the source pixels first[i] .. first[i] + count[i] - 1 are weighted with
 * weight[i * weights_max ..], fixed-point with PD_RESIZE_BITS fraction bits, rounded and clipped to 8 bits. The
 * magnitudes of the weights of one output sum to less than 2 (so that sums fit 32 bits). */
#define PD_RESIZE_BITS 22
typedef struct pd_resize {
    size_t n_out;
    const uint32_t *first; /* [n_out] */
    const uint32_t *count; /* [n_out], >= 1 */
    const int32_t *weight; /* [n_out, weights_max] */
    size_t weights_max;
} pd_resize;

typedef struct pd_kernels {
    const char *name; /* of base/cpu.h's levels: "scalar", "sse2", "avx2" ... */

    /* c = a * w^T as pd_gemm says; a: [m, k] with row distance ld_a. Bound 2e-11, mostly of long sums: 7e-12 was
     * measured at k = 5003. */
    void (*gemm_f32)(const pd_gemm *g, const float *a, size_t ld_a, const float *packed);

    /* The same with a quantised by quantise_rows: sum = scale_a * (scale_w * dot - zero_a * sum_w). Dots are exact;
     * bound 1e-12 (measured 7e-14). */
    void (*gemm_i8)(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w);

    /* The same with a and the weights rounded to bf16; a: [m, k] from round_rows, ld_a even. Bound 3e-12 (measured
     * 2e-12 on AMX, 6e-13 elsewhere). */
    void (*gemm_bf16)(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed);

    /* [m, k] floats to bf16; what lies between k and ld_half becomes 0. The same bits everywhere. */
    void (*round_rows)(const float *x, size_t ld, size_t m, size_t k, uint16_t *ret_half, size_t ld_half);

    /* lo = min(row, 0), hi = max(row, 0), scale = (hi - lo) / 255 (1 where that is below FLT_MIN: a row of zeros),
     * zero = round(-lo / scale), q = clamp(round(x / scale) + zero), rounding to nearest, ties to even. Every form
     * gives the same bits of scale and zero; q is at most 1 step from the scalar form, where x / scale is near a tie.
     */
    void (*quantise_rows)(const float *x, size_t ld, size_t m, size_t k, const pd_rows_u8 *ret_rows);

    void (*depthwise)(const pd_depthwise *d); /* bound 1e-13 (measured 8e-15) */

    /* Bound 3e-12 for scores up to 20 (measured 4e-13); it grows with their square, as a float's error does under exp.
     */
    void (*attention)(const pd_attention *a);

    /* y = (x - mean) / sqrt(var + eps) * w + b over each of m rows of k; w and b NULL: 1 and 0. y may be x.
     * Bound 1e-12 (measured 3e-13). */
    void (*layer_norm)(const float *x, size_t m, size_t k, const float *w, const float *b, float eps, float *y);

    void (*activate)(pd_activation activation, float *x, size_t n); /* in place; bound 1e-12 (measured 2e-13) */

    /* Bound 1e-12 of the product of the squared lengths. */
    float (*dot_f32)(const float *a, const float *b, size_t n);
    float (*dot_f16)(const uint16_t *half, const float *b, size_t n);

    void (*float_of_half)(const uint16_t *half, size_t n, float *ret_value); /* exact; NaN stays some NaN */
    void (*half_of_float)(const float *value, size_t n, uint16_t *ret_half); /* nearest, ties to even; same */

    /* Vector scan: ret_dots[r] = sum of rows[r * dim + i] * query[i] (unsigned byte times signed byte, exact).
     * dim is a multiple of 64, <= 4096. Rows are 64-byte aligned. */
    void (*scan_u8)(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots);

    /* Rows first: in [rows, w_in, 3] -> out [rows, r->n_out, 3], distances in bytes. Exact. */
    void (*resize_rows)(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t rows, uint8_t *out, size_t ld_out);
    /* Then columns: in [h_in, width * 3] -> out [r->n_out, width * 3]. Exact. */
    void (*resize_columns)(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t width, uint8_t *out,
                           size_t ld_out);

    /* y[i][c] = x[i][c] * mul[c] + add[c] for n RGB pixels: 8-bit pixels to normalised floats. Bound 1e-12. */
    void (*normalise_rgb)(const uint8_t *x, size_t n, const float mul[3], const float add[3], float *y);
} pd_kernels;

/* Fills the table with the best form that `cpu_mask` (base/cpu.h) allows; 0 is the scalar specification. */
void pd_kernels_init(pd_kernels *ret_kernels, unsigned cpu_mask);

#endif
