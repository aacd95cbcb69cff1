/* bf16_vec.h: private to kernels: products of bf16 where the CPU has none: a bf16 is the upper half of a float, so a
 * shift or a mask makes floats of a pair; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_BF16_VEC_H
#define PD_KERNELS_BF16_VEC_H

#include <string.h>

#include "kernels/finish_vec.h"

#define BF16_ROWS 4 /* x 2 vectors of sums, 4 of the right operand, 2 of the left: 14 registers */
#define BF16_BLOCK_BYTES ((size_t)128 << 10)

static inline float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sums of up to BF16_ROWS rows and 2 * LANES columns. */
static inline __attribute__((always_inline)) void multiply_pairs(const uint16_t *a, size_t ld_a, const uint16_t *b,
                                                                 size_t pairs, const size_t rows, float *sums)
{
    vec sum[BF16_ROWS][2];
#pragma GCC unroll 4
    for (size_t row = 0; row < rows; row++)
        sum[row][0] = sum[row][1] = vec_set(0.0f);
    for (size_t i = 0; i < pairs; i++, a += 2, b += 2 * PD_PANEL_COLUMNS) {
        const vec even0 = vec_even_of_pairs(b), odd0 = vec_odd_of_pairs(b);
        const vec even1 = vec_even_of_pairs(b + 2 * LANES), odd1 = vec_odd_of_pairs(b + 2 * LANES);
#pragma GCC unroll 4
        for (size_t row = 0; row < rows; row++) {
            uint32_t pair;
            memcpy(&pair, a + row * ld_a, sizeof pair);
            const vec even = vec_set(float_of_bits(pair << 16)), odd = vec_set(float_of_bits(pair & 0xFFFF0000u));
            sum[row][0] = vec_mul_add(odd, odd0, vec_mul_add(even, even0, sum[row][0]));
            sum[row][1] = vec_mul_add(odd, odd1, vec_mul_add(even, even1, sum[row][1]));
        }
    }
#pragma GCC unroll 4
    for (size_t row = 0; row < rows; row++) {
        vec_store(sums + row * PD_PANEL_COLUMNS, sum[row][0]);
        vec_store(sums + row * PD_PANEL_COLUMNS + LANES, sum[row][1]);
    }
}

static void multiply_panel(const uint16_t *a, size_t ld_a, const uint16_t *b, size_t pairs, size_t rows, float *sums)
{
    for (size_t at = 0; at < PD_PANEL_COLUMNS; at += 2 * LANES, b += 4 * LANES, sums += 2 * LANES)
        if (rows == BF16_ROWS)
            multiply_pairs(a, ld_a, b, pairs, BF16_ROWS, sums);
        else
            for (size_t row = 0; row < rows; row++)
                multiply_pairs(a + row * ld_a, ld_a, b, pairs, 1, sums + row * PD_PANEL_COLUMNS);
}

static void gemm_bf16(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed)
{
    const size_t pairs = (g->k + 1) / 2;
    const size_t block_rows = BF16_BLOCK_BYTES / (pairs * 2 * sizeof *a) / BF16_ROWS * BF16_ROWS + BF16_ROWS;
    for (size_t first = 0; first < g->m; first += block_rows) {
        const size_t end = g->m - first < block_rows ? g->m : first + block_rows;
        for (size_t column = 0; column < g->n; column += PD_PANEL_COLUMNS)
            for (size_t row = first; row < end; row += BF16_ROWS) {
                float sums[BF16_ROWS * PD_PANEL_COLUMNS];
                const size_t rows = end - row < BF16_ROWS ? end - row : BF16_ROWS;
                multiply_panel(a + row * ld_a, ld_a, packed + column * pairs * 2, pairs, rows, sums);
                finish_rows(g, row, rows, column, sums);
            }
    }
}

#endif
