/* caption_parity [--precision fp32|int8] [--cpu LEVEL] [--golden FILE] DIR...
 *
 * Compares what a captioner computes with the reference in DIR/golden.safetensors (or FILE) and DIR/golden.json, one
 * JSON line a tensor and one for all generations. In fp32 the generated ids have to be the same, all of them; int8 is
 * judged by its logits. Ends with 1 when something is beyond its bound or when nothing was compared, with 77 when a
 * directory or file is not there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/captioner_parts.h"
#include "model/model.h"

#define TAPS_MAX 256
#define NAME_BYTES 64
#define IDS_MAX 64

/* fp32: max error over the golden's peak. Measured: 2.6e-6 (tiny-caption, layer_2), 3.9e-6 (vit_bert and blip, logits);
 * the map of models/tiny's tower, of which the reference's own noise is 1e-5: 5.0e-6. The mildest mistake in an engine
 * moves results by 1.5e-4. */
#define FP32_REL_MAX 2e-5
#define SCORE_MAX 2e-5 /* of a beam's score; measured 1.4e-6 (tiny-caption), the others are rounded to 1e-6 */
#define INT8_LOGITS_COSINE_MIN 0.997 /* measured 0.9980 (tiny-caption), 0.9989 (blip), 0.9996 (vit_bert) */

typedef struct pd_capture {
    char name[NAME_BYTES];
    float *data;
    size_t count;
} pd_capture;

typedef struct pd_parity {
    const char *dir, *cpu;
    pd_precision precision;
    pd_weights *golden;
    pd_captioner *captioner;
    pd_model *encoder;
    pd_caption_session *session;
    pd_capture taps[TAPS_MAX];
    bool watches; /* tensors are kept */
    size_t n_taps, n_compared, n_bad;
} pd_parity;

static void fail(const char *what, const pd_error *err)
{
    fprintf(stderr, "caption_parity: %s: %s\n", what, err ? err->message : "");
    exit(1);
}

static void *must(void *memory)
{
    if (!memory)
        fail("out of memory", NULL);
    return memory;
}

static void capture_tap(void *user, const char *name, const float *data, size_t rank, const size_t *dims)
{
    pd_parity *parity = user;
    size_t count = 1;
    if (!parity->watches)
        return;
    if (parity->n_taps == TAPS_MAX)
        fail("too many taps", NULL);
    pd_capture *capture = &parity->taps[parity->n_taps++];
    for (size_t i = 0; i < rank; i++)
        count *= dims[i];
    snprintf(capture->name, sizeof capture->name, "%s", name);
    capture->count = count;
    capture->data = must(pd_mem_dup(data, count * sizeof *data));
}

static void forget_taps(pd_parity *parity)
{
    for (size_t i = 0; i < parity->n_taps; i++)
        pd_mem_free(parity->taps[i].data);
    parity->n_taps = 0;
}

/* What was read so far; the picture stays. */
static void forget_text(pd_parity *parity)
{
    for (size_t i = 0; i < parity->n_taps; i++)
        if (strncmp(parity->taps[i].name, "text_", 5) == 0 || strcmp(parity->taps[i].name, "logits") == 0)
            parity->taps[i].name[0] = '-';
}

static const pd_capture *find_tap(const pd_parity *parity, const char *name)
{
    for (size_t i = 0; i < parity->n_taps; i++)
        if (strcmp(parity->taps[i].name, name) == 0)
            return &parity->taps[i];
    return NULL;
}

static void report(pd_parity *parity, const char *name, bool ok, const char *figures)
{
    parity->n_compared++;
    parity->n_bad += !ok;
    printf("{\"dir\": \"%s\", \"what\": \"%s\", \"precision\": \"%s\", \"cpu\": \"%s\", %s, \"ok\": %s}\n",
           pd_path_name(parity->dir), name, parity->precision == PD_PRECISION_FP32 ? "fp32" : "int8", parity->cpu,
           figures, ok ? "true" : "false");
}

