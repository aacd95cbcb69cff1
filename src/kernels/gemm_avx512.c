/* gemm_avx512.c: matrix products in register tiles of up to 14 rows x 32 columns: 28 of the 32 registers hold sums.
 *
 * All element types are one loop: a step takes 4 bytes of every row (a float, two bf16 or four quantised inputs),
 * broadcasts them, and 64 bytes of every panel (16 columns). A is read where it lies: rows are walked in step, and the
 * lines of a tile's rows stay in L1. Panels are the inner loop's stream; a block of rows small enough for L2 meets
 * every panel. */
#include "kernels/vec_avx512.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/math_vec.h"

#define ROWS_MAX 14
#define PANELS_MAX 2
#define COLUMNS_MAX (PANELS_MAX * PD_PANEL_COLUMNS)
#define STEP_BYTES 4
#define PANEL_STEP_BYTES 64
#define PREFETCH_LOCALITY 3
#define BLOCK_BYTES ((size_t)256 << 10) /* of A: a share of L2 that leaves room for a pair of panels */

/* What 4 bytes of a row are. */
enum kind { FLOATS, PAIRS, BYTES };

#define FORCE_INLINE static inline __attribute__((always_inline))

/* One tile of c, and all that makes it. */
struct tile {
    const uint8_t *a; /* rows, ld_a bytes apart */
    size_t ld_a;
    const uint8_t *panel[PANELS_MAX];
    const uint8_t *ahead; /* part of the next panels: asked for, ahead_step bytes a step */
    size_t ahead_step, steps;
    const float *scale_a, *zero_a;                 /* int8 only: per row */
    __m512 scale_w[PANELS_MAX], sum_w[PANELS_MAX]; /* int8 only: per column */
    __m512 bias[PANELS_MAX];
    __mmask16 columns[PANELS_MAX]; /* that exist */
    __m512 lo, hi;                 /* the clamp that stands for NONE and RELU6 */
    const float *residual;         /* may be NULL */
    size_t ld_residual;
    float *c;
    size_t ld_c;
};

/* As the instructions themselves: through the intrinsics, gcc 12 spills sums around the loop. */
FORCE_INLINE __m512i add_product(enum kind kind, __m512i sum, __m512i a, __m512i b)
{
    if (kind == BYTES)
        __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    else if (kind == PAIRS)
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    else
        __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}

FORCE_INLINE int32_t load_step(const uint8_t *a)
{
    int32_t step;
    __builtin_memcpy(&step, a, sizeof step);
    return step;
}

FORCE_INLINE __m512 finish(enum kind kind, const struct tile *t, int row, int panel, __m512i sum)
{
    __m512 value = _mm512_add_ps(_mm512_castsi512_ps(sum), t->bias[panel]);
    if (kind == BYTES) {
        const __m512 offset = _mm512_mul_ps(_mm512_set1_ps(t->zero_a[row]), t->sum_w[panel]);
        const __m512 product = _mm512_fmsub_ps(_mm512_cvtepi32_ps(sum), t->scale_w[panel], offset);
        value = _mm512_fmadd_ps(product, _mm512_set1_ps(t->scale_a[row]), t->bias[panel]);
    }
    return _mm512_max_ps(t->lo, _mm512_min_ps(t->hi, value)); /* in this order NaN stays */
}

/* A load that follows soon waits long for a store under a mask, even one of ones. */
FORCE_INLINE void store_columns(float *c, __mmask16 columns, __m512 value)
{
    if (columns == 0xFFFF)
        _mm512_storeu_ps(c, value);
    else
        _mm512_mask_storeu_ps(c, columns, value);
}

FORCE_INLINE void store(const struct tile *t, int row, int panel, __m512 value)
{
    const size_t at = (size_t)panel * PD_PANEL_COLUMNS;
    const __mmask16 columns = t->columns[panel];
    if (t->residual)
        value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(columns, t->residual + (size_t)row * t->ld_residual + at));
    store_columns(t->c + (size_t)row * t->ld_c + at, columns, value);
}

