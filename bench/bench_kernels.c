/* bench_kernels.c: what the kernels reach, per instruction set, beside what the CPU can do.
 *
 *     bench_kernels [gemm|depthwise|attention|rows|scan|resize]
 *
 * Every round runs every level once, so that a noisy machine disturbs all alike; medians are printed. Peaks are loops
 * that touch registers only. 1 G/s is 1e9 operations a second; a multiplication and an addition are 2. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "kernels/kernels.h"
#include "peak.h"

#define ROUNDS 15
#define LEVELS_MAX 8
#define CACHE_LINE 64

static pd_kernels levels[LEVELS_MAX];
static size_t n_levels;

static void *get(size_t bytes)
{
    uint8_t *data = pd_mem_alloc_aligned(4096, bytes + CACHE_LINE);
    if (!data)
        abort();
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)(i * 37 ^ i >> 8);
    return data;
}

static float *get_floats(size_t n)
{
    float *floats = get(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        floats[i] = (float)(int)(i * 2654435761u >> 20 & 1023) / 512.0f - 1.0f;
    return floats;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

/* One thing to time: job->run(kernels, job) does `work` units. */
typedef struct job job;
struct job {
    void (*run)(const pd_kernels *k, const job *j);
    const void *data;
    double work;        /* units of one run */
    const char *unit;   /* per nanosecond: G/s, GB/s */
    size_t first_level; /* levels below are too slow to wait for */
};

static double time_ns(const pd_kernels *k, const job *j, size_t repeats)
{
    const int64_t begin = bench_cpu_ns();
    for (size_t i = 0; i < repeats; i++)
        j->run(k, j);
    return (double)(bench_cpu_ns() - begin) / (double)repeats;
}

/* Of the round that is being timed, G/s. */
static double peaks[PEAK_COUNT];

static void measure_peaks(void)
{
    for (peak which = 0; which < PEAK_COUNT; which++)
        peaks[which] = peak_measure(which);
}

/* Prints one line: the median per level and, where `peaks` counts, its part of the peak of the same round. */
static void report(const char *what, const job *j, peak (*peak_of)(const char *level))
{
    static double speed[LEVELS_MAX][ROUNDS], part[LEVELS_MAX][ROUNDS];
    size_t repeats[LEVELS_MAX];
    for (size_t level = j->first_level; level < n_levels; level++) {
        const double once = time_ns(&levels[level], j, 1);
        repeats[level] = once > 5e6 ? 1 : (size_t)(5e6 / once) + 1;
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        measure_peaks();
        for (size_t level = j->first_level; level < n_levels; level++) {
            speed[level][round] = j->work / time_ns(&levels[level], j, repeats[level]);
            const double most = peak_of ? peaks[peak_of(levels[level].name)] : 0.0;
            part[level][round] = most > 0.0 ? speed[level][round] / most : 0.0;
        }
    }
    printf("%-34s", what);
    for (size_t level = j->first_level; level < n_levels; level++) {
        const double speed_median = median(speed[level], ROUNDS), part_median = median(part[level], ROUNDS);
        printf("  %s %7.1f %s %8.1f us", levels[level].name, speed_median, j->unit, j->work / speed_median * 1e-3);
        if (part_median > 0.0)
            printf(" (%.2f)", part_median);
    }
    printf("\n");
    fflush(stdout);
}

/* ViT-B/32 at 224 pixels (qkv, proj, fc1, fc2; and one prompt of 16 tokens), then MobileNetV2 at 224. */
static const struct {
    size_t m, n, k;
    pd_activation activation;
} gemm_shapes[] = {
    { 50, 2304, 768, PD_ACTIVATION_NONE },       { 50, 768, 768, PD_ACTIVATION_NONE },
    { 50, 3072, 768, PD_ACTIVATION_QUICK_GELU }, { 50, 3072, 768, PD_ACTIVATION_NONE },
    { 50, 768, 3072, PD_ACTIVATION_NONE },       { 400, 768, 768, PD_ACTIVATION_NONE },
    { 16, 1536, 512, PD_ACTIVATION_NONE },       { 12544, 16, 32, PD_ACTIVATION_NONE },
    { 12544, 96, 16, PD_ACTIVATION_RELU6 },      { 3136, 24, 96, PD_ACTIVATION_NONE },
    { 3136, 144, 24, PD_ACTIVATION_RELU6 },      { 784, 32, 192, PD_ACTIVATION_NONE },
    { 784, 192, 32, PD_ACTIVATION_RELU6 },       { 196, 64, 384, PD_ACTIVATION_NONE },
    { 196, 384, 64, PD_ACTIVATION_RELU6 },       { 196, 576, 96, PD_ACTIVATION_RELU6 },
    { 49, 160, 960, PD_ACTIVATION_NONE },        { 49, 960, 160, PD_ACTIVATION_RELU6 },
    { 49, 1280, 320, PD_ACTIVATION_RELU6 },
};

