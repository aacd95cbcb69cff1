/* towers.h: the networks of the room: CLIP's text tower, CLIP's vision transformer, MobileNetV2. Private to the room.
 *
 * Each is made from a config and tensors (prepare), is immutable then, says what scratch space a run needs, and runs on
 * a pd_nn. Embeddings come out projected, not yet normalised. `tapped`: pd_nn.tap will be set. */
#ifndef PD_MODEL_TOWERS_H
#define PD_MODEL_TOWERS_H

#include "model/config.h"
#include "model/draft.h"
#include "nn/nn.h"

#define PD_MOBILENET_BLOCKS 17 /* the stem and 16 inverted residuals */

typedef struct pd_text_tower {
    pd_text_config config;
    pd_tensor tokens;       /* [vocabulary, width], in the mapped weights */
    const float *positions; /* [n_positions, width] */
    pd_block *blocks;       /* owned */
    pd_encoder encoder;
    const float *norm_w, *norm_b; /* [width], final layer norm */
    pd_linear projection;         /* [dim, width] */
} pd_text_tower;

PD_MUST_USE pd_status pd_text_tower_prepare(pd_text_tower *ret_tower, const pd_config *config, pd_preparer *preparer);
void pd_text_tower_done(pd_text_tower *tower);
size_t pd_text_tower_need(const pd_text_tower *tower, bool tapped);

/* ids: n_ids <= n_positions of them, each within the vocabulary. What stands behind the pooled token cannot be seen by
 * it and is left out, unless tapped. Taps: text_embeddings, those of the encoder, text_final_ln (all [n_ids, width]),
 * text_pooled [1, width], text_embeds [1, dim]. */
void pd_text_tower_run(const pd_nn *nn, const pd_text_tower *tower, const int32_t *ids, size_t n_ids,
                       float *ret_embedding);

typedef struct pd_vit_tower {
    pd_vit_config config;
    size_t side, n_patches;                       /* input px; patches of a picture */
    pd_linear patches;                            /* [width, patch * patch * 3] */
    const float *class_token, *positions;         /* [width], [n_patches + 1, width] */
    const float *pre_w, *pre_b, *post_w, *post_b; /* [width], layer norms before and after */
    pd_block *blocks;                             /* owned */
    pd_encoder encoder;
    pd_linear projection; /* [dim, width] */
} pd_vit_tower;

PD_MUST_USE pd_status pd_vit_tower_prepare(pd_vit_tower *ret_tower, const pd_config *config, pd_preparer *preparer);
void pd_vit_tower_done(pd_vit_tower *tower);
size_t pd_vit_tower_need(const pd_vit_tower *tower, bool tapped);

/* input: [side, side, 3]. Taps: vision_embeddings, vision_pre_ln, those of the encoder ([n_patches + 1, width]),
 * vision_pooled [1, width], image_embeds [1, dim]. */
void pd_vit_tower_run(const pd_nn *nn, const pd_vit_tower *tower, const float *input, float *ret_embedding);

typedef struct pd_mobilenet_tower {
    pd_mobile blocks[PD_MOBILENET_BLOCKS]; /* the stem first */
    pd_linear head;                        /* conv_1x1, with relu6 */
    pd_linear projection;                  /* [dim, head.n] */
} pd_mobilenet_tower;

PD_MUST_USE pd_status pd_mobilenet_tower_prepare(pd_mobilenet_tower *ret_tower, const pd_config *config,
                                                 pd_preparer *preparer);
size_t pd_mobilenet_tower_need(const pd_mobilenet_tower *tower);

/* Vectors of the last map, each of head.n. */
size_t pd_mobilenet_tower_map(const pd_mobilenet_tower *tower);

/* input: [side, side, 3]. ret_map: the last map, [pd_mobilenet_tower_map, head.n], rows of pixels in order y, x; or
 * NULL. Taps: stem, layer_0 .. layer_15, vision_map ([h, w, channels], NHWC), vision_pooled [1, head.n], image_embeds
 * [1, dim]. */
void pd_mobilenet_tower_run(const pd_nn *nn, const pd_mobilenet_tower *tower, const float *input, float *ret_map,
                            float *ret_embedding);

/* What the parts of a pre-norm encoder's blocks are called in the file, behind the block's own name. */
typedef struct pd_block_names {
    const char *block; /* "encoder.layers." and the block's number and a dot */
    const char *qkv[3];
    size_t n_qkv; /* 1: fused, rows in the same order */
    const char *out, *fc1, *fc2, *norm1, *norm2;
} pd_block_names;

extern const pd_block_names pd_clip_block_names; /* both CLIP towers */

/* The blocks of an encoder, "<prefix>encoder.layers.<i>.". encoder: its shape. rows: [n_rows, width], what the first
 * block gets in calibration, changed to what the last one gives; NULL when nothing is fresh. */
typedef struct pd_block_source {
    const char *prefix;
    const pd_block_names *names;
} pd_block_source;
PD_MUST_USE pd_status pd_blocks_prepare(pd_block *ret_blocks, const pd_block_source *source, const pd_encoder *encoder,
                                        float *rows, size_t n_rows, pd_preparer *preparer);

/* Where a projection without bias comes from, [dim, width]. */
pd_linear_source pd_projection_source(const char *name, size_t dim, size_t width);

#endif
