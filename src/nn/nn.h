/* nn.h: the blocks that the towers are built of, on views; nothing here allocates.
 *
 * Every function takes a pd_nn: the kernels to use and the arena for scratch space. A block gives back what it took
 * before it returns; pd_<block>_need says how much that is at most, so that a session can size its arena once. Weights
 * are borrowed views, immutable, shared by all threads; a pd_nn belongs to one thread.
 *
 * Matrices are row-major, activations NHWC: see kernels.h. */
#ifndef PD_NN_NN_H
#define PD_NN_NN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "kernels/kernels.h"

#define PD_NN_NAME_BYTES 64 /* longest name that a tap is given, NUL included */

struct pd_linear;

typedef struct pd_nn {
    const pd_kernels *kernels;
    pd_arena *arena;
    /* NULL, or sees intermediate tensors (tests): dims has `rank` elements. Borrowed for the call. */
    void (*tap)(void *user, const char *name, const float *data, size_t rank, const size_t *dims);
    void *tap_user;
    /* NULL, or sees the inputs of every linear layer, x: [m, k], before it runs (calibration). Borrowed for the call.
     */
    void (*observe)(void *user, const struct pd_linear *linear, const float *x, size_t ld_x, size_t m);
    void *observe_user;
} pd_nn;

/* A linear layer or pointwise convolution, weights [n, k] packed for one of the GEMMs: the first of the packed forms
 * that is there. */
typedef struct pd_linear {
    size_t n, k;
    const float *bias;           /* [n] */
    const float *packed;         /* pd_pack_f32 */
    const uint16_t *packed_bf16; /* pd_pack_bf16 */
    pd_weights_i8 packed_i8;     /* pd_pack_i8 */
} pd_linear;

size_t pd_linear_need(const pd_linear *linear, size_t m);

/* out says m, c, ld_c, the activation and the residual; n, k and the bias are the layer's. x: [m, k]. */
void pd_linear_run(const pd_nn *nn, const pd_linear *linear, const float *x, size_t ld_x, const pd_gemm *out);

/* One pre-norm transformer block. The gain and bias of the layer norms are folded into qkv and fc1. */
typedef struct pd_block {
    pd_linear qkv; /* [3 * width, width]: rows of q, then k, then v */
    pd_linear out; /* [width, width] */
    pd_linear fc1; /* [width_mlp, width] */
    pd_linear fc2; /* [width, width_mlp] */
} pd_block;

typedef struct pd_encoder {
    const char *name; /* in the names of taps: "text", "vision" */
    size_t width, width_mlp, n_heads, n_layers;
    float eps;
    pd_activation activation;
    bool causal;
    const pd_block *blocks; /* [n_layers] */
} pd_encoder;

/* tapped: pd_nn.tap will be set, which takes a copy of x. */
size_t pd_encoder_need(const pd_encoder *encoder, size_t n_tokens, bool tapped);

/* Runs all blocks over x: [n_tokens, width], in place. Only row `row` of the result is meant to be used: the last block
 * computes no other (unless tapped or observed). Taps: <name>_layer_<i>, and before the residual is added
 * <name>_layer_<i>_attn, <name>_layer_<i>_mlp; [n_tokens, width]. */
void pd_encoder_run(const pd_nn *nn, const pd_encoder *encoder, float *x, size_t n_tokens, size_t row);

/* Where a 3 x 3 convolution reads: padding at the start only, for what lies beyond the end is zero as well. */
typedef struct pd_window {
    size_t h_in, w_in, h_out, w_out;
    size_t stride, dilation, pad_top, pad_left;
} pd_window;

/* TensorFlow's "same" padding (the odd pixel at the end, all of it multiplied by the dilation, as transformers'
 * apply_tf_padding does), or symmetric padding by `dilation`. All sizes >= 1. */
pd_window pd_window_make(size_t h_in, size_t w_in, size_t stride, size_t dilation, bool tf_padding);

/* MobileNetV2's inverted residual: widen, filter each channel by 3 x 3, narrow, add the input where the shape allows.
 * The stem is the same thing with a 3 x 3 convolution of the picture in place of the pointwise widening. */
typedef struct pd_mobile {
    bool stem;
    pd_window picture; /* of the stem's first convolution */
    pd_linear expand;  /* [channels, c_in], with relu6; stem: [channels, 9 * c_in] in order y, x, channel */
    pd_window window;  /* of the depthwise convolution */
    const float *w;    /* [9, channels] */
    const float *bias; /* [channels] */
    pd_linear reduce;  /* [c_out, channels] */
    bool residual;     /* c_in == c_out, stride 1 */
} pd_mobile;

size_t pd_mobile_need(const pd_mobile *mobile);

/* x: [h_in * w_in, c_in] -> y: [h_out * w_out, c_out], not x. Works in bands of rows, so that the widened activations
 * (the largest of the network) stay in the cache and need little scratch space. */
void pd_mobile_run(const pd_nn *nn, const pd_mobile *mobile, const float *x, float *y);

/* Mean of the m rows of x [m, k]. */
void pd_pool_mean(const float *x, size_t m, size_t k, float *ret_mean);

/* Copies the patches of x [side, side, 3] as rows [n * n, patch * patch * 3], n = side / patch, order y, x, channel. */
void pd_patches_gather(const float *x, size_t side, size_t patch, float *ret_rows);

/* Divides by the Euclidean length. False, x untouched, when that is 0 or not finite. */
bool pd_unit_make(float *x, size_t n);

/* Calls the tap, if there is one, with a matrix, or with the map of a picture. */
void pd_nn_tap_rows(const pd_nn *nn, const char *name, const float *data, size_t m, size_t k);
void pd_nn_tap_map(const pd_nn *nn, const char *name, const float *data, size_t h, size_t w, size_t channels);

#endif
