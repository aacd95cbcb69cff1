/* model.h: pictures and words as vectors of one space.
 *
 * A pd_model is a directory in Hugging Face layout, opened, checked and mapped: immutable, shared by any number of
 * threads. A pd_session is one thread's scratch space over a model: sized once at creation; embedding allocates
 * nothing.
 *
 * Families (config.json `architectures`): CLIPModel (ViT image tower), VisionTextDualEncoderModel with a MobileNetV2
 * image tower; both with CLIP's text tower and byte-level BPE. Captioners are in captioner.h, keeping models in memory
 * while they are needed in residency.h: parts of this contract. */
#ifndef PD_MODEL_MODEL_H
#define PD_MODEL_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"
#include "model/captioner.h"
#include "model/residency.h"

#define PD_MODEL_DIM_MAX 4096        /* longest embedding */
#define PD_MODEL_IMAGE_SIDE_MAX 1024 /* largest model input, px */
#define PD_MODEL_TOKENS_MAX 512      /* longest text context */

enum { PD_MODEL_TEXT = 1 << 0, PD_MODEL_VISION = 1 << 1 };

typedef enum pd_precision {
    PD_PRECISION_INT8, /* linear layers and pointwise convolutions in int8, the rest fp32; layers that int8 would harm
                        * in bf16 or fp32: model/draft.h says which */
    PD_PRECISION_FP32,
} pd_precision;

struct pd_model_options { /* typedef: model/captioner.h */
    unsigned towers;      /* PD_MODEL_TEXT | PD_MODEL_VISION: what is made ready; sessions of others are refused */
    unsigned cpu_mask;    /* of base/cpu.h */
    pd_precision precision;
    const char *cache_dir; /* where prepared weights live; NULL: prepare in memory every time */
    /* NULL, or told between two tensors how far preparing is (where there is something to prepare: once per model,
     * precision and cache): bytes of the checkpoint, of those of the towers asked for. Called by the thread that opens.
     */
    void (*progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);
    void *progress_user;
    /* NULL, or looked at between two tensors, and between pieces of what is read as a whole: PD_ERR_CANCELLED. Of the
     * tower that was being prepared nothing is kept, one that was finished before stays in the cache. */
    const atomic_bool *cancelled;
    /* NULL, or the SHA-256 (hex) that the weights will have: a file of one shard that is still arriving is opened under
     * the identity it will have, and only the towers asked for are read: tensors named text_model.* and
     * text_projection, vision_model.* and visual_projection. The header and these have to be there, and so have config
     * and tokenizer files. Nobody has checked their bytes yet, so what is prepared of them stays in memory: cache_dir
     * is not used. */
    const char *weights_sha256;
};

/* Both towers, everything the CPU has, int8, no cache. */
void pd_model_options_init(pd_model_options *ret_options);

/* Opens and prepares. A missing file, a header that lies, a tensor of the wrong shape: PD_ERR_NOT_FOUND / PD_ERR_FORMAT
 * / PD_ERR_UNSUPPORTED with a sentence that names the file and the tensor. */
PD_MUST_USE pd_status pd_model_open(pd_model **ret_model, const char *dir, const pd_model_options *options,
                                    pd_error *err);
void pd_model_close(pd_model **model);

/* SHA-256 over the tensors of the image tower of the model in `dir`, which may be arriving: those that learning depends
 * on. What was learned before all of it was here is right when the checked weights have the same. */
PD_MUST_USE pd_status pd_model_hash_vision(const char *dir, char ret_text[PD_SHA256_TEXT_BYTES], pd_error *err);

/* The id (pd_model_id) of the model in `dir`, without opening more of it than an id is made of. Errors as
 * pd_model_open. */
PD_MUST_USE pd_status pd_model_find_id(const char *dir, const char *cache_dir, char ret_id[PD_SHA256_TEXT_BYTES],
                                       pd_error *err);
/* Removes from cache_dir what was prepared of the model with this id, which must not be open; or only looks. Bytes of
 * it. */
int64_t pd_model_forget(const char *cache_dir, const char *id, bool only_counts);

size_t pd_model_dim(const pd_model *model);         /* length of an embedding */
size_t pd_model_image_side(const pd_model *model);  /* model input is side x side px */
size_t pd_model_text_tokens(const pd_model *model); /* context length, bos and eos included */
const char *pd_model_name(const pd_model *model);   /* the directory's last part: "tiny" */

/* Identity of what the model computes, as hex: SHA-256 over weights, config, preprocessor and tokenizer files. The same
 * for int8 and fp32 and for every CPU. Embeddings are stored under it. */
const char *pd_model_id(const pd_model *model);

/* Ids as the text tower takes them: ret_ids has pd_model_text_tokens elements, padded; *ret_n_used counts bos .. eos.
 */
PD_MUST_USE pd_status pd_model_tokenize(const pd_model *model, const char *text, size_t len, int32_t *ret_ids,
                                        size_t *ret_n_used, pd_error *err);

/* 8-bit RGB pixels, upright sRGB, [height, width, 3], row distance in bytes. Borrowed for the call. */
struct pd_pixels { /* typedef: model/captioner.h */
    const uint8_t *data;
    size_t width, height, row_bytes;
};

typedef struct pd_session_options {
    unsigned towers; /* what this session will run; a subset of the model's */
    /* Test hook, NULL in the product: sees intermediate tensors, dims has `rank` elements; NHWC and [token, channel]
     * order. Names: text_embeddings, text_layer_<i>_attn and text_layer_<i>_mlp (before they are added to the residual
     * stream), text_layer_<i>, text_final_ln, text_pooled, text_embeds (projected, not normalised); pixel_values;
     * for a ViT vision_embeddings, vision_pre_ln, vision_layer_<i> and its parts; for MobileNetV2 stem, layer_<i>,
     * vision_map; for both vision_pooled, image_embeds. A session with a tap computes every token; one without leaves
     * out what the pooled token does not see. Borrowed for the call. */
    void (*tap)(void *user, const char *name, const float *data, size_t rank, const size_t *dims);
    void *tap_user;
} pd_session_options;

PD_MUST_USE pd_status pd_session_create(pd_session **ret_session, const pd_model *model,
                                        const pd_session_options *options, pd_error *err);
void pd_session_free(pd_session **session);

/* ret_embedding: [pd_model_dim], L2-normalised. */
PD_MUST_USE pd_status pd_session_embed_text(pd_session *session, const char *text, size_t len, float *ret_embedding,
                                            pd_error *err);
PD_MUST_USE pd_status pd_session_embed_ids(pd_session *session, const int32_t *ids, size_t n_ids, float *ret_embedding,
                                           pd_error *err);

/* Any size from 1 x 1 px up to PD_MODEL_PIXELS_SIDE_MAX a side: resized (Pillow's antialiased bicubic, short side to
 * the model's, long side truncated), centre-cropped (padded with 0 where smaller), normalised, embedded. */
#define PD_MODEL_PIXELS_SIDE_MAX 16384
PD_MUST_USE pd_status pd_session_embed_pixels(pd_session *session, const pd_pixels *pixels, float *ret_embedding,
                                              pd_error *err);

/* The two halves of embed_pixels, for tests and for callers that keep inputs: the 8-bit crop [side, side, 3] before
 * normalisation, and the embedding of normalised input [side, side, 3]. */
PD_MUST_USE pd_status pd_session_preprocess(pd_session *session, const pd_pixels *pixels, uint8_t *ret_crop,
                                            pd_error *err);
PD_MUST_USE pd_status pd_session_embed_input(pd_session *session, const float *input, float *ret_embedding,
                                             pd_error *err);

#endif