FORCE_INLINE void multiply(enum kind kind, const int rows, const int panels, const struct tile *t)
{
    __m512i sum[ROWS_MAX][PANELS_MAX];
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 2
        for (int panel = 0; panel < panels; panel++)
            sum[row][panel] = _mm512_setzero_si512();
    const uint8_t *third[(ROWS_MAX + 2) / 3]; /* every third row: with the distance as index, few registers reach all */
#pragma GCC unroll 5
    for (int i = 0; i < (rows + 2) / 3; i++)
        third[i] = t->a + 3 * (size_t)i * t->ld_a;
    const uint8_t *left = t->panel[0], *right = t->panel[1], *ahead = t->ahead;
    for (size_t steps = t->steps; steps > 0; steps--) {
        __m512i b[PANELS_MAX];
        b[0] = _mm512_load_si512(left);
        b[1] = panels > 1 ? _mm512_load_si512(right) : b[0];
#pragma GCC unroll 14
        for (int row = 0; row < rows; row++) {
            const __m512i a = _mm512_set1_epi32(load_step(third[row / 3] + (size_t)(row % 3) * t->ld_a));
#pragma GCC unroll 2
            for (int panel = 0; panel < panels; panel++)
                sum[row][panel] = add_product(kind, sum[row][panel], a, b[panel]);
        }
        __builtin_prefetch(ahead, 0, PREFETCH_LOCALITY);
        ahead += t->ahead_step;
        left += PANEL_STEP_BYTES;
        right += PANEL_STEP_BYTES;
#pragma GCC unroll 5
        for (int i = 0; i < (rows + 2) / 3; i++)
            third[i] += STEP_BYTES;
    }
#pragma GCC unroll 14
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 2
        for (int panel = 0; panel < panels; panel++)
            store(t, row, panel, finish(kind, t, row, panel, sum[row][panel]));
}

#define FOR_ALL_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define DEFINE_TILES(rows)                                                             \
    static void i8_##rows##x1(const struct tile *t) { multiply(BYTES, rows, 1, t); }   \
    static void i8_##rows##x2(const struct tile *t) { multiply(BYTES, rows, 2, t); }   \
    static void bf16_##rows##x1(const struct tile *t) { multiply(PAIRS, rows, 1, t); } \
    static void bf16_##rows##x2(const struct tile *t) { multiply(PAIRS, rows, 2, t); } \
    static void f32_##rows##x1(const struct tile *t) { multiply(FLOATS, rows, 1, t); } \
    static void f32_##rows##x2(const struct tile *t) { multiply(FLOATS, rows, 2, t); }
FOR_ALL_ROWS(DEFINE_TILES)

typedef void (*tile_function)(const struct tile *t);

#define I8_TILES(rows) { i8_##rows##x1, i8_##rows##x2 },
#define BF16_TILES(rows) { bf16_##rows##x1, bf16_##rows##x2 },
#define F32_TILES(rows) { f32_##rows##x1, f32_##rows##x2 },
static const tile_function i8_tiles[ROWS_MAX][PANELS_MAX] = { FOR_ALL_ROWS(I8_TILES) };
static const tile_function bf16_tiles[ROWS_MAX][PANELS_MAX] = { FOR_ALL_ROWS(BF16_TILES) };
static const tile_function f32_tiles[ROWS_MAX][PANELS_MAX] = { FOR_ALL_ROWS(F32_TILES) };

/* The operands of any GEMM, as the blocks see them. */
struct operands {
    const tile_function (*tiles)[PANELS_MAX];
    const uint8_t *a;
    size_t ld_a;
    const uint8_t *packed;
    size_t steps;
    const pd_rows_u8 *rows;       /* int8 only */
    const pd_weights_i8 *weights; /* int8 only */
};

/* Activations that cost more than a clamp: the tile's sums lie in `sums`, [rows, COLUMNS_MAX]. */
FORCE_INLINE void activate_tile(pd_activation activation, const struct tile *t, size_t rows, const float *sums)
{
    const __mmask16 left = t->columns[0], right = t->columns[1];
    for (size_t row = 0; row < rows; row++, sums += COLUMNS_MAX) {
        __m512 a = vec_activate(activation, _mm512_load_ps(sums));
        __m512 b = vec_activate(activation, _mm512_load_ps(sums + PD_PANEL_COLUMNS));
        float *c = t->c + row * t->ld_c;
        if (t->residual) {
            const float *residual = t->residual + row * t->ld_residual;
            a = _mm512_add_ps(a, _mm512_maskz_loadu_ps(left, residual));
            b = _mm512_add_ps(b, _mm512_maskz_loadu_ps(right, residual + PD_PANEL_COLUMNS));
        }
        store_columns(c, left, a);
        store_columns(c + PD_PANEL_COLUMNS, right, b);
    }
}

/* One loop for each activation. */
static void activate(pd_activation activation, const struct tile *t, size_t rows, const float *sums)
{
    if (activation == PD_ACTIVATION_QUICK_GELU)
        activate_tile(PD_ACTIVATION_QUICK_GELU, t, rows, sums);
    else if (activation == PD_ACTIVATION_GELU)
        activate_tile(PD_ACTIVATION_GELU, t, rows, sums);
    else
        activate_tile(PD_ACTIVATION_GELU_TANH, t, rows, sums);
}

