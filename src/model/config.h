/* config.h: what a model directory says about itself, read and checked once. Private to the room.
 *
 * Sources: config.json and preprocessor_config.json of Hugging Face directories. Fields that are absent or null have
 * the defaults of transformers' CLIPTextConfig, CLIPVisionConfig, MobileNetV2Config and image processors. A config
 * that was read is within the limits below, and its sizes fit each other. Immutable value. */
#ifndef PD_MODEL_CONFIG_H
#define PD_MODEL_CONFIG_H

#include "base/error.h"
#include "base/str.h"
#include "kernels/kernels.h"
#include "model/model.h"

#define PD_CONFIG_BYTES_MAX ((size_t)1 << 20) /* of each file */
#define PD_CONFIG_LAYERS_MAX 128
#define PD_CONFIG_WIDTH_MAX 16384       /* of a residual stream */
#define PD_CONFIG_IMAGE_TOKENS_MAX 8192 /* patches of a picture, and the class token */
#define PD_CONFIG_EOS_LEGACY 2          /* eos of configs before 2023: the place of the largest id is pooled */

typedef enum pd_vision_kind { PD_VISION_VIT, PD_VISION_MOBILENET_V2 } pd_vision_kind;

/* The shape of a transformer tower. */
typedef struct pd_tower_config {
    size_t width, width_mlp, n_layers, n_heads;
    pd_activation activation;
    float eps; /* of its layer norms */
} pd_tower_config;

typedef struct pd_text_config {
    pd_tower_config tower;
    size_t vocabulary, n_positions;
    int32_t eos; /* the id whose first place is pooled; or PD_CONFIG_EOS_LEGACY */
} pd_text_config;

typedef struct pd_vit_config {
    pd_tower_config tower;
    size_t patch; /* px */
} pd_vit_config;

typedef struct pd_mobilenet_config {
    double depth_multiplier, expand_ratio;
    size_t divisible_by, depth_min, output_stride;
    bool tf_padding, finegrained_output;
    float eps; /* of the batch norms */
} pd_mobilenet_config;

typedef enum pd_filter { PD_FILTER_BICUBIC, PD_FILTER_BILINEAR } pd_filter; /* of Pillow: with antialiasing */

/* Resize the short side to `short_side`, cut or pad to side x side (`square`: resize both sides to `side`, whatever
 * that does to the proportions), then value * mul + add per channel. */
typedef struct pd_preprocess_config {
    size_t short_side, side;
    bool square;
    pd_filter filter;
    float mul[3], add[3];
} pd_preprocess_config;

typedef struct pd_config {
    size_t dim;                              /* of embeddings */
    const char *text_prefix, *vision_prefix; /* of tensor names */
    pd_text_config text;
    pd_vision_kind vision;
    pd_vit_config vit;
    pd_mobilenet_config mobilenet;
    pd_preprocess_config preprocess;
} pd_config;

/* Reads both files of `dir`; errors name the file and the field. */
PD_MUST_USE pd_status pd_config_read(pd_config *ret_config, const char *dir, pd_error *err);

/* The same from the files' bytes. */
PD_MUST_USE pd_status pd_config_parse(pd_config *ret_config, pd_str config, pd_str preprocessor, pd_error *err);

#endif
