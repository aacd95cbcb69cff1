/* model_parity [--precision fp32|int8] [--cpu LEVEL] [--golden FILE] [--inputs FILE] DIR...
 *
 * Compares what the engine computes with the reference's tensors in DIR/golden.safetensors (or FILE), one JSON line a
 * tensor. Tensors that the engine has no counterpart for are listed as skipped. Ends with 1 when a tensor is beyond
 * its bound or when nothing was compared, with 77 when a directory or file is not there. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "model/model.h"
#include "weights/weights.h"

#define TAPS_MAX 512
#define TENSORS_MAX 128
#define NAME_BYTES 64

/* fp32: max error over the golden's peak. Measured: 2.1e-5 in mobilenet_clip's layer_15 (the reference's own noise
 * there is 2.1e-5), 3.2e-6 in the others. The mildest mistake in an engine moves results by 1.1e-4. */
#define FP32_REL_MAX 4e-5
#define FP32_COSINE_MIN 0.9999999 /* measured 1 - 2e-10 */
#define PIXEL_U8_MAX 2            /* of 255 */

/* int8: smallest cosine of an embedding, one bound per instruction set. Integer sums are the same bits on all of them,
 * so the bounds are too. Measured: models/tiny 0.9959 (scalar, AVX2, AVX-512 and AMX), mobilenet_clip 0.9996, clip_gelu
 * 0.9973, clip_outlier 0.9994, all others above 0.9996. */
static double int8_cosine_min(const char *cpu)
{
    static const struct {
        const char *cpu;
        double cosine_min;
    } bounds[] = { { "scalar", 0.995 },  { "sse2", 0.995 },   { "avx2", 0.995 },
                   { "avxvnni", 0.995 }, { "avx512", 0.995 }, { "amx", 0.995 } };
    for (size_t i = 0; i < PD_COUNT_OF(bounds); i++)
        if (strcmp(cpu, bounds[i].cpu) == 0)
            return bounds[i].cosine_min;
    return 0.995; /* auto: one of the above */
}
#define INT8_TENSOR_COSINE_MIN 0.99 /* of an intermediate tensor as a whole; measured 0.9939 in layer_15 of tiny */

typedef struct pd_capture {
    char name[NAME_BYTES];
    float *data;
    size_t rank, dims[3];
} pd_capture;

/* What is known of one golden tensor so far. */
typedef struct pd_comparison {
    pd_tensor golden;
    bool compared, broken; /* broken: another shape than ours, or not finite */
    double max_abs, peak, cosine_min, dot, golden2, ours2;
} pd_comparison;

typedef struct pd_parity {
    const char *dir, *cpu;
    pd_precision precision;
    pd_weights *golden, *inputs;
    pd_model *model;
    pd_session *plain, *tapped;
    pd_capture taps[TAPS_MAX];
    size_t n_taps;
    pd_comparison comparisons[TENSORS_MAX];
    size_t n_comparisons;
    size_t n_compared, n_bad;
} pd_parity;

static void fail(const char *what, const pd_error *err)
{
    fprintf(stderr, "model_parity: %s: %s\n", what, err ? err->message : "");
    exit(1);
}

static void *must(void *memory)
{
    if (!memory)
        fail("out of memory", NULL);
    return memory;
}

static void forget_taps(pd_parity *parity)
{
    for (size_t i = 0; i < parity->n_taps; i++)
        pd_mem_free(parity->taps[i].data);
    parity->n_taps = 0;
}

static void capture_tap(void *user, const char *name, const float *data, size_t rank, const size_t *dims)
{
    pd_parity *parity = user;
    size_t count = 1;
    if (parity->n_taps == TAPS_MAX)
        fail("too many taps", NULL);
    pd_capture *capture = &parity->taps[parity->n_taps++];
    *capture = (pd_capture){ .rank = rank };
    snprintf(capture->name, sizeof capture->name, "%s", name);
    for (size_t i = 0; i < rank; i++)
        count *= capture->dims[i] = dims[i];
    capture->data = must(pd_mem_dup(data, count * sizeof *data));
}

