/* weights.c: a directory's files, their tensors by name, their values.
 *
 * A file cut short by somebody else while it is mapped ends the process (SIGBUS): the price of not copying. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/half.h"
#include "base/json.h"
#include "base/mem.h"
#include "weights/weights_parts.h"

#define HASHED_AT_ONCE ((size_t)16 << 20) /* bytes that stay resident meanwhile */

static const struct {
    const char *name;
    size_t bytes;
} dtypes[PD_DTYPE_COUNT] = {
    [PD_DTYPE_F32] = { "F32", 4 }, [PD_DTYPE_F16] = { "F16", 2 },   [PD_DTYPE_BF16] = { "BF16", 2 },
    [PD_DTYPE_I64] = { "I64", 8 }, [PD_DTYPE_I32] = { "I32", 4 },   [PD_DTYPE_I8] = { "I8", 1 },
    [PD_DTYPE_U8] = { "U8", 1 },   [PD_DTYPE_BOOL] = { "BOOL", 1 }, [PD_DTYPE_F64] = { "F64", 8 },
    [PD_DTYPE_I16] = { "I16", 2 },
};

size_t pd_dtype_bytes(pd_dtype dtype) { return dtypes[dtype].bytes; }
const char *pd_dtype_name(pd_dtype dtype) { return dtypes[dtype].name; }

const char *pd_weights_keep_text(pd_weights_file *file, pd_str text)
{
    char *kept = file->texts + file->texts_len;
    memcpy(kept, text.ptr, text.len);
    kept[text.len] = '\0';
    file->texts_len += text.len + 1;
    return kept;
}

pd_tensor *pd_weights_reserve(pd_weights *weights, size_t n)
{
    pd_tensor *tensors = pd_mem_realloc(weights->tensors, weights->n_tensors + n, sizeof *tensors);
    if (!tensors)
        return NULL;
    weights->tensors = tensors;
    return tensors + weights->n_tensors;
}

/* What lies where weights should, told by its first bytes. */
static const struct {
    const char *start;
    const char *what; /* it is, and what can be done */
} no_weights[] = {
    { "version https://git-lfs", "a git-lfs pointer, not the file itself: run 'git lfs pull' in its repository, "
                                 "or download the file" },
    { "<!DOCTYPE html", "a web page, not weights: download the file itself" },
    { "<!doctype html", "a web page, not weights: download the file itself" },
    { "<html", "a web page, not weights: download the file itself" },
    { "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
      "in PyTorch's format from before version 1.6: load and save it once with a newer PyTorch, or take the model's "
      "safetensors" },
    { "\x89HDF\r\n", "an HDF5 file of TensorFlow: take the model's safetensors or pytorch_model.bin" },
};

static bool starts_with(const pd_file_map *map, const char *start)
{
    const size_t len = strlen(start);
    return map->len >= len && memcmp(map->data, start, len) == 0;
}

/* By what it holds, not by its name. */
static pd_status read_file(pd_weights *weights, pd_weights_file *file, pd_error *err)
{
    for (size_t i = 0; i < PD_COUNT_OF(no_weights); i++)
        if (starts_with(&file->map, no_weights[i].start))
            return pd_error_set(err, PD_ERR_UNSUPPORTED, "this is %s", no_weights[i].what);
    return starts_with(&file->map, "PK\3\4") ? pd_state_dict_read(weights, file, err)
                                             : pd_safetensors_read(weights, file, err);
}

