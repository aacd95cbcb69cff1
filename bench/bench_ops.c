/* bench_ops.c DIR [ROUNDS] [--cpu LEVEL] [--fp32]: where the time of an image embedding goes: ms and share of each
 * kernel; for the products their speed, and the part of the core's peak (peak.h) that they and the whole tower reach,
 * the peak measured before and after each picture. The model's table of kernels is exchanged for one that looks at the
 * clock (of the thread's own time). Medians over the rounds. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/model_parts.h"
#include "peak.h"

typedef enum op {
    OP_GEMM_F32,
    OP_GEMM_I8,
    OP_GEMM_BF16,
    OP_QUANTISE,
    OP_ROUND,
    OP_DEPTHWISE,
    OP_ATTENTION,
    OP_COUNT
} op;

static const char *const op_names[OP_COUNT] = { "gemm_f32",   "gemm_i8",   "gemm_bf16", "quantise_rows",
                                                "round_rows", "depthwise", "attention" };
static pd_kernels real;
static int64_t op_ns[OP_COUNT];
static double op_work[OP_COUNT]; /* multiplications and additions */
static size_t op_calls[OP_COUNT];

static void count(op which, int64_t begin, double work)
{
    op_ns[which] += bench_cpu_ns() - begin;
    op_work[which] += work;
    op_calls[which]++;
}

static double work_of(const pd_gemm *g) { return 2.0 * (double)g->m * (double)g->n * (double)g->k; }

static void gemm_f32(const pd_gemm *g, const float *a, size_t ld_a, const float *packed)
{
    const int64_t begin = bench_cpu_ns();
    real.gemm_f32(g, a, ld_a, packed);
    count(OP_GEMM_F32, begin, work_of(g));
}

static void gemm_i8(const pd_gemm *g, const pd_rows_u8 *a, const pd_weights_i8 *w)
{
    const int64_t begin = bench_cpu_ns();
    real.gemm_i8(g, a, w);
    count(OP_GEMM_I8, begin, work_of(g));
}

static void gemm_bf16(const pd_gemm *g, const uint16_t *a, size_t ld_a, const uint16_t *packed)
{
    const int64_t begin = bench_cpu_ns();
    real.gemm_bf16(g, a, ld_a, packed);
    count(OP_GEMM_BF16, begin, work_of(g));
}

static void quantise_rows(const float *x, size_t ld, size_t m, size_t k, const pd_rows_u8 *ret_rows)
{
    const int64_t begin = bench_cpu_ns();
    real.quantise_rows(x, ld, m, k, ret_rows);
    count(OP_QUANTISE, begin, 0.0);
}

static void round_rows(const float *x, size_t ld, size_t m, size_t k, uint16_t *ret_half, size_t ld_half)
{
    const int64_t begin = bench_cpu_ns();
    real.round_rows(x, ld, m, k, ret_half, ld_half);
    count(OP_ROUND, begin, 0.0);
}

static void depthwise(const pd_depthwise *d)
{
    const int64_t begin = bench_cpu_ns();
    real.depthwise(d);
    count(OP_DEPTHWISE, begin, 18.0 * (double)(d->h_out * d->w_out * d->channels));
}

static void attention(const pd_attention *a)
{
    const int64_t begin = bench_cpu_ns();
    real.attention(a);
    count(OP_ATTENTION, begin, 4.0 * (double)(a->n_queries * a->n_keys) * (double)(a->n_heads * a->d_head));
}

static void exchange_kernels(pd_model *model)
{
    real = model->kernels;
    model->kernels.gemm_f32 = gemm_f32;
    model->kernels.gemm_i8 = gemm_i8;
    model->kernels.gemm_bf16 = gemm_bf16;
    model->kernels.quantise_rows = quantise_rows;
    model->kernels.round_rows = round_rows;
    model->kernels.depthwise = depthwise;
    model->kernels.attention = attention;
}

enum { ROUNDS_MAX = 1000 };