static const pd_capture *find_tap(const pd_parity *parity, const char *name)
{
    for (size_t i = 0; i < parity->n_taps; i++)
        if (strcmp(parity->taps[i].name, name) == 0)
            return &parity->taps[i];
    return NULL;
}

static bool has_start(const char *name, const char *start) { return strncmp(name, start, strlen(start)) == 0; }

/* The tap that a golden tensor is compared with: goldens were made by three programs with names of their own. */
static void map_name(const pd_parity *parity, const char *golden, char ret_tap[NAME_BYTES])
{
    static const char *const towers[] = { "text", "vision" };
    snprintf(ret_tap, NAME_BYTES, "%s", strcmp(golden, "pooled") == 0 ? "vision_pooled" : golden);
    for (size_t i = 0; i < PD_COUNT_OF(towers); i++) {
        char start[32], *end = NULL;
        snprintf(start, sizeof start, "%s_hidden_", towers[i]);
        if (!has_start(golden, start))
            continue;
        const unsigned long index = strtoul(golden + strlen(start), &end, 10);
        if (strcmp(golden + strlen(start), "last") == 0) {
            char name[NAME_BYTES];
            for (size_t layer = 0;
                 snprintf(name, sizeof name, "%s_layer_%zu", towers[i], layer), find_tap(parity, name); layer++)
                snprintf(ret_tap, NAME_BYTES, "%s", name);
        } else if (index == 0) {
            snprintf(ret_tap, NAME_BYTES, "%s", i == 1 ? "vision_pre_ln" : "text_embeddings");
        } else {
            snprintf(ret_tap, NAME_BYTES, "%s_layer_%lu", towers[i], index - 1);
        }
    }
}

/* Adds rows x columns values to a comparison; cosines are taken row by row. */
static void compare_values(pd_comparison *comparison, const float *golden, const float *ours, size_t rows,
                           size_t columns)
{
    comparison->compared = true;
    for (size_t r = 0; r < rows; r++) {
        double dot = 0, a2 = 0, b2 = 0;
        for (size_t c = 0; c < columns; c++) {
            const double a = golden[r * columns + c], b = ours[r * columns + c];
            dot += a * b;
            a2 += a * a;
            b2 += b * b;
            comparison->peak = fmax(comparison->peak, fabs(a));
            comparison->max_abs = fmax(comparison->max_abs, fabs(a - b));
            comparison->broken = comparison->broken || !isfinite(b);
        }
        if (a2 > 0)
            comparison->cosine_min = fmin(comparison->cosine_min, b2 > 0 ? dot / sqrt(a2 * b2) : 0);
        comparison->dot += dot;
        comparison->golden2 += a2;
        comparison->ours2 += b2;
    }
}

static float *read_item(const pd_tensor *tensor, size_t item, size_t *ret_count)
{
    pd_error err;
    const size_t count = tensor->count / tensor->shape[0];
    float *values = must(pd_mem_alloc(count, sizeof *values));
    if (pd_tensor_read_f32(tensor, item * count, count, values, &err) != PD_OK)
        fail(tensor->name, &err);
    *ret_count = count;
    return values;
}

/* [c][h][w] -> [h][w][c] */
static float *to_nhwc(float *nchw, size_t channels, size_t pixels)
{
    float *nhwc = must(pd_mem_alloc(channels * pixels, sizeof *nhwc));
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < pixels; i++)
            nhwc[i * channels + c] = nchw[c * pixels + i];
    pd_mem_free(nchw);
    return nhwc;
}

