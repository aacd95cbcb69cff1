#include "model/towers.h"

#include <stdio.h>

#include "base/check.h"
#include "base/mem.h"

#define CALIBRATION_TOKENS 24

static void embed_tokens(const pd_text_tower *tower, const int32_t *ids, size_t n, float *ret_x)
{
    const size_t width = tower->config.tower.width;
    for (size_t i = 0; i < n; i++) {
        float *row = ret_x + i * width;
        PD_CHECK(pd_tensor_read_f32(&tower->tokens, (size_t)ids[i] * width, width, row, NULL) == PD_OK);
        for (size_t j = 0; j < width; j++)
            row[j] += tower->positions[i * width + j];
    }
}

/* Ids from all over the vocabulary, the end last, as the tower's first block gets them. */
static float *make_rows(const pd_text_tower *tower, size_t *ret_n)
{
    int32_t ids[CALIBRATION_TOKENS];
    const pd_text_config *config = &tower->config;
    const size_t n = config->n_positions < CALIBRATION_TOKENS ? config->n_positions : CALIBRATION_TOKENS;
    for (size_t i = 0; i < n; i++)
        ids[i] = (int32_t)((i * 7919 + 320) % config->vocabulary);
    ids[n - 1] = config->eos == PD_CONFIG_EOS_LEGACY || (size_t)config->eos >= config->vocabulary
                     ? (int32_t)config->vocabulary - 1
                     : config->eos;
    float *rows = pd_mem_alloc(n, config->tower.width * sizeof *rows);
    if (rows)
        embed_tokens(tower, ids, n, rows);
    *ret_n = n;
    return rows;
}

/* rows: as pd_blocks_prepare. */
static pd_status prepare_layers(pd_text_tower *tower, const pd_config *config, float *rows, size_t n_rows,
                                pd_preparer *preparer)
{
    const size_t width = config->text.tower.width;
    char name[PD_TENSOR_NAME_BYTES];
    const pd_block_source source = { config->text_prefix, &pd_clip_block_names };
    PD_TRY(pd_blocks_prepare(tower->blocks, &source, &tower->encoder, rows, n_rows, preparer));
    snprintf(name, sizeof name, "%sfinal_layer_norm.weight", config->text_prefix);
    PD_TRY(pd_prepare_floats(preparer, name, 1, width, &tower->norm_w));
    snprintf(name, sizeof name, "%sfinal_layer_norm.bias", config->text_prefix);
    PD_TRY(pd_prepare_floats(preparer, name, 1, width, &tower->norm_b));
    if (rows)
        preparer->kernels->layer_norm(rows, n_rows, width, tower->norm_w, tower->norm_b, tower->encoder.eps, rows);
    const pd_linear_source projection = pd_projection_source("text_projection", config->dim, width);
    return pd_draft_linear(preparer, &projection, rows, n_rows, &tower->projection);
}

static pd_status prepare_all(pd_text_tower *tower, const pd_config *config, pd_preparer *preparer)
{
    const pd_text_config *text = &config->text;
    const size_t width = text->tower.width;
    char name[PD_TENSOR_NAME_BYTES];
    float *rows = NULL;
    size_t n_rows = 0;
    snprintf(name, sizeof name, "%sembeddings.token_embedding.weight", config->text_prefix);
    PD_TRY(pd_prepare_table(preparer, name, text->vocabulary, width, &tower->tokens));
    snprintf(name, sizeof name, "%sembeddings.position_embedding.weight", config->text_prefix);
    PD_TRY(pd_prepare_floats(preparer, name, text->n_positions, width, &tower->positions));
    if (pd_prepared_is_fresh(preparer->prepared) && !(rows = make_rows(tower, &n_rows)))
        return pd_error_set_nomem(preparer->err);
    const pd_status status = prepare_layers(tower, config, rows, n_rows, preparer);
    pd_mem_free(rows);
    return status;
}

pd_status pd_text_tower_prepare(pd_text_tower *ret_tower, const pd_config *config, pd_preparer *preparer)
{
    const pd_tower_config *shape = &config->text.tower;
    pd_text_tower tower = { .config = config->text };
    tower.blocks = pd_mem_alloc(shape->n_layers, sizeof *tower.blocks);
    tower.encoder = (pd_encoder){ .name = "text",
                                  .width = shape->width,
                                  .width_mlp = shape->width_mlp,
                                  .n_heads = shape->n_heads,
                                  .n_layers = shape->n_layers,
                                  .eps = shape->eps,
                                  .activation = shape->activation,
                                  .causal = true,
                                  .blocks = tower.blocks };
    const pd_status status = tower.blocks ? prepare_all(&tower, config, preparer) : pd_error_set_nomem(preparer->err);
    if (status == PD_OK)
        *ret_tower = tower;
    else
        pd_text_tower_done(&tower);
    return status;
}

void pd_text_tower_done(pd_text_tower *tower)
{
    pd_mem_free(tower->blocks);
    *tower = (pd_text_tower){ 0 };
}

size_t pd_text_tower_need(const pd_text_tower *tower, bool tapped)
{
    const size_t n = tower->config.n_positions, width = tower->config.tower.width;
    return pd_arena_need(n * width, sizeof(float)) + pd_encoder_need(&tower->encoder, n, tapped) +
           pd_arena_need(width, sizeof(float)) + pd_linear_need(&tower->projection, 1);
}

/* transformers' CLIPTextTransformer: with the old configs' eos id 2 (which no tokenizer gives) the largest id marks the
 * end; else the first eos does, and position 0 where there is none. */
static size_t find_pooled(const pd_text_tower *tower, const int32_t *ids, size_t n_ids)
{
    size_t at = 0;
    if (tower->config.eos == PD_CONFIG_EOS_LEGACY) {
        for (size_t i = 1; i < n_ids; i++)
            if (ids[i] > ids[at])
                at = i;
        return at;
    }
    for (size_t i = 0; i < n_ids; i++)
        if (ids[i] == tower->config.eos)
            return i;
    return at;
}

void pd_text_tower_run(const pd_nn *nn, const pd_text_tower *tower, const int32_t *ids, size_t n_ids,
                       float *ret_embedding)
{
    const pd_tower_config *shape = &tower->config.tower;
    const size_t mark = nn->arena->used, width = shape->width, pooled_at = find_pooled(tower, ids, n_ids);
    const size_t n = nn->tap ? n_ids : pooled_at + 1;
    float *x = pd_arena_take(nn->arena, n * width, sizeof *x);
    float *pooled = pd_arena_take(nn->arena, width, sizeof *pooled);
    embed_tokens(tower, ids, n, x);
    pd_nn_tap_rows(nn, "text_embeddings", x, n, width);
    pd_encoder_run(nn, &tower->encoder, x, n, pooled_at);
    nn->kernels->layer_norm(x + pooled_at * width, 1, width, tower->norm_w, tower->norm_b, shape->eps, pooled);
    if (nn->tap) {
        nn->kernels->layer_norm(x, n, width, tower->norm_w, tower->norm_b, shape->eps, x);
        pd_nn_tap_rows(nn, "text_final_ln", x, n, width);
        pd_nn_tap_rows(nn, "text_pooled", pooled, 1, width);
    }
    pd_linear_run(nn, &tower->projection, pooled, width,
                  &(pd_gemm){ .m = 1, .c = ret_embedding, .ld_c = tower->projection.n });
    pd_nn_tap_rows(nn, "text_embeds", ret_embedding, 1, tower->projection.n);
    pd_arena_rewind(nn->arena, mark);
}
