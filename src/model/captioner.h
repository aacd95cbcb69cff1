/* captioner.h: a sentence for a picture. Part of model.h's contract: include that.
 *
 * A pd_captioner is a directory in Hugging Face layout, opened, checked and mapped: immutable, shared by any number of
 * threads. A pd_caption_session is one thread's scratch space over it (and over the image tower it reads), sized once.
 *
 * Families (config.json `architectures`): BlipForConditionalGeneration (its own ViT); VisionEncoderDecoderModel with a
 * BERT-type decoder, over its own ViT, or over the last map of the image tower of another directory
 * (`encoder_weights`: models/tiny-caption), which is not stored twice. One decoder with cross-attention for all. */
#ifndef PD_MODEL_CAPTIONER_H
#define PD_MODEL_CAPTIONER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_model pd_model;
typedef struct pd_model_options pd_model_options;
typedef struct pd_pixels pd_pixels;
typedef struct pd_captioner pd_captioner;

#define PD_CAPTION_BEAMS_MAX 16
#define PD_CAPTION_TOKENS_MAX 512 /* prompt and caption together; a model's own limit may be lower */
#define PD_CAPTION_TEXT_BYTES 1024

/* options->towers is ignored. Errors as pd_model_open. */
PD_MUST_USE pd_status pd_captioner_open(pd_captioner **ret_captioner, const char *dir, const pd_model_options *options,
                                        pd_error *err);
void pd_captioner_close(pd_captioner **captioner);
const char *pd_captioner_name(const pd_captioner *captioner); /* the directory's last part */
const char *pd_captioner_id(const pd_captioner *captioner);   /* as pd_model_id, the encoder's weights included */
size_t pd_captioner_bytes(const pd_captioner *captioner);     /* mapped and allocated for it, sessions not counted */
size_t pd_captioner_image_side(const pd_captioner *captioner);
/* The directory whose image tower it reads; NULL: it has its own. A session needs that model, opened with
 * PD_MODEL_VISION; another file than the one the captioner was fitted to is PD_ERR_FORMAT at session_create. */
const char *pd_captioner_encoder_dir(const pd_captioner *captioner);

/* How words are chosen. Names and meaning are those of transformers' generate() (version 5). */
typedef struct pd_caption_options {
    const char *prompt;            /* NULL: none. "a picture of": the caption goes on from it, and contains it */
    size_t n_beams;                /* 1: greedy; at most PD_CAPTION_BEAMS_MAX */
    size_t n_captions;             /* best first, at most n_beams */
    size_t max_tokens, min_tokens; /* new ones, without prompt and start */
    size_t no_repeat_ngram;        /* 0: anything may repeat */
    float length_penalty, repetition_penalty; /* 1: none */
    bool early_stopping;
} pd_caption_options;
/* What the model's generation_config.json says, with defaults that do not loop where it says nothing (5 beams,
 * 20 tokens, no 3-gram twice). */
void pd_caption_options_init(const pd_captioner *captioner, pd_caption_options *ret_options);

typedef struct pd_caption {
    char text[PD_CAPTION_TEXT_BYTES]; /* words as WordPiece joins them, without special tokens */
    float score;                      /* the beam's: sum of log-probabilities / tokens ^ length_penalty */
    float likelihood;                 /* mean log-probability of a token, [SEP] included */
    bool repeats;                     /* it says the same words over and over: doubtful, whatever else speaks for it */
} pd_caption;

typedef struct pd_caption_session pd_caption_session;
/* encoder: see pd_captioner_encoder_dir; borrowed for the life of the session; NULL when it has its own tower. */
PD_MUST_USE pd_status pd_caption_session_create(pd_caption_session **ret_session, const pd_captioner *captioner,
                                                const pd_model *encoder, pd_error *err);
void pd_caption_session_free(pd_caption_session **session);
typedef struct pd_captions {
    pd_caption *list; /* the caller's, room for options->n_captions */
    size_t n;         /* set: how many of them are there, at least one; best first */
} pd_captions;

/* ret_embedding: NULL, or [dim of encoder]: the search model's embedding of the picture, from the same run of its image
 * tower; untouched without an encoder. Allocates nothing, but for a prompt. PD_ERR_LIMIT when beams x tokens are more
 * than a session keeps (2048), or prompt and caption longer than the captioner's context. */
PD_MUST_USE pd_status pd_caption_session_write(pd_caption_session *session, const pd_pixels *pixels,
                                               const pd_caption_options *options, pd_captions *ret_captions,
                                               float *ret_embedding, pd_error *err);

/* What a captioner's directory advises for honesty (generation_config.json `rerank`, `doubt`); NAN where it is silent.
 */
typedef struct pd_caption_advice {
    float rerank_weight; /* score + weight * cosine of picture and caption in the search model */
    float doubt_cosine_below;
} pd_caption_advice;
void pd_captioner_advice(const pd_captioner *captioner, pd_caption_advice *ret_advice);

#endif