static pd_status open_file(pd_weights *weights, const char *path, pd_error *err)
{
    pd_weights_file *file = &weights->files[weights->n_files];
    PD_TRY(pd_file_map_open(&file->map, path, err));
    weights->n_files++;
    const pd_status status = read_file(weights, file, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s", path);
    return status;
}

static pd_status open_single(pd_weights *weights, const char *dir, const char *path, pd_error *err)
{
    (void)dir;
    weights->files = pd_mem_alloc(1, sizeof *weights->files);
    return weights->files ? open_file(weights, path, err) : pd_error_set_nomem(err);
}

/* A shard lies next to the index: a name that could lead elsewhere is refused. */
static bool is_plain_name(pd_str name)
{
    return name.len > 0 && !memchr(name.ptr, '/', name.len) && !memchr(name.ptr, '\0', name.len) &&
           !pd_str_equal(name, pd_str_of(".")) && !pd_str_equal(name, pd_str_of(".."));
}

/* The different file names of the weight map, in its order. Views into `map`. */
static pd_status list_shards(const pd_json *map, pd_str names[PD_WEIGHTS_SHARDS_MAX], size_t *ret_n, pd_error *err)
{
    size_t n = 0, found = 0;
    void *iterator = NULL;
    pd_str tensor, file;
    const pd_json *value;
    while (pd_json_is_object(map) && pd_json_next(map, &iterator, &tensor, &value)) {
        if (!pd_json_read_string(value, &file) || !is_plain_name(file))
            return pd_error_set(err, PD_ERR_FORMAT, "the weight_map does not name a file beside it for tensor '%s'",
                                tensor.ptr);
        if (found < n && pd_str_equal(names[found], file)) /* mostly the same as for the tensor before */
            continue;
        for (found = 0; found < n && !pd_str_equal(names[found], file);)
            found++;
        if (found == PD_WEIGHTS_SHARDS_MAX)
            return pd_error_set(err, PD_ERR_LIMIT, "more than %d files in the weight_map", PD_WEIGHTS_SHARDS_MAX);
        if (found == n)
            names[n++] = file;
    }
    if (n == 0)
        return pd_error_set(err, PD_ERR_FORMAT, "there is no weight_map in it");
    *ret_n = n;
    return PD_OK;
}

static pd_status open_listed(pd_weights *weights, const char *dir, const pd_json *index, const char *index_path,
                             pd_error *err)
{
    pd_str names[PD_WEIGHTS_SHARDS_MAX];
    size_t n;
    pd_status status = list_shards(pd_json_get(index, "weight_map"), names, &n, err);
    if (status != PD_OK) {
        pd_error_prefix(err, "%s", index_path);
        return status;
    }
    weights->files = pd_mem_alloc(n, sizeof *weights->files);
    if (!weights->files)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n && status == PD_OK; i++) {
        char *path = pd_path_join(dir, names[i].ptr);
        status = path ? open_file(weights, path, err) : pd_error_set_nomem(err);
        pd_mem_free(path);
    }
    return status;
}

static pd_status open_index(pd_weights *weights, const char *dir, const char *index_path, pd_error *err)
{
    pd_buf text;
    pd_buf_init(&text, PD_WEIGHTS_HEADER_BYTES_MAX);
    pd_json *index = NULL;
    pd_status status = pd_file_read(index_path, PD_WEIGHTS_HEADER_BYTES_MAX, &text, err);
    if (status == PD_OK) {
        status = pd_json_parse(&index, text.data, text.len, err);
        if (status == PD_ERR_FORMAT)
            pd_error_prefix(err, "%s", index_path);
    }
    pd_buf_done(&text);
    if (status == PD_OK)
        status = open_listed(weights, dir, index, index_path, err);
    pd_json_free(&index);
    return status;
}

/* Other files of weights that a repository may have, and that are not read. */
static const char *const unread_files[] = { "open_clip_pytorch_model.bin",
                                            "open_clip_model.safetensors",
                                            "tf_model.h5",
                                            "flax_model.msgpack",
                                            "model.onnx",
                                            "pytorch_model.pt" };