static void compare_item(pd_comparison *comparison, size_t item, const pd_capture *tap)
{
    const pd_tensor *golden = &comparison->golden;
    const size_t *shape = golden->shape, *dims = tap->dims;
    size_t count = 0;
    float *values = read_item(golden, item, &count);
    if (golden->rank == 4 && tap->rank == 3 && shape[1] == dims[2] && shape[2] == dims[0] && shape[3] == dims[1]) {
        values = to_nhwc(values, shape[1], shape[2] * shape[3]);
        compare_values(comparison, values, tap->data, 1, count);
    } else if (golden->rank == 3 && tap->rank == 2 && shape[1] <= dims[0] && shape[2] == dims[1]) {
        compare_values(comparison, values, tap->data, shape[1], shape[2]);
    } else if (golden->rank == 2 && tap->rank == 2 && dims[0] == 1 && shape[1] == dims[1]) {
        compare_values(comparison, values, tap->data, 1, shape[1]);
    } else {
        comparison->compared = comparison->broken = true;
    }
    pd_mem_free(values);
}

static void compare_taps(pd_parity *parity, size_t item)
{
    for (size_t i = 0; i < parity->n_comparisons; i++) {
        char name[NAME_BYTES];
        pd_comparison *comparison = &parity->comparisons[i];
        map_name(parity, comparison->golden.name, name);
        const pd_capture *tap = find_tap(parity, name);
        if (tap && comparison->golden.rank >= 2 && item < comparison->golden.shape[0])
            compare_item(comparison, item, tap);
    }
    forget_taps(parity);
}

static pd_comparison *find_comparison(pd_parity *parity, const char *name)
{
    for (size_t i = 0; i < parity->n_comparisons; i++)
        if (strcmp(parity->comparisons[i].golden.name, name) == 0)
            return &parity->comparisons[i];
    return NULL;
}

static void report(pd_parity *parity, const char *name, bool ok, const char *figures)
{
    parity->n_compared++;
    parity->n_bad += !ok;
    printf("{\"dir\": \"%s\", \"tensor\": \"%s\", \"precision\": \"%s\", \"cpu\": \"%s\", %s, \"ok\": %s}\n",
           pd_path_name(parity->dir), name, parity->precision == PD_PRECISION_FP32 ? "fp32" : "int8", parity->cpu,
           figures, ok ? "true" : "false");
}

static void report_comparison(pd_parity *parity, const char *name, const pd_comparison *comparison)
{
    char figures[200];
    const double rel = comparison->peak > 0 ? comparison->max_abs / comparison->peak : comparison->max_abs;
    const double norm = sqrt(comparison->golden2 * comparison->ours2);
    const double cosine = norm > 0 ? comparison->dot / norm : 1;
    const bool embedding = strstr(name, "_embeds") != NULL, pixels = strcmp(name, "pixel_values") == 0;
    bool ok = !comparison->broken;
    if (parity->precision == PD_PRECISION_FP32 || pixels)
        ok = ok && rel <= FP32_REL_MAX && (!embedding || comparison->cosine_min >= FP32_COSINE_MIN);
    else
        ok = ok && cosine >= INT8_TENSOR_COSINE_MIN &&
             (!embedding || comparison->cosine_min >= int8_cosine_min(parity->cpu));
    snprintf(figures, sizeof figures, "\"max_abs\": %.3g, \"rel\": %.3g, \"cosine\": %.7f, \"cosine_min\": %.7f",
             comparison->max_abs, rel, cosine, comparison->cosine_min);
    report(parity, name, ok, figures);
}

static size_t count_images(const pd_parity *parity)
{
    size_t n = 0;
    for (;; n++) {
        char name[NAME_BYTES];
        pd_tensor image;
        snprintf(name, sizeof name, "image_%zu", n);
        if (!pd_weights_find(parity->inputs, name, &image))
            return n;
    }
}

static pd_pixels view_pixels(const pd_tensor *tensor, size_t item)
{
    const size_t *shape = tensor->shape + (tensor->rank - 3);
    return (pd_pixels){ .data = (const uint8_t *)tensor->data + item * shape[0] * shape[1] * shape[2],
                        .width = shape[1],
                        .height = shape[0],
                        .row_bytes = shape[1] * 3 };
}