struct product {
    pd_gemm g;
    const float *a, *packed;
    pd_rows_u8 rows;
    pd_weights_i8 weights;
    uint16_t *halves;
    const uint16_t *packed_halves;
};

static void run_f32(const pd_kernels *k, const job *j)
{
    const struct product *p = j->data;
    k->gemm_f32(&p->g, p->a, p->g.k, p->packed);
}

static void run_i8(const pd_kernels *k, const job *j)
{
    const struct product *p = j->data;
    k->gemm_i8(&p->g, &p->rows, &p->weights);
}

static void run_bf16(const pd_kernels *k, const job *j)
{
    const struct product *p = j->data;
    k->gemm_bf16(&p->g, p->halves, (p->g.k + 1) / 2 * 2, p->packed_halves);
}

static void run_quantise(const pd_kernels *k, const job *j)
{
    const struct product *p = j->data;
    k->quantise_rows(p->a, p->g.k, p->g.m, p->g.k, &p->rows);
}

static void bench_shape(size_t m, size_t n, size_t k, pd_activation activation)
{
    const size_t padded = (n + 15) / 16 * 16, ld_q = (k + 3) / 4 * 4;
    float *a = get_floats(m * k), *w = get_floats(n * k), *packed = get(pd_pack_f32_bytes(n, k));
    int8_t *bytes = get(pd_pack_i8_bytes(n, k));
    uint16_t *halves = get(m * (k + 1) * sizeof *halves), *packed_halves = get(pd_pack_bf16_bytes(n, k));
    float *scale = get_floats(padded), *sum = get_floats(padded), *bias = get_floats(n), *c = get_floats(m * n);
    pd_pack_f32(w, n, k, packed);
    pd_pack_i8(w, n, k, bytes, scale, sum);
    pd_pack_bf16(w, n, k, packed_halves);
    levels[0].round_rows(a, k, m, k, halves, (k + 1) / 2 * 2);
    const struct product p = {
        .g = { .m = m, .n = n, .k = k, .bias = bias, .activation = activation, .c = c, .ld_c = n },
        .a = a,
        .packed = packed,
        .rows = { get(m * ld_q), get_floats(m), get_floats(m), ld_q },
        .weights = { bytes, scale, sum },
        .halves = halves,
        .packed_halves = packed_halves,
    };
    char what[64];
    const double work = 2.0 * (double)m * (double)n * (double)k;
    snprintf(what, sizeof what, "quantise %zu x %zu", m, k);
    report(what, &(job){ run_quantise, &p, (double)(m * k), "G/s", 1 }, NULL);
    snprintf(what, sizeof what, "gemm_i8  %zu x %zu x %zu", m, n, k);
    report(what, &(job){ run_i8, &p, work, "G/s", 1 }, peak_of_i8);
    snprintf(what, sizeof what, "gemm_bf16 %zu x %zu x %zu", m, n, k);
    report(what, &(job){ run_bf16, &p, work, "G/s", 1 }, peak_of_bf16);
    snprintf(what, sizeof what, "gemm_f32 %zu x %zu x %zu", m, n, k);
    report(what, &(job){ run_f32, &p, work, "G/s", 1 }, peak_of_f32);
    const void *all[] = { a, w,        packed,       bytes,       scale,  sum,          bias,
                          c, p.rows.q, p.rows.scale, p.rows.zero, halves, packed_halves };
    for (size_t i = 0; i < PD_COUNT_OF(all); i++)
        pd_mem_free((void *)(uintptr_t)all[i]);
}

static void bench_gemm(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(gemm_shapes); i++)
        bench_shape(gemm_shapes[i].m, gemm_shapes[i].n, gemm_shapes[i].k, gemm_shapes[i].activation);
}

static void run_depthwise(const pd_kernels *k, const job *j) { k->depthwise(j->data); }

