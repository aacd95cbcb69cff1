/* captioner_parts.h: what a pd_captioner is made of. Private to the room.
 *
 * As towers.h: networks are prepared from a config and tensors, immutable then, say what scratch space a run needs, and
 * run on a pd_nn. */
#ifndef PD_MODEL_CAPTIONER_PARTS_H
#define PD_MODEL_CAPTIONER_PARTS_H

#include "model/caption_config.h"
#include "model/towers.h"
#include "token/token.h"

/* A vision transformer that gives its whole map: BLIP's, or ViTModel. */
typedef struct pd_vit_map {
    size_t side, patch, n_tokens;         /* px; patches of a picture and the class token */
    pd_linear patches;                    /* [width, patch * patch * 3] */
    const float *class_token, *positions; /* [width], [n_tokens, width] */
    const float *norm_w, *norm_b;         /* [width], of all results */
    pd_block *blocks;                     /* owned */
    pd_encoder encoder;
} pd_vit_map;

size_t pd_vit_map_tokens(const pd_caption_config *config);

/* rows: [n_tokens, width], written: what a drawn picture gives, for calibration; NULL when nothing is fresh. */
PD_MUST_USE pd_status pd_vit_map_prepare(pd_vit_map *ret_tower, const pd_caption_config *config, float *rows,
                                         pd_preparer *preparer);
void pd_vit_map_done(pd_vit_map *tower);
size_t pd_vit_map_need(const pd_vit_map *tower, bool tapped);

/* input: [side, side, 3]. ret_map: [n_tokens, width]. Taps: vision_embeddings, those of the encoder,
 * vision_last_hidden. */
void pd_vit_map_run(const pd_nn *nn, const pd_vit_map *tower, const float *input, float *ret_map);

/* The decoder: embeddings, blocks, and the layers that make logits of their results. */
typedef struct pd_caption_decoder {
    size_t vocabulary, n_positions;
    bool projects;
    pd_linear project;            /* [width, width of the tower's map]; with `projects` */
    pd_tensor words;              /* [vocabulary, width], in the mapped weights */
    const float *positions;       /* [n_positions, width] */
    const float *type;            /* [width], of token type 0; NULL: none is added */
    const float *norm_w, *norm_b; /* [width], of the embeddings */
    pd_writer_block *blocks;      /* owned */
    pd_writer writer;
    pd_linear transform;                    /* [width, width], with the activation */
    const float *transform_w, *transform_b; /* [width], the layer norm behind it */
    pd_linear output;                       /* [vocabulary, width] */
} pd_caption_decoder;

/* map: [n_map, width_memory], what calibration takes the picture for; NULL when nothing is fresh. */
PD_MUST_USE pd_status pd_caption_decoder_prepare(pd_caption_decoder *ret_decoder, const pd_caption_config *config,
                                                 const float *map, size_t n_map, pd_preparer *preparer);
void pd_caption_decoder_done(pd_caption_decoder *decoder);

/* Scratch of the functions below, for at most rows_max rows with paths of length_max. */
size_t pd_caption_decoder_need(const pd_caption_decoder *decoder, size_t rows_max, size_t length_max, size_t n_map);

/* The picture's keys and values: ret_memory: [n_layers, n_map, 2 * width]. Tap: vision_projected. */
void pd_caption_decoder_look(const pd_nn *nn, const pd_caption_decoder *decoder, const float *map, size_t n_map,
                             float *ret_memory);

/* ret_x: [n, width], embeddings of ids at positions[i]. Tap: text_embeddings. */
void pd_caption_decoder_embed(const pd_nn *nn, const pd_caption_decoder *decoder, const int32_t *ids,
                              const uint32_t *positions, size_t n, float *ret_x);

/* x: [n, width], results of the writer. ret_logits: [n, vocabulary]. Tap: text_head_transform. */
void pd_caption_decoder_tell(const pd_nn *nn, const pd_caption_decoder *decoder, const float *x, size_t n,
                             float *ret_logits);

struct pd_captioner {
    char *dir;         /* without slashes at the end */
    char *encoder_dir; /* NULL: it has its own tower */
    pd_caption_config config;
    pd_kernels kernels;
    char id[PD_SHA256_TEXT_BYTES];
    pd_weights *weights;
    pd_wordpiece *wordpiece;
    pd_prepared *prepared; /* holds what the networks point to */
    pd_vit_map tower;      /* with config.own_tower */
    pd_caption_decoder decoder;
};

/* The parts of pd_caption_session_write, for itself and for tests. */

/* pd_caption_session_create with the tap of pd_session_options (its towers mean nothing here). Names: those in this
 * file, those of the towers and of nn.h's writer, and logits, of every row. The logits of a long beginning take space
 * that a search with few beams leaves. */
PD_MUST_USE pd_status pd_caption_session_open(pd_caption_session **ret_session, const pd_captioner *captioner,
                                              const pd_model *encoder, const pd_session_options *options,
                                              pd_error *err);

/* The picture that is written about from now on, as normalised input [side, side, 3]. */
PD_MUST_USE pd_status pd_caption_session_look(pd_caption_session *session, const float *input, float *ret_embedding,
                                              pd_error *err);

/* Writes about the picture. beginning: the start and the prompt. Its arena holds the results until the next call. */
size_t pd_caption_session_generate(pd_caption_session *session, const pd_generate_options *options,
                                   const int32_t *beginning, size_t n_beginning, pd_generated *ret_generated);

#endif
