#include "model/towers.h"

#include <stdio.h>

/* A linear layer of a block, made of one to three of the file's. */
static pd_linear_source make_source(const char *block, const char *const *parts, size_t n_parts, size_t n, size_t k)
{
    pd_linear_source source = { .n_names = n_parts, .n = n, .k = k, .bias = true };
    for (size_t i = 0; i < n_parts; i++)
        snprintf(source.names[i], sizeof source.names[i], "%s%s", block, parts[i]);
    return source;
}

static void fold_norm(pd_linear_source *source, const char *block, const char *norm)
{
    source->fold = PD_FOLD_LAYER_NORM;
    snprintf(source->norm, sizeof source->norm, "%s%s", block, norm);
}

enum { QKV, OUT, FC1, FC2, LAYERS };

const pd_block_names pd_clip_block_names = {
    .block = "encoder.layers.",
    .qkv = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" },
    .n_qkv = 3,
    .out = "self_attn.out_proj",
    .fc1 = "mlp.fc1",
    .fc2 = "mlp.fc2",
    .norm1 = "layer_norm1",
    .norm2 = "layer_norm2",
};

static void list_sources(const char *name, const pd_block_names *names, const pd_encoder *encoder,
                         pd_linear_source ret_sources[LAYERS])
{
    const size_t width = encoder->width, width_mlp = encoder->width_mlp;
    ret_sources[QKV] = make_source(name, names->qkv, names->n_qkv, 3 * width / names->n_qkv, width);
    ret_sources[OUT] = make_source(name, &names->out, 1, width, width);
    ret_sources[FC1] = make_source(name, &names->fc1, 1, width_mlp, width);
    ret_sources[FC2] = make_source(name, &names->fc2, 1, width, width_mlp);
    fold_norm(&ret_sources[QKV], name, names->norm1);
    fold_norm(&ret_sources[FC1], name, names->norm2);
}

/* The block in floats, over the calibration rows. */
static pd_status observe_block(pd_draft drafts[LAYERS], const pd_encoder *encoder, float *rows, size_t n_rows,
                               pd_preparer *preparer)
{
    const pd_block twin = { drafts[QKV].linear, drafts[OUT].linear, drafts[FC1].linear, drafts[FC2].linear };
    pd_encoder alone = *encoder;
    alone.n_layers = 1;
    alone.blocks = &twin;
    pd_calibration calibration;
    PD_TRY(pd_calibration_begin(&calibration, preparer, drafts, LAYERS, pd_encoder_need(&alone, n_rows, false)));
    pd_encoder_run(&calibration.nn, &alone, rows, n_rows, 0);
    return pd_calibration_end(&calibration);
}

/* sources: of the block's layers. */
static pd_status prepare_block(pd_block *ret_block, const pd_linear_source sources[LAYERS], const pd_encoder *encoder,
                               float *rows, size_t n_rows, pd_preparer *preparer)
{
    pd_draft drafts[LAYERS] = { 0 };
    pd_linear *const layers[LAYERS] = { &ret_block->qkv, &ret_block->out, &ret_block->fc1, &ret_block->fc2 };
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < LAYERS; i++)
        status = pd_draft_begin(&drafts[i], &sources[i], preparer);
    if (status == PD_OK && rows)
        status = observe_block(drafts, encoder, rows, n_rows, preparer);
    for (size_t i = 0; status == PD_OK && i < LAYERS; i++)
        status = pd_draft_settle(&drafts[i], preparer, layers[i]);
    for (size_t i = 0; i < LAYERS; i++)
        pd_draft_done(&drafts[i]);
    return status;
}

pd_status pd_blocks_prepare(pd_block *ret_blocks, const pd_block_source *source, const pd_encoder *encoder, float *rows,
                            size_t n_rows, pd_preparer *preparer)
{
    for (size_t i = 0; i < encoder->n_layers; i++) {
        char name[64];
        pd_linear_source sources[LAYERS];
        snprintf(name, sizeof name, "%s%s%zu.", source->prefix, source->names->block, i);
        list_sources(name, source->names, encoder, sources);
        PD_TRY(prepare_block(&ret_blocks[i], sources, encoder, rows, n_rows, preparer));
    }
    return PD_OK;
}

pd_linear_source pd_projection_source(const char *name, size_t dim, size_t width)
{
    pd_linear_source source = { .n_names = 1, .n = dim, .k = width };
    snprintf(source.names[0], sizeof source.names[0], "%s", name);
    return source;
}
