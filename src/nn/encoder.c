#include "nn/nn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scratch of one run, for all its blocks. */
typedef struct pd_encoder_scratch {
    float *rows;      /* [n_tokens, width]: normalised input, then the heads' output */
    float *qkv;       /* [n_tokens, 3 * width] */
    float *hidden;    /* [n_tokens, width_mlp] */
    float *attention; /* the attention kernel's own */
    float *before;    /* [n_tokens, width]: the residual stream as it was; NULL unless tapped */
} pd_encoder_scratch;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t pd_encoder_need(const pd_encoder *encoder, size_t n_tokens, bool tapped)
{
    size_t linear = 0;
    for (size_t i = 0; i < encoder->n_layers; i++) {
        const pd_block *block = &encoder->blocks[i];
        linear = larger(linear, pd_linear_need(&block->qkv, n_tokens));
        linear = larger(linear, pd_linear_need(&block->out, n_tokens));
        linear = larger(linear, pd_linear_need(&block->fc1, n_tokens));
        linear = larger(linear, pd_linear_need(&block->fc2, n_tokens));
    }
    return linear + (tapped ? 2 : 1) * pd_arena_need(n_tokens * encoder->width, sizeof(float)) +
           pd_arena_need(n_tokens * 3 * encoder->width, sizeof(float)) +
           pd_arena_need(n_tokens * encoder->width_mlp, sizeof(float)) +
           pd_arena_need(pd_attention_scratch(n_tokens), sizeof(float));
}

/* What a fused residual hides from a tap: stream - before. */
static void tap_branch(const pd_nn *nn, const pd_encoder *encoder, size_t layer, const char *branch, float *before,
                       const float *x, size_t n_tokens)
{
    char name[PD_NN_NAME_BYTES];
    snprintf(name, sizeof name, "%s_layer_%zu_%s", encoder->name, layer, branch);
    for (size_t i = 0; i < n_tokens * encoder->width; i++)
        before[i] = x[i] - before[i];
    pd_nn_tap_rows(nn, name, before, n_tokens, encoder->width);
    memcpy(before, x, n_tokens * encoder->width * sizeof *x);
}

/* x[m, width] += out(heads) and x += fc2(act(fc1(norm(x)))): the part of a block that works on each row alone. */
static void add_attention(const pd_nn *nn, const pd_encoder *encoder, const pd_block *block, const float *heads,
                          float *x, size_t m)
{
    pd_linear_run(nn, &block->out, heads, encoder->width,
                  &(pd_gemm){ .m = m, .residual = x, .ld_residual = encoder->width, .c = x, .ld_c = encoder->width });
}

static void add_mlp(const pd_nn *nn, const pd_encoder *encoder, const pd_block *block,
                    const pd_encoder_scratch *scratch, float *x, size_t m)
{
    nn->kernels->layer_norm(x, m, encoder->width, NULL, NULL, encoder->eps, scratch->rows);
    pd_linear_run(nn, &block->fc1, scratch->rows, encoder->width,
                  &(pd_gemm){
                      .m = m, .activation = encoder->activation, .c = scratch->hidden, .ld_c = encoder->width_mlp });
    pd_linear_run(nn, &block->fc2, scratch->hidden, encoder->width_mlp,
                  &(pd_gemm){ .m = m, .residual = x, .ld_residual = encoder->width, .c = x, .ld_c = encoder->width });
}

/* The heads' output for every row, into scratch->rows. */
static void attend(const pd_nn *nn, const pd_encoder *encoder, const pd_block *block, const pd_encoder_scratch *scratch,
                   const float *x, size_t n_tokens)
{
    const size_t width = encoder->width, d_head = width / encoder->n_heads;
    nn->kernels->layer_norm(x, n_tokens, width, NULL, NULL, encoder->eps, scratch->rows);
    pd_linear_run(nn, &block->qkv, scratch->rows, width,
                  &(pd_gemm){ .m = n_tokens, .c = scratch->qkv, .ld_c = 3 * width });
    nn->kernels->attention(&(pd_attention){ .n_queries = n_tokens,
                                            .n_keys = n_tokens,
                                            .n_heads = encoder->n_heads,
                                            .d_head = d_head,
                                            .q = scratch->qkv,
                                            .k = scratch->qkv + width,
                                            .v = scratch->qkv + 2 * width,
                                            .ld_q = 3 * width,
                                            .ld = 3 * width,
                                            .scale = 1.0f / sqrtf((float)d_head),
                                            .causal = encoder->causal,
                                            .out = scratch->rows,
                                            .ld_out = width,
                                            .scratch = scratch->attention });
}

void pd_encoder_run(const pd_nn *nn, const pd_encoder *encoder, float *x, size_t n_tokens, size_t row)
{
    const size_t mark = nn->arena->used;
    const size_t width = encoder->width;
    const pd_encoder_scratch scratch = {
        .rows = pd_arena_take(nn->arena, n_tokens * width, sizeof(float)),
        .qkv = pd_arena_take(nn->arena, n_tokens * 3 * width, sizeof(float)),
        .hidden = pd_arena_take(nn->arena, n_tokens * encoder->width_mlp, sizeof(float)),
        .attention = pd_arena_take(nn->arena, pd_attention_scratch(n_tokens), sizeof(float)),
        .before = nn->tap ? pd_arena_take(nn->arena, n_tokens * width, sizeof(float)) : NULL,
    };
    if (nn->tap)
        memcpy(scratch.before, x, n_tokens * width * sizeof *x);
    for (size_t i = 0; i < encoder->n_layers; i++) {
        const pd_block *block = &encoder->blocks[i];
        attend(nn, encoder, block, &scratch, x, n_tokens);
        if (row != PD_EVERY_ROW && !nn->tap && !nn->observe && i + 1 == encoder->n_layers) {
            add_attention(nn, encoder, block, scratch.rows + row * width, x + row * width, 1);
            add_mlp(nn, encoder, block, &scratch, x + row * width, 1);
            break;
        }
        add_attention(nn, encoder, block, scratch.rows, x, n_tokens);
        if (nn->tap)
            tap_branch(nn, encoder, i, "attn", scratch.before, x, n_tokens);
        add_mlp(nn, encoder, block, &scratch, x, n_tokens);
        if (nn->tap) {
            char name[PD_NN_NAME_BYTES];
            tap_branch(nn, encoder, i, "mlp", scratch.before, x, n_tokens);
            snprintf(name, sizeof name, "%s_layer_%zu", encoder->name, i);
            pd_nn_tap_rows(nn, name, x, n_tokens, width);
        }
    }
    pd_arena_rewind(nn->arena, mark);
}
