/* bench_encode.c DIR... [--rounds N] [--all]: how fast pictures and queries become vectors. For every model and every
 * pair of CPU level and precision, in interleaved rounds on one thread: the image tower alone, a whole picture (600 x
 * 450 px, resize included) and a query of 9 words. Then one session against two on two threads. Prints CSV (bench.h).
 * --all: the scalar and SSE2 levels as well.
 *
 * bench_encode --worker DIR EXPORTED [--fp32] [--cpu LEVEL]: one contender of peers.py, which says how they talk. */
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "bench.h"
#include "model/model.h"

enum { ROUNDS_MAX = 200, WIDTH = 600, HEIGHT = 450, CONTENDERS_MAX = 16 };

typedef struct contender {
    const char *level, *precision;
    pd_model *model;
    pd_session *session, *second;
    double tower_ms[ROUNDS_MAX], picture_ms[ROUNDS_MAX], query_ms[ROUNDS_MAX];
    double one_s[ROUNDS_MAX], two_s[ROUNDS_MAX], gain[ROUNDS_MAX]; /* pictures a second */
} contender;

static contender contenders[CONTENDERS_MAX];
static size_t n_contenders, n_rounds = 21;

static void must(pd_status status, const pd_error *err)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "bench_encode: %s\n", err->message);
    exit(1);
}

static void open_contender(contender *c, const char *dir, unsigned cpu_mask, bool fp32)
{
    pd_error err = { 0 };
    pd_model_options options;
    const pd_session_options session = { .towers = PD_MODEL_TEXT | PD_MODEL_VISION };
    pd_model_options_init(&options);
    options.precision = fp32 ? PD_PRECISION_FP32 : PD_PRECISION_INT8;
    options.cpu_mask = cpu_mask;
    must(pd_model_open(&c->model, dir, &options, &err), &err);
    must(pd_session_create(&c->session, c->model, &session, &err), &err);
    must(pd_session_create(&c->second, c->model, &session, &err), &err);
}

static void open_contenders(const char *dir, bool all)
{
    static const char *const levels[] = { "amx", "avx512", "dotprod", "avxvnni", "avx2", "neon", "sse2", "scalar" };
    n_contenders = 0;
    for (size_t i = 0; i < PD_COUNT_OF(levels); i++)
        for (int fp32 = 0; fp32 < 2; fp32++) {
            unsigned mask;
            contender *c = &contenders[n_contenders];
            if (!pd_cpu_level(levels[i], &mask) || (i >= 6 && !all))
                continue;
            *c = (contender){ .level = levels[i], .precision = fp32 ? "fp32" : "int8" };
            open_contender(c, dir, mask, fp32);
            n_contenders++;
        }
}

static void close_contenders(void)
{
    for (size_t i = 0; i < n_contenders; i++) {
        pd_session_free(&contenders[i].session);
        pd_session_free(&contenders[i].second);
        pd_model_close(&contenders[i].model);
    }
}

static double cpu_ms_since(int64_t start_ns) { return (double)(bench_cpu_ns() - start_ns) / 1e6; }

static void run_round(contender *c, size_t round, const float *input, const pd_pixels *pixels)
{
    static const char query[] = "a brown dog runs along the beach at sunset";
    float embedding[PD_MODEL_DIM_MAX];
    pd_error err = { 0 };
    int64_t start = bench_cpu_ns();
    must(pd_session_embed_input(c->session, input, embedding, &err), &err);
    c->tower_ms[round] = cpu_ms_since(start);
    start = bench_cpu_ns();
    must(pd_session_embed_pixels(c->session, pixels, embedding, &err), &err);
    c->picture_ms[round] = cpu_ms_since(start);
    start = bench_cpu_ns();
    must(pd_session_embed_text(c->session, query, strlen(query), embedding, &err), &err);
    c->query_ms[round] = cpu_ms_since(start);
}

typedef struct job {
    pd_session *session;
    const float *input;
    size_t n;
} job;

static void *run_job(void *arg)
{
    const job *j = arg;
    float embedding[PD_MODEL_DIM_MAX];
    pd_error err = { 0 };
    for (size_t i = 0; i < j->n; i++)
        must(pd_session_embed_input(j->session, j->input, embedding, &err), &err);
    return NULL;
}

/* As many pictures a thread, by the wall's clock. */
static void run_threads(contender *c, size_t round, const float *input)
{
    const size_t n = 1 + (size_t)(100.0 / c->tower_ms[0]); /* 0.1 s */
    job first = { c->session, input, n }, second = { c->second, input, n };
    pthread_t thread;
    int64_t start = pd_clock_ns();
    (void)run_job(&first);
    c->one_s[round] = (double)n * 1e3 / bench_ms_since(start);
    start = pd_clock_ns();
    if (pthread_create(&thread, NULL, run_job, &second))
        exit(1);
    (void)run_job(&first);
    (void)pthread_join(thread, NULL);
    c->two_s[round] = 2.0 * (double)n * 1e3 / bench_ms_since(start);
    c->gain[round] = c->two_s[round] / c->one_s[round];
}

