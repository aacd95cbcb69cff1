/* state_dict.c: a pytorch_model.bin: a zip archive of a pickle, which says what the tensors are, and of their bytes.
 *
 * The bytes are stored as they are, so tensors stay in the mapped file, as those of a safetensors file do: nothing is
 * converted and nothing is written. Only a tensor whose elements do not lie in one piece (the transposed projections of
 * converted CLIP models) is copied. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "weights/pickle.h"
#include "weights/weights_parts.h"
#include "weights/zip.h"

#define COPIED_BYTES_MAX ((size_t)256 << 20)
#define PICKLE_NAME "/data.pkl"

enum { STORAGE_NAME_MAX = 300 }; /* bytes of "<folder>/data/<key>" */

typedef struct archive {
    pd_zip zip;
    pd_str folder; /* what its files' names begin with */
    const pd_zip_entry *pickle;
    pd_pickled_tensor *pickled;
    size_t n_pickled;
    size_t copied; /* bytes of the tensors to be copied */
    pd_error *err;
} archive;

static bool ends_with(pd_str name, const char *ending)
{
    const size_t len = strlen(ending);
    return name.len > len && memcmp(name.ptr + name.len - len, ending, len) == 0;
}

/* The file "<folder>/<name>"; NULL when there is none. */
static const pd_zip_entry *find_file(const archive *a, const char *under, pd_str name)
{
    char path[STORAGE_NAME_MAX];
    const int len =
        snprintf(path, sizeof path, "%.*s/%s%.*s", (int)a->folder.len, a->folder.ptr, under, (int)name.len, name.ptr);
    return len < STORAGE_NAME_MAX ? pd_zip_find(&a->zip, (pd_str){ path, (size_t)len }) : NULL;
}

static pd_status find_pickle(archive *a)
{
    for (size_t i = 0; !a->pickle && i < a->zip.n_entries; i++)
        if (ends_with(a->zip.entries[i].name, PICKLE_NAME) && a->zip.entries[i].name.len < STORAGE_NAME_MAX / 2)
            a->pickle = &a->zip.entries[i];
    if (!a->pickle)
        return pd_error_set(a->err, PD_ERR_FORMAT, "a zip archive without data.pkl: no PyTorch file of weights");
    a->folder = (pd_str){ a->pickle->name.ptr, a->pickle->name.len - strlen(PICKLE_NAME) };
    if (find_file(a, "", pd_str_of("constants.pkl")))
        return pd_error_set(a->err, PD_ERR_UNSUPPORTED,
                            "a TorchScript program, not a table of weights: take the model's safetensors");
    const pd_zip_entry *order = find_file(a, "", pd_str_of("byteorder"));
    if (order && !pd_str_equal((pd_str){ (const char *)order->data, order->len }, pd_str_of("little")))
        return pd_error_set(a->err, PD_ERR_UNSUPPORTED, "written by a big-endian machine, which is not handled");
    return PD_OK;
}

/* How many elements it has, and whether all of them are in the storage. False when not. */
static bool measure(const pd_pickled_tensor *pickled, size_t *ret_count)
{
    uint64_t count = 1, last = pickled->first;
    for (size_t i = 0; i < pickled->rank; i++) {
        uint64_t reach;
        if (__builtin_mul_overflow(count, pickled->shape[i], &count))
            return false;
        if (pickled->shape[i] > 0 && (__builtin_mul_overflow(pickled->shape[i] - 1, pickled->stride[i], &reach) ||
                                      __builtin_add_overflow(last, reach, &last)))
            return false;
    }
    *ret_count = (size_t)count;
    return count == 0 ? pickled->first <= pickled->storage_count
                      : last < pickled->storage_count && count <= pickled->storage_count;
}

static bool lies_in_one_piece(const pd_pickled_tensor *pickled)
{
    uint64_t expected = 1;
    for (size_t i = pickled->rank; i-- > 0;) {
        if (pickled->shape[i] != 1 && pickled->stride[i] != expected)
            return false;
        expected *= pickled->shape[i]; /* measured before: does not overflow */
    }
    return true;
}

/* The tensor's first byte in the file. Its name is set already. */
static pd_status place_tensor(archive *a, const pd_pickled_tensor *pickled, pd_tensor *tensor)
{
    const size_t size = pd_dtype_bytes(pickled->dtype);
    const pd_zip_entry *storage = find_file(a, "data/", pickled->storage);
    if (!storage)
        return pd_error_set(a->err, PD_ERR_FORMAT, "tensor '%s': its bytes are not in the file", tensor->name);
    if (!measure(pickled, &tensor->count))
        return pd_error_set(a->err, PD_ERR_FORMAT,
                            "tensor '%s' reaches beyond its storage of %llu elements, or repeats "
                            "elements",
                            tensor->name, (unsigned long long)pickled->storage_count);
    if (pickled->storage_count > storage->len / size)
        return pd_error_set(a->err, PD_ERR_FORMAT, "tensor '%s': its storage of %llu elements of %s has %zu bytes",
                            tensor->name, (unsigned long long)pickled->storage_count, pd_dtype_name(pickled->dtype),
                            storage->len);
    tensor->dtype = pickled->dtype;
    tensor->rank = pickled->rank;
    for (size_t i = 0; i < pickled->rank; i++)
        tensor->shape[i] = (size_t)pickled->shape[i];
    tensor->data = storage->data + pickled->first * size;
    if (tensor->count == 0 || lies_in_one_piece(pickled))
        return PD_OK;
    a->copied += tensor->count * size; /* no more than the storage has */
    if (a->copied > COPIED_BYTES_MAX)
        return pd_error_set(a->err, PD_ERR_LIMIT,
                            "more than %zu bytes of its tensors do not lie in one piece: save them as contiguous",
                            COPIED_BYTES_MAX);
    return PD_OK;
}

