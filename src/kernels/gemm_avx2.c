/* gemm_avx2.c: matrix products in register tiles of up to 6 rows x one panel: 12 of the 16 registers hold sums.
 *
 * There is no exact product of u8 and s8 in AVX2 (vpmaddubsw saturates at 16 bits), so int8 works on 16-bit lanes: a
 * block of rows is widened once into a buffer on the stack, the weights on every load, and a tile takes one half of a
 * panel at a time because vpmaddwd leaves two sums per column. */
#include "kernels/vec_avx2.h"

#include <math.h>
#include <stdbool.h>

#include "kernels/math_vec.h"

#define ROWS_MAX 6
#define HALVES 2 /* of a panel: LANES columns */
#define GROUP 4
#define GROUP_BYTES (GROUP * PD_PANEL_COLUMNS)
#define BLOCK_BYTES ((size_t)256 << 10) /* of A: a share of L2 that leaves room for a panel */
#define WIDE_K_MAX 4096                 /* inputs of a row that are widened at once */
#define WIDE_PAD 16                     /* so that rows rarely share cache sets; the widening writes into it */
#define WIDE_COUNT (ROWS_MAX * (WIDE_K_MAX + WIDE_PAD))

#define FORCE_INLINE static inline __attribute__((always_inline))

/* Rows of quantised inputs as 16-bit numbers. */
struct block {
    int16_t wide[WIDE_COUNT];
    size_t ld;
    const uint8_t *q; /* what was widened: the first row */
    size_t ld_q;
};

/* One tile of c, and all that makes it. */
struct tile {
    const float *a; /* f32 only */
    size_t ld_a;
    struct block *block; /* int8 only: its rows from block_row on */
    size_t block_row;
    size_t ahead, ahead_step; /* int8 only: which part of the next panel, in bytes a group */
    const void *panel;
    size_t k;
    const float *scale_a, *zero_a;         /* int8 only: per row */
    __m256 scale_w[HALVES], sum_w[HALVES]; /* int8 only: per column */
    __m256 bias[HALVES];
    __m256 lo, hi;         /* the clamp that stands for NONE and RELU6 */
    const float *residual; /* may be NULL */
    size_t ld_residual;
    float *c;
    size_t ld_c;
};

FORCE_INLINE void store(const struct tile *t, size_t row, size_t half, __m256 value)
{
    value = _mm256_max_ps(t->lo, _mm256_min_ps(t->hi, value)); /* in this order NaN stays */
    if (t->residual)
        value = _mm256_add_ps(value, _mm256_loadu_ps(t->residual + row * t->ld_residual + half * LANES));
    _mm256_storeu_ps(t->c + row * t->ld_c + half * LANES, value);
}

/* Sums as the instructions themselves: through the intrinsics, gcc 12 spills them around the loop. */
FORCE_INLINE void multiply_f32(const int rows, const struct tile *t)
{
    __m256 sum[ROWS_MAX][HALVES];
#pragma GCC unroll 6
    for (int row = 0; row < rows; row++)
        sum[row][0] = sum[row][1] = _mm256_setzero_ps();
    const float *upper = t->a, *lower = upper + 3 * t->ld_a, *b = t->panel;
    for (size_t k = t->k; k > 0; k--) {
        const __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + LANES);
#pragma GCC unroll 6
        for (int row = 0; row < rows; row++) {
            const __m256 a = _mm256_broadcast_ss((row < 3 ? upper : lower) + (size_t)(row % 3) * t->ld_a);
            __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum[row][0]) : "x"(a), "x"(b0));
            __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum[row][1]) : "x"(a), "x"(b1));
        }
        b += PD_PANEL_COLUMNS;
        upper++;
        lower++;
    }
#pragma GCC unroll 6
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 2
        for (int half = 0; half < HALVES; half++)
            store(t, (size_t)row, (size_t)half, _mm256_add_ps(sum[row][half], t->bias[half]));
}

FORCE_INLINE __m256i add_products(__m256i sum, __m256i a, __m256i b)
{
    __m256i product;
    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(a), "x"(b));
    return sum;
}

FORCE_INLINE __m256i load_weights(const int8_t *b)
{
    return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)(const void *)b));
}

FORCE_INLINE __m256i load_group(const int16_t *wide)
{
    long long group;
    __builtin_memcpy(&group, wide, sizeof group);
    return _mm256_set1_epi64x(group);
}

/* Half a panel, and the rows that meet it. */
struct half {
    const int16_t *wide;
    size_t ld;
    const int8_t *b;
    const int8_t *ahead; /* part of the next panel: asked for, ahead_step bytes a group */
    size_t ahead_step, groups;
};

