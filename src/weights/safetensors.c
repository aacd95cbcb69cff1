/* safetensors.c: the header is parsed once into a table of tensors; the tensors stay in the mapped files.
 *
 * As the reference implementation, a file is refused unless its tensors, in the order of their offsets, fill the data
 * section without holes and overlaps: then one wrong offset cannot show a tensor somebody else's bytes.
 * A file cut short by somebody else while it is mapped ends the process (SIGBUS): the price of not copying. */
#include "weights/weights.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json.h"
#include "base/mem.h"

#define HASHED_AT_ONCE ((size_t)16 << 20) /* bytes that stay resident meanwhile */

enum { LENGTH_BYTES = 8 }; /* of the number in front of the header */

typedef struct weights_file {
    pd_file_map map;
    char *texts; /* names and metadata, NUL after each: tensors and metadata point into it */
    size_t texts_len;
} weights_file;

typedef struct metadata_pair {
    const char *key;
    const char *value;
} metadata_pair;

struct pd_weights {
    weights_file *shards;
    size_t n_shards;
    pd_tensor *tensors; /* in file order */
    size_t n_tensors;
    const pd_tensor **by_name; /* sorted */
    metadata_pair *metadata;
    size_t n_metadata;
};

/* A tensor of the shard that is being read; begin and end count from the start of the data section. */
typedef struct placed {
    pd_tensor tensor;
    uint64_t begin, end;
    bool readable; /* false: a dtype outside of pd_dtype, kept only to know that its bytes are taken */
} placed;

static const struct {
    const char *name;
    size_t bytes;
} dtypes[PD_DTYPE_COUNT] = {
    [PD_DTYPE_F32] = { "F32", 4 }, [PD_DTYPE_F16] = { "F16", 2 },   [PD_DTYPE_BF16] = { "BF16", 2 },
    [PD_DTYPE_I64] = { "I64", 8 }, [PD_DTYPE_I32] = { "I32", 4 },   [PD_DTYPE_I8] = { "I8", 1 },
    [PD_DTYPE_U8] = { "U8", 1 },   [PD_DTYPE_BOOL] = { "BOOL", 1 },
};

size_t pd_dtype_bytes(pd_dtype dtype) { return dtypes[dtype].bytes; }
const char *pd_dtype_name(pd_dtype dtype) { return dtypes[dtype].name; }

static bool parse_dtype(pd_str name, pd_dtype *ret_dtype)
{
    for (size_t i = 0; i < PD_DTYPE_COUNT; i++)
        if (pd_str_equal(name, pd_str_of(dtypes[i].name))) {
            *ret_dtype = (pd_dtype)i;
            return true;
        }
    return false;
}

static pd_status read_shape(const pd_json *json, pd_tensor *tensor, pd_error *err)
{
    const pd_json *shape = pd_json_get(json, "shape");
    if (!pd_json_is_array(shape))
        return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' has no shape", tensor->name);
    tensor->rank = pd_json_count(shape);
    if (tensor->rank > PD_TENSOR_RANK_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "tensor '%s' has %zu dimensions; at most %d are allowed", tensor->name,
                            tensor->rank, PD_TENSOR_RANK_MAX);
    tensor->count = 1;
    for (size_t i = 0; i < tensor->rank; i++) {
        int64_t extent;
        if (!pd_json_read_int(pd_json_at(shape, i), &extent) || extent < 0)
            return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s': dimension %zu is not a count", tensor->name, i);
        tensor->shape[i] = (size_t)extent;
        if (__builtin_mul_overflow(tensor->count, (size_t)extent, &tensor->count))
            return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s': the product of its shape overflows", tensor->name);
    }
    return PD_OK;
}

static pd_status read_offsets(const pd_json *json, size_t data_len, placed *entry, pd_error *err)
{
    const pd_json *offsets = pd_json_get(json, "data_offsets");
    int64_t begin, end;
    if (pd_json_count(offsets) != 2 || !pd_json_read_int(pd_json_at(offsets, 0), &begin) ||
        !pd_json_read_int(pd_json_at(offsets, 1), &end))
        return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' has no pair of data_offsets", entry->tensor.name);
    if (begin < 0 || begin > end || (uint64_t)end > data_len)
        return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' lies at bytes %lld to %lld of %zu", entry->tensor.name,
                            (long long)begin, (long long)end, data_len);
    entry->begin = (uint64_t)begin;
    entry->end = (uint64_t)end;
    return PD_OK;
}

