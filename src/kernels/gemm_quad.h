/* gemm_quad.h: private to kernels: both matrix products where vectors have 4 lanes; include a vec_<isa>.h and a
 * quad_<isa>.h before. Tiles are ROWS_MAX rows of one panel; their sums pass through a buffer on the stack, from which
 * bias, activation and residual are applied in one place. */
#ifndef PD_KERNELS_GEMM_QUAD_H
#define PD_KERNELS_GEMM_QUAD_H

#include "kernels/finish_vec.h"

#define ROWS_MAX 6
#define QUADS (PD_PANEL_COLUMNS / LANES)
#define GROUP 4                         /* inputs whose products one 32-bit lane sums */
#define QUAD_BYTES (GROUP * LANES)      /* a group of the weights of four columns */
#define BLOCK_BYTES ((size_t)128 << 10) /* of A: a share of L2 that leaves room for a panel */

#define FORCE_INLINE static inline __attribute__((always_inline))

/* Rows of the left operand that meet one panel. */
struct tile {
    const void *a; /* floats, or quantised inputs */
    size_t ld_a;
    const void *panel;
    size_t steps;         /* k of floats, groups of bytes */
    const uint8_t *ahead; /* bytes only: part of the next panel: asked for, ahead_step bytes a group */
    size_t ahead_step;
};

#define FOR_ALL_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)

typedef void (*tile_function)(const struct tile *t, float *sums);

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

#ifdef F32_QUADS /* without it only the bytes are wanted */
/* sums[row][column] of `rows` rows; F32_QUADS vectors of a panel's row at a time. */
FORCE_INLINE void multiply_f32(const struct tile *t, const size_t rows, float *sums)
{
    for (size_t first = 0; first < QUADS; first += F32_QUADS) {
        vec sum[ROWS_MAX][F32_QUADS];
#pragma GCC unroll 6
        for (size_t row = 0; row < rows; row++)
#pragma GCC unroll 4
            for (size_t quad = 0; quad < F32_QUADS; quad++)
                sum[row][quad] = vec_set(0.0f);
        const float *a = t->a, *b = (const float *)t->panel + first * LANES;
        for (size_t i = 0; i < t->steps; i++, a++, b += PD_PANEL_COLUMNS) {
            vec right[F32_QUADS];
#pragma GCC unroll 4
            for (size_t quad = 0; quad < F32_QUADS; quad++)
                right[quad] = vec_load(b + quad * LANES);
#pragma GCC unroll 6
            for (size_t row = 0; row < rows; row++) {
                const vec left = vec_set(a[row * t->ld_a]);
#pragma GCC unroll 4
                for (size_t quad = 0; quad < F32_QUADS; quad++)
                    sum[row][quad] = vec_add_product(sum[row][quad], left, right[quad]);
            }
        }
#pragma GCC unroll 6
        for (size_t row = 0; row < rows; row++)
#pragma GCC unroll 4
            for (size_t quad = 0; quad < F32_QUADS; quad++)
                vec_store(sums + row * PD_PANEL_COLUMNS + (first + quad) * LANES, sum[row][quad]);
    }
}

#define DEFINE_F32_TILE(rows) \
    static void f32_##rows(const struct tile *t, float *sums) { multiply_f32(t, rows, sums); }
#define F32_TILE(rows) f32_##rows,
FOR_ALL_ROWS(DEFINE_F32_TILE)
static const tile_function f32_tiles[ROWS_MAX] = { FOR_ALL_ROWS(F32_TILE) };

static void gemm_f32(const pd_gemm *g, const float *a, size_t ld_a, const float *packed)
{
    const size_t block_rows = BLOCK_BYTES / (g->k * sizeof *a) / ROWS_MAX * ROWS_MAX + ROWS_MAX;
    for (size_t first = 0; first < g->m; first += block_rows)
        for (size_t column = 0; column < g->n; column += PD_PANEL_COLUMNS) {
            const size_t end = smaller(g->m, first + block_rows);
            for (size_t row = first; row < end; row += ROWS_MAX) {
                const size_t rows = smaller(ROWS_MAX, end - row);
                const struct tile t = {
                    .a = a + row * ld_a, .ld_a = ld_a, .panel = packed + column * g->k, .steps = g->k
                };
                float sums[ROWS_MAX * PD_PANEL_COLUMNS];
                f32_tiles[rows - 1](&t, sums);
                finish_rows(g, row, rows, column, sums);
            }
        }
}
#endif

