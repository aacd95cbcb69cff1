/* A vector file of any bytes: the header is refused, or every block that it counts lies inside the file. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "vindex/vfile.h"
#include "vindex/vindex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_vfile_header header;
    const size_t n = size < PD_VFILE_HEADER_BYTES ? size : PD_VFILE_HEADER_BYTES;
    if (pd_vfile_parse(data, n, size, &header, NULL) != PD_OK)
        return 0;
    PD_CHECK(header.dim >= 1 && header.dim <= PD_VINDEX_DIM_MAX && header.last_seq >= 0);
    PD_CHECK(memchr(header.model_id, '\0', sizeof header.model_id));
    const size_t n_blocks = pd_vfile_block_count(header.count), block_bytes = pd_vfile_block_bytes(header.dim);
    PD_CHECK(n_blocks == 0 || n_blocks <= (size - PD_VFILE_HEADER_BYTES) / block_bytes);

    uint8_t slot[PD_VFILE_SLOT_BYTES];
    pd_vfile_format(&header, slot);
    PD_CHECK(memcmp(slot, data, 184) == 0 || memcmp(slot, data + PD_VFILE_SLOT_BYTES, 184) == 0);

    uint8_t *copy = n_blocks ? aligned_alloc(64, block_bytes) : NULL; /* as aligned as a mapping */
    if (!copy)
        return 0;
    memcpy(copy, data + PD_VFILE_HEADER_BYTES, block_bytes);
    const pd_vfile_block block = pd_vfile_block_at(copy);
    const size_t n_rows = header.count < PD_VFILE_BLOCK_ROWS ? (size_t)header.count : PD_VFILE_BLOCK_ROWS;
    (void)pd_vfile_block_valid(&block, n_rows, pd_vfile_stride(header.dim));
    free(copy);
    return 0;
}
