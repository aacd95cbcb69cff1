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
#include <stdint.h>

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

#define PD_EVERY_ROW SIZE_MAX

/* Runs all blocks over x: [n_tokens, width], in place. Only row `row` of the result is meant to be used (or
 * PD_EVERY_ROW): the last block computes no other (unless tapped or observed). Taps: <name>_layer_<i>, and before the
 * residual is added <name>_layer_<i>_attn, <name>_layer_<i>_mlp; [n_tokens, width]. */
void pd_encoder_run(const pd_nn *nn, const pd_encoder *encoder, float *x, size_t n_tokens, size_t row);

/* One block of a BERT-type decoder: self-attention, attention to another sequence (the memory: a picture's patches) and
 * MLP, each added to what came before and normalised then (transformers: modeling_bert.py, modeling_blip_text.py). */
typedef struct pd_writer_block {
    pd_linear qkv;                                    /* [3 * width, width]: rows of q, then k, then v */
    pd_linear out;                                    /* [width, width] */
    pd_linear cross_q;                                /* [width, width] */
    pd_linear cross_kv;                               /* [2 * width, width of the memory] */
    pd_linear cross_out;                              /* [width, width] */
    pd_linear fc1;                                    /* [width_mlp, width] */
    pd_linear fc2;                                    /* [width, width_mlp] */
    const float *self_w, *self_b, *cross_w, *cross_b; /* [width], the layer norms behind each */
    const float *mlp_w, *mlp_b;
} pd_writer_block;

/* A decoder that writes text about a memory, token by token, for several beams at once. */
typedef struct pd_writer {
    size_t width, width_mlp, width_memory, n_heads, n_layers;
    float eps;
    pd_activation activation;
    const pd_writer_block *blocks; /* [n_layers] */
} pd_writer;

/* Some rows go through all blocks at once: the newest token of every beam, or a whole prompt. Keys and values of every
 * token are kept in slots, and a row's path names the slots that it sees: beams that part share what they had in
 * common, and nothing is moved. */
typedef struct pd_writer_step {
    size_t n_rows;
    float *x;              /* [n_rows, width]: embeddings, then results */
    const uint32_t *slots; /* [n_rows]: where the keys and values of each row go */
    const uint32_t
        *paths; /* row r sees slots paths[r * ld_paths] .. [r * ld_paths + lengths[r] - 1]; its own is last */
    const uint32_t *lengths;
    size_t ld_paths;
    float *cache; /* [n_layers, n_slots, 2 * width] */
    size_t n_slots;
    const float *memory; /* of pd_writer_remember */
    size_t n_memory;
} pd_writer_step;

/* Scratch of either function below. */
size_t pd_writer_need(const pd_writer *writer, size_t rows_max, size_t length_max, size_t n_memory);

/* Keys and values of the memory's n vectors, for all steps: ret_memory: [n_layers, n, 2 * width]. */
void pd_writer_remember(const pd_nn *nn, const pd_writer *writer, const float *vectors, size_t n, float *ret_memory);

/* Taps: text_layer_<i>_self, text_layer_<i>_cross, text_layer_<i>, all behind their layer norms; [n_rows, width]. */
void pd_writer_run(const pd_nn *nn, const pd_writer *writer, const pd_writer_step *step);

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
