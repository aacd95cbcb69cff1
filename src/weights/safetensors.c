/* safetensors.c: the header is parsed once into a table of tensors; the tensors stay in the mapped files.
 *
 * As the reference implementation, a file is refused unless its tensors, in the order of their offsets, fill the data
 * section without holes and overlaps: then one wrong offset cannot show a tensor somebody else's bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "weights/weights_parts.h"

enum { LENGTH_BYTES = 8 }; /* of the number in front of the header */

/* A tensor of the file that is being read; begin and end count from the start of the data section. */
typedef struct placed {
    pd_tensor tensor;
    uint64_t begin, end;
    bool readable; /* false: a dtype outside of pd_dtype, kept only to know that its bytes are taken */
} placed;

static bool parse_dtype(pd_str name, pd_dtype *ret_dtype)
{
    for (size_t i = 0; i < PD_DTYPE_COUNT; i++)
        if (pd_str_equal(name, pd_str_of(pd_dtype_name((pd_dtype)i)))) {
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

static pd_status read_metadata(pd_weights *weights, pd_weights_file *file, const pd_json *json, pd_error *err)
{
    const size_t n = weights->n_metadata + pd_json_count(json);
    pd_metadata_pair *pairs = pd_mem_realloc(weights->metadata, n, sizeof *pairs);
    if (!pairs)
        return pd_error_set_nomem(err);
    weights->metadata = pairs;
    void *iterator = NULL;
    pd_str key, text;
    const pd_json *value;
    while (pd_json_is_object(json) && pd_json_next(json, &iterator, &key, &value)) {
        if (!pd_json_read_string(value, &text))
            return pd_error_set(err, PD_ERR_FORMAT, "the metadata '%s' is not a text", key.ptr);
        pd_metadata_pair *pair = &weights->metadata[weights->n_metadata++];
        pair->key = pd_weights_keep_text(file, key);
        pair->value = pd_weights_keep_text(file, text);
    }
    return PD_OK;
}

/* Adds the readable ones to the table. */
static pd_status append_tensors(pd_weights *weights, const placed *entries, size_t n, pd_error *err)
{
    if (!pd_weights_reserve(weights, n))
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (entries[i].readable)
            weights->tensors[weights->n_tensors++] = entries[i].tensor;
    return PD_OK;
}

static pd_status read_header(pd_weights *weights, pd_weights_file *file, const pd_json *header, size_t data_at,
                             pd_error *err)
{
    const uint8_t *data = file->map.data + data_at;
    const size_t data_len = file->map.len - data_at;
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
            status = read_metadata(weights, file, value, err);
        } else {
            entries[n].tensor.name = pd_weights_keep_text(file, name);
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

pd_status pd_safetensors_read(pd_weights *weights, pd_weights_file *file, pd_error *err)
{
    const pd_file_map *map = &file->map;
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
    file->texts =
        pd_mem_alloc(header_len, 1); /* decoded texts and NULs are no longer than the document: it has quotes */
    if (!file->texts)
        return pd_error_set_nomem(err);
    pd_json *header;
    PD_TRY(pd_json_parse(&header, text, header_len, err));
    const pd_status status = read_header(weights, file, header, LENGTH_BYTES + header_len, err);
    pd_json_free(&header);
    return status;
}