static pd_status refuse_dir(const char *dir, pd_error *err)
{
    for (size_t i = 0; i < PD_COUNT_OF(unread_files); i++) {
        char *path = pd_path_join(dir, unread_files[i]);
        const bool found = path && pd_file_exists(path);
        pd_mem_free(path);
        if (!path)
            return pd_error_set_nomem(err);
        if (found)
            return pd_error_set(err, PD_ERR_NOT_FOUND,
                                "no model.safetensors and no pytorch_model.bin in '%s': %s is not read", dir,
                                unread_files[i]);
    }
    return pd_error_set(err, PD_ERR_NOT_FOUND, "no model.safetensors and no pytorch_model.bin in '%s'", dir);
}

static pd_status open_dir(pd_weights *weights, const char *dir, pd_error *err)
{
    static const struct {
        const char *name;
        pd_status (*open)(pd_weights *weights, const char *dir, const char *path, pd_error *err);
    } kinds[] = {
        { "model.safetensors", open_single },
        { "model.safetensors.index.json", open_index },
        { "pytorch_model.bin", open_single },
        { "pytorch_model.bin.index.json", open_index },
    };
    for (size_t i = 0; i < PD_COUNT_OF(kinds); i++) {
        char *path = pd_path_join(dir, kinds[i].name);
        if (!path)
            return pd_error_set_nomem(err);
        const bool found = pd_file_exists(path);
        const pd_status status = found ? kinds[i].open(weights, dir, path, err) : PD_OK;
        pd_mem_free(path);
        if (found)
            return status;
    }
    return refuse_dir(dir, err);
}

static int compare_names(const void *a, const void *b)
{
    const pd_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_name(const void *name, const void *entry)
{
    const pd_tensor *const *tensor = entry;
    return strcmp(name, (*tensor)->name);
}

static pd_status sort_by_name(pd_weights *weights, pd_error *err)
{
    const size_t n = weights->n_tensors;
    weights->by_name = pd_mem_alloc(n, sizeof *weights->by_name);
    if (!weights->by_name)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        weights->by_name[i] = &weights->tensors[i];
    qsort(weights->by_name, n, sizeof *weights->by_name, compare_names);
    for (size_t i = 1; i < n; i++)
        if (strcmp(weights->by_name[i - 1]->name, weights->by_name[i]->name) == 0)
            return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' is there twice, or in two of the files",
                                weights->by_name[i]->name);
    return PD_OK;
}

pd_status pd_weights_open(pd_weights **ret_weights, const char *path, pd_error *err)
{
    pd_weights *weights = pd_mem_alloc(1, sizeof *weights);
    if (!weights)
        return pd_error_set_nomem(err);
    pd_status status = pd_dir_exists(path) ? open_dir(weights, path, err) : open_single(weights, NULL, path, err);
    if (status == PD_OK)
        status = sort_by_name(weights, err);
    if (status == PD_OK)
        *ret_weights = weights;
    else
        pd_weights_close(&weights);
    return status;
}

void pd_weights_close(pd_weights **weights)
{
    pd_weights *w = *weights;
    if (!w)
        return;
    for (size_t i = 0; i < w->n_files; i++) {
        pd_file_map_close(&w->files[i].map);
        pd_mem_free(w->files[i].texts);
        pd_mem_free(w->files[i].copies);
    }
    pd_mem_free(w->files);
    pd_mem_free(w->tensors);
    pd_mem_free(w->by_name);
    pd_mem_free(w->metadata);
    pd_mem_free(w);
    *weights = NULL;
}

bool pd_weights_find(const pd_weights *weights, const char *name, pd_tensor *ret_tensor)
{
    const pd_tensor *const *found =
        bsearch(name, weights->by_name, weights->n_tensors, sizeof *weights->by_name, compare_name);
    if (!found)
        return false;
    *ret_tensor = **found;
    return true;
}

size_t pd_weights_count(const pd_weights *weights) { return weights->n_tensors; }

void pd_weights_at(const pd_weights *weights, size_t index, pd_tensor *ret_tensor)
{
    PD_CHECK(index < weights->n_tensors);
    *ret_tensor = weights->tensors[index];
}

