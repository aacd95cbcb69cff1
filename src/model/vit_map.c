#include "model/captioner_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* How the two kinds of vision transformers call their tensors. */
typedef struct pd_vit_names {
    const char *prefix, *patches, *class_token, *positions, *norm;
    pd_block_names blocks;
} pd_vit_names;

static const pd_vit_names blip_names = {
    .prefix = "vision_model.",
    .patches = "embeddings.patch_embedding",
    .class_token = "embeddings.class_embedding",
    .positions = "embeddings.position_embedding",
    .norm = "post_layernorm",
    .blocks = { .block = "encoder.layers.",
                .qkv = { "self_attn.qkv" },
                .n_qkv = 1,
                .out = "self_attn.projection",
                .fc1 = "mlp.fc1",
                .fc2 = "mlp.fc2",
                .norm1 = "layer_norm1",
                .norm2 = "layer_norm2" },
};

static const pd_vit_names vit_names = {
    .prefix = "encoder.",
    .patches = "embeddings.patch_embeddings.projection",
    .class_token = "embeddings.cls_token",
    .positions = "embeddings.position_embeddings",
    .norm = "layernorm",
    .blocks = { .block = "encoder.layer.",
                .qkv = { "attention.attention.query", "attention.attention.key", "attention.attention.value" },
                .n_qkv = 3,
                .out = "attention.output.dense",
                .fc1 = "intermediate.dense",
                .fc2 = "output.dense",
                .norm1 = "layernorm_before",
                .norm2 = "layernorm_after" },
};

static pd_status prepare_floats(pd_preparer *preparer, const char *prefix, const char *name, size_t m, size_t k,
                                const float **ret_values)
{
    char full[PD_TENSOR_NAME_BYTES];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    return pd_prepare_floats(preparer, full, m, k, ret_values);
}

/* x: class token, then the patches, positions added. */
static void embed_patches(const pd_nn *nn, const pd_vit_map *tower, const float *input, float *ret_x)
{
    const size_t mark = nn->arena->used, width = tower->encoder.width, k = tower->patches.k;
    float *rows = pd_arena_take(nn->arena, (tower->n_tokens - 1) * k, sizeof *rows);
    pd_patches_gather(input, tower->side, tower->patch, rows);
    for (size_t i = 0; i < width; i++)
        ret_x[i] = tower->class_token[i] + tower->positions[i];
    pd_linear_run(nn, &tower->patches, rows, k,
                  &(pd_gemm){ .m = tower->n_tokens - 1,
                              .residual = tower->positions + width,
                              .ld_residual = width,
                              .c = ret_x + width,
                              .ld_c = width });
    pd_arena_rewind(nn->arena, mark);
}

static size_t need_patches(const pd_vit_map *tower)
{
    return pd_arena_need((tower->n_tokens - 1) * tower->patches.k, sizeof(float)) +
           pd_linear_need(&tower->patches, tower->n_tokens - 1);
}

/* The patches' layer, and what comes before the blocks. picture: for calibration, or NULL. */
static pd_status prepare_start(pd_vit_map *tower, const pd_vit_names *names, const float *picture,
                               pd_preparer *preparer)
{
    const size_t width = tower->encoder.width, k = tower->patch * tower->patch * 3, n = tower->n_tokens - 1;
    pd_linear_source patches = { .n_names = 1, .n = width, .k = k, .kernel = tower->patch, .bias = true };
    snprintf(patches.names[0], sizeof patches.names[0], "%s%s", names->prefix, names->patches);
    float *rows = picture ? pd_mem_alloc(n, k * sizeof *rows) : NULL;
    if (picture && !rows)
        return pd_error_set_nomem(preparer->err);
    if (rows)
        pd_patches_gather(picture, tower->side, tower->patch, rows);
    const pd_status status = pd_draft_linear(preparer, &patches, rows, n, &tower->patches);
    pd_mem_free(rows);
    PD_TRY(status);
    PD_TRY(prepare_floats(preparer, names->prefix, names->class_token, 1, width, &tower->class_token));
    return prepare_floats(preparer, names->prefix, names->positions, tower->n_tokens, width, &tower->positions);
}

