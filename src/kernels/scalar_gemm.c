/* scalar_gemm.c: matrix products as sums in double (f32, bf16) and in 32-bit integers (i8). */
#include <string.h>

#include "kernels/kernels_isa.h"
#include "kernels/scalar.h"

static void finish(const pd_gemm *g, size_t row, size_t column, double sum)
{
    const double biased = sum + (g->bias ? g->bias[column] : 0.0f);
    const double residual = g->residual ? g->residual[row * g->ld_residual + column] : 0.0f;
    g->c[row * g->ld_c + column] = (float)(pd_scalar_activate(g->activation, biased) + residual);
}

static size_t columns_from(size_t first, size_t n)
{
    return n - first < PD_PANEL_COLUMNS ? n - first : PD_PANEL_COLUMNS;
}

static void gemm_f32(const pd_gemm *g, const float *a, size_t ld_a, const float *packed)
{
    for (size_t first = 0; first < g->n; first += PD_PANEL_COLUMNS, packed += g->k * PD_PANEL_COLUMNS)
        for (size_t row = 0; row < g->m; row++) {
            double sum[PD_PANEL_COLUMNS] = { 0.0 };
            for (size_t i = 0; i < g->k; i++)
                for (size_t column = 0; column < PD_PANEL_COLUMNS; column++)
                    sum[column] += (double)a[row * ld_a + i] * (double)packed[i * PD_PANEL_COLUMNS + column];
            for (size_t column = 0; column < columns_from(first, g->n); column++)
                finish(g, row, first + column, sum[column]);
        }
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    const size_t groups = (g->k + 3) / 4;
    const int8_t *panel = w->packed;
    for (size_t first = 0; first < g->n; first += PD_PANEL_COLUMNS, panel += groups * 4 * PD_PANEL_COLUMNS)
        for (size_t row = 0; row < g->m; row++) {
            const uint8_t *q = a->q + row * a->ld_q;
            int32_t dot[PD_PANEL_COLUMNS] = { 0 };
            for (size_t i = 0; i < g->k; i++)
                for (size_t column = 0; column < PD_PANEL_COLUMNS; column++)
                    dot[column] += q[i] * panel[(i / 4 * PD_PANEL_COLUMNS + column) * 4 + i % 4];
            for (size_t column = 0; column < columns_from(first, g->n); column++) {
                const double product = (double)w->scale[first + column] * dot[column];
                const double offset = (double)a->zero[row] * (double)w->sum[first + column];
                finish(g, row, first + column, (double)a->scale[row] * (product - offset));
            }
        }
}

static double double_of_bf16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void gemm_bf16(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed)
{
    const size_t pairs = (g->k + 1) / 2;
    for (size_t first = 0; first < g->n; first += PD_PANEL_COLUMNS, packed += pairs * 2 * PD_PANEL_COLUMNS)
        for (size_t row = 0; row < g->m; row++)
            for (size_t column = 0; column < columns_from(first, g->n); column++) {
                double sum = 0.0;
                for (size_t i = 0; i < g->k; i++)
                    sum += double_of_bf16(a[row * ld_a + i]) *
                           double_of_bf16(packed[(i / 2 * PD_PANEL_COLUMNS + column) * 2 + i % 2]);
                finish(g, row, first + column, sum);
            }
}

void pd_kernels_scalar_gemm(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_f32 = gemm_f32;
    ret_kernels->gemm_i8 = gemm_i8;
    ret_kernels->gemm_bf16 = gemm_bf16;
}