const char *pd_weights_metadata(const pd_weights *weights, const char *key)
{
    for (size_t i = 0; i < weights->n_metadata; i++)
        if (strcmp(weights->metadata[i].key, key) == 0)
            return weights->metadata[i].value;
    return NULL;
}

size_t pd_weights_files(const pd_weights *weights) { return weights->n_files; }

pd_status pd_weights_hash(const pd_weights *weights, const atomic_bool *cancelled, uint8_t ret_digest[PD_SHA256_BYTES],
                          pd_error *err)
{
    pd_sha256 sha; /* mapped files cannot say that reading failed */
    pd_sha256_init(&sha);
    for (size_t i = 0; i < weights->n_files; i++) {
        const pd_file_map *map = &weights->files[i].map;
        for (size_t at = 0; at < map->len; at += HASHED_AT_ONCE) {
            const size_t len = map->len - at < HASHED_AT_ONCE ? map->len - at : HASHED_AT_ONCE;
            if (cancelled && atomic_load(cancelled))
                return pd_error_set(err, PD_ERR_CANCELLED, "stopped while weights were being read");
            pd_sha256_update(&sha, map->data + at, len);
            pd_file_map_forget(map->data + at, len);
        }
    }
    pd_sha256_finish(&sha, ret_digest);
    return PD_OK;
}

static pd_status check_range(const pd_tensor *tensor, size_t first, size_t n, pd_error *err)
{
    if (first <= tensor->count && n <= tensor->count - first)
        return PD_OK;
    return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' has %zu elements; %zu from %zu on were asked for",
                        tensor->name, tensor->count, n, first);
}

static pd_status refuse_dtype(const pd_tensor *tensor, const char *wanted, pd_error *err)
{
    return pd_error_set(err, PD_ERR_UNSUPPORTED, "tensor '%s' is of type %s; %s can be read here", tensor->name,
                        pd_dtype_name(tensor->dtype), wanted);
}

pd_status pd_tensor_read_f32(const pd_tensor *tensor, size_t first, size_t n, float *ret_values, pd_error *err)
{
    PD_TRY(check_range(tensor, first, n, err));
    if (n == 0)
        return PD_OK; /* an empty tensor may have no address */
    const uint8_t *from = (const uint8_t *)tensor->data + first * pd_dtype_bytes(tensor->dtype);
    uint16_t half;
    if (tensor->dtype == PD_DTYPE_F32) {
        memcpy(ret_values, from, n * sizeof *ret_values);
    } else if (tensor->dtype == PD_DTYPE_F16) {
        for (size_t i = 0; i < n; i++) {
            memcpy(&half, from + i * sizeof half, sizeof half);
            ret_values[i] = pd_half_to_float(half);
        }
    } else if (tensor->dtype == PD_DTYPE_BF16) {
        for (size_t i = 0; i < n; i++) {
            memcpy(&half, from + i * sizeof half, sizeof half);
            ret_values[i] = pd_bfloat_to_float(half);
        }
    } else {
        return refuse_dtype(tensor, "F32, F16 and BF16", err);
    }
    return PD_OK;
}

pd_status pd_tensor_read_i64(const pd_tensor *tensor, size_t first, size_t n, int64_t *ret_values, pd_error *err)
{
    PD_TRY(check_range(tensor, first, n, err));
    if (n == 0)
        return PD_OK; /* an empty tensor may have no address */
    const uint8_t *from = (const uint8_t *)tensor->data + first * pd_dtype_bytes(tensor->dtype);
    int32_t narrow;
    if (tensor->dtype == PD_DTYPE_I64) {
        memcpy(ret_values, from, n * sizeof *ret_values);
    } else if (tensor->dtype == PD_DTYPE_I32) {
        for (size_t i = 0; i < n; i++) {
            memcpy(&narrow, from + i * sizeof narrow, sizeof narrow);
            ret_values[i] = narrow;
        }
    } else {
        return refuse_dtype(tensor, "I64 and I32", err);
    }
    return PD_OK;
}