static void print_contender(const char *model, contender *c)
{
    const struct {
        const char *measure;
        double *values;
    } rows[] = { { "tower,ms", c->tower_ms },          { "picture,ms", c->picture_ms },
                 { "query,ms", c->query_ms },          { "1 thread,pictures/s", c->one_s },
                 { "2 threads,pictures/s", c->two_s }, { "2 threads,times 1 thread", c->gain } };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        char name[256];
        snprintf(name, sizeof name, "encode,%s %s %s,%s", model, c->level, c->precision, rows[i].measure);
        bench_print(name, &(bench_values){ rows[i].values, n_rounds });
    }
}

static void bench_model(const char *dir, bool all)
{
    open_contenders(dir, all);
    const size_t side = pd_model_image_side(contenders[0].model), n_input = side * side * 3;
    float *input = pd_mem_alloc(n_input, sizeof *input);
    uint8_t *bytes = pd_mem_alloc((size_t)WIDTH * HEIGHT, 3);
    if (!input || !bytes)
        exit(1);
    for (size_t i = 0; i < n_input; i++)
        input[i] = (float)(i * 2654435761U >> 20 & 1023) / 512.0f - 1.0f;
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * 3; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    const pd_pixels pixels = { .data = bytes, .width = WIDTH, .height = HEIGHT, .row_bytes = (size_t)WIDTH * 3 };
    for (size_t round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < n_contenders; i++)
            run_round(&contenders[i], round, input, &pixels);
    for (size_t round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < n_contenders; i++)
            run_threads(&contenders[i], round, input);
    for (size_t i = 0; i < n_contenders; i++)
        print_contender(pd_path_name(dir), &contenders[i]);
    close_contenders();
    pd_mem_free(input);
    pd_mem_free(bytes);
}

/* A line with the number of a picture comes, a line with wall and CPU seconds and the embedding goes. */
static void work(contender *c, const float *inputs, size_t n_inputs)
{
    char line[64];
    float embedding[PD_MODEL_DIM_MAX];
    pd_error err = { 0 };
    const size_t side = pd_model_image_side(c->model);
    while (fgets(line, sizeof line, stdin)) {
        const float *input = inputs + strtoul(line, NULL, 10) % n_inputs * side * side * 3;
        const int64_t wall = pd_clock_ns(), cpu = bench_cpu_ns();
        must(pd_session_embed_input(c->session, input, embedding, &err), &err);
        printf("%.9f %.9f", bench_ms_since(wall) / 1e3, cpu_ms_since(cpu) / 1e3);
        for (size_t i = 0; i < pd_model_dim(c->model); i++)
            printf(" %.7g", (double)embedding[i]);
        printf("\n");
        (void)fflush(stdout);
    }
}

static int run_worker(char **argv)
{
    contender c = { .precision = "int8" };
    unsigned mask = pd_cpu_detect();
    char path[4096];
    for (char **at = argv + 2; *at; at++) {
        if (strcmp(*at, "--fp32") == 0)
            c.precision = "fp32";
        else if (strcmp(*at, "--cpu") != 0 || !at[1] || !pd_cpu_level(*++at, &mask))
            return 2;
    }
    open_contender(&c, argv[0], mask, strcmp(c.precision, "fp32") == 0);
    snprintf(path, sizeof path, "%s/inputs_nhwc.f32", argv[1]);
    pd_file_map inputs;
    pd_error err = { 0 };
    must(pd_file_map_open(&inputs, path, &err), &err);
    const size_t side = pd_model_image_side(c.model);
    printf("ready Pixel Detective %s\n", c.precision);
    (void)fflush(stdout);
    work(&c, (const float *)(const void *)inputs.data, inputs.len / (side * side * 3 * sizeof(float)));
    return 0;
}

int main(int argc, char **argv)
{
    bool all = false;
    size_t n_dirs = 0;
    if (argc > 3 && strcmp(argv[1], "--worker") == 0)
        return run_worker(argv + 2);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0)
            all = true;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            n_rounds = strtoul(argv[++i], NULL, 10);
        else
            argv[1 + n_dirs++] = argv[i];
    }
    if (n_dirs == 0 || n_rounds == 0 || n_rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_encode DIR... [--rounds N] [--all]\n");
        return 2;
    }
    puts(BENCH_COLUMNS);
    for (size_t i = 0; i < n_dirs; i++)
        bench_model(argv[1 + i], all);
    return 0;
}