/* Whole pictures: the crop, and the embedding through it. */
static void check_images(pd_parity *parity, size_t n, const pd_tensor *crops, float *units)
{
    pd_error err;
    const size_t dim = pd_model_dim(parity->model), side = pd_model_image_side(parity->model);
    uint8_t *crop = must(pd_mem_alloc(side * side, 3));
    pd_comparison *golden = find_comparison(parity, "image_embeds_unit");
    pd_comparison whole = { .cosine_min = 1 };
    int worst = 0;
    size_t n_off = 0;
    for (size_t i = 0; i < n; i++) {
        char name[NAME_BYTES];
        pd_tensor image;
        size_t count = 0;
        snprintf(name, sizeof name, "image_%zu", i);
        (void)pd_weights_find(parity->inputs, name, &image);
        const pd_pixels pixels = view_pixels(&image, 0), reference = view_pixels(crops, i);
        if (pd_session_preprocess(parity->plain, &pixels, crop, &err) != PD_OK ||
            pd_session_embed_pixels(parity->plain, &pixels, units, &err) != PD_OK)
            fail(name, &err);
        for (size_t j = 0; j < side * side * 3; j++) {
            const int off = abs(crop[j] - reference.data[j]);
            worst = off > worst ? off : worst;
            n_off += off != 0;
        }
        if (golden) {
            float *unit = read_item(&golden->golden, i, &count);
            compare_values(&whole, unit, units, 1, dim);
            pd_mem_free(unit);
        }
    }
    char figures[100];
    snprintf(figures, sizeof figures, "\"max_abs\": %d, \"values_off\": %zu", worst, n_off);
    report(parity, "pixel_u8", worst <= PIXEL_U8_MAX, figures);
    if (whole.compared)
        report_comparison(parity, "image_embeds_unit(image)", &whole);
    pd_mem_free(crop);
}

/* Embeds input `item`: the reference's own 8-bit crop (which resizing leaves as it is), or its normalised values. */
static void embed_picture(pd_session *session, const pd_tensor *input, size_t item, float *ret_unit)
{
    pd_error err;
    pd_status status;
    if (input->dtype == PD_DTYPE_U8) {
        const pd_pixels pixels = view_pixels(input, item);
        status = pd_session_embed_pixels(session, &pixels, ret_unit, &err);
    } else {
        size_t count = 0;
        float *values = read_item(input, item, &count);
        values = to_nhwc(values, 3, count / 3);
        status = pd_session_embed_input(session, values, ret_unit, &err);
        pd_mem_free(values);
    }
    if (status != PD_OK)
        fail(input->name, &err);
}

/* ret_units: [n, dim] */
static size_t check_pictures(pd_parity *parity, float **ret_units)
{
    pd_tensor input;
    const bool crops = pd_weights_find(parity->inputs, "pixel_u8", &input);
    if (!crops && !pd_weights_find(parity->inputs, "in_pixel_values", &input))
        return 0;
    const size_t n = input.shape[0], dim = pd_model_dim(parity->model), side = pd_model_image_side(parity->model);
    if (input.count != n * side * side * 3)
        fail("the golden's pictures have another size than the model's", NULL);
    *ret_units = must(pd_mem_alloc(n * dim, sizeof(float)));
    if (crops && count_images(parity) == n)
        check_images(parity, n, &input, *ret_units);
    for (size_t i = 0; i < n; i++) {
        embed_picture(parity->tapped, &input, i, *ret_units + i * dim);
        compare_taps(parity, i);
        embed_picture(parity->plain, &input, i, *ret_units + i * dim);
    }
    return n;
}

static void check_tokens(pd_parity *parity, const int64_t *ids, size_t n, size_t n_tokens)
{
    pd_error err;
    pd_json *texts = NULL;
    const char *metadata = pd_weights_metadata(parity->inputs, "texts");
    int32_t *ours = must(pd_mem_alloc(pd_model_text_tokens(parity->model), sizeof *ours));
    if (!metadata || pd_json_parse(&texts, metadata, strlen(metadata), &err) != PD_OK || pd_json_count(texts) != n)
        fail("the golden's texts", NULL);
    size_t n_off = 0;
    for (size_t i = 0; i < n; i++) {
        pd_str text = { 0 };
        size_t n_used = 0;
        (void)pd_json_read_string(pd_json_at(texts, i), &text);
        if (pd_model_tokenize(parity->model, text.ptr, text.len, ours, &n_used, &err) != PD_OK)
            fail("tokens", &err);
        for (size_t j = 0; j < n_tokens; j++)
            n_off += ours[j] != ids[i * n_tokens + j];
    }
    char figures[64];
    snprintf(figures, sizeof figures, "\"values_off\": %zu", n_off);
    report(parity, "input_ids", n_off == 0, figures);
    pd_json_free(&texts);
    pd_mem_free(ours);
}