/* The same as exact dots of bytes less QUAD_OFFSET. */
FORCE_INLINE void multiply_i8(const struct tile *t, const size_t rows, float *sums)
{
    for (size_t first = 0; first < QUADS; first += I8_QUADS) {
        quad_dots dots[ROWS_MAX][I8_QUADS];
#pragma GCC unroll 6
        for (size_t row = 0; row < rows; row++)
#pragma GCC unroll 4
            for (size_t quad = 0; quad < I8_QUADS; quad++)
                dots[row][quad] = quad_zero();
        const uint8_t *a = t->a, *ahead = t->ahead;
        const int8_t *b = (const int8_t *)t->panel + first * QUAD_BYTES;
        for (size_t i = 0; i < t->steps; i++, a += GROUP, b += QUADS * QUAD_BYTES) {
            quad_weights right[I8_QUADS];
#pragma GCC unroll 4
            for (size_t quad = 0; quad < I8_QUADS; quad++)
                right[quad] = quad_load(b + quad * QUAD_BYTES);
#pragma GCC unroll 6
            for (size_t row = 0; row < rows; row++) {
                const quad_inputs left = quad_spread(a + row * t->ld_a);
#pragma GCC unroll 4
                for (size_t quad = 0; quad < I8_QUADS; quad++)
                    dots[row][quad] = quad_add(dots[row][quad], left, right[quad]);
            }
            __builtin_prefetch(ahead);
            ahead += t->ahead_step;
        }
#pragma GCC unroll 6
        for (size_t row = 0; row < rows; row++)
#pragma GCC unroll 4
            for (size_t quad = 0; quad < I8_QUADS; quad++)
                vec_store(sums + row * PD_PANEL_COLUMNS + (first + quad) * LANES, quad_sum(dots[row][quad]));
    }
}

#define DEFINE_I8_TILE(rows) \
    static void i8_##rows(const struct tile *t, float *sums) { multiply_i8(t, rows, sums); }
#define I8_TILE(rows) i8_##rows,
FOR_ALL_ROWS(DEFINE_I8_TILE)
static const tile_function i8_tiles[ROWS_MAX] = { FOR_ALL_ROWS(I8_TILE) };

/* Dots to what they stand for: scale_a * (scale_w * dot - zero_a * sum_w). */
static void scale_sums(const pd_rows_u8 *a, size_t row, size_t rows, const pd_weights_i8 *w, size_t column, float *sums)
{
    for (size_t i = 0; i < rows; i++, sums += PD_PANEL_COLUMNS) {
        const vec scale = vec_set(a->scale[row + i]), zero = vec_set(a->zero[row + i] - (float)QUAD_OFFSET);
        for (size_t at = 0; at < PD_PANEL_COLUMNS; at += LANES) {
            const vec product = vec_mul(vec_load(sums + at), vec_load(w->scale + column + at));
            vec_store(sums + at, vec_mul(vec_sub_mul(zero, vec_load(w->sum + column + at), product), scale));
        }
    }
}

/* The rows first .. end - 1 of one panel, in tiles of equal height, give or take one row. */
static void run_panel_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w, size_t first, size_t end,
                         size_t column)
{
    const size_t groups = (g->k + GROUP - 1) / GROUP, n_tiles = (end - first + ROWS_MAX - 1) / ROWS_MAX;
    const int8_t *panel = w->packed + column * groups * GROUP;
    struct tile t = { .ld_a = a->ld_q, .panel = panel, .steps = groups, .ahead_step = QUADS * QUAD_BYTES / n_tiles };
    for (size_t i = 0; i < n_tiles; i++) {
        const size_t row = first + (end - first) * i / n_tiles;
        const size_t rows = first + (end - first) * (i + 1) / n_tiles - row;
        float sums[ROWS_MAX * PD_PANEL_COLUMNS];
        t.a = a->q + row * a->ld_q;
        t.ahead = (const uint8_t *)panel + (QUADS * QUAD_BYTES + i * t.ahead_step) * groups;
        i8_tiles[rows - 1](&t, sums);
        scale_sums(a, row, rows, w, column, sums);
        finish_rows(g, row, rows, column, sums);
    }
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    const size_t groups = (g->k + GROUP - 1) / GROUP;
    const size_t block_rows = BLOCK_BYTES / (groups * GROUP) / ROWS_MAX * ROWS_MAX + ROWS_MAX;
    for (size_t first = 0; first < g->m; first += block_rows)
        for (size_t column = 0; column < g->n; column += PD_PANEL_COLUMNS)
            run_panel_i8(g, a, w, first, smaller(g->m, first + block_rows), column);
}

#endif
