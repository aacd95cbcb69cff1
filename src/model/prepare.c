#include "model/prepare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#define FLOATS_CHECKED 4096 /* read at a time where values are only looked at */

/* A layer on its way: floats, outputs by inputs. */
typedef struct pd_dense {
    size_t n, k;
    float *w;    /* [n, k] */
    float *bias; /* [n] */
} pd_dense;

static void format_shape(const size_t *shape, size_t rank, char ret_text[96])
{
    size_t used = 0;
    ret_text[0] = 0;
    for (size_t i = 0; i < rank && used < 80; i++)
        used += (size_t)snprintf(ret_text + used, 96 - used, i ? ", %zu" : "%zu", shape[i]);
}

static pd_status find_tensor(const pd_preparer *preparer, const char *name, size_t rank, const size_t *shape,
                             pd_tensor *ret_tensor)
{
    pd_tensor tensor;
    if (!pd_weights_find(preparer->weights, name, &tensor))
        return pd_error_set(
            preparer->err, PD_ERR_FORMAT,
            "model '%s': the weights hold no tensor '%s': they are incomplete, or of another model than config.json",
            preparer->dir, name);
    while (tensor.rank > rank && tensor.shape[0] == 1) {
        tensor.rank--;
        memmove(tensor.shape, tensor.shape + 1, tensor.rank * sizeof *tensor.shape);
    }
    if (tensor.rank != rank || memcmp(tensor.shape, shape, rank * sizeof *shape) != 0) {
        char is[96], should[96];
        format_shape(tensor.shape, tensor.rank, is);
        format_shape(shape, rank, should);
        return pd_error_set(
            preparer->err, PD_ERR_FORMAT,
            "model '%s': tensor '%s' has shape [%s]; by config.json it is [%s]: they are not of one model",
            preparer->dir, name, is, should);
    }
    if (tensor.dtype != PD_DTYPE_F32 && tensor.dtype != PD_DTYPE_F16 && tensor.dtype != PD_DTYPE_BF16)
        return pd_error_set(preparer->err, PD_ERR_UNSUPPORTED,
                            "model '%s': tensor '%s' is of type %s; F32, F16 and BF16 are handled", preparer->dir, name,
                            pd_dtype_name(tensor.dtype));
    *ret_tensor = tensor;
    return PD_OK;
}

static pd_status read_part(const pd_preparer *preparer, const pd_tensor *tensor, size_t first, size_t n,
                           float *ret_values)
{
    PD_TRY(pd_tensor_read_f32(tensor, first, n, ret_values, preparer->err));
    for (size_t i = 0; i < n; i++)
        if (!isfinite(ret_values[i]))
            return pd_error_set(
                preparer->err, PD_ERR_FORMAT,
                "model '%s': value %zu of tensor '%s' is not a finite number: the file is damaged, fetch it again",
                preparer->dir, first + i, tensor->name);
    return PD_OK;
}

pd_status pd_prepare_check_cancelled(const pd_preparer *preparer)
{
    if (!preparer->cancelled || !atomic_load(preparer->cancelled))
        return PD_OK;
    return pd_error_set(preparer->err, PD_ERR_CANCELLED, "stopped while model '%s' was being prepared", preparer->dir);
}

/* A tensor is not looked at again: its pages may go, and whoever waits hears of it. */
static pd_status finish_tensor(const pd_preparer *preparer, const pd_tensor *tensor)
{
    const size_t bytes = tensor->count * pd_dtype_bytes(tensor->dtype);
    pd_prepare_progress *progress = preparer->progress;
    pd_file_map_forget(tensor->data, bytes);
    progress->done += bytes;
    if (progress->tell)
        progress->tell(progress->user, progress->done, progress->total);
    return pd_prepare_check_cancelled(preparer);
}

static pd_status read_tensor(const pd_preparer *preparer, const char *name, size_t rank, const size_t *shape,
                             float *ret_values)
{
    pd_tensor tensor;
    PD_TRY(find_tensor(preparer, name, rank, shape, &tensor));
    PD_TRY(read_part(preparer, &tensor, 0, tensor.count, ret_values));
    return finish_tensor(preparer, &tensor);
}

/* "<name><suffix>" of one dimension. */
static pd_status read_vector(const pd_preparer *preparer, const char *name, const char *suffix, size_t n,
                             float *ret_values)
{
    char full[2 * PD_TENSOR_NAME_BYTES];
    snprintf(full, sizeof full, "%s%s", name, suffix);
    return read_tensor(preparer, full, 1, &n, ret_values);
}

