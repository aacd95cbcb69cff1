#include "nn/nn.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scratch of one step, for all its blocks. */
typedef struct pd_writer_scratch {
    float *qkv;       /* [n_rows, 3 * width] */
    float *heads;     /* [n_rows, width]: what attention gives */
    float *hidden;    /* [n_rows, width_mlp] */
    float *scores;    /* [longest path] */
    float *attention; /* the attention kernel's own */
} pd_writer_scratch;

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t pd_writer_need(const pd_writer *writer, size_t rows_max, size_t length_max, size_t n_memory)
{
    size_t linear = 0;
    for (size_t i = 0; i < writer->n_layers; i++) {
        const pd_writer_block *block = &writer->blocks[i];
        const pd_linear *const layers[] = { &block->qkv,       &block->out, &block->cross_q,
                                            &block->cross_out, &block->fc1, &block->fc2 };
        for (size_t j = 0; j < sizeof layers / sizeof *layers; j++)
            linear = larger(linear, pd_linear_need(layers[j], rows_max));
        linear = larger(linear, pd_linear_need(&block->cross_kv, n_memory));
    }
    return linear + pd_arena_need(rows_max * 3 * writer->width, sizeof(float)) +
           pd_arena_need(rows_max * writer->width, sizeof(float)) +
           pd_arena_need(rows_max * writer->width_mlp, sizeof(float)) + pd_arena_need(length_max, sizeof(float)) +
           pd_arena_need(pd_attention_scratch(n_memory), sizeof(float));
}

void pd_writer_remember(const pd_nn *nn, const pd_writer *writer, const float *vectors, size_t n, float *ret_memory)
{
    const size_t ld = 2 * writer->width;
    for (size_t i = 0; i < writer->n_layers; i++)
        pd_linear_run(nn, &writer->blocks[i].cross_kv, vectors, writer->width_memory,
                      &(pd_gemm){ .m = n, .c = ret_memory + i * n * ld, .ld_c = ld });
}

/* x = norm(x + linear(y)) */
static void add_normed(const pd_nn *nn, const pd_writer *writer, const pd_linear *linear, const float *y,
                       const pd_writer_step *step, const float *const norm[2])
{
    const size_t width = writer->width;
    pd_linear_run(nn, linear, y, linear->k,
                  &(pd_gemm){
                      .m = step->n_rows, .residual = step->x, .ld_residual = width, .c = step->x, .ld_c = width });
    nn->kernels->layer_norm(step->x, step->n_rows, width, norm[0], norm[1], writer->eps, step->x);
}

/* The slots that a row sees, of one head. */
typedef struct pd_path {
    const float *cache; /* keys; the values are `width` behind */
    const uint32_t *slots;
    size_t n, d_head, width;
} pd_path;

/* One head of one row over its path: a few dozen dots that lie apart, no work for a GEMM. */
static void attend_path(const pd_kernels *kernels, const pd_path *path, const float *q, float *scores, float *ret_head)
{
    const size_t d = path->d_head, ld = 2 * path->width, n = path->n;
    const float scale = 1.0f / sqrtf((float)d);
    float largest = -INFINITY, total = 0;
    for (size_t t = 0; t < n; t++) {
        scores[t] = kernels->dot_f32(q, path->cache + path->slots[t] * ld, d) * scale;
        largest = fmaxf(largest, scores[t]);
    }
    for (size_t t = 0; t < n; t++)
        total += scores[t] = expf(scores[t] - largest);
    memset(ret_head, 0, d * sizeof *ret_head);
    for (size_t t = 0; t < n; t++) {
        const float weight = scores[t] / total, *v = path->cache + path->slots[t] * ld + path->width;
        for (size_t i = 0; i < d; i++)
            ret_head[i] += weight * v[i];
    }
}

