#include "nn/nn.h"

/* Quantised rows keep the alignment that the GEMM reads groups of 4 with. */
static size_t row_bytes(size_t k) { return (k + 3) & ~(size_t)3; }

size_t pd_linear_need(const pd_linear *linear, size_t m)
{
    if (linear->packed)
        return 0;
    return pd_arena_need(m, row_bytes(linear->k)) + 2 * pd_arena_need(m, sizeof(float));
}

void pd_linear_run(const pd_nn *nn, const pd_linear *linear, const float *x, size_t ld_x, const pd_gemm *out)
{
    pd_gemm gemm = *out;
    gemm.n = linear->n;
    gemm.k = linear->k;
    gemm.bias = linear->bias;
    if (linear->packed) {
        nn->kernels->gemm_f32(&gemm, x, ld_x, linear->packed);
        return;
    }
    const size_t mark = nn->arena->used;
    const size_t ld_q = row_bytes(linear->k);
    const pd_rows_u8 rows = { .q = pd_arena_take(nn->arena, gemm.m, ld_q),
                              .scale = pd_arena_take(nn->arena, gemm.m, sizeof(float)),
                              .zero = pd_arena_take(nn->arena, gemm.m, sizeof(float)),
                              .ld_q = ld_q };
    nn->kernels->quantise_rows(x, ld_x, gemm.m, gemm.k, &rows);
    nn->kernels->gemm_i8(&gemm, &rows, &linear->packed_i8);
    pd_arena_rewind(nn->arena, mark);
}