/* count values of the golden tensor, from `first` on. */
static void compare(pd_parity *parity, const pd_tensor *golden, size_t first, const float *ours, size_t count)
{
    pd_error err;
    double peak = 0, max_abs = 0, dot = 0, a2 = 0, b2 = 0;
    float *values = must(pd_mem_alloc(count, sizeof *values));
    if (first + count > golden->count || pd_tensor_read_f32(golden, first, count, values, &err) != PD_OK)
        fail(golden->name, &err);
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        peak = fmax(peak, fabs(values[i]));
        max_abs = fmax(max_abs, fabs((double)values[i] - ours[i]));
        dot += (double)values[i] * ours[i];
        a2 += (double)values[i] * values[i];
        b2 += (double)ours[i] * ours[i];
        finite = finite && isfinite(ours[i]);
    }
    char figures[120];
    const double rel = max_abs / fmax(peak, 1e-30), cosine = dot / sqrt(fmax(a2 * b2, 1e-60));
    const bool logits = strstr(golden->name, "logits") != NULL;
    const bool ok = finite && (parity->precision == PD_PRECISION_FP32 ? rel <= FP32_REL_MAX
                                                                      : !logits || cosine >= INT8_LOGITS_COSINE_MIN);
    snprintf(figures, sizeof figures, "\"rel\": %.3g, \"cosine\": %.7f", rel, cosine);
    report(parity, golden->name, ok, figures);
    pd_mem_free(values);
}

/* Every golden tensor that has a tap's name; the first row only is stored of most. */
static void compare_taps(pd_parity *parity, const char *const (*names)[2], size_t n_names)
{
    for (size_t i = 0; i < pd_weights_count(parity->golden); i++) {
        pd_tensor golden;
        pd_weights_at(parity->golden, i, &golden);
        const char *name = golden.name;
        for (size_t j = 0; j < n_names; j++)
            if (strcmp(names[j][0], golden.name) == 0)
                name = names[j][1];
        const pd_capture *tap = find_tap(parity, name);
        if (tap && strcmp(tap->name, "logits") != 0)
            compare(parity, &golden, 0, tap->data, tap->count);
    }
}

static size_t read_ids(const pd_tensor *tensor, size_t row, int32_t ret_ids[IDS_MAX])
{
    pd_error err;
    int64_t wide[IDS_MAX];
    const size_t n = tensor->shape[tensor->rank - 1];
    if (n > IDS_MAX || pd_tensor_read_i64(tensor, row * n, n, wide, &err) != PD_OK)
        fail(tensor->name, &err);
    for (size_t i = 0; i < n; i++)
        ret_ids[i] = (int32_t)wide[i];
    return n;
}

/* [c][h][w] of picture `item` -> [h][w][c] */
static float *read_input(const pd_tensor *tensor, size_t item)
{
    pd_error err;
    const size_t pixels = tensor->shape[2] * tensor->shape[3], count = 3 * pixels;
    float *nchw = must(pd_mem_alloc(count, sizeof *nchw)), *nhwc = must(pd_mem_alloc(count, sizeof *nhwc));
    if (pd_tensor_read_f32(tensor, item * count, count, nchw, &err) != PD_OK)
        fail(tensor->name, &err);
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < pixels; i++)
            nhwc[i * 3 + c] = nchw[c * pixels + i];
    pd_mem_free(nchw);
    return nhwc;
}

static void look(pd_parity *parity, const pd_tensor *inputs, size_t item)
{
    pd_error err;
    float *input = read_input(inputs, item);
    if (pd_caption_session_look(parity->session, input, NULL, &err) != PD_OK)
        fail("look", &err);
    pd_mem_free(input);
}

/* Reads ids with open eyes: all taps of the decoder are there. */
static void read_aloud(pd_parity *parity, const int32_t *ids, size_t n)
{
    const pd_generate_options options = {
        .n_beams = 1, .n_captions = 1, .max_tokens = 1, .length_penalty = 1, .repetition_penalty = 1
    };
    pd_generated ignored;
    parity->watches = true;
    (void)pd_caption_session_generate(parity->session, &options, ids, n, &ignored);
    parity->watches = false;
}

static void check_logits(pd_parity *parity, const char *name, const char *ids_name, size_t row)
{
    pd_tensor golden, given;
    int32_t ids[IDS_MAX];
    if (!pd_weights_find(parity->golden, name, &golden) || !pd_weights_find(parity->golden, ids_name, &given))
        fail(name, NULL);
    const size_t n = read_ids(&given, row, ids), count = n * parity->captioner->config.vocabulary;
    read_aloud(parity, ids, n);
    compare(parity, &golden, row * count, find_tap(parity, "logits")->data, count);
}

