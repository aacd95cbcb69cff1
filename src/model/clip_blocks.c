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

static pd_status prepare_block(pd_block *ret_block, const char *name, const pd_tower_config *config,
                               pd_preparer *preparer)
{
    static const char *const qkv_parts[] = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj" };
    static const char *const out_parts[] = { "self_attn.out_proj" };
    static const char *const fc1_parts[] = { "mlp.fc1" };
    static const char *const fc2_parts[] = { "mlp.fc2" };
    const size_t width = config->width, width_mlp = config->width_mlp;
    pd_linear_source qkv = make_source(name, qkv_parts, 3, width, width);
    const pd_linear_source out = make_source(name, out_parts, 1, width, width);
    pd_linear_source fc1 = make_source(name, fc1_parts, 1, width_mlp, width);
    const pd_linear_source fc2 = make_source(name, fc2_parts, 1, width, width_mlp);
    fold_norm(&qkv, name, "layer_norm1");
    fold_norm(&fc1, name, "layer_norm2");
    PD_TRY(pd_prepare_linear(preparer, &qkv, &ret_block->qkv));
    PD_TRY(pd_prepare_linear(preparer, &out, &ret_block->out));
    PD_TRY(pd_prepare_linear(preparer, &fc1, &ret_block->fc1));
    return pd_prepare_linear(preparer, &fc2, &ret_block->fc2);
}

pd_status pd_blocks_prepare(pd_block *ret_blocks, const char *prefix, const pd_tower_config *config,
                            pd_preparer *preparer)
{
    for (size_t i = 0; i < config->n_layers; i++) {
        char name[64];
        snprintf(name, sizeof name, "%sencoder.layers.%zu.", prefix, i);
        PD_TRY(prepare_block(&ret_blocks[i], name, config, preparer));
    }
    return PD_OK;
}

pd_status pd_projection_prepare(pd_linear *ret_linear, const char *name, size_t dim, size_t width,
                                pd_preparer *preparer)
{
    pd_linear_source source = { .n_names = 1, .n = dim, .k = width };
    snprintf(source.names[0], sizeof source.names[0], "%s", name);
    return pd_prepare_linear(preparer, &source, ret_linear);
}