/* dots [rows, 16] += rows times the half. */
FORCE_INLINE void multiply_half(const int rows, const struct half *h, int32_t *dots)
{
    __m256i sum[ROWS_MAX][2]; /* of columns 0-3 and 4-7 of the half, two sums each */
#pragma GCC unroll 6
    for (int row = 0; row < rows; row++)
        sum[row][0] = sum[row][1] = _mm256_setzero_si256();
    const int16_t *upper = h->wide, *lower = upper + 3 * h->ld;
    const int8_t *b = h->b, *ahead = h->ahead;
    for (size_t groups = h->groups; groups > 0; groups--) {
        const __m256i b0 = load_weights(b), b1 = load_weights(b + 16);
#pragma GCC unroll 6
        for (int row = 0; row < rows; row++) {
            const __m256i a = load_group((row < 3 ? upper : lower) + (size_t)(row % 3) * h->ld);
            sum[row][0] = add_products(sum[row][0], a, b0);
            sum[row][1] = add_products(sum[row][1], a, b1);
        }
        __builtin_prefetch(ahead);
        ahead += h->ahead_step;
        upper += GROUP;
        lower += GROUP;
        b += GROUP_BYTES;
    }
#pragma GCC unroll 6
    for (int row = 0; row < rows; row++) {
        __m256i *dot = (__m256i *)(void *)(dots + row * PD_PANEL_COLUMNS);
        const __m256i pairs = _mm256_hadd_epi32(sum[row][0], sum[row][1]); /* columns 0 1 4 5 2 3 6 7 */
        _mm256_storeu_si256(dot, _mm256_add_epi32(_mm256_loadu_si256(dot), _mm256_permute4x64_epi64(pairs, 0xD8)));
    }
}

#define FOR_ALL_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define DEFINE_TILES(rows)                                                  \
    static void f32_##rows(const struct tile *t) { multiply_f32(rows, t); } \
    static void half_##rows(const struct half *h, int32_t *dots) { multiply_half(rows, h, dots); }
FOR_ALL_ROWS(DEFINE_TILES)

typedef void (*f32_tile)(const struct tile *t);
typedef void (*half_tile)(const struct half *h, int32_t *dots);

#define F32_TILE(rows) f32_##rows,
#define HALF_TILE(rows) half_##rows,
static const f32_tile f32_tiles[ROWS_MAX] = { FOR_ALL_ROWS(F32_TILE) };
static const half_tile half_tiles[ROWS_MAX] = { FOR_ALL_ROWS(HALF_TILE) };

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

/* The bytes first .. first + count - 1 of n_rows rows, as 16-bit numbers. */
static void widen(struct block *block, size_t n_rows, size_t first, size_t count)
{
    for (size_t row = 0; row < n_rows; row++) {
        const uint8_t *from = block->q + row * block->ld_q + first;
        int16_t *to = block->wide + row * block->ld;
        size_t i = 0;
        for (; i + 16 <= count; i += 16)
            _mm256_storeu_si256((__m256i *)(void *)(to + i),
                                _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(from + i))));
        for (; i < count; i++)
            to[i] = from[i];
    }
}

static void multiply_i8(const struct tile *t, size_t rows)
{
    int32_t dots[ROWS_MAX * PD_PANEL_COLUMNS] = { 0 };
    struct block *block = t->block;
    for (size_t first = 0; first < t->k; first += WIDE_K_MAX) {
        const size_t count = t->k - first < WIDE_K_MAX ? t->k - first : WIDE_K_MAX;
        if (t->k > WIDE_K_MAX) /* longer rows pass through the buffer, which holds one tile, again for every panel */
            widen(block, rows, first, count);
        for (size_t half = 0; half < HALVES; half++) {
            const int8_t *b = (const int8_t *)t->panel + first * PD_PANEL_COLUMNS + half * GROUP_BYTES / HALVES;
            const struct half h = { .wide = block->wide + t->block_row * block->ld,
                                    .ld = block->ld,
                                    .b = b,
                                    .ahead = (const int8_t *)t->panel + t->k * PD_PANEL_COLUMNS +
                                             (2 * t->ahead + half * t->ahead_step) * (t->k / GROUP),
                                    .ahead_step = t->ahead_step,
                                    .groups = count / GROUP };
            half_tiles[rows - 1](&h, dots + half * LANES);
        }
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t half = 0; half < HALVES; half++) {
            const int32_t *dot = dots + row * PD_PANEL_COLUMNS + half * LANES;
            const __m256 sum = _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(const void *)dot));
            const __m256 offset = _mm256_mul_ps(_mm256_set1_ps(t->zero_a[row]), t->sum_w[half]);
            const __m256 product = _mm256_fmsub_ps(sum, t->scale_w[half], offset);
            store(t, row, half, _mm256_fmadd_ps(product, _mm256_set1_ps(t->scale_a[row]), t->bias[half]));
        }
}

static void multiply(const struct tile *t, size_t rows)
{
    if (t->block)
        multiply_i8(t, rows);
    else
        f32_tiles[rows - 1](t);
}