/* The logits of the greedy steps behind the prompt. */
static void check_steps(pd_parity *parity)
{
    pd_tensor golden, given;
    int32_t ids[IDS_MAX];
    if (!pd_weights_find(parity->golden, "step_logits", &golden) ||
        !pd_weights_find(parity->golden, "step_ids", &given))
        return;
    const size_t n = read_ids(&given, 0, ids), steps = golden.shape[0], vocabulary = golden.shape[1];
    read_aloud(parity, ids, n - 1);
    compare(parity, &golden, 0, find_tap(parity, "logits")->data + (n - 1 - steps) * vocabulary, steps * vocabulary);
    forget_taps(parity);
}

static size_t get_size(const pd_json *args, const char *key, size_t fallback)
{
    int64_t value = (int64_t)fallback;
    (void)pd_json_read_int(pd_json_get(args, key), &value);
    return (size_t)value;
}

static float get_number(const pd_json *args, const char *key, double fallback)
{
    (void)pd_json_read_number(pd_json_get(args, key), &fallback);
    return (float)fallback;
}

static pd_generate_options read_args(const pd_parity *parity, const pd_json *args, size_t n_beginning)
{
    bool early = false;
    pd_str never;
    pd_generate_options options = { .n_beams = get_size(args, "num_beams", 1),
                                    .n_captions = 1,
                                    .no_repeat_ngram = get_size(args, "no_repeat_ngram_size", 0),
                                    .length_penalty = get_number(args, "length_penalty", 1),
                                    .repetition_penalty = get_number(args, "repetition_penalty", 1),
                                    .stop = parity->captioner->config.stop };
    const size_t min = get_size(args, "min_length", 0), max = get_size(args, "max_length", n_beginning + 20);
    options.max_tokens = get_size(args, "max_new_tokens", max - n_beginning);
    options.min_tokens = min > n_beginning ? min - n_beginning : 0;
    if (pd_json_read_bool(pd_json_get(args, "early_stopping"), &early) && early)
        options.stopping = PD_STOPPING_EARLY;
    if (pd_json_read_string(pd_json_get(args, "early_stopping"), &never))
        options.stopping = PD_STOPPING_NEVER;
    return options;
}

static bool check_generation(const pd_parity *parity, const pd_json *entry, const pd_json *prompt)
{
    int32_t beginning[IDS_MAX] = { parity->captioner->config.start };
    size_t n_beginning = 1;
    bool prompted = false, same;
    (void)pd_json_read_bool(pd_json_get(entry, "prompt"), &prompted);
    for (; prompted && n_beginning < pd_json_count(prompt); n_beginning++) {
        int64_t id = 0;
        (void)pd_json_read_int(pd_json_at(prompt, n_beginning), &id);
        beginning[n_beginning] = (int32_t)id;
    }
    const pd_generate_options options = read_args(parity, pd_json_get(entry, "args"), n_beginning);
    pd_generated ours = { 0 };
    if (pd_caption_session_generate(parity->session, &options, beginning, n_beginning, &ours) != 1)
        return false;
    const pd_json *ids = pd_json_get(entry, "ids");
    same = ours.n == pd_json_count(ids);
    for (size_t i = 0; same && i < ours.n; i++) {
        int64_t id = -1;
        same = pd_json_read_int(pd_json_at(ids, i), &id) && id == ours.ids[i];
    }
    double score = 0;
    if (same && pd_json_read_number(pd_json_get(entry, "score"), &score) && parity->precision == PD_PRECISION_FP32)
        same = fabs(score - ours.score) <= SCORE_MAX;
    return same;
}

/* The generations of golden.json, each of one of the golden's pictures. */
static void check_generations(pd_parity *parity, const pd_tensor *inputs)
{
    pd_error err;
    pd_buf text;
    pd_json *json = NULL;
    pd_buf_init(&text, (size_t)16 << 20);
    char *path = must(pd_path_join(parity->dir, "golden.json"));
    if (pd_file_read(path, (size_t)16 << 20, &text, &err) != PD_OK ||
        pd_json_parse(&json, text.data, text.len, &err) != PD_OK)
        fail(path, &err);
    const pd_json *list = pd_json_get(json, "generate"), *prompt = pd_json_get(json, "prompt_fed_to_decoder");
    size_t n_same = 0;
    const size_t n = pd_json_count(list);
    for (size_t item = 0; item < inputs->shape[0]; item++) {
        look(parity, inputs, item);
        for (size_t i = 0; i < n; i++) {
            const pd_json *entry = pd_json_at(list, i);
            if (get_size(entry, "image", 0) == item)
                n_same += check_generation(parity, entry, prompt);
        }
    }
    char figures[80];
    snprintf(figures, sizeof figures, "\"same\": %zu, \"of\": %zu", n_same, n);
    report(parity, "generate", n > 0 && (n_same == n || parity->precision == PD_PRECISION_INT8), figures);
    pd_json_free(&json);
    pd_buf_done(&text);
    pd_mem_free(path);
}