static size_t check_texts(pd_parity *parity, float **ret_units)
{
    pd_error err;
    pd_tensor input;
    const bool tokenised = pd_weights_find(parity->inputs, "input_ids", &input);
    if (!tokenised && !pd_weights_find(parity->inputs, "in_input_ids", &input))
        return 0;
    const size_t n = input.shape[0], n_tokens = input.shape[1], dim = pd_model_dim(parity->model);
    int64_t *wide = must(pd_mem_alloc(input.count, sizeof *wide));
    int32_t *ids = must(pd_mem_alloc(input.count, sizeof *ids));
    if (pd_tensor_read_i64(&input, 0, input.count, wide, &err) != PD_OK)
        fail("input_ids", &err);
    for (size_t i = 0; i < input.count; i++)
        ids[i] = (int32_t)wide[i];
    if (tokenised)
        check_tokens(parity, wide, n, n_tokens);
    *ret_units = must(pd_mem_alloc(n * dim, sizeof(float)));
    for (size_t i = 0; i < n; i++) {
        float *unit = *ret_units + i * dim;
        if (pd_session_embed_ids(parity->tapped, ids + i * n_tokens, n_tokens, unit, &err) != PD_OK)
            fail("text", &err);
        compare_taps(parity, i);
        if (pd_session_embed_ids(parity->plain, ids + i * n_tokens, n_tokens, unit, &err) != PD_OK)
            fail("text", &err);
    }
    pd_mem_free(wide);
    pd_mem_free(ids);
    return n;
}

static void compare_units(pd_parity *parity, const char *name, const float *units, size_t n)
{
    pd_comparison *comparison = find_comparison(parity, name);
    if (!comparison || !n)
        return;
    const size_t dim = pd_model_dim(parity->model);
    if (comparison->golden.count != n * dim)
        comparison->compared = comparison->broken = true;
    for (size_t i = 0; i < n && !comparison->broken; i++) {
        size_t count = 0;
        float *golden = read_item(&comparison->golden, i, &count);
        compare_values(comparison, golden, units + i * dim, 1, dim);
        pd_mem_free(golden);
    }
}

/* exp(logit_scale) x image . text: the scale is the model's, the product the embeddings'. */
static void compare_logits(pd_parity *parity, const float *images, size_t n_images, const float *texts, size_t n_texts)
{
    pd_error err;
    pd_weights *weights = NULL;
    pd_tensor tensor;
    float scale = 0;
    pd_comparison *comparison = find_comparison(parity, "logits_per_image");
    if (!comparison || !n_images || !n_texts)
        return;
    if (pd_weights_open(&weights, parity->dir, &err) != PD_OK)
        fail(parity->dir, &err);
    if (!pd_weights_find(weights, "logit_scale", &tensor) || pd_tensor_read_f32(&tensor, 0, 1, &scale, &err) != PD_OK)
        fail("logit_scale", NULL);
    const size_t dim = pd_model_dim(parity->model);
    float *ours = must(pd_mem_alloc(n_texts, sizeof *ours));
    for (size_t i = 0; i < n_images; i++) {
        size_t count = 0;
        float *golden = read_item(&comparison->golden, i, &count);
        for (size_t j = 0; j < n_texts; j++) {
            double dot = 0;
            for (size_t k = 0; k < dim; k++)
                dot += (double)images[i * dim + k] * texts[j * dim + k];
            ours[j] = (float)(exp(scale) * dot);
        }
        compare_values(comparison, golden, ours, 1, n_texts);
        pd_mem_free(golden);
    }
    pd_mem_free(ours);
    pd_weights_close(&weights);
}

