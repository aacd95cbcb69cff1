/* bench_model.c DIR [ROUNDS]: ms of the image tower, of a whole picture (resize included) and of a query, for both
 * precisions and every CPU level, interleaved; the median of each. One thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/mem.h"
#include "model/model.h"

enum { ROUNDS_MAX = 200, WIDTH = 600, HEIGHT = 450 };

typedef struct contender {
    const char *level;
    pd_precision precision;
    pd_model *model;
    pd_session *session;
    double tower_ms[ROUNDS_MAX], picture_ms[ROUNDS_MAX], query_ms[ROUNDS_MAX];
} contender;

static contender contenders[] = {
    { .level = "scalar", .precision = PD_PRECISION_INT8 }, { .level = "scalar", .precision = PD_PRECISION_FP32 },
    { .level = "avx2", .precision = PD_PRECISION_INT8 },   { .level = "avx2", .precision = PD_PRECISION_FP32 },
    { .level = "avx512", .precision = PD_PRECISION_INT8 }, { .level = "avx512", .precision = PD_PRECISION_FP32 },
};

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

static double ms_since(int64_t start_ns) { return (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS; }

static pd_status open_contender(contender *c, const char *dir, pd_error *err)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.precision = c->precision;
    if (!pd_cpu_level(c->level, &options.cpu_mask))
        return PD_OK; /* not on this CPU */
    PD_TRY(pd_model_open(&c->model, dir, &options, err));
    const pd_session_options session = { .towers = PD_MODEL_TEXT | PD_MODEL_VISION };
    return pd_session_create(&c->session, c->model, &session, err);
}

static pd_status run_round(contender *c, size_t round, const float *input, const pd_pixels *pixels, pd_error *err)
{
    static const char query[] = "a brown dog runs along the beach at sunset";
    float embedding[PD_MODEL_DIM_MAX];
    int64_t start = pd_clock_ns();
    PD_TRY(pd_session_embed_input(c->session, input, embedding, err));
    c->tower_ms[round] = ms_since(start);
    start = pd_clock_ns();
    PD_TRY(pd_session_embed_pixels(c->session, pixels, embedding, err));
    c->picture_ms[round] = ms_since(start);
    start = pd_clock_ns();
    PD_TRY(pd_session_embed_text(c->session, query, strlen(query), embedding, err));
    c->query_ms[round] = ms_since(start);
    return PD_OK;
}

static pd_status run_rounds(size_t n_rounds, pd_error *err)
{
    float *input = pd_mem_alloc((size_t)PD_MODEL_IMAGE_SIDE_MAX * PD_MODEL_IMAGE_SIDE_MAX * 3, sizeof *input);
    uint8_t *bytes = pd_mem_alloc((size_t)WIDTH * HEIGHT * 3, 1);
    pd_status status = input && bytes ? PD_OK : pd_error_set_nomem(err);
    for (size_t i = 0; status == PD_OK && i < (size_t)WIDTH * HEIGHT * 3; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    const pd_pixels pixels = { .data = bytes, .width = WIDTH, .height = HEIGHT, .row_bytes = (size_t)WIDTH * 3 };
    for (size_t round = 0; status == PD_OK && round < n_rounds; round++)
        for (size_t i = 0; status == PD_OK && i < PD_COUNT_OF(contenders); i++)
            if (contenders[i].session)
                status = run_round(&contenders[i], round, input, &pixels, err);
    pd_mem_free(bytes);
    pd_mem_free(input);
    return status;
}

static void print_medians(size_t n_rounds)
{
    printf("%-8s %-5s %10s %12s %10s   (median ms of %zu, picture %d x %d)\n", "cpu", "", "tower", "picture", "query",
           n_rounds, WIDTH, HEIGHT);
    for (size_t i = 0; i < PD_COUNT_OF(contenders); i++) {
        contender *c = &contenders[i];
        if (c->session)
            printf("%-8s %-5s %10.2f %12.2f %10.3f\n", c->level, c->precision == PD_PRECISION_INT8 ? "int8" : "fp32",
                   median(c->tower_ms, n_rounds), median(c->picture_ms, n_rounds), median(c->query_ms, n_rounds));
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_model DIR [ROUNDS]\n");
        return 2;
    }
    const long asked = argc > 2 ? strtol(argv[2], NULL, 10) : 21;
    const size_t n_rounds = asked < 1 ? 1 : asked > ROUNDS_MAX ? ROUNDS_MAX : (size_t)asked;
    pd_error error = { 0 };
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < PD_COUNT_OF(contenders); i++)
        status = open_contender(&contenders[i], argv[1], &error);
    if (status == PD_OK)
        status = run_rounds(n_rounds, &error);
    if (status == PD_OK)
        print_medians(n_rounds);
    else
        fprintf(stderr, "bench_model: %s\n", error.message);
    for (size_t i = 0; i < PD_COUNT_OF(contenders); i++) {
        pd_session_free(&contenders[i].session);
        pd_model_close(&contenders[i].model);
    }
    return status == PD_OK ? 0 : 1;
}
