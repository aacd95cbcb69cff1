/* attention_vec.h: private to kernels: softmax attention on vectors; include a vec_<isa>.h before.
 *
 * Per head and block of PD_ATTENTION_ROWS queries: scores = q k^T into the scratch, with k transposed a strip of tokens
 * at a time; softmax in place; out = scores v. Both products run in tiles of VEC_TILE_ROWS rows x 2 vectors. */
#ifndef PD_KERNELS_ATTENTION_VEC_H
#define PD_KERNELS_ATTENTION_VEC_H

#include <math.h>
#include <stdbool.h>

#include "kernels/math_vec.h"

#define STRIP (2 * LANES) /* tokens, or columns of v, that a tile is wide */
#define DEPTH_MAX 64      /* elements of a head that are transposed at once */

#define FORCE_INLINE static inline __attribute__((always_inline))

/* c [rows, STRIP] = or += a [rows, depth] times b [depth, STRIP]; the first `columns` of b and c exist. */
struct tile {
    const float *a, *b;
    float *c;
    size_t ld_a, ld_b, ld_c, depth, columns;
    bool add;
};

FORCE_INLINE void multiply(const struct tile *t, const size_t rows, const bool part)
{
    vec sum[VEC_TILE_ROWS][2];
    const size_t left = t->columns, right = left > LANES ? left - LANES : 0;
#pragma GCC unroll 12
    for (size_t row = 0; row < rows; row++)
        sum[row][0] = sum[row][1] = vec_set(0.0f);
    const float *b = t->b;
    for (size_t i = 0; i < t->depth; i++, b += t->ld_b) {
        const vec b0 = part ? vec_load_part(b, left) : vec_load(b);
        const vec b1 = part ? vec_load_part(b + LANES, right) : vec_load(b + LANES);
#pragma GCC unroll 12
        for (size_t row = 0; row < rows; row++) {
            const vec a = vec_set(t->a[row * t->ld_a + i]);
            sum[row][0] = vec_add_product(sum[row][0], a, b0);
            sum[row][1] = vec_add_product(sum[row][1], a, b1);
        }
    }
#pragma GCC unroll 12
    for (size_t row = 0; row < rows; row++) {
        float *c = t->c + row * t->ld_c;
        if (t->add) {
            sum[row][0] = vec_add(sum[row][0], vec_load_part(c, left));
            sum[row][1] = vec_add(sum[row][1], vec_load_part(c + LANES, right));
        }
        vec_store_part(c, sum[row][0], left);
        vec_store_part(c + LANES, sum[row][1], right);
    }
}

static void multiply_tile(const struct tile *t) { multiply(t, VEC_TILE_ROWS, false); }
static void multiply_row(const struct tile *t) { multiply(t, 1, false); }
static void multiply_tile_part(const struct tile *t) { multiply(t, VEC_TILE_ROWS, true); }
static void multiply_row_part(const struct tile *t) { multiply(t, 1, true); }

static void multiply_rows(struct tile t, size_t rows)
{
    const bool part = t.columns < STRIP;
    while (rows > 0) {
        const size_t step = rows >= VEC_TILE_ROWS ? VEC_TILE_ROWS : 1;
        if (step == 1)
            (part ? multiply_row_part : multiply_row)(&t);
        else
            (part ? multiply_tile_part : multiply_tile)(&t);
        t.a += step * t.ld_a;
        t.c += step * t.ld_c;
        rows -= step;
    }
}

/* strip[i][u] = k[u][i] for n tokens, 0 beyond. */
static void transpose_strip(const float *k, size_t ld, size_t n, size_t depth, float *strip)
{
    const size_t whole = depth / CORNER * CORNER;
    size_t u = 0;
    for (; u + CORNER <= n; u += CORNER) {
        for (size_t i = 0; i < whole; i += CORNER)
            vec_transpose(k + u * ld + i, ld, strip + i * STRIP + u, STRIP);
        for (size_t i = whole; i < depth; i++)
            for (size_t j = u; j < u + CORNER; j++)
                strip[i * STRIP + j] = k[j * ld + i];
    }
    for (; u < STRIP; u++)
        for (size_t i = 0; i < depth; i++)
            strip[i * STRIP + u] = u < n ? k[u * ld + i] : 0.0f;
}

