/* finish_vec.h: private to kernels: from the sums of a tile to c, on vectors; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_FINISH_VEC_H
#define PD_KERNELS_FINISH_VEC_H

#include "kernels/math_vec.h"

/* Bias, activation, residual. sums: [rows, PD_PANEL_COLUMNS], of rows `row` on of the panel that begins at `column`. */
static void finish_rows(const pd_gemm *g, size_t row, size_t rows, size_t column, const float *sums)
{
    const size_t columns = g->n - column < PD_PANEL_COLUMNS ? g->n - column : PD_PANEL_COLUMNS;
    for (size_t i = row; i < row + rows; i++, sums += PD_PANEL_COLUMNS)
        for (size_t at = 0; at < columns; at += LANES) {
            const size_t left = columns - at;
            vec value = vec_load(sums + at);
            if (g->bias)
                value = vec_add(value, vec_load_part(g->bias + column + at, left));
            value = vec_activate(g->activation, value);
            if (g->residual)
                value = vec_add(value, vec_load_part(g->residual + i * g->ld_residual + column + at, left));
            vec_store_part(g->c + i * g->ld_c + column + at, value, left);
        }
}

#endif
