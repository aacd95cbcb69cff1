#include "model/towers.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static pd_status prepare_norm(pd_preparer *preparer, const pd_config *config, const char *norm, const float **ret_w,
                              const float **ret_b)
{
    char name[PD_TENSOR_NAME_BYTES];
    snprintf(name, sizeof name, "%s%s.weight", config->vision_prefix, norm);
    PD_TRY(pd_prepare_floats(preparer, name, 1, config->vit.tower.width, ret_w));
    snprintf(name, sizeof name, "%s%s.bias", config->vision_prefix, norm);
    return pd_prepare_floats(preparer, name, 1, config->vit.tower.width, ret_b);
}

/* x: class token, then the patches, positions added. */
static void embed_patches(const pd_nn *nn, const pd_vit_tower *tower, const float *input, float *ret_x)
{
    const size_t mark = nn->arena->used, width = tower->config.tower.width, k = tower->patches.k;
    float *rows = pd_arena_take(nn->arena, tower->n_patches * k, sizeof *rows);
    pd_patches_gather(input, tower->side, tower->config.patch, rows);
    for (size_t i = 0; i < width; i++)
        ret_x[i] = tower->class_token[i] + tower->positions[i];
    pd_linear_run(nn, &tower->patches, rows, k,
                  &(pd_gemm){ .m = tower->n_patches,
                              .residual = tower->positions + width,
                              .ld_residual = width,
                              .c = ret_x + width,
                              .ld_c = width });
    pd_arena_rewind(nn->arena, mark);
}

/* The patches' layer, and what comes before the blocks. picture: [side, side, 3] for calibration, or NULL. */
static pd_status prepare_start(pd_vit_tower *tower, const pd_config *config, const float *picture,
                               pd_preparer *preparer)
{
    const size_t width = config->vit.tower.width, patch = config->vit.patch, k = patch * patch * 3;
    const char *prefix = config->vision_prefix;
    char name[PD_TENSOR_NAME_BYTES];
    pd_linear_source patches = { .n_names = 1, .n = width, .k = k, .kernel = patch };
    snprintf(patches.names[0], sizeof patches.names[0], "%sembeddings.patch_embedding", prefix);
    float *rows = picture ? pd_mem_alloc(tower->n_patches, k * sizeof *rows) : NULL;
    if (picture && !rows)
        return pd_error_set_nomem(preparer->err);
    if (rows)
        pd_patches_gather(picture, tower->side, patch, rows);
    const pd_status status = pd_draft_linear(preparer, &patches, rows, tower->n_patches, &tower->patches);
    pd_mem_free(rows);
    PD_TRY(status);
    snprintf(name, sizeof name, "%sembeddings.class_embedding", prefix);
    PD_TRY(pd_prepare_floats(preparer, name, 1, width, &tower->class_token));
    snprintf(name, sizeof name, "%sembeddings.position_embedding.weight", prefix);
    PD_TRY(pd_prepare_floats(preparer, name, tower->n_patches + 1, width, &tower->positions));
    /* sic: the name in every CLIP checkpoint */
    return prepare_norm(preparer, config, "pre_layrnorm", &tower->pre_w, &tower->pre_b);
}

/* What the first block gets of the picture, into rows. */
static pd_status start_rows(const pd_vit_tower *tower, const float *picture, float *rows, pd_preparer *preparer)
{
    const size_t n = tower->n_patches + 1;
    const size_t need = pd_arena_need(tower->n_patches * tower->patches.k, sizeof(float)) +
                        pd_linear_need(&tower->patches, tower->n_patches);
    pd_calibration calibration;
    PD_TRY(pd_calibration_begin(&calibration, preparer, NULL, 0, need));
    embed_patches(&calibration.nn, tower, picture, rows);
    preparer->kernels->layer_norm(rows, n, tower->encoder.width, tower->pre_w, tower->pre_b, tower->encoder.eps, rows);
    return pd_calibration_end(&calibration);
}

/* picture and rows: for calibration, or NULL. */
static pd_status prepare_layers(pd_vit_tower *tower, const pd_config *config, const float *picture, float *rows,
                                pd_preparer *preparer)
{
    const size_t width = config->vit.tower.width, n = tower->n_patches + 1;
    PD_TRY(prepare_start(tower, config, picture, preparer));
    if (picture)
        PD_TRY(start_rows(tower, picture, rows, preparer));
    const pd_block_source source = { config->vision_prefix, &pd_clip_block_names };
    PD_TRY(pd_blocks_prepare(tower->blocks, &source, &tower->encoder, rows, n, preparer));
    PD_TRY(prepare_norm(preparer, config, "post_layernorm", &tower->post_w, &tower->post_b));
    if (rows)
        preparer->kernels->layer_norm(rows, n, width, tower->post_w, tower->post_b, tower->encoder.eps, rows);
    const pd_linear_source projection = pd_projection_source("visual_projection", config->dim, width);
    return pd_draft_linear(preparer, &projection, rows, n, &tower->projection);
}

