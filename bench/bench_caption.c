/* bench_caption.c DIR [--rounds N]: how fast a captioner writes, on one thread: the picture (600 x 450 px) resized, its
 * map and what the decoder remembers of it, a caption by greedy search and by 5 beams, and the whole; in int8 and fp32,
 * in interleaved rounds. A captioner with random weights never stops: every caption gets 20 tokens. Prints CSV
 * (bench.h).
 *
 * bench_caption --worker DIR [--fp32]: one contender of caption_peers.py, which says how they talk. */
#include <string.h>

#include "base/attr.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "bench.h"
#include "model/captioner_parts.h"
#include "model/model.h"

enum { ROUNDS_MAX = 200, WIDTH = 600, HEIGHT = 450, TOKENS = 20, BEAMS = 5 };

enum { LOOK, GREEDY, BEAM, WHOLE_GREEDY, WHOLE_BEAM, MEASURES };
static const char *const measures[MEASURES] = { "picture's map and memory,ms", "greedy,ms", "5 beams,ms",
                                                "whole caption greedy,ms", "whole caption 5 beams,ms" };

typedef struct contender {
    const char *precision;
    pd_captioner *captioner;
    pd_model *encoder;
    pd_caption_session *session;
    size_t n_input;
    float *input;
    double ms[MEASURES][ROUNDS_MAX];
} contender;

static contender contenders[2] = { { .precision = "int8" }, { .precision = "fp32" } };

static void must(pd_status status, const pd_error *err)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "bench_caption: %s\n", err->message);
    exit(1);
}

static void open_contender(contender *c, const char *dir, pd_precision precision)
{
    pd_error err = { 0 };
    pd_model_options options;
    pd_model_options_init(&options);
    options.precision = precision;
    options.towers = PD_MODEL_VISION;
    must(pd_captioner_open(&c->captioner, dir, &options, &err), &err);
    const char *encoder = pd_captioner_encoder_dir(c->captioner);
    if (encoder)
        must(pd_model_open(&c->encoder, encoder, &options, &err), &err);
    must(pd_caption_session_create(&c->session, c->captioner, c->encoder, &err), &err);
    const size_t side = pd_captioner_image_side(c->captioner);
    c->n_input = side * side * 3;
    c->input = pd_mem_alloc(c->n_input, sizeof *c->input);
    if (!c->input)
        exit(1);
    for (size_t i = 0; i < c->n_input; i++)
        c->input[i] = (float)((uint32_t)(i * 2654435761U) >> 20 & 1023) / 512.0f - 1.0f;
}

static void close_contender(contender *c)
{
    pd_mem_free(c->input);
    pd_caption_session_free(&c->session);
    pd_model_close(&c->encoder);
    pd_captioner_close(&c->captioner);
}

/* Exactly TOKENS of them. */
static pd_generated write_text(const contender *c, size_t n_beams)
{
    const pd_generate_options options = { .n_beams = n_beams,
                                          .n_captions = 1,
                                          .max_tokens = TOKENS,
                                          .min_tokens = TOKENS,
                                          .length_penalty = 1,
                                          .repetition_penalty = 1,
                                          .stop = c->captioner->config.stop };
    pd_generated text;
    (void)pd_caption_session_generate(c->session, &options, &c->captioner->config.start, 1, &text);
    return text;
}

static double measure_whole(const contender *c, const pd_pixels *pixels, size_t n_beams)
{
    pd_error err = { 0 };
    pd_caption caption;
    pd_captions captions = { .list = &caption };
    pd_caption_options options;
    pd_caption_options_init(c->captioner, &options);
    options.n_beams = n_beams;
    const int64_t start = bench_cpu_ns();
    must(pd_caption_session_write(c->session, pixels, &options, &captions, NULL, &err), &err);
    return (double)(bench_cpu_ns() - start) / 1e6;
}