/* What one round took. */
static struct round {
    double total_ms, ms[OP_COUNT], speed[OP_COUNT], share_of_peak[OP_COUNT], tower_of_peak;
} rounds[ROUNDS_MAX];

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the field at `offset` of every round. */
static double median(size_t offset, size_t n)
{
    static double values[ROUNDS_MAX];
    for (size_t i = 0; i < n; i++)
        memcpy(&values[i], (const char *)&rounds[i] + offset, sizeof *values);
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static peak peak_of(op which)
{
    if (which == OP_GEMM_I8)
        return peak_of_i8(real.name);
    return which == OP_GEMM_BF16 ? peak_of_bf16(real.name) : peak_of_f32(real.name);
}

/* One picture between two measurements of the peaks. */
static pd_status run_round(pd_session *session, const float *input, struct round *ret_round, pd_error *err)
{
    float embedding[PD_MODEL_DIM_MAX];
    double peaks[PEAK_COUNT], ideal_ns = 0.0;
    memset(op_ns, 0, sizeof op_ns);
    memset(op_work, 0, sizeof op_work);
    memset(op_calls, 0, sizeof op_calls);
    for (peak which = 0; which < PEAK_COUNT; which++)
        peaks[which] = peak_measure(which);
    const int64_t begin = bench_cpu_ns();
    PD_TRY(pd_session_embed_input(session, input, embedding, err));
    ret_round->total_ms = (double)(bench_cpu_ns() - begin) * 1e-6;
    for (peak which = 0; which < PEAK_COUNT; which++)
        peaks[which] = (peaks[which] + peak_measure(which)) / 2.0;
    for (op which = 0; which < OP_COUNT; which++) {
        const double most = peaks[peak_of(which)];
        ret_round->ms[which] = (double)op_ns[which] * 1e-6;
        ret_round->speed[which] = op_ns[which] ? op_work[which] / (double)op_ns[which] : 0.0;
        ret_round->share_of_peak[which] = most > 0.0 ? ret_round->speed[which] / most : 0.0;
        ideal_ns += most > 0.0 ? op_work[which] / most : 0.0;
    }
    ret_round->tower_of_peak = ideal_ns * 1e-6 / ret_round->total_ms;
    return PD_OK;
}

#define MEDIAN(field) median(offsetof(struct round, field), n)

static void print_rounds(const char *dir, size_t n)
{
    const double total = MEDIAN(total_ms);
    double rest = total;
    printf("%s, %s, median of %zu rounds: %.3f ms a picture; %.2f of the time that its products take at the peak\n",
           pd_path_name(dir), real.name, n, total, MEDIAN(tower_of_peak));
    for (op which = 0; which < OP_COUNT; which++) {
        const double ms = MEDIAN(ms[which]);
        rest -= ms;
        if (!op_calls[which])
            continue;
        printf("%-14s %9.3f ms %5.1f %% %6zu calls", op_names[which], ms, 100.0 * ms / total, op_calls[which]);
        if (op_work[which] > 0.0)
            printf(" %7.1f G/s, %.2f of the peak", MEDIAN(speed[which]), MEDIAN(share_of_peak[which]));
        printf("\n");
    }
    printf("%-14s %9.3f ms %5.1f %%  (norms, patches)\n", "rest", rest, 100.0 * rest / total);
}

static pd_status run(const char *dir, const pd_model_options *options, size_t n_rounds, pd_error *err)
{
    pd_model *model = NULL;
    pd_session *session = NULL;
    PD_TRY(pd_model_open(&model, dir, options, err));
    exchange_kernels(model);
    const size_t side = pd_model_image_side(model), n = side * side * 3;
    float *input = pd_mem_alloc(n, sizeof *input);
    for (size_t i = 0; input && i < n; i++)
        input[i] = (float)(i * 2654435761U >> 20 & 1023) / 512.0f - 1.0f;
    pd_status status = input ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_session_create(&session, model, &(pd_session_options){ .towers = PD_MODEL_VISION }, err);
    for (size_t i = 0; status == PD_OK && i <= n_rounds; i++) /* the first only warms up */
        status = run_round(session, input, &rounds[i ? i - 1 : 0], err);
    if (status == PD_OK)
        print_rounds(dir, n_rounds);
    pd_session_free(&session);
    pd_mem_free(input);
    pd_model_close(&model);
    return status;
}

int main(int argc, char **argv)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = PD_MODEL_VISION;
    size_t n_rounds = 21;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--fp32") == 0)
            options.precision = PD_PRECISION_FP32;
        else if (strcmp(argv[i], "--cpu") == 0 && i + 1 < argc && pd_cpu_level(argv[i + 1], &options.cpu_mask))
            i++;
        else if (strtoul(argv[i], NULL, 10) > 0)
            n_rounds = strtoul(argv[i], NULL, 10);
        else
            argc = 0;
    }
    if (argc < 2 || n_rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_ops DIR [ROUNDS] [--cpu LEVEL] [--fp32]\n");
        return 2;
    }
    pd_error error = { 0 };
    const pd_status status = run(argv[1], &options, n_rounds, &error);
    if (status != PD_OK)
        fprintf(stderr, "bench_ops: %s\n", error.message);
    return status == PD_OK ? 0 : 1;
}