/* A fixture of ../golden/parity. */
static void check_fixture(pd_parity *parity, const pd_tensor *inputs)
{
    for (size_t row = 0; row < 2; row++) {
        parity->watches = true;
        look(parity, inputs, row);
        check_logits(parity, "logits", "in_input_ids", row);
        if (row == 0)
            compare_taps(parity, NULL, 0);
        forget_taps(parity);
    }
    look(parity, inputs, 0);
    check_steps(parity);
    check_generations(parity, inputs);
}

/* models/tiny-caption: two drawn pictures; the first one's inner tensors. */
static void check_beams(pd_parity *parity, size_t item)
{
    char name[NAME_BYTES];
    pd_tensor beams, scores;
    const pd_caption_config *config = &parity->captioner->config;
    pd_generate_options options = { .n_beams = config->options.n_beams,
                                    .n_captions = config->options.n_beams,
                                    .max_tokens = config->options.max_tokens,
                                    .min_tokens = config->options.min_tokens,
                                    .no_repeat_ngram = config->options.no_repeat_ngram,
                                    .length_penalty = config->options.length_penalty,
                                    .repetition_penalty = 1,
                                    .stopping = PD_STOPPING_EARLY,
                                    .stop = config->stop,
                                    .suppressed = config->suppressed,
                                    .n_suppressed = config->n_suppressed };
    pd_generated ours[PD_CAPTION_BEAMS_MAX];
    snprintf(name, sizeof name, "beams_%zu", item);
    const bool found = pd_weights_find(parity->golden, name, &beams);
    snprintf(name, sizeof name, "beam_score_%zu", item);
    if (!found || !pd_weights_find(parity->golden, name, &scores))
        fail(name, NULL);
    size_t n_same = 0;
    double worst = 0;
    const size_t n = pd_caption_session_generate(parity->session, &options, &config->start, 1, ours);
    for (size_t i = 0; i < n && i < beams.shape[0]; i++) {
        int32_t ids[IDS_MAX];
        float score[2];
        pd_error err;
        const size_t length = read_ids(&beams, i, ids);
        if (pd_tensor_read_f32(&scores, 2 * i, 2, score, &err) != PD_OK)
            fail(scores.name, &err);
        worst = fmax(worst, fmax(fabs((double)score[0] - ours[i].score), fabs((double)score[1] - ours[i].likelihood)));
        n_same += ours[i].n <= length && memcmp(ids, ours[i].ids, ours[i].n * sizeof *ids) == 0 &&
                  (ours[i].n == length || ids[ours[i].n] == 0);
    }
    char figures[120];
    snprintf(figures, sizeof figures, "\"same\": %zu, \"of\": %zu, \"score_max_abs\": %.2g", n_same, beams.shape[0],
             worst);
    report(parity, beams.name,
           parity->precision == PD_PRECISION_INT8 || (n_same == beams.shape[0] && worst <= SCORE_MAX), figures);
    options.n_beams = options.n_captions = 1;
    snprintf(name, sizeof name, "greedy_%zu", item);
    int32_t greedy[IDS_MAX];
    if (!pd_weights_find(parity->golden, name, &beams))
        fail(name, NULL);
    const size_t length = read_ids(&beams, 0, greedy);
    (void)pd_caption_session_generate(parity->session, &options, &config->start, 1, ours);
    const bool same = ours[0].n == length && memcmp(greedy, ours[0].ids, length * sizeof *greedy) == 0;
    report(parity, name, same || parity->precision == PD_PRECISION_INT8, same ? "\"same\": 1" : "\"same\": 0");
}