/* The tile is aimed at the stack and back again: it is too large to be copied for every one. */
static void run_tile(const pd_gemm *g, struct tile *t, size_t rows, tile_function tile)
{
    if (g->activation <= PD_ACTIVATION_RELU6) {
        tile(t);
        return;
    }
    _Alignas(64) float sums[ROWS_MAX * COLUMNS_MAX];
    float *c = t->c;
    const float *residual = t->residual;
    const __mmask16 left = t->columns[0], right = t->columns[1];
    t->c = sums;
    t->ld_c = COLUMNS_MAX;
    t->residual = NULL;
    t->columns[0] = t->columns[1] = 0xFFFF; /* so that all of sums is something */
    tile(t);
    t->c = c;
    t->ld_c = g->ld_c;
    t->residual = residual;
    t->columns[0] = left;
    t->columns[1] = right;
    activate(g->activation, t, rows, sums);
}

/* What all tiles of one pair of panels share. */
static struct tile begin_columns(const pd_gemm *g, const struct operands *o, size_t column)
{
    const bool clamp = g->activation == PD_ACTIVATION_RELU6;
    struct tile t = { .ld_a = o->ld_a, .steps = o->steps, .ld_c = g->ld_c, .ld_residual = g->ld_residual };
    t.lo = _mm512_set1_ps(clamp ? 0.0f : -INFINITY);
    t.hi = _mm512_set1_ps(clamp ? 6.0f : INFINITY);
    for (size_t panel = 0; panel < PANELS_MAX; panel++) {
        const size_t first = column + panel * PD_PANEL_COLUMNS;
        if (first >= g->n)
            break;
        t.columns[panel] = first_lanes(g->n - first);
        t.panel[panel] = o->packed + first / PD_PANEL_COLUMNS * o->steps * PANEL_STEP_BYTES;
        if (g->bias)
            t.bias[panel] = _mm512_maskz_loadu_ps(t.columns[panel], g->bias + first);
        if (o->weights) {
            t.scale_w[panel] = _mm512_loadu_ps(o->weights->scale + first);
            t.sum_w[panel] = _mm512_loadu_ps(o->weights->sum + first);
        }
    }
    return t;
}

static void run_columns(const pd_gemm *g, const struct operands *o, size_t row_first, size_t n_rows, size_t column)
{
    struct tile t = begin_columns(g, o, column);
    const size_t n_tiles = (n_rows + ROWS_MAX - 1) / ROWS_MAX;
    const size_t share = PANELS_MAX * PANEL_STEP_BYTES / n_tiles; /* of every step of the next panels, for a tile */
    t.ahead_step = share < PANEL_STEP_BYTES ? share : PANEL_STEP_BYTES;
    for (size_t i = 0; i < n_tiles; i++) { /* of equal height, give or take one row */
        const size_t row = row_first + n_rows * i / n_tiles;
        const size_t rows = row_first + n_rows * (i + 1) / n_tiles - row;
        t.a = o->a + row * o->ld_a;
        t.ahead = t.panel[0] + (PANELS_MAX * PANEL_STEP_BYTES + i * t.ahead_step) * o->steps;
        t.c = g->c + row * g->ld_c + column;
        t.residual = g->residual ? g->residual + row * g->ld_residual + column : NULL;
        if (o->rows) {
            t.scale_a = o->rows->scale + row;
            t.zero_a = o->rows->zero + row;
        }
        run_tile(g, &t, rows, o->tiles[rows - 1][t.columns[1] != 0]);
    }
}

static void run(const pd_gemm *g, const struct operands *o)
{
    const size_t block = BLOCK_BYTES / (o->steps * STEP_BYTES) / ROWS_MAX * ROWS_MAX + ROWS_MAX;
    for (size_t row = 0; row < g->m; row += block)
        for (size_t column = 0; column < g->n; column += COLUMNS_MAX)
            run_columns(g, o, row, g->m - row < block ? g->m - row : block, column);
}

static void gemm_f32(const pd_gemm *g, const float *a, size_t ld_a, const float *packed)
{
    const struct operands o = { .tiles = f32_tiles,
                                .a = (const uint8_t *)a,
                                .ld_a = ld_a * sizeof *a,
                                .packed = (const uint8_t *)packed,
                                .steps = g->k };
    run(g, &o);
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    const struct operands o = { .tiles = i8_tiles,
                                .a = a->q,
                                .ld_a = a->ld_q,
                                .packed = (const uint8_t *)w->packed,
                                .steps = (g->k + STEP_BYTES - 1) / STEP_BYTES,
                                .rows = a,
                                .weights = w };
    run(g, &o);
}

static void gemm_bf16(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed)
{
    const struct operands o = { .tiles = bf16_tiles,
                                .a = (const uint8_t *)a,
                                .ld_a = ld_a * sizeof *a,
                                .packed = (const uint8_t *)packed,
                                .steps = (g->k + 1) / 2 };
    run(g, &o);
}

void pd_kernels_avx512_gemm(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_f32 = gemm_f32;
    ret_kernels->gemm_i8 = gemm_i8;
}

/* Where the CPU has products of bf16 as well. */
void pd_kernels_avx512_bf16(pd_kernels *ret_kernels) { ret_kernels->gemm_bf16 = gemm_bf16; }
