/* Tensors of an accepted file lie inside it, and all their bytes can be read. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "weights/weights.h"

static void read_tensors(const pd_weights *weights)
{
    uint64_t total = 0;
    for (size_t i = 0; i < pd_weights_count(weights); i++) {
        pd_tensor tensor, found;
        pd_weights_at(weights, i, &tensor);
        if (!pd_weights_find(weights, tensor.name, &found) || found.data != tensor.data)
            abort();
        const uint8_t *bytes = tensor.data;
        for (size_t k = 0; k < tensor.count * pd_dtype_bytes(tensor.dtype); k++)
            total += bytes[k];
        float value;
        if (tensor.count > 0)
            (void)!pd_tensor_read_f32(&tensor, tensor.count - 1, 1, &value, NULL);
    }
    if (total == UINT64_MAX)
        abort(); /* never: it keeps the reads */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || pd_fd_write_all(fd, data, size) != PD_OK)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pd_weights *weights = NULL;
    pd_error err;
    if (pd_weights_open(&weights, path, &err) == PD_OK)
        read_tensors(weights);
    pd_weights_close(&weights);
    close(fd);
    return 0;
}