static void check_drawn(pd_parity *parity)
{
    static const char *const inner[][2] = { { "embed_0", "text_embeddings" }, { "proj_0", "vision_projected" },
                                            { "map_0", "vision_map" },        { "layer_0_0", "text_layer_0" },
                                            { "layer_1_0", "text_layer_1" },  { "layer_2_0", "text_layer_2" } };
    static const char *const outer[][2] = { { "map_1", "vision_map" } };
    for (size_t item = 0; item < 2; item++) {
        char name[NAME_BYTES], steps[NAME_BYTES];
        pd_tensor crop;
        pd_error err;
        pd_caption caption;
        pd_captions captions = { .list = &caption };
        pd_caption_options options;
        snprintf(name, sizeof name, "pixel_u8_%zu", item);
        if (!pd_weights_find(parity->golden, name, &crop))
            fail(name, NULL);
        const pd_pixels pixels = { crop.data, crop.shape[1], crop.shape[0], crop.shape[1] * 3 };
        pd_caption_options_init(parity->captioner, &options);
        options.n_beams = options.max_tokens = 1; /* to look, first of all */
        parity->watches = true;
        if (pd_caption_session_write(parity->session, &pixels, &options, &captions, NULL, &err) != PD_OK)
            fail(name, &err);
        forget_text(parity);
        snprintf(name, sizeof name, "logits_%zu", item);
        snprintf(steps, sizeof steps, "steps_%zu", item);
        check_logits(parity, name, steps, 0);
        compare_taps(parity, item == 0 ? inner : outer, item == 0 ? PD_COUNT_OF(inner) : PD_COUNT_OF(outer));
        forget_taps(parity);
        check_beams(parity, item);
    }
}

static void open_all(pd_parity *parity, const char *golden)
{
    pd_error err;
    pd_model_options options;
    pd_model_options_init(&options);
    options.precision = parity->precision;
    options.towers = PD_MODEL_VISION;
    if (!pd_cpu_level(parity->cpu, &options.cpu_mask)) {
        printf("skipped: this CPU has no %s\n", parity->cpu);
        exit(77);
    }
    if (pd_weights_open(&parity->golden, golden, &err) != PD_OK ||
        pd_captioner_open(&parity->captioner, parity->dir, &options, &err) != PD_OK)
        fail("open", &err);
    const char *encoder = pd_captioner_encoder_dir(parity->captioner);
    const pd_session_options tapped = { .tap = capture_tap, .tap_user = parity };
    if ((encoder && pd_model_open(&parity->encoder, encoder, &options, &err) != PD_OK) ||
        pd_caption_session_open(&parity->session, parity->captioner, parity->encoder, &tapped, &err) != PD_OK)
        fail("session", &err);
}

static size_t check_dir(pd_parity *parity, const char *golden)
{
    pd_tensor inputs;
    open_all(parity, golden);
    if (pd_weights_find(parity->golden, "in_pixel_values", &inputs))
        check_fixture(parity, &inputs);
    else
        check_drawn(parity);
    forget_taps(parity);
    pd_caption_session_free(&parity->session);
    pd_model_close(&parity->encoder);
    pd_captioner_close(&parity->captioner);
    pd_weights_close(&parity->golden);
    return parity->n_bad + !parity->n_compared;
}

static void require_path(const char *path)
{
    if (!pd_file_exists(path)) {
        printf("skipped: %s is not there\n", path);
        exit(77);
    }
}

int main(int argc, char **argv)
{
    const char *cpu = "auto", *golden = NULL;
    pd_precision precision = PD_PRECISION_FP32;
    size_t n_bad = 0, n_dirs = 0;
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;
        if (strcmp(argv[i], "--precision") == 0 && more) {
            precision = strcmp(argv[++i], "int8") == 0 ? PD_PRECISION_INT8 : PD_PRECISION_FP32;
        } else if (strcmp(argv[i], "--cpu") == 0 && more) {
            cpu = argv[++i];
        } else if (strcmp(argv[i], "--golden") == 0 && more) {
            golden = argv[++i];
        } else {
            pd_parity *parity = must(pd_mem_alloc(1, sizeof *parity));
            *parity = (pd_parity){ .dir = argv[i], .cpu = cpu, .precision = precision };
            require_path(argv[i]);
            char *own = must(pd_path_join(argv[i], "golden.safetensors"));
            require_path(golden ? golden : own);
            n_bad += check_dir(parity, golden ? golden : own);
            n_dirs++;
            pd_mem_free(own);
            pd_mem_free(parity);
        }
    }
    return n_bad || !n_dirs;
}