pd_status pd_prepare_block(pd_preparer *preparer, size_t count, size_t size, void **ret_block, bool *ret_fill)
{
    PD_TRY(pd_prepare_check_cancelled(preparer));
    return pd_prepared_block(preparer->prepared, count, size, ret_block, ret_fill, preparer->err);
}

/* Rows [c][y][x] -> [y][x][c]. */
static void reorder_kernel(const float *from, size_t channels, size_t area, float *ret_row)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < area; i++)
            ret_row[i * channels + c] = from[c * area + i];
}

static pd_status read_kernels(const pd_preparer *preparer, const char *name, const pd_linear_source *source,
                              float *ret_w)
{
    const size_t area = source->kernel * source->kernel, channels = source->k / area;
    const size_t shape[4] = { source->n, channels, source->kernel, source->kernel };
    float *row = pd_mem_alloc(source->k, sizeof *row);
    pd_status status = row ? read_tensor(preparer, name, 4, shape, ret_w) : pd_error_set_nomem(preparer->err);
    for (size_t i = 0; status == PD_OK && i < source->n; i++) {
        memcpy(row, ret_w + i * source->k, source->k * sizeof *row);
        reorder_kernel(row, channels, area, ret_w + i * source->k);
    }
    pd_mem_free(row);
    return status;
}

/* w x norm(x) with norm(x) = x * gain + bias  ->  (w * gain) x and w bias. */
static pd_status fold_layer_norm(const pd_preparer *preparer, const pd_linear_source *source, pd_dense *dense)
{
    float *norm = pd_mem_alloc(2 * source->k, sizeof *norm);
    pd_status status = norm ? PD_OK : pd_error_set_nomem(preparer->err);
    if (status == PD_OK)
        status = read_vector(preparer, source->norm, ".weight", source->k, norm);
    if (status == PD_OK)
        status = read_vector(preparer, source->norm, ".bias", source->k, norm + source->k);
    for (size_t i = 0; status == PD_OK && i < dense->n; i++) {
        double sum = dense->bias[i];
        for (size_t j = 0; j < dense->k; j++) {
            sum += (double)dense->w[i * dense->k + j] * norm[source->k + j];
            dense->w[i * dense->k + j] *= norm[j];
        }
        dense->bias[i] = (float)sum;
    }
    pd_mem_free(norm);
    return status;
}

/* y = (w x - mean) / sqrt(var + eps) * gain + bias. */
static pd_status fold_batch_norm(const pd_preparer *preparer, const char *name, float eps, pd_dense *dense)
{
    static const char *const parts[4] = { "weight", "bias", "running_mean", "running_var" };
    const size_t n = dense->n;
    float *norm = pd_mem_alloc(4 * n, sizeof *norm);
    pd_status status = norm ? PD_OK : pd_error_set_nomem(preparer->err);
    for (size_t i = 0; status == PD_OK && i < 4; i++) {
        char suffix[32];
        snprintf(suffix, sizeof suffix, ".normalization.%s", parts[i]);
        status = read_vector(preparer, name, suffix, n, norm + i * n);
    }
    for (size_t i = 0; status == PD_OK && i < n; i++) {
        const double variance = norm[3 * n + i], gain = norm[i] / sqrt(variance + eps);
        if (variance < 0)
            status = pd_error_set(preparer->err, PD_ERR_FORMAT,
                                  "model '%s': value %zu of tensor '%s.normalization.running_var' is negative",
                                  preparer->dir, i, name);
        for (size_t j = 0; j < dense->k; j++)
            dense->w[i * dense->k + j] = (float)(dense->w[i * dense->k + j] * gain);
        dense->bias[i] = (float)(norm[n + i] - norm[2 * n + i] * gain);
    }
    pd_mem_free(norm);
    return status;
}

