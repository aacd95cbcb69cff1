/* Names of the tensors of an accepted pickle are views into it, and it says the same twice. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "weights/pickle.h"

static void check_view(pd_str text, const uint8_t *data, size_t size)
{
    if (text.len > size || text.ptr < (const char *)data || text.ptr + text.len > (const char *)data + size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_pickled_tensor *tensors = NULL, *again = NULL;
    size_t n = 0, n_again = 0;
    pd_error err;
    if (pd_pickle_read(data, size, &tensors, &n, &err) != PD_OK)
        return 0;
    if (pd_pickle_read(data, size, &again, &n_again, &err) != PD_OK || n != n_again || n == 0)
        abort();
    for (size_t i = 0; i < n; i++) {
        check_view(tensors[i].name, data, size);
        check_view(tensors[i].storage, data, size);
        if (tensors[i].rank > PD_TENSOR_RANK_MAX || tensors[i].dtype >= PD_DTYPE_COUNT ||
            memcmp(tensors[i].shape, again[i].shape, sizeof again[i].shape) != 0)
            abort();
    }
    pd_mem_free(tensors);
    pd_mem_free(again);
    return 0;
}
