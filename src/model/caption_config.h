/* caption_config.h: what a captioner's directory says about itself, read and checked once. Private to the room.
 *
 * Sources: config.json, generation_config.json (may be absent) and, for a captioner with its own image tower,
 * preprocessor_config.json. Fields that are absent or null have the defaults of transformers' BlipConfig,
 * VisionEncoderDecoderConfig, ViTConfig, BertConfig and image processors. Immutable value. */
#ifndef PD_MODEL_CAPTION_CONFIG_H
#define PD_MODEL_CAPTION_CONFIG_H

#include "model/config.h"
#include "model/generate.h"

#define PD_CAPTION_SUPPRESSED_MAX 64

typedef struct pd_caption_config {
    bool blip;               /* else VisionEncoderDecoderModel */
    pd_tower_config decoder; /* a BERT with cross-attention */
    size_t vocabulary, n_positions;
    size_t n_types;      /* of tokens; 0: none are added */
    size_t width_memory; /* of what the image tower gives */
    bool projects;       /* enc_to_dec_proj stands between */
    size_t width_cross;  /* what cross-attention gets: width_memory, or the decoder's width where it projects */
    int32_t start, stop;

    bool own_tower; /* a ViT; else another directory's: */
    pd_vit_config vit;
    pd_preprocess_config preprocess;
    char encoder_folder[256]; /* as config.json writes it, relative to the directory */
    char encoder_sha256[PD_SHA256_TEXT_BYTES];

    pd_caption_options options; /* the prompt is NULL */
    int32_t suppressed[PD_CAPTION_SUPPRESSED_MAX];
    size_t n_suppressed;
    pd_caption_advice advice;
} pd_caption_config;

/* Errors name the file and the field. */
PD_MUST_USE pd_status pd_caption_config_read(pd_caption_config *ret_config, const char *dir, pd_error *err);

/* The same from the files' bytes; generation and preprocessor may be empty: not there. */
PD_MUST_USE pd_status pd_caption_config_parse(pd_caption_config *ret_config, pd_str config, pd_str generation,
                                              pd_str preprocessor, pd_error *err);

#endif
