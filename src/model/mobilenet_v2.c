#include "model/towers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Channels of the stem's input to its depthwise convolution, then of the outputs of the stem and the 16 blocks, and the
 * strides of the blocks, before depth_multiplier and output_stride (transformers: modeling_mobilenet_v2.py). */
#define STEM_CHANNELS 32
#define HEAD_CHANNELS 1280
static const int channels_of_block[PD_MOBILENET_BLOCKS] = { 16, 24, 24, 32, 32,  32,  64,  64, 64,
                                                            64, 96, 96, 96, 160, 160, 160, 320 };
static const size_t stride_of_block[PD_MOBILENET_BLOCKS] = { 2, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1 };

/* The nearest multiple of divisible_by, not below depth_min, and not more than 10 % below the value. */
static size_t round_channels(const pd_mobilenet_config *config, double value)
{
    const double by = (double)config->divisible_by, floor = (double)config->depth_min;
    const double rounded = fmax(floor, trunc((trunc(value) + by / 2) / by) * by);
    return (size_t)(rounded < 0.9 * value ? rounded + by : rounded);
}

/* rint: Python's round, ties to even. */
static size_t scale_channels(const pd_mobilenet_config *config, int channels)
{
    return round_channels(config, rint(channels * config->depth_multiplier));
}

static pd_linear_source make_convolution(const char *name, size_t n, size_t k, size_t kernel, float eps)
{
    pd_linear_source source = {
        .n_names = 1, .n = n, .k = k, .kernel = kernel, .fold = PD_FOLD_BATCH_NORM, .eps = eps
    };
    snprintf(source.names[0], sizeof source.names[0], "%s", name);
    return source;
}

/* Name and shape of one block. */
typedef struct pd_plan {
    char name[96]; /* "vision_model.layer.3" */
    size_t c_in, c_wide, c_out;
    const char *expand; /* the widening convolution's name in the block */
} pd_plan;

/* The block in floats, over its calibration input *map, which becomes its output. */
static pd_status observe_block(const pd_mobile *block, pd_draft drafts[2], float **map, pd_preparer *preparer)
{
    pd_mobile twin = *block;
    twin.expand = drafts[0].linear;
    twin.reduce = drafts[1].linear;
    float *y = pd_mem_alloc(twin.window.h_out * twin.window.w_out, twin.reduce.n * sizeof *y);
    if (!y)
        return pd_error_set_nomem(preparer->err);
    pd_calibration calibration;
    pd_status status = pd_calibration_begin(&calibration, preparer, drafts, 2, pd_mobile_need(&twin));
    if (status == PD_OK) {
        pd_mobile_run(&calibration.nn, &twin, *map, y);
        status = pd_calibration_end(&calibration);
    }
    pd_mem_free(*map);
    *map = y;
    return status;
}

/* *map: as observe_block; NULL when nothing is fresh. */
static pd_status prepare_block(pd_mobile *block, const pd_plan *plan, float eps, float **map, pd_preparer *preparer)
{
    char name[PD_TENSOR_NAME_BYTES];
    pd_draft drafts[2] = { 0 };
    const size_t kernel = block->stem ? 3 : 1;
    snprintf(name, sizeof name, "%s.%s", plan->name, plan->expand);
    pd_linear_source expand = make_convolution(name, plan->c_wide, plan->c_in * kernel * kernel, kernel, eps);
    expand.keep_float = block->stem; /* 27 inputs a pixel: little to win, and every later layer sees its error */
    snprintf(name, sizeof name, "%s.reduce_1x1", plan->name);
    const pd_linear_source reduce = make_convolution(name, plan->c_out, plan->c_wide, 1, eps);
    snprintf(name, sizeof name, "%s.conv_3x3", plan->name);
    pd_status status = pd_prepare_depthwise(preparer, name, plan->c_wide, eps, &block->w, &block->bias);
    if (status == PD_OK)
        status = pd_draft_begin(&drafts[0], &expand, preparer);
    if (status == PD_OK)
        status = pd_draft_begin(&drafts[1], &reduce, preparer);
    if (status == PD_OK && *map)
        status = observe_block(block, drafts, map, preparer);
    if (status == PD_OK)
        status = pd_draft_settle(&drafts[0], preparer, &block->expand);
    if (status == PD_OK)
        status = pd_draft_settle(&drafts[1], preparer, &block->reduce);
    pd_draft_done(&drafts[0]);
    pd_draft_done(&drafts[1]);
    return status;
}

/* Geometry: once the output stride is reached, further strides become dilation of the blocks behind them. */
typedef struct pd_geometry {
    size_t h, w, reached, dilation;
} pd_geometry;