static void run_round(contender *c, size_t round, const pd_pixels *pixels)
{
    pd_error err = { 0 };
    int64_t start = bench_cpu_ns();
    must(pd_caption_session_look(c->session, c->input, NULL, &err), &err);
    c->ms[LOOK][round] = (double)(bench_cpu_ns() - start) / 1e6;
    start = bench_cpu_ns();
    (void)write_text(c, 1);
    c->ms[GREEDY][round] = (double)(bench_cpu_ns() - start) / 1e6;
    start = bench_cpu_ns();
    (void)write_text(c, BEAMS);
    c->ms[BEAM][round] = (double)(bench_cpu_ns() - start) / 1e6;
    c->ms[WHOLE_GREEDY][round] = measure_whole(c, pixels, 1);
    c->ms[WHOLE_BEAM][round] = measure_whole(c, pixels, BEAMS);
}

static void bench_dir(const char *dir, size_t n_rounds)
{
    uint8_t *bytes = pd_mem_alloc((size_t)WIDTH * HEIGHT, 3);
    if (!bytes)
        exit(1);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT * 3; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 13);
    const pd_pixels pixels = { .data = bytes, .width = WIDTH, .height = HEIGHT, .row_bytes = (size_t)WIDTH * 3 };
    for (size_t i = 0; i < PD_COUNT_OF(contenders); i++)
        open_contender(&contenders[i], dir, i ? PD_PRECISION_FP32 : PD_PRECISION_INT8);
    for (size_t round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < PD_COUNT_OF(contenders); i++)
            run_round(&contenders[i], round, &pixels);
    printf(BENCH_COLUMNS "\n");
    for (size_t i = 0; i < PD_COUNT_OF(contenders); i++)
        for (size_t j = 0; j < MEASURES; j++) {
            char name[256];
            snprintf(name, sizeof name, "caption,%s %s,%s", pd_path_name(dir), contenders[i].precision, measures[j]);
            bench_print(name, &(bench_values){ contenders[i].ms[j], n_rounds });
        }
    for (size_t i = 0; i < PD_COUNT_OF(contenders); i++)
        close_contender(&contenders[i]);
    pd_mem_free(bytes);
}

/* A line with the number of beams comes; a line with wall seconds of the picture and of the text, and the ids, goes. */
static int run_worker(const char *dir, bool fp32)
{
    char line[64];
    pd_error err = { 0 };
    contender *c = &contenders[fp32];
    open_contender(c, dir, fp32 ? PD_PRECISION_FP32 : PD_PRECISION_INT8);
    printf("ready Pixel Detective %s\n", c->precision);
    (void)fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        const size_t n_beams = strtoul(line, NULL, 10);
        if (n_beams < 1 || n_beams > PD_CAPTION_BEAMS_MAX)
            return 2;
        const int64_t start = pd_clock_ns();
        must(pd_caption_session_look(c->session, c->input, NULL, &err), &err);
        const double look_ms = bench_ms_since(start);
        const pd_generated text = write_text(c, n_beams);
        printf("%.6f %.6f", look_ms / 1e3, (bench_ms_since(start) - look_ms) / 1e3);
        for (size_t i = 0; i < text.n; i++)
            printf(" %d", (int)text.ids[i]);
        printf("\n");
        (void)fflush(stdout);
    }
    close_contender(c);
    return 0;
}

int main(int argc, char **argv)
{
    size_t n_rounds = 15;
    if (argc >= 3 && strcmp(argv[1], "--worker") == 0)
        return run_worker(argv[2], argc > 3 && strcmp(argv[3], "--fp32") == 0);
    if (argc >= 4 && strcmp(argv[2], "--rounds") == 0)
        n_rounds = strtoul(argv[3], NULL, 10);
    if (argc < 2 || n_rounds < 1 || n_rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: bench_caption DIR [--rounds N]\n");
        return 2;
    }
    bench_dir(argv[1], n_rounds);
    return 0;
}