static pd_status read_tensor(const pd_json *json, const uint8_t *data, size_t data_len, placed *entry, pd_error *err)
{
    pd_tensor *tensor = &entry->tensor;
    pd_str dtype;
    if (!pd_json_read_string(pd_json_get(json, "dtype"), &dtype))
        return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' has no dtype", tensor->name);
    PD_TRY(read_shape(json, tensor, err));
    PD_TRY(read_offsets(json, data_len, entry, err));
    entry->readable = parse_dtype(dtype, &tensor->dtype);
    if (!entry->readable)
        return PD_OK;
    size_t bytes;
    if (__builtin_mul_overflow(tensor->count, pd_dtype_bytes(tensor->dtype), &bytes) ||
        bytes != entry->end - entry->begin)
        return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s': %zu elements of %s do not take %llu bytes", tensor->name,
                            tensor->count, pd_dtype_name(tensor->dtype),
                            (unsigned long long)(entry->end - entry->begin));
    tensor->data = data + entry->begin;
    return PD_OK;
}

static int compare_place(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->tensor.name, y->tensor.name);
}

static pd_status check_filled(const placed *entries, size_t n, size_t data_len, pd_error *err)
{
    uint64_t expected = 0;
    for (size_t i = 0; i < n; i++) {
        if (entries[i].begin != expected)
            return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' begins at byte %llu of the data; %llu was expected",
                                entries[i].tensor.name, (unsigned long long)entries[i].begin,
                                (unsigned long long)expected);
        expected = entries[i].end;
    }
    if (expected != data_len)
        return pd_error_set(err, PD_ERR_FORMAT, "the tensors end at byte %llu of the data, the file at %zu",
                            (unsigned long long)expected, data_len);
    return PD_OK;
}

/* The decoded texts of a JSON document and their NULs are never longer than the document: it has the quotes. */
static const char *keep_text(weights_file *shard, pd_str text)
{
    char *kept = shard->texts + shard->texts_len;
    memcpy(kept, text.ptr, text.len);
    kept[text.len] = '\0';
    shard->texts_len += text.len + 1;
    return kept;
}

static pd_status read_metadata(pd_weights *weights, weights_file *shard, const pd_json *json, pd_error *err)
{
    const size_t n = weights->n_metadata + pd_json_count(json);
    metadata_pair *pairs = pd_mem_realloc(weights->metadata, n, sizeof *pairs);
    if (!pairs)
        return pd_error_set_nomem(err);
    weights->metadata = pairs;
    void *iterator = NULL;
    pd_str key, text;
    const pd_json *value;
    while (pd_json_is_object(json) && pd_json_next(json, &iterator, &key, &value)) {
        if (!pd_json_read_string(value, &text))
            return pd_error_set(err, PD_ERR_FORMAT, "the metadata '%s' is not a text", key.ptr);
        metadata_pair *pair = &weights->metadata[weights->n_metadata++];
        pair->key = keep_text(shard, key);
        pair->value = keep_text(shard, text);
    }
    return PD_OK;
}

/* Adds the readable tensors of a shard to the table. */
static pd_status append_tensors(pd_weights *weights, const placed *entries, size_t n, pd_error *err)
{
    pd_tensor *tensors = pd_mem_realloc(weights->tensors, weights->n_tensors + n, sizeof *tensors);
    if (!tensors)
        return pd_error_set_nomem(err);
    weights->tensors = tensors;
    for (size_t i = 0; i < n; i++)
        if (entries[i].readable)
            tensors[weights->n_tensors++] = entries[i].tensor;
    return PD_OK;
}

static pd_status read_header(pd_weights *weights, weights_file *shard, const pd_json *header, size_t data_at,
                             pd_error *err)
{
    const uint8_t *data = shard->map.data + data_at;
    const size_t data_len = shard->map.len - data_at;
    const size_t n_members = pd_json_count(header);
    if (n_members > PD_WEIGHTS_TENSORS_MAX - weights->n_tensors)
        return pd_error_set(err, PD_ERR_LIMIT, "more than %d tensors", PD_WEIGHTS_TENSORS_MAX);
    placed *entries = pd_mem_alloc(n_members, sizeof *entries);
    if (!entries)
        return pd_error_set_nomem(err);
    size_t n = 0;
    void *iterator = NULL;
    pd_str name;
    const pd_json *value;
    pd_status status = PD_OK;
    while (status == PD_OK && pd_json_next(header, &iterator, &name, &value)) {
        if (pd_str_equal(name, pd_str_of("__metadata__"))) {
            status = read_metadata(weights, shard, value, err);
        } else {
            entries[n].tensor.name = keep_text(shard, name);
            status = read_tensor(value, data, data_len, &entries[n++], err);
        }
    }
    if (status == PD_OK) {
        qsort(entries, n, sizeof *entries, compare_place);
        status = check_filled(entries, n, data_len, err);
    }
    if (status == PD_OK)
        status = append_tensors(weights, entries, n, err);
    pd_mem_free(entries);
    return status;
}