static void place_block(pd_mobile *block, size_t index, const pd_mobilenet_config *config, pd_geometry *geometry)
{
    size_t stride = stride_of_block[index], dilation = 1;
    if (block->stem) {
        block->picture = pd_window_make(geometry->h, geometry->w, stride, 1, config->tf_padding);
        geometry->h = block->picture.h_out;
        geometry->w = block->picture.w_out;
        geometry->reached = stride;
        stride = 1;
    } else if (geometry->reached == config->output_stride) {
        dilation = geometry->dilation;
        geometry->dilation *= stride;
        stride = 1;
    } else {
        geometry->reached *= stride;
    }
    block->window = pd_window_make(geometry->h, geometry->w, stride, dilation, config->tf_padding);
    geometry->h = block->window.h_out;
    geometry->w = block->window.w_out;
}

static pd_status prepare_blocks(pd_mobilenet_tower *tower, const pd_config *config, float **map, pd_preparer *preparer)
{
    const pd_mobilenet_config *mobilenet = &config->mobilenet;
    pd_geometry geometry = { .h = config->preprocess.side, .w = config->preprocess.side, .dilation = 1 };
    size_t c_in = 3;
    for (size_t i = 0; i < PD_MOBILENET_BLOCKS; i++) {
        pd_mobile *block = &tower->blocks[i];
        pd_plan plan = { .c_in = c_in, .c_out = scale_channels(mobilenet, channels_of_block[i]) };
        block->stem = i == 0;
        if (block->stem) {
            plan.c_wide = scale_channels(mobilenet, STEM_CHANNELS);
            plan.expand = "first_conv";
            snprintf(plan.name, sizeof plan.name, "%sconv_stem", config->vision_prefix);
        } else {
            plan.c_wide = round_channels(mobilenet, rint((double)c_in * mobilenet->expand_ratio));
            plan.expand = "expand_1x1";
            snprintf(plan.name, sizeof plan.name, "%slayer.%zu", config->vision_prefix, i - 1);
        }
        place_block(block, i, mobilenet, &geometry);
        if (!geometry.h || !geometry.w)
            return pd_error_set(preparer->err, PD_ERR_UNSUPPORTED,
                                "model '%s': a picture of %zu px is too small for its %d blocks", preparer->dir,
                                config->preprocess.side, PD_MOBILENET_BLOCKS);
        if (plan.c_wide > PD_CONFIG_WIDTH_MAX || plan.c_out > PD_CONFIG_WIDTH_MAX)
            return pd_error_set(preparer->err, PD_ERR_LIMIT,
                                "model '%s': block '%s' has %zu channels; at most %d are handled", preparer->dir,
                                plan.name, plan.c_wide, PD_CONFIG_WIDTH_MAX);
        block->residual = !block->stem && block->window.stride == 1 && plan.c_in == plan.c_out;
        PD_TRY(prepare_block(block, &plan, mobilenet->eps, map, preparer));
        c_in = plan.c_out;
    }
    return PD_OK;
}

/* The mean of the head's outputs over the map, as the projection gets it. */
static float *pool_head(const pd_mobilenet_tower *tower, const float *map, size_t pixels, pd_preparer *preparer)
{
    const size_t n = tower->head.n;
    pd_calibration calibration;
    float *y = pd_mem_alloc(pixels + 1, n * sizeof *y); /* the mean behind the map */
    if (!y || pd_calibration_begin(&calibration, preparer, NULL, 0, pd_linear_need(&tower->head, pixels)) != PD_OK) {
        pd_mem_free(y);
        return NULL;
    }
    pd_linear_run(&calibration.nn, &tower->head, map, tower->head.k,
                  &(pd_gemm){ .m = pixels, .activation = PD_ACTIVATION_RELU6, .c = y, .ld_c = n });
    pd_pool_mean(y, pixels, n, y + pixels * n);
    memmove(y, y + pixels * n, n * sizeof *y);
    return pd_calibration_end(&calibration) == PD_OK ? y : NULL;
}

static pd_status prepare_all(pd_mobilenet_tower *tower, const pd_config *config, float **map, pd_preparer *preparer)
{
    const pd_mobilenet_config *mobilenet = &config->mobilenet;
    const bool full = mobilenet->finegrained_output && mobilenet->depth_multiplier < 1;
    const size_t n = full ? HEAD_CHANNELS : scale_channels(mobilenet, HEAD_CHANNELS);
    char name[PD_TENSOR_NAME_BYTES];
    PD_TRY(prepare_blocks(tower, config, map, preparer));
    snprintf(name, sizeof name, "%sconv_1x1", config->vision_prefix);
    const pd_mobile *last = &tower->blocks[PD_MOBILENET_BLOCKS - 1];
    const size_t pixels = last->window.h_out * last->window.w_out;
    const pd_linear_source head = make_convolution(name, n, last->reduce.n, 1, mobilenet->eps);
    PD_TRY(pd_draft_linear(preparer, &head, *map, pixels, &tower->head));
    float *pooled = *map ? pool_head(tower, *map, pixels, preparer) : NULL;
    if (*map && !pooled)
        return pd_error_set_nomem(preparer->err);
    const pd_linear_source projection = pd_projection_source("visual_projection", config->dim, n);
    const pd_status status = pd_draft_linear(preparer, &projection, pooled, 1, &tower->projection);
    pd_mem_free(pooled);
    return status;
}