static void attend_self(const pd_nn *nn, const pd_writer *writer, const pd_writer_step *step, size_t layer,
                        const pd_writer_scratch *scratch)
{
    const size_t width = writer->width, d = width / writer->n_heads, ld = 2 * width;
    float *cache = step->cache + layer * step->n_slots * ld;
    pd_linear_run(nn, &writer->blocks[layer].qkv, step->x, width,
                  &(pd_gemm){ .m = step->n_rows, .c = scratch->qkv, .ld_c = 3 * width });
    for (size_t r = 0; r < step->n_rows; r++)
        memcpy(cache + step->slots[r] * ld, scratch->qkv + r * 3 * width + width, ld * sizeof *cache);
    for (size_t r = 0; r < step->n_rows; r++)
        for (size_t head = 0; head < width; head += d) {
            const pd_path path = { cache + head, step->paths + r * step->ld_paths, step->lengths[r], d, width };
            attend_path(nn->kernels, &path, scratch->qkv + r * 3 * width + head, scratch->scores,
                        scratch->heads + r * width + head);
        }
}

static void attend_memory(const pd_nn *nn, const pd_writer *writer, const pd_writer_step *step, size_t layer,
                          const pd_writer_scratch *scratch)
{
    const size_t width = writer->width, d = width / writer->n_heads, ld = 2 * width;
    const float *memory = step->memory + layer * step->n_memory * ld;
    pd_linear_run(nn, &writer->blocks[layer].cross_q, step->x, width,
                  &(pd_gemm){ .m = step->n_rows, .c = scratch->qkv, .ld_c = width });
    nn->kernels->attention(&(pd_attention){ .n_queries = step->n_rows,
                                            .n_keys = step->n_memory,
                                            .n_heads = writer->n_heads,
                                            .d_head = d,
                                            .q = scratch->qkv,
                                            .k = memory,
                                            .v = memory + width,
                                            .ld_q = width,
                                            .ld = ld,
                                            .scale = 1.0f / sqrtf((float)d),
                                            .out = scratch->heads,
                                            .ld_out = width,
                                            .scratch = scratch->attention });
}

static void tap_layer(const pd_nn *nn, size_t layer, const char *part, const float *x, size_t n_rows, size_t width)
{
    char name[PD_NN_NAME_BYTES];
    if (!nn->tap)
        return;
    snprintf(name, sizeof name, "text_layer_%zu%s", layer, part);
    pd_nn_tap_rows(nn, name, x, n_rows, width);
}

void pd_writer_run(const pd_nn *nn, const pd_writer *writer, const pd_writer_step *step)
{
    const size_t mark = nn->arena->used, n = step->n_rows, width = writer->width;
    size_t longest = 0;
    for (size_t r = 0; r < n; r++)
        longest = larger(longest, step->lengths[r]);
    const pd_writer_scratch scratch = {
        .qkv = pd_arena_take(nn->arena, n * 3 * width, sizeof(float)),
        .heads = pd_arena_take(nn->arena, n * width, sizeof(float)),
        .hidden = pd_arena_take(nn->arena, n * writer->width_mlp, sizeof(float)),
        .scores = pd_arena_take(nn->arena, longest, sizeof(float)),
        .attention = pd_arena_take(nn->arena, pd_attention_scratch(step->n_memory), sizeof(float)),
    };
    for (size_t i = 0; i < writer->n_layers; i++) {
        const pd_writer_block *block = &writer->blocks[i];
        attend_self(nn, writer, step, i, &scratch);
        add_normed(nn, writer, &block->out, scratch.heads, step,
                   (const float *const[]){ block->self_w, block->self_b });
        tap_layer(nn, i, "_self", step->x, n, width);
        attend_memory(nn, writer, step, i, &scratch);
        add_normed(nn, writer, &block->cross_out, scratch.heads, step,
                   (const float *const[]){ block->cross_w, block->cross_b });
        tap_layer(nn, i, "_cross", step->x, n, width);
        pd_linear_run(nn, &block->fc1, step->x, width,
                      &(pd_gemm){
                          .m = n, .activation = writer->activation, .c = scratch.hidden, .ld_c = writer->width_mlp });
        add_normed(nn, writer, &block->fc2, scratch.hidden, step, (const float *const[]){ block->mlp_w, block->mlp_b });
        tap_layer(nn, i, "", step->x, n, width);
    }
    pd_arena_rewind(nn->arena, mark);
}