static uint64_t read_le64(const uint8_t *p)
{
    uint64_t value = 0;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

static pd_status read_shard(pd_weights *weights, weights_file *shard, pd_error *err)
{
    const pd_file_map *map = &shard->map;
    if (map->len < LENGTH_BYTES)
        return pd_error_set(err, PD_ERR_FORMAT, "too short for a safetensors file: %zu bytes", map->len);
    const uint64_t header_len = read_le64(map->data);
    if (header_len > map->len - LENGTH_BYTES)
        return pd_error_set(err, PD_ERR_FORMAT, "cut short or no safetensors file: a header of %llu bytes in %zu",
                            (unsigned long long)header_len, map->len);
    if (header_len > PD_WEIGHTS_HEADER_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a header of %llu bytes; at most %zu are allowed",
                            (unsigned long long)header_len, PD_WEIGHTS_HEADER_BYTES_MAX);
    const char *text = (const char *)map->data + LENGTH_BYTES;
    if (header_len == 0 || text[0] != '{')
        return pd_error_set(err, PD_ERR_FORMAT, "the header is not a JSON object");
    shard->texts = pd_mem_alloc(header_len, 1);
    if (!shard->texts)
        return pd_error_set_nomem(err);
    pd_json *header;
    PD_TRY(pd_json_parse(&header, text, header_len, err));
    const pd_status status = read_header(weights, shard, header, LENGTH_BYTES + header_len, err);
    pd_json_free(&header);
    return status;
}

static pd_status open_shard(pd_weights *weights, const char *path, pd_error *err)
{
    weights_file *shard = &weights->shards[weights->n_shards];
    PD_TRY(pd_file_map_open(&shard->map, path, err));
    weights->n_shards++;
    const pd_status status = read_shard(weights, shard, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "%s", path);
    return status;
}

static pd_status open_single(pd_weights *weights, const char *path, pd_error *err)
{
    weights->shards = pd_mem_alloc(1, sizeof *weights->shards);
    return weights->shards ? open_shard(weights, path, err) : pd_error_set_nomem(err);
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
    weights->shards = pd_mem_alloc(n, sizeof *weights->shards);
    if (!weights->shards)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n && status == PD_OK; i++) {
        char *path = pd_path_join(dir, names[i].ptr);
        status = path ? open_shard(weights, path, err) : pd_error_set_nomem(err);
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

static pd_status open_dir(pd_weights *weights, const char *dir, pd_error *err)
{
    char *single = pd_path_join(dir, "model.safetensors");
    char *index = pd_path_join(dir, "model.safetensors.index.json");
    pd_status status;
    if (!single || !index)
        status = pd_error_set_nomem(err);
    else if (pd_file_exists(single))
        status = open_single(weights, single, err);
    else if (pd_file_exists(index))
        status = open_index(weights, dir, index, err);
    else
        status = pd_error_set(err, PD_ERR_NOT_FOUND, "no model.safetensors in '%s'", dir);
    pd_mem_free(index);
    pd_mem_free(single);
    return status;
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
            return pd_error_set(err, PD_ERR_FORMAT, "tensor '%s' is in two of the files", weights->by_name[i]->name);
    return PD_OK;
}

pd_status pd_weights_open(pd_weights **ret_weights, const char *path, pd_error *err)
{
    pd_weights *weights = pd_mem_alloc(1, sizeof *weights);
    if (!weights)
        return pd_error_set_nomem(err);
    pd_status status = pd_dir_exists(path) ? open_dir(weights, path, err) : open_single(weights, path, err);
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
    for (size_t i = 0; i < w->n_shards; i++) {
        pd_file_map_close(&w->shards[i].map);
        pd_mem_free(w->shards[i].texts);
    }
    pd_mem_free(w->shards);
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

size_t pd_weights_files(const pd_weights *weights) { return weights->n_shards; }

pd_status pd_weights_hash(const pd_weights *weights, uint8_t ret_digest[PD_SHA256_BYTES], pd_error *err)
{
    (void)err; /* mapped files cannot say that reading failed */
    pd_sha256 sha;
    pd_sha256_init(&sha);
    for (size_t i = 0; i < weights->n_shards; i++) {
        const pd_file_map *map = &weights->shards[i].map;
        for (size_t at = 0; at < map->len; at += HASHED_AT_ONCE) {
            const size_t len = map->len - at < HASHED_AT_ONCE ? map->len - at : HASHED_AT_ONCE;
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
