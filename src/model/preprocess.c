#include "model/preprocess.h"

#include <math.h>
#include <string.h>

/* One axis of the resize: which outputs are computed, and where in the square they go. */
typedef struct pd_axis {
    size_t length_in, length_out; /* of the whole picture, before and after */
    size_t first_out;             /* first output that the square shows */
    size_t place;                 /* its place in the square */
    size_t n_out;
    pd_filter filter;
} pd_axis;

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* shorter: the short side of the picture. */
static pd_axis plan_axis(const pd_preprocess_config *config, size_t length_in, size_t shorter)
{
    const size_t side = config->side, length_out = config->square ? side : config->short_side * length_in / shorter;
    pd_axis axis = {
        .length_in = length_in, .length_out = length_out, .n_out = smaller(length_out, side), .filter = config->filter
    };
    if (length_out >= side)
        axis.first_out = (length_out - side) / 2;
    else
        axis.place = (side - length_out + 1) / 2;
    return axis;
}

/* Half the width of the filter, in source pixels at scale 1. */
static double support_of(pd_filter filter) { return filter == PD_FILTER_BICUBIC ? 2 : 1; }

static size_t count_weights(size_t length_in, size_t length_out, pd_filter filter)
{
    const double scale = fmax(1, (double)length_in / (double)length_out);
    return (size_t)ceil(support_of(filter) * scale) * 2 + 1;
}

/* Keys' cubic with a = -0.5, or a triangle. */
static double weigh(double x, pd_filter filter)
{
    const double a = -0.5;
    x = fabs(x);
    if (filter == PD_FILTER_BILINEAR)
        return x < 1 ? 1 - x : 0;
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* The weights of one output in fixed point. Pillow: precompute_coeffs and normalize_coeffs_8bpc of Resample.c, in its
 * order of operations. */
static void fill_weights(const pd_axis *axis, size_t out, double *scratch, uint32_t *ret_first, uint32_t *ret_count,
                         int32_t *ret_weights)
{
    const double scale = (double)axis->length_in / (double)axis->length_out, filter_scale = fmax(1, scale);
    const double support = support_of(axis->filter) * filter_scale, center = ((double)out + 0.5) * scale;
    const double from = trunc(center - support + 0.5), to = trunc(center + support + 0.5);
    const size_t first = from > 0 ? (size_t)from : 0;
    const size_t count = (to < (double)axis->length_in ? (size_t)to : axis->length_in) - first;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        scratch[i] = weigh(((double)(i + first) - center + 0.5) * (1 / filter_scale), axis->filter);
        sum += scratch[i];
    }
    for (size_t i = 0; i < count; i++) {
        const double fixed = (sum != 0 ? scratch[i] / sum : scratch[i]) * (1 << PD_RESIZE_BITS);
        ret_weights[i] = (int32_t)(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    *ret_first = (uint32_t)first;
    *ret_count = (uint32_t)count;
}

static pd_resize make_resize(const pd_axis *axis, pd_arena *arena)
{
    const size_t weights_max = count_weights(axis->length_in, axis->length_out, axis->filter);
    uint32_t *first = pd_arena_take(arena, axis->n_out, sizeof *first);
    uint32_t *count = pd_arena_take(arena, axis->n_out, sizeof *count);
    int32_t *weight = pd_arena_take(arena, axis->n_out * weights_max, sizeof *weight);
    const size_t mark = arena->used;
    double *scratch = pd_arena_take(arena, weights_max, sizeof *scratch);
    memset(weight, 0, axis->n_out * weights_max * sizeof *weight);
    for (size_t i = 0; i < axis->n_out; i++)
        fill_weights(axis, axis->first_out + i, scratch, &first[i], &count[i], weight + i * weights_max);
    pd_arena_rewind(arena, mark);
    return (pd_resize){
        .n_out = axis->n_out, .first = first, .count = count, .weight = weight, .weights_max = weights_max
    };
}

size_t pd_preprocess_need(const pd_preprocess_config *config)
{
    const size_t weights_max = count_weights(PD_MODEL_PIXELS_SIDE_MAX, config->short_side, config->filter);
    const size_t axis =
        2 * pd_arena_need(config->side, sizeof(uint32_t)) + pd_arena_need(config->side * weights_max, sizeof(int32_t));
    const size_t between = pd_arena_need(PD_MODEL_PIXELS_SIDE_MAX, config->side * 3);
    const size_t scratch = pd_arena_need(weights_max, sizeof(double));
    return 2 * axis + (between > scratch ? between : scratch) + pd_arena_need(config->side, sizeof(uint32_t));
}

pd_status pd_preprocess_run(const pd_preprocess_config *config, const pd_kernels *kernels, pd_arena *arena,
                            const pd_pixels *pixels, uint8_t *ret_crop, pd_error *err)
{
    const size_t w = pixels->width, h = pixels->height, side = config->side;
    if (w < 1 || h < 1 || w > PD_MODEL_PIXELS_SIDE_MAX || h > PD_MODEL_PIXELS_SIDE_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a picture of %zu x %zu px; 1 to %d px a side is handled", w, h,
                            PD_MODEL_PIXELS_SIDE_MAX);
    if (!pixels->data || pixels->row_bytes < w * 3)
        return pd_error_set(err, PD_ERR_USAGE, "a picture %zu px wide cannot have rows of %zu bytes", w,
                            pixels->row_bytes);
    const size_t mark = arena->used, shorter = smaller(w, h);
    const pd_axis across = plan_axis(config, w, shorter);
    const pd_axis down = plan_axis(config, h, shorter);
    const pd_resize rows = make_resize(&across, arena), columns = make_resize(&down, arena);

    const size_t top = columns.first[0];
    const size_t bottom = columns.first[down.n_out - 1] + columns.count[down.n_out - 1];
    uint32_t *first = pd_arena_take(arena, down.n_out, sizeof *first);
    for (size_t i = 0; i < down.n_out; i++)
        first[i] = columns.first[i] - (uint32_t)top;
    const pd_resize below_top = {
        .n_out = down.n_out,
        .first = first,
        .count = columns.count,
        .weight = columns.weight,
        .weights_max = columns.weights_max,
    };
    const size_t ld = across.n_out * 3;
    uint8_t *between = pd_arena_take(arena, bottom - top, ld);
    kernels->resize_rows(&rows, pixels->data + top * pixels->row_bytes, pixels->row_bytes, bottom - top, between, ld);
    if (across.n_out < side || down.n_out < side)
        memset(ret_crop, 0, side * side * 3);
    kernels->resize_columns(&below_top, between, ld, across.n_out, ret_crop + (down.place * side + across.place) * 3,
                            side * 3);
    pd_arena_rewind(arena, mark);
    return PD_OK;
}