/* A block of queries of one head; limit: tokens that its last query sees. */
struct block {
    size_t first, rows, limit;
    size_t head; /* its first element in a row of q, k, v and out */
    size_t ld;   /* of the scores, a multiple of STRIP */
};

static void score(const pd_attention *a, const struct block *b)
{
    float strip[DEPTH_MAX * STRIP];
    for (size_t u = 0; u < b->limit; u += STRIP)
        for (size_t i = 0; i < a->d_head; i += DEPTH_MAX) {
            const size_t depth = a->d_head - i < DEPTH_MAX ? a->d_head - i : DEPTH_MAX;
            const size_t n = b->limit - u < STRIP ? b->limit - u : STRIP;
            transpose_strip(a->k + u * a->ld + b->head + i, a->ld, n, depth, strip);
            const struct tile t = { .a = a->q + b->first * a->ld_q + b->head + i,
                                    .ld_a = a->ld_q,
                                    .b = strip,
                                    .ld_b = STRIP,
                                    .c = a->scratch + u,
                                    .ld_c = b->ld,
                                    .depth = depth,
                                    .columns = STRIP,
                                    .add = i > 0 };
            multiply_rows(t, b->rows);
        }
}

/* The first `seen` scores become weights that sum to 1, the others up to limit 0. */
static void weigh(float *score, float scale, size_t seen, size_t limit)
{
    vec highest = vec_set(score[0]), total = vec_set(0.0f);
    for (size_t i = 0; i + LANES <= seen; i += LANES)
        highest = vec_max(highest, vec_load(score + i));
    float largest = vec_largest(highest);
    for (size_t i = seen / LANES * LANES; i < seen; i++)
        largest = score[i] > largest ? score[i] : largest;
    for (size_t i = 0; i < limit; i += LANES) {
        const vec off = vec_mul(vec_sub(vec_load(score + i), vec_set(largest)), vec_set(scale));
        const vec weight = i < seen ? vec_keep_part(vec_exp(off), seen - i) : vec_set(0.0f);
        total = vec_add(total, weight);
        vec_store(score + i, weight);
    }
    const vec factor = vec_set(1.0f / vec_sum(total));
    for (size_t i = 0; i < seen; i += LANES)
        vec_store(score + i, vec_mul(vec_load(score + i), factor));
}

static void attend(const pd_attention *a, const struct block *b)
{
    score(a, b);
    for (size_t row = 0; row < b->rows; row++)
        weigh(a->scratch + row * b->ld, a->scale, a->causal ? b->first + row + 1 : a->n_keys, b->limit);
    for (size_t i = 0; i < a->d_head; i += STRIP) {
        const struct tile t = { .a = a->scratch,
                                .ld_a = b->ld,
                                .b = a->v + b->head + i,
                                .ld_b = a->ld,
                                .c = a->out + b->first * a->ld_out + b->head + i,
                                .ld_c = a->ld_out,
                                .depth = b->limit,
                                .columns = a->d_head - i < STRIP ? a->d_head - i : STRIP };
        multiply_rows(t, b->rows);
    }
}

static void attention(const pd_attention *a)
{
    struct block b = { .ld = (a->n_keys + PD_ATTENTION_ALIGN - 1) / PD_ATTENTION_ALIGN * PD_ATTENTION_ALIGN };
    for (size_t head = 0; head < a->n_heads; head++)
        for (b.first = 0; b.first < a->n_queries; b.first += b.rows) {
            const size_t left = a->n_queries - b.first;
            b.rows = left < PD_ATTENTION_ROWS ? left : PD_ATTENTION_ROWS;
            b.limit = a->causal ? b.first + b.rows : a->n_keys;
            b.head = head * a->d_head;
            attend(a, &b);
        }
}

#endif