/* n elements, `step` bytes apart. Lengths that the compiler knows: every opening of a model goes through here. */
static void gather(const uint8_t *from, size_t step, size_t n, size_t size, uint8_t *ret_bytes)
{
    switch (size) {
    case 2:
        for (size_t i = 0; i < n; i++)
            memcpy(ret_bytes + i * 2, from + i * step, 2);
        return;
    case 4:
        for (size_t i = 0; i < n; i++)
            memcpy(ret_bytes + i * 4, from + i * step, 4);
        return;
    default:
        for (size_t i = 0; i < n; i++)
            memcpy(ret_bytes + i * size, from + i * step, size);
    }
}

/* The elements in the order of the shape, one after the other. rank > 0, count > 0. */
static void copy_elements(const pd_pickled_tensor *pickled, const pd_tensor *tensor, uint8_t *ret_bytes)
{
    const size_t size = pd_dtype_bytes(tensor->dtype), last = tensor->rank - 1, n = tensor->shape[last];
    uint64_t index[PD_TENSOR_RANK_MAX] = { 0 }, at = 0;
    for (size_t done = 0; done < tensor->count; done += n) {
        gather((const uint8_t *)tensor->data + at * size, pickled->stride[last] * size, n, size,
               ret_bytes + done * size);
        for (size_t axis = last; axis-- > 0;) {
            at += pickled->stride[axis];
            if (++index[axis] < pickled->shape[axis])
                break;
            at -= pickled->shape[axis] * pickled->stride[axis];
            index[axis] = 0;
        }
    }
}

static pd_status copy_scattered(const archive *a, pd_weights_file *file, pd_tensor *tensors)
{
    if (a->copied == 0)
        return PD_OK;
    uint8_t *at = file->copies = pd_mem_realloc(NULL, a->copied, 1);
    if (!at)
        return pd_error_set_nomem(a->err);
    for (size_t i = 0; i < a->n_pickled; i++) {
        if (tensors[i].count == 0 || lies_in_one_piece(&a->pickled[i]))
            continue;
        copy_elements(&a->pickled[i], &tensors[i], at);
        tensors[i].data = at;
        at += tensors[i].count * pd_dtype_bytes(tensors[i].dtype);
    }
    return PD_OK;
}

static pd_status keep_names(archive *a, pd_weights_file *file, pd_tensor *tensors)
{
    size_t bytes = 0;
    for (size_t i = 0; i < a->n_pickled; i++)
        bytes += a->pickled[i].name.len + 1;
    file->texts = pd_mem_alloc(bytes, 1); /* views into one pickle, perhaps the same bytes again and again */
    if (!file->texts)
        return pd_error_set_nomem(a->err);
    for (size_t i = 0; i < a->n_pickled; i++)
        tensors[i] = (pd_tensor){ .name = pd_weights_keep_text(file, a->pickled[i].name) };
    return PD_OK;
}

static pd_status read_archive(archive *a, pd_weights *weights, pd_weights_file *file)
{
    PD_TRY(pd_zip_open(&a->zip, file->map.data, file->map.len, a->err));
    PD_TRY(find_pickle(a));
    PD_TRY(pd_pickle_read(a->pickle->data, a->pickle->len, &a->pickled, &a->n_pickled, a->err));
    if (a->n_pickled > PD_WEIGHTS_TENSORS_MAX - weights->n_tensors)
        return pd_error_set(a->err, PD_ERR_LIMIT, "more than %d tensors", PD_WEIGHTS_TENSORS_MAX);
    pd_tensor *tensors = pd_weights_reserve(weights, a->n_pickled);
    if (!tensors)
        return pd_error_set_nomem(a->err);
    PD_TRY(keep_names(a, file, tensors));
    for (size_t i = 0; i < a->n_pickled; i++)
        PD_TRY(place_tensor(a, &a->pickled[i], &tensors[i]));
    PD_TRY(copy_scattered(a, file, tensors));
    weights->n_tensors += a->n_pickled;
    return PD_OK;
}

pd_status pd_state_dict_read(pd_weights *weights, pd_weights_file *file, pd_error *err)
{
    archive a = { .err = err };
    const pd_status status = read_archive(&a, weights, file);
    pd_mem_free(a.pickled);
    pd_zip_done(&a.zip);
    return status;
}