/* Activations that cost more than a clamp, and panels with fewer columns: from `sums`, [rows, 16]. */
static void finish_rows(const pd_gemm *g, const struct tile *t, size_t rows, size_t columns, float *sums)
{
    for (size_t row = 0; row < rows; row++, sums += PD_PANEL_COLUMNS) {
        for (size_t half = 0; half < HALVES; half++)
            _mm256_storeu_ps(sums + half * LANES, vec_activate(g->activation, _mm256_loadu_ps(sums + half * LANES)));
        for (size_t column = 0; column < columns; column++) {
            const float residual = t->residual ? t->residual[row * t->ld_residual + column] : 0.0f;
            t->c[row * t->ld_c + column] = sums[column] + residual;
        }
    }
}

static void run_tile(const pd_gemm *g, struct tile *t, size_t row, size_t rows, size_t column)
{
    t->c = g->c + row * g->ld_c + column;
    t->residual = g->residual ? g->residual + row * g->ld_residual + column : NULL;
    if (g->activation <= PD_ACTIVATION_RELU6 && column + PD_PANEL_COLUMNS <= g->n) {
        multiply(t, rows);
        return;
    }
    float sums[ROWS_MAX * PD_PANEL_COLUMNS];
    struct tile unfinished = *t;
    unfinished.c = sums;
    unfinished.ld_c = PD_PANEL_COLUMNS;
    unfinished.residual = NULL;
    multiply(&unfinished, rows);
    finish_rows(g, t, rows, g->n - column < PD_PANEL_COLUMNS ? g->n - column : PD_PANEL_COLUMNS, sums);
}

/* What all tiles of one panel share. */
static struct tile begin_panel(const pd_gemm *g, size_t column, const pd_weights_i8 *weights)
{
    const bool clamp = g->activation == PD_ACTIVATION_RELU6;
    struct tile t = { .ld_c = g->ld_c, .ld_residual = g->ld_residual };
    t.lo = _mm256_set1_ps(clamp ? 0.0f : -INFINITY);
    t.hi = _mm256_set1_ps(clamp ? 6.0f : INFINITY);
    float bias[PD_PANEL_COLUMNS] = { 0.0f };
    for (size_t i = 0; g->bias && i < PD_PANEL_COLUMNS && column + i < g->n; i++)
        bias[i] = g->bias[column + i];
    for (size_t half = 0; half < HALVES; half++) {
        t.bias[half] = _mm256_loadu_ps(bias + half * LANES);
        if (weights) {
            t.scale_w[half] = _mm256_loadu_ps(weights->scale + column + half * LANES);
            t.sum_w[half] = _mm256_loadu_ps(weights->sum + column + half * LANES);
        }
    }
    return t;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void gemm_f32(const pd_gemm *g, const float *a, size_t ld_a, const float *packed)
{
    const size_t block_rows = BLOCK_BYTES / (g->k * sizeof *a) / ROWS_MAX * ROWS_MAX + ROWS_MAX;
    for (size_t first = 0; first < g->m; first += block_rows)
        for (size_t column = 0; column < g->n; column += PD_PANEL_COLUMNS) {
            struct tile t = begin_panel(g, column, NULL);
            const size_t end = smaller(g->m, first + block_rows);
            t.panel = packed + column * g->k;
            t.k = g->k;
            t.ld_a = ld_a;
            for (size_t row = first; row < end; row += ROWS_MAX) {
                t.a = a + row * ld_a;
                run_tile(g, &t, row, smaller(ROWS_MAX, end - row), column);
            }
        }
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    struct block block; /* not cleared: 48 KiB */
    block.ld_q = a->ld_q;
    const size_t k = round_up(g->k, GROUP);
    block.ld = round_up(smaller(k, WIDE_K_MAX), WIDE_PAD) + WIDE_PAD;
    const size_t block_rows = WIDE_COUNT / block.ld / ROWS_MAX * ROWS_MAX;
    for (size_t first = 0; first < g->m; first += block_rows) {
        const size_t end = smaller(g->m, first + block_rows);
        block.q = a->q + first * a->ld_q;
        if (k <= WIDE_K_MAX)
            widen(&block, end - first, 0, k);
        for (size_t column = 0; column < g->n; column += PD_PANEL_COLUMNS) {
            struct tile t = begin_panel(g, column, w);
            t.panel = w->packed + column * k;
            t.k = k;
            t.block = &block;
            const size_t n_tiles = (end - first + ROWS_MAX - 1) / ROWS_MAX;
            const size_t share = GROUP_BYTES / (HALVES * n_tiles); /* of every group of the next panel, for a half */
            t.ahead_step = share;
            for (size_t i = 0; i < n_tiles; i++) { /* of equal height, give or take one row */
                const size_t row = first + (end - first) * i / n_tiles;
                t.block_row = row - first;
                t.scale_a = a->scale + row;
                t.zero_a = a->zero + row;
                t.ahead = i * share;
                run_tile(g, &t, row, first + (end - first) * (i + 1) / n_tiles - row, column);
            }
        }
    }
}

void pd_kernels_avx2_gemm(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_f32 = gemm_f32;
    ret_kernels->gemm_i8 = gemm_i8;
}