static pd_status fill_dense(const pd_preparer *preparer, const pd_linear_source *source, pd_dense *dense)
{
    for (size_t part = 0; part < source->n_names; part++) {
        char name[2 * PD_TENSOR_NAME_BYTES];
        float *w = dense->w + part * source->n * source->k;
        snprintf(name, sizeof name, "%s%s.weight", source->names[part],
                 source->fold == PD_FOLD_BATCH_NORM ? ".convolution" : "");
        if (source->kernel)
            PD_TRY(read_kernels(preparer, name, source, w));
        else
            PD_TRY(read_tensor(preparer, name, 2, (const size_t[]){ source->n, source->k }, w));
        if (source->bias && source->bias_name[0])
            PD_TRY(read_vector(preparer, source->bias_name, "", source->n, dense->bias));
        else if (source->bias)
            PD_TRY(read_vector(preparer, source->names[part], ".bias", source->n, dense->bias + part * source->n));
    }
    switch (source->fold) {
    case PD_FOLD_NONE: return PD_OK;
    case PD_FOLD_LAYER_NORM: return fold_layer_norm(preparer, source, dense);
    case PD_FOLD_BATCH_NORM: return fold_batch_norm(preparer, source->names[0], source->eps, dense);
    }
    return PD_OK;
}

pd_status pd_prepare_dense(pd_preparer *preparer, const pd_linear_source *source, float *ret_w, float *ret_bias)
{
    pd_dense dense = { .n = source->n * source->n_names, .k = source->k, .w = ret_w, .bias = ret_bias };
    memset(ret_bias, 0, dense.n * sizeof *ret_bias);
    return fill_dense(preparer, source, &dense);
}

static pd_status fill_depthwise(const pd_preparer *preparer, const char *name, float eps, pd_dense *dense, float *ret_w)
{
    char full[2 * PD_TENSOR_NAME_BYTES];
    snprintf(full, sizeof full, "%s.convolution.weight", name);
    PD_TRY(read_tensor(preparer, full, 4, (const size_t[]){ dense->n, 1, 3, 3 }, dense->w));
    PD_TRY(fold_batch_norm(preparer, name, eps, dense));
    for (size_t i = 0; i < dense->n; i++)
        for (size_t j = 0; j < dense->k; j++)
            ret_w[j * dense->n + i] = dense->w[i * dense->k + j];
    return PD_OK;
}

pd_status pd_prepare_depthwise(pd_preparer *preparer, const char *name, size_t channels, float eps, const float **ret_w,
                               const float **ret_bias)
{
    void *w = NULL, *bias = NULL;
    bool fill = false;
    PD_TRY(pd_prepare_block(preparer, channels * 9, sizeof(float), &w, &fill));
    PD_TRY(pd_prepare_block(preparer, channels, sizeof(float), &bias, &fill));
    if (fill) {
        pd_dense dense = { .n = channels, .k = 9, .w = pd_mem_alloc(channels * 9, sizeof(float)), .bias = bias };
        const pd_status status =
            dense.w ? fill_depthwise(preparer, name, eps, &dense, w) : pd_error_set_nomem(preparer->err);
        pd_mem_free(dense.w);
        PD_TRY(status);
    }
    *ret_w = w;
    *ret_bias = bias;
    return PD_OK;
}

pd_status pd_prepare_floats(pd_preparer *preparer, const char *name, size_t m, size_t k, const float **ret_values)
{
    void *values = NULL;
    bool fill = false;
    const size_t shape[2] = { m, k };
    PD_TRY(pd_prepare_block(preparer, m * k, sizeof(float), &values, &fill));
    if (fill)
        PD_TRY(read_tensor(preparer, name, m == 1 ? 1 : 2, m == 1 ? shape + 1 : shape, values));
    *ret_values = values;
    return PD_OK;
}

pd_status pd_prepare_table(pd_preparer *preparer, const char *name, size_t m, size_t k, pd_tensor *ret_table)
{
    pd_tensor table;
    void *checked = NULL;
    bool fill = false;
    PD_TRY(find_tensor(preparer, name, 2, (const size_t[]){ m, k }, &table));
    PD_TRY(pd_prepare_block(preparer, 1, sizeof(uint32_t), &checked, &fill));
    for (size_t first = 0; fill && first < table.count; first += FLOATS_CHECKED) {
        float values[FLOATS_CHECKED];
        const size_t rest = table.count - first;
        PD_TRY(pd_prepare_check_cancelled(preparer)); /* the largest tensor of most models */
        PD_TRY(read_part(preparer, &table, first, rest < FLOATS_CHECKED ? rest : FLOATS_CHECKED, values));
    }
    if (fill) {
        *(uint32_t *)checked = 1;
        PD_TRY(finish_tensor(preparer, &table));
    }
    *ret_table = table;
    return PD_OK;
}
