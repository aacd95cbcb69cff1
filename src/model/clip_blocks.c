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

static void list_sources(const char *name, const pd_encoder *encoder, pd_linear_source ret_sources[LAYERS])
{
    static const char *const qkv_parts[] = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" };
    static const char *const out_parts[] = { "self_attn.out_proj" };
    static const char *const fc1_parts[] = { "mlp.fc1" };
    static const char *const fc2_parts[] = { "mlp.fc2" };
    const size_t width = encoder->width, width_mlp = encoder->width_mlp;
    ret_sources[QKV] = make_source(name, qkv_parts, 3, width, width);
    ret_sources[OUT] = make_source(name, out_parts, 1, width, width);
    ret_sources[FC1] = make_source(name, fc1_parts, 1, width_mlp, width);
    ret_sources[FC2] = make_source(name, fc2_parts, 1, width, width_mlp);
    fold_norm(&ret_sources[QKV], name, "layer_norm1");
    fold_norm(&ret_sources[FC1], name, "layer_norm2");
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

static pd_status prepare_block(pd_block *ret_block, const char *name, const pd_encoder *encoder, float *rows,
                               size_t n_rows, pd_preparer *preparer)
{
    pd_linear_source sources[LAYERS];
    pd_draft drafts[LAYERS] = { 0 };
    pd_linear *const layers[LAYERS] = { &ret_block->qkv, &ret_block->out, &ret_block->fc1, &ret_block->fc2 };
    pd_status status = PD_OK;
    list_sources(name, encoder, sources);
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

pd_status pd_blocks_prepare(pd_block *ret_blocks, const char *prefix, const pd_encoder *encoder, float *rows,
                            size_t n_rows, pd_preparer *preparer)
{
    for (size_t i = 0; i < encoder->n_layers; i++) {
        char name[64];
        snprintf(name, sizeof name, "%sencoder.layers.%zu.", prefix, i);
        PD_TRY(prepare_block(&ret_blocks[i], name, encoder, rows, n_rows, preparer));
    }
    return PD_OK;
}

pd_linear_source pd_projection_source(const char *name, size_t dim, size_t width)
{
    pd_linear_source source = { .n_names = 1, .n = dim, .k = width };
    snprintf(source.names[0], sizeof source.names[0], "%s", name);
    return source;
}