static void bench_depthwise(void)
{
    static const size_t shapes[][3] = { /* of the input: side, channels, stride */
                                        { 112, 32, 1 }, { 112, 96, 2 }, { 56, 144, 1 }, { 56, 144, 2 }, { 28, 192, 1 },
                                        { 28, 192, 2 }, { 14, 384, 1 }, { 14, 576, 1 }, { 14, 576, 2 }, { 7, 960, 1 }
    };
    for (size_t i = 0; i < PD_COUNT_OF(shapes); i++) {
        const size_t side = shapes[i][0], channels = shapes[i][1], stride = shapes[i][2], out = side / stride;
        float *x = get_floats(side * side * channels), *w = get_floats(9 * channels), *bias = get_floats(channels);
        float *y = get_floats((out + 1) * (out + 1) * channels);
        const size_t side_out = (side + stride - 1) / stride;
        const pd_depthwise d = { .h_in = side,
                                 .w_in = side,
                                 .h_out = side_out,
                                 .w_out = side_out,
                                 .channels = channels,
                                 .stride = stride,
                                 .dilation = 1,
                                 .pad_top = 1,
                                 .pad_left = 1,
                                 .x = x,
                                 .w = w,
                                 .bias = bias,
                                 .activation = PD_ACTIVATION_RELU6,
                                 .y = y };
        char what[64];
        snprintf(what, sizeof what, "depthwise %zu^2 x %zu stride %zu", side, channels, stride);
        const double work = 18.0 * (double)(side_out * side_out * channels);
        report(what, &(job){ run_depthwise, &d, work, "G/s", 1 }, peak_of_f32);
        pd_mem_free(x);
        pd_mem_free(w);
        pd_mem_free(bias);
        pd_mem_free(y);
    }
}

static void run_attention(const pd_kernels *k, const job *j) { k->attention(j->data); }

static void bench_attention(void)
{
    static const size_t tokens[] = { 16, 50, 77, 197, 577 };
    enum { HEADS = 12, D_HEAD = 64, WIDTH = HEADS * D_HEAD };
    for (size_t i = 0; i < PD_COUNT_OF(tokens); i++) {
        const size_t n = tokens[i];
        float *qkv = get_floats(n * 3 * WIDTH), *out = get_floats(n * WIDTH);
        float *scratch = get_floats(pd_attention_scratch(n));
        const pd_attention a = { .n_queries = n,
                                 .n_keys = n,
                                 .n_heads = HEADS,
                                 .d_head = D_HEAD,
                                 .q = qkv,
                                 .k = qkv + WIDTH,
                                 .v = qkv + 2 * WIDTH,
                                 .ld_q = 3 * WIDTH,
                                 .ld = 3 * WIDTH,
                                 .scale = 0.125f,
                                 .out = out,
                                 .ld_out = WIDTH,
                                 .scratch = scratch };
        char what[64];
        snprintf(what, sizeof what, "attention %zu tokens", n);
        const double work = 4.0 * (double)(n * n * WIDTH);
        report(what, &(job){ run_attention, &a, work, "G/s", 1 }, peak_of_f32);
        pd_mem_free(qkv);
        pd_mem_free(out);
        pd_mem_free(scratch);
    }
}

struct rows {
    float *x, *y, *w;
    uint16_t *half;
    size_t m, k;
    pd_activation activation;
};

static void run_layer_norm(const pd_kernels *k, const job *j)
{
    const struct rows *r = j->data;
    k->layer_norm(r->x, r->m, r->k, r->w, r->w, 1e-5f, r->y);
}

static void run_activate(const pd_kernels *k, const job *j)
{
    const struct rows *r = j->data;
    memcpy(r->y, r->x, r->m * r->k * sizeof(float)); /* in place it would converge to zeros */
    k->activate(r->activation, r->y, r->m * r->k);
}

static void run_to_half(const pd_kernels *k, const job *j)
{
    const struct rows *r = j->data;
    k->half_of_float(r->x, r->m * r->k, r->half);
}

static void run_from_half(const pd_kernels *k, const job *j)
{
    const struct rows *r = j->data;
    k->float_of_half(r->half, r->m * r->k, r->y);
}

static void bench_rows(void)
{
    struct rows r = { .m = 50, .k = 768 };
    const double work = (double)(r.m * r.k);
    r.x = get_floats(r.m * r.k);
    r.y = get_floats(r.m * r.k);
    r.w = get_floats(r.k);
    r.half = get(r.m * r.k * 2);
    report("layer_norm 50 x 768", &(job){ run_layer_norm, &r, work, "G/s", 0 }, NULL);
    static const char *const names[] = { "none (copy)", "relu6", "quick_gelu", "gelu", "gelu_tanh" };
    for (r.activation = 0; r.activation < PD_ACTIVATION_COUNT; r.activation++) {
        char what[64];
        snprintf(what, sizeof what, "activate %s", names[r.activation]);
        report(what, &(job){ run_activate, &r, work, "G/s", 0 }, NULL);
    }
    report("half_of_float", &(job){ run_to_half, &r, work, "G/s", 0 }, NULL);
    report("float_of_half", &(job){ run_from_half, &r, work, "G/s", 0 }, NULL);
    pd_mem_free(r.x);
    pd_mem_free(r.y);
    pd_mem_free(r.w);
    pd_mem_free(r.half);
}

struct scan {
    const uint8_t *rows;
    const int8_t *query;
    int32_t *dots;
    size_t n, dim;
};