pd_status pd_mobilenet_tower_prepare(pd_mobilenet_tower *ret_tower, const pd_config *config, pd_preparer *preparer)
{
    const size_t side = config->preprocess.side;
    pd_mobilenet_tower tower = { 0 };
    float *map = NULL; /* what the next block gets in calibration */
    if (pd_prepared_is_fresh(preparer->prepared)) {
        map = pd_mem_alloc(side * side, 3 * sizeof *map);
        if (!map)
            return pd_error_set_nomem(preparer->err);
        pd_calibration_picture(side, map);
    }
    const pd_status status = prepare_all(&tower, config, &map, preparer);
    pd_mem_free(map);
    if (status == PD_OK)
        *ret_tower = tower;
    return status;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Floats of a block's output. */
static size_t count_map(const pd_mobile *block) { return block->window.h_out * block->window.w_out * block->reduce.n; }

static size_t largest_map(const pd_mobilenet_tower *tower)
{
    size_t floats = 0;
    for (size_t i = 0; i < PD_MOBILENET_BLOCKS; i++)
        floats = larger(floats, count_map(&tower->blocks[i]));
    return floats;
}

size_t pd_mobilenet_tower_need(const pd_mobilenet_tower *tower)
{
    const pd_window *last = &tower->blocks[PD_MOBILENET_BLOCKS - 1].window;
    const size_t pixels = last->h_out * last->w_out;
    size_t inner = pd_arena_need(pixels * tower->head.n, sizeof(float)) + pd_arena_need(tower->head.n, sizeof(float)) +
                   larger(pd_linear_need(&tower->head, pixels), pd_linear_need(&tower->projection, 1));
    for (size_t i = 0; i < PD_MOBILENET_BLOCKS; i++)
        inner = larger(inner, pd_mobile_need(&tower->blocks[i]));
    return 2 * pd_arena_need(largest_map(tower), sizeof(float)) + inner;
}

static void tap_block(const pd_nn *nn, size_t index, const pd_mobile *block, const float *y)
{
    char name[PD_NN_NAME_BYTES] = "stem";
    if (!nn->tap)
        return;
    if (index)
        snprintf(name, sizeof name, "layer_%zu", index - 1);
    pd_nn_tap_map(nn, name, y, block->window.h_out, block->window.w_out, block->reduce.n);
}

size_t pd_mobilenet_tower_map(const pd_mobilenet_tower *tower)
{
    const pd_window *last = &tower->blocks[PD_MOBILENET_BLOCKS - 1].window;
    return last->h_out * last->w_out;
}

void pd_mobilenet_tower_run(const pd_nn *nn, const pd_mobilenet_tower *tower, const float *input, float *ret_map,
                            float *ret_embedding)
{
    const size_t mark = nn->arena->used, floats = largest_map(tower);
    float *const maps[2] = { pd_arena_take(nn->arena, floats, sizeof(float)),
                             pd_arena_take(nn->arena, floats, sizeof(float)) };
    const float *x = input;
    for (size_t i = 0; i < PD_MOBILENET_BLOCKS; i++) {
        pd_mobile_run(nn, &tower->blocks[i], x, maps[i % 2]);
        x = maps[i % 2];
        tap_block(nn, i, &tower->blocks[i], x);
    }
    const pd_window *last = &tower->blocks[PD_MOBILENET_BLOCKS - 1].window;
    const size_t pixels = last->h_out * last->w_out, n = tower->head.n;
    float *map = pd_arena_take(nn->arena, pixels * n, sizeof *map);
    float *pooled = pd_arena_take(nn->arena, n, sizeof *pooled);
    pd_linear_run(nn, &tower->head, x, tower->head.k,
                  &(pd_gemm){ .m = pixels, .activation = PD_ACTIVATION_RELU6, .c = map, .ld_c = n });
    pd_nn_tap_map(nn, "vision_map", map, last->h_out, last->w_out, n);
    if (ret_map)
        memcpy(ret_map, map, pixels * n * sizeof *map);
    pd_pool_mean(map, pixels, n, pooled);
    pd_nn_tap_rows(nn, "vision_pooled", pooled, 1, n);
    pd_linear_run(nn, &tower->projection, pooled, n,
                  &(pd_gemm){ .m = 1, .c = ret_embedding, .ld_c = tower->projection.n });
    pd_nn_tap_rows(nn, "image_embeds", ret_embedding, 1, tower->projection.n);
    pd_arena_rewind(nn->arena, mark);
}