static pd_status start_rows(const pd_vit_map *tower, const float *picture, float *rows, pd_preparer *preparer)
{
    pd_calibration calibration;
    PD_TRY(pd_calibration_begin(&calibration, preparer, NULL, 0, need_patches(tower)));
    embed_patches(&calibration.nn, tower, picture, rows);
    return pd_calibration_end(&calibration);
}

/* rows: [n_tokens, width] to calibrate with and, at the end, the tower's result; NULL when nothing is fresh. */
static pd_status prepare_all(pd_vit_map *tower, const pd_vit_names *names, float *rows, pd_preparer *preparer)
{
    const size_t width = tower->encoder.width;
    const pd_block_source source = { names->prefix, &names->blocks };
    char name[PD_TENSOR_NAME_BYTES];
    float *picture = rows ? pd_mem_alloc(tower->side * tower->side, 3 * sizeof *picture) : NULL;
    if (rows && !picture)
        return pd_error_set_nomem(preparer->err);
    if (picture)
        pd_calibration_picture(tower->side, picture);
    pd_status status = prepare_start(tower, names, picture, preparer);
    if (status == PD_OK && picture)
        status = start_rows(tower, picture, rows, preparer);
    pd_mem_free(picture);
    PD_TRY(status);
    PD_TRY(pd_blocks_prepare(tower->blocks, &source, &tower->encoder, rows, tower->n_tokens, preparer));
    snprintf(name, sizeof name, "%s.weight", names->norm);
    PD_TRY(prepare_floats(preparer, names->prefix, name, 1, width, &tower->norm_w));
    snprintf(name, sizeof name, "%s.bias", names->norm);
    PD_TRY(prepare_floats(preparer, names->prefix, name, 1, width, &tower->norm_b));
    if (rows)
        preparer->kernels->layer_norm(rows, tower->n_tokens, width, tower->norm_w, tower->norm_b, tower->encoder.eps,
                                      rows);
    return PD_OK;
}

size_t pd_vit_map_tokens(const pd_caption_config *config)
{
    const size_t n = config->preprocess.side / config->vit.patch;
    return n * n + 1;
}

pd_status pd_vit_map_prepare(pd_vit_map *ret_tower, const pd_caption_config *config, float *rows, pd_preparer *preparer)
{
    const pd_tower_config *shape = &config->vit.tower;
    pd_vit_map tower = { .side = config->preprocess.side,
                         .patch = config->vit.patch,
                         .n_tokens = pd_vit_map_tokens(config),
                         .blocks = pd_mem_alloc(shape->n_layers, sizeof *tower.blocks) };
    tower.encoder = (pd_encoder){ .name = "vision",
                                  .width = shape->width,
                                  .width_mlp = shape->width_mlp,
                                  .n_heads = shape->n_heads,
                                  .n_layers = shape->n_layers,
                                  .eps = shape->eps,
                                  .activation = shape->activation,
                                  .blocks = tower.blocks };
    const pd_status status = tower.blocks ? prepare_all(&tower, config->blip ? &blip_names : &vit_names, rows, preparer)
                                          : pd_error_set_nomem(preparer->err);
    if (status == PD_OK)
        *ret_tower = tower;
    else
        pd_vit_map_done(&tower);
    return status;
}

void pd_vit_map_done(pd_vit_map *tower)
{
    pd_mem_free(tower->blocks);
    *tower = (pd_vit_map){ 0 };
}

size_t pd_vit_map_need(const pd_vit_map *tower, bool tapped)
{
    const size_t encode = pd_encoder_need(&tower->encoder, tower->n_tokens, tapped), gather = need_patches(tower);
    return gather > encode ? gather : encode;
}

void pd_vit_map_run(const pd_nn *nn, const pd_vit_map *tower, const float *input, float *ret_map)
{
    const size_t n = tower->n_tokens, width = tower->encoder.width;
    embed_patches(nn, tower, input, ret_map);
    pd_nn_tap_rows(nn, "vision_embeddings", ret_map, n, width);
    pd_encoder_run(nn, &tower->encoder, ret_map, n, PD_EVERY_ROW);
    nn->kernels->layer_norm(ret_map, n, width, tower->norm_w, tower->norm_b, tower->encoder.eps, ret_map);
    pd_nn_tap_rows(nn, "vision_last_hidden", ret_map, n, width);
}