static void open_all(pd_parity *parity, const char *golden, const char *inputs)
{
    pd_error err;
    pd_model_options options;
    pd_model_options_init(&options);
    options.precision = parity->precision;
    if (!pd_cpu_level(parity->cpu, &options.cpu_mask)) {
        printf("skipped: this CPU has no %s\n", parity->cpu);
        exit(77);
    }
    if (pd_weights_open(&parity->golden, golden, &err) != PD_OK ||
        pd_weights_open(&parity->inputs, inputs, &err) != PD_OK ||
        pd_model_open(&parity->model, parity->dir, &options, &err) != PD_OK)
        fail("open", &err);
    const pd_session_options plain = { .towers = PD_MODEL_TEXT | PD_MODEL_VISION };
    const pd_session_options tapped = { .towers = plain.towers, .tap = capture_tap, .tap_user = parity };
    if (pd_session_create(&parity->plain, parity->model, &plain, &err) != PD_OK ||
        pd_session_create(&parity->tapped, parity->model, &tapped, &err) != PD_OK)
        fail("session", &err);
    for (size_t i = 0; i < pd_weights_count(parity->golden) && parity->n_comparisons < TENSORS_MAX; i++) {
        pd_comparison *comparison = &parity->comparisons[parity->n_comparisons++];
        *comparison = (pd_comparison){ .cosine_min = 1 };
        pd_weights_at(parity->golden, i, &comparison->golden);
    }
}

static bool is_input(const char *name)
{
    return has_start(name, "in_") || has_start(name, "image_0") || strcmp(name, "input_ids") == 0 ||
           strcmp(name, "pixel_u8") == 0 || (has_start(name, "image_") && name[6] >= '0' && name[6] <= '9');
}

/* Returns the tensors beyond their bounds. */
static size_t check_dir(pd_parity *parity, const char *golden, const char *inputs)
{
    float *images = NULL, *texts = NULL;
    open_all(parity, golden, inputs);
    const size_t n_images = check_pictures(parity, &images);
    const size_t n_texts = check_texts(parity, &texts);
    compare_units(parity, "image_embeds_unit", images, n_images);
    compare_units(parity, "text_embeds_unit", texts, n_texts);
    compare_logits(parity, images, n_images, texts, n_texts);
    for (size_t i = 0; i < parity->n_comparisons; i++) {
        const pd_comparison *comparison = &parity->comparisons[i];
        const char *name = comparison->golden.name;
        if (comparison->compared)
            report_comparison(parity, name, comparison);
        else if (!is_input(name))
            printf("{\"dir\": \"%s\", \"tensor\": \"%s\", \"skipped\": true}\n", pd_path_name(parity->dir), name);
    }
    if (!parity->n_compared)
        fprintf(stderr, "model_parity: %s: nothing was compared\n", parity->dir);
    pd_mem_free(images);
    pd_mem_free(texts);
    pd_session_free(&parity->tapped);
    pd_session_free(&parity->plain);
    pd_model_close(&parity->model);
    pd_weights_close(&parity->inputs);
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
    const char *cpu = "auto", *golden = NULL, *inputs = NULL;
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
        } else if (strcmp(argv[i], "--inputs") == 0 && more) {
            inputs = argv[++i];
        } else {
            pd_parity *parity = must(pd_mem_alloc(1, sizeof *parity));
            parity->dir = argv[i];
            parity->cpu = cpu;
            parity->precision = precision;
            require_path(parity->dir);
            char *own = must(pd_path_join(parity->dir, "golden.safetensors"));
            const char *file = golden ? golden : own;
            require_path(file);
            require_path(inputs ? inputs : file);
            n_bad += check_dir(parity, file, inputs ? inputs : file);
            n_dirs++;
            pd_mem_free(own);
            pd_mem_free(parity);
        }
    }
    return n_bad || !n_dirs;
}
