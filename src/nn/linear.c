#include "nn/nn.h"

/* Rows keep the alignment that the GEMM reads groups of 4 bytes, or pairs of bf16, with. */
static size_t bytes_of_row(size_t k) { return (k + 3) & ~(size_t)3; }
static size_t halves_of_row(size_t k) { return (k + 1) & ~(size_t)1; }

size_t pd_linear_need(const pd_linear *linear, size_t m)
{
    if (linear->packed)
        return 0;
    if (linear->packed_bf16)
        return pd_arena_need(m, halves_of_row(linear->k) * sizeof(uint16_t));
    return pd_arena_need(m, bytes_of_row(linear->k)) + 2 * pd_arena_need(m, sizeof(float));
}

static void run_bytes(const pd_nn *nn, const pd_linear *linear, const float *x, size_t ld_x, const pd_gemm *gemm)
{
    const size_t ld_q = bytes_of_row(linear->k);
    const pd_rows_u8 rows = { .q = pd_arena_take(nn->arena, gemm->m, ld_q),
                              .scale = pd_arena_take(nn->arena, gemm->m, sizeof(float)),
                              .zero = pd_arena_take(nn->arena, gemm->m, sizeof(float)),
                              .ld_q = ld_q };
    nn->kernels->quantise_rows(x, ld_x, gemm->m, gemm->k, &rows);
    nn->kernels->gemm_i8(gemm, &rows, &linear->packed_i8);
}

static void run_halves(const pd_nn *nn, const pd_linear *linear, const float *x, size_t ld_x, const pd_gemm *gemm)
{
    const size_t ld = halves_of_row(linear->k);
    uint16_t *rows = pd_arena_take(nn->arena, gemm->m, ld * sizeof *rows);
    nn->kernels->round_rows(x, ld_x, gemm->m, gemm->k, rows, ld);
    nn->kernels->gemm_bf16(gemm, rows, ld, linear->packed_bf16);
}

void pd_linear_run(const pd_nn *nn, const pd_linear *linear, const float *x, size_t ld_x, const pd_gemm *out)
{
    const size_t mark = nn->arena->used;
    pd_gemm gemm = *out;
    gemm.n = linear->n;
    gemm.k = linear->k;
    gemm.bias = linear->bias;
    if (nn->observe)
        nn->observe(nn->observe_user, linear, x, ld_x, gemm.m);
    if (linear->packed)
        nn->kernels->gemm_f32(&gemm, x, ld_x, linear->packed);
    else if (linear->packed_bf16)
        run_halves(nn, linear, x, ld_x, &gemm);
    else
        run_bytes(nn, linear, x, ld_x, &gemm);
    pd_arena_rewind(nn->arena, mark);
}