static void run_scan(const pd_kernels *k, const job *j)
{
    const struct scan *s = j->data;
    k->scan_u8(s->rows, s->n, s->dim, s->query, s->dots);
}

static void bench_scan(void)
{
    struct scan s = { .n = 1000000, .dim = 512 };
    uint8_t *rows = get(s.n * s.dim);
    s.rows = rows;
    s.query = get(s.dim);
    s.dots = get(s.n * sizeof *s.dots);
    report("scan_u8 1000000 x 512", &(job){ run_scan, &s, (double)(s.n * s.dim), "GB/s", 1 }, NULL);
    s.n = 1000;
    report("scan_u8 1000 x 512 (in cache)", &(job){ run_scan, &s, (double)(s.n * s.dim), "GB/s", 0 }, NULL);
    pd_mem_free(rows);
    pd_mem_free((void *)(uintptr_t)s.query);
    pd_mem_free(s.dots);
}

struct resize {
    pd_resize r;
    uint8_t *in, *out;
    float *floats;
    size_t w_in, h_in;
};

static void run_resize_rows(const pd_kernels *k, const job *j)
{
    const struct resize *r = j->data;
    k->resize_rows(&r->r, r->in, r->w_in * 3, r->h_in, r->out, r->r.n_out * 3);
}

static void run_resize_columns(const pd_kernels *k, const job *j)
{
    const struct resize *r = j->data;
    k->resize_columns(&r->r, r->in, r->w_in * 3, r->w_in, r->out, r->w_in * 3);
}

static void run_normalise(const pd_kernels *k, const job *j)
{
    static const float mul[3] = { 0.0146f, 0.0150f, 0.0142f }, add[3] = { -1.79f, -1.75f, -1.48f };
    const struct resize *r = j->data;
    k->normalise_rgb(r->in, r->w_in * r->h_in, mul, add, r->floats);
}

/* A picture of 512 pixels to 224, bicubic: 10 or 11 taps an output. */
static void bench_resize(void)
{
    enum { IN = 512, OUT = 224, TAPS = 11 };
    uint32_t first[OUT], count[OUT];
    int32_t *weight = get(OUT * TAPS * sizeof *weight);
    for (size_t i = 0; i < OUT; i++) {
        first[i] = (uint32_t)(i * (IN - TAPS) / OUT);
        count[i] = TAPS;
        for (size_t tap = 0; tap < TAPS; tap++)
            weight[i * TAPS + tap] = (1 << PD_RESIZE_BITS) / TAPS;
    }
    const struct resize r = { .r = { OUT, first, count, weight, TAPS },
                              .in = get(IN * IN * 3),
                              .w_in = IN,
                              .h_in = IN,
                              .out = get(IN * IN * 3),
                              .floats = get_floats(IN * IN * 3) };
    const double taps = (double)OUT * IN * 3 * TAPS;
    report("resize_rows 512^2 to 224 x 512", &(job){ run_resize_rows, &r, taps, "Gtap/s", 0 }, NULL);
    report("resize_columns 512^2 to 512 x 224", &(job){ run_resize_columns, &r, taps, "Gtap/s", 0 }, NULL);
    report("normalise_rgb 512^2", &(job){ run_normalise, &r, (double)IN * IN * 3, "G/s", 0 }, NULL);
    pd_mem_free(weight);
    pd_mem_free(r.in);
    pd_mem_free(r.out);
    pd_mem_free(r.floats);
}

static const struct {
    const char *name;
    void (*run)(void);
} benches[] = {
    { "gemm", bench_gemm }, { "depthwise", bench_depthwise }, { "attention", bench_attention },
    { "rows", bench_rows }, { "scan", bench_scan },           { "resize", bench_resize },
};

int main(int argc, char **argv)
{
    static const char *const names[] = { "scalar", "sse2", "avx2", "avxvnni", "avx512", "amx", "neon", "dotprod" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        unsigned mask;
        if (pd_cpu_level(names[i], &mask))
            pd_kernels_init(&levels[n_levels++], mask);
    }
    measure_peaks();
    printf("register peaks, G/s: f32 FMA %.0f and %.0f, int8 VNNI %.0f, AVX-VNNI %.0f, AMX %.0f, bf16 %.0f, int8 of "
           "AVX2 %.0f\n",
           peaks[PEAK_FMA], peaks[PEAK_FMA_512], peaks[PEAK_VNNI], peaks[PEAK_VEX_VNNI], peaks[PEAK_AMX],
           peaks[PEAK_BF16], peaks[PEAK_MADDWD]);
    for (size_t i = 0; i < PD_COUNT_OF(benches); i++)
        if (argc < 2 || strcmp(argv[1], benches[i].name) == 0)
            benches[i].run();
    return 0;
}