static pd_status prepare_all(pd_vit_tower *tower, const pd_config *config, pd_preparer *preparer)
{
    float *picture = NULL, *rows = NULL;
    pd_status status = PD_OK;
    if (pd_prepared_is_fresh(preparer->prepared)) {
        picture = pd_mem_alloc(tower->side * tower->side, 3 * sizeof *picture);
        rows = pd_mem_alloc(tower->n_patches + 1, tower->encoder.width * sizeof *rows);
        if (picture)
            pd_calibration_picture(tower->side, picture);
        if (!picture || !rows)
            status = pd_error_set_nomem(preparer->err);
    }
    if (status == PD_OK)
        status = prepare_layers(tower, config, picture, rows, preparer);
    pd_mem_free(rows);
    pd_mem_free(picture);
    return status;
}

pd_status pd_vit_tower_prepare(pd_vit_tower *ret_tower, const pd_config *config, pd_preparer *preparer)
{
    const pd_tower_config *shape = &config->vit.tower;
    const size_t n = config->preprocess.side / config->vit.patch;
    pd_vit_tower tower = { .config = config->vit, .side = config->preprocess.side, .n_patches = n * n };
    tower.blocks = pd_mem_alloc(shape->n_layers, sizeof *tower.blocks);
    tower.encoder = (pd_encoder){ .name = "vision",
                                  .width = shape->width,
                                  .width_mlp = shape->width_mlp,
                                  .n_heads = shape->n_heads,
                                  .n_layers = shape->n_layers,
                                  .eps = shape->eps,
                                  .activation = shape->activation,
                                  .blocks = tower.blocks };
    const pd_status status = tower.blocks ? prepare_all(&tower, config, preparer) : pd_error_set_nomem(preparer->err);
    if (status == PD_OK)
        *ret_tower = tower;
    else
        pd_vit_tower_done(&tower);
    return status;
}

void pd_vit_tower_done(pd_vit_tower *tower)
{
    pd_mem_free(tower->blocks);
    *tower = (pd_vit_tower){ 0 };
}

size_t pd_vit_tower_need(const pd_vit_tower *tower, bool tapped)
{
    const size_t n = tower->n_patches + 1, width = tower->config.tower.width;
    const size_t gather = pd_arena_need(tower->n_patches * tower->patches.k, sizeof(float)) +
                          pd_linear_need(&tower->patches, tower->n_patches);
    const size_t encode = pd_encoder_need(&tower->encoder, n, tapped);
    const size_t project = pd_arena_need(width, sizeof(float)) + pd_linear_need(&tower->projection, 1);
    return pd_arena_need(n * width, sizeof(float)) + (gather > encode ? gather : encode) + project;
}

void pd_vit_tower_run(const pd_nn *nn, const pd_vit_tower *tower, const float *input, float *ret_embedding)
{
    const pd_tower_config *shape = &tower->config.tower;
    const size_t mark = nn->arena->used, width = shape->width, n = tower->n_patches + 1;
    float *x = pd_arena_take(nn->arena, n * width, sizeof *x);
    float *pooled = pd_arena_take(nn->arena, width, sizeof *pooled);
    embed_patches(nn, tower, input, x);
    pd_nn_tap_rows(nn, "vision_embeddings", x, n, width);
    nn->kernels->layer_norm(x, n, width, tower->pre_w, tower->pre_b, shape->eps, x);
    pd_nn_tap_rows(nn, "vision_pre_ln", x, n, width);
    pd_encoder_run(nn, &tower->encoder, x, n, 0);
    nn->kernels->layer_norm(x, 1, width, tower->post_w, tower->post_b, shape->eps, pooled);
    pd_nn_tap_rows(nn, "vision_pooled", pooled, 1, width);
    pd_linear_run(nn, &tower->projection, pooled, width,
                  &(pd_gemm){ .m = 1, .c = ret_embedding, .ld_c = tower->projection.n });
    pd_nn_tap_rows(nn, "image_embeds", ret_embedding, 1, tower->projection.n);
    pd_arena_rewind(nn->arena, mark);
}
