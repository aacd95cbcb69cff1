/* vfile.h: the bytes of a vector file, see docs/formats.md. Knows no file descriptors: (pointer, length) in, facts out.
 *
 *     header  8192 bytes: two slots of 4096; a commit writes the older one, the valid one of greater generation counts
 *     block   1024 rows: content ids, scales, errors, checksums, then the rows' bytes; all parts 64-byte aligned
 *     block   ... */
#ifndef PD_VINDEX_VFILE_H
#define PD_VINDEX_VFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_VFILE_VERSION 1
#define PD_VFILE_BLOCK_ROWS 1024
#define PD_VFILE_SLOT_BYTES 4096
#define PD_VFILE_HEADER_BYTES (2 * PD_VFILE_SLOT_BYTES)
#define PD_VFILE_MODEL_ID_BYTES 128 /* NUL included */

typedef struct pd_vfile_header {
    size_t dim;
    char model_id[PD_VFILE_MODEL_ID_BYTES];
    uint64_t generation; /* of the commit; slot generation % 2 */
    uint64_t count;      /* committed rows */
    int64_t last_seq;
} pd_vfile_header;

/* Bytes of a row: dim rounded up to a multiple of 64. */
size_t pd_vfile_stride(size_t dim);
size_t pd_vfile_block_bytes(size_t dim);
size_t pd_vfile_block_count(uint64_t n_rows);

/* Reads the first PD_VFILE_HEADER_BYTES of a file of file_bytes. PD_ERR_CORRUPT with the reason, without a file name.
 */
PD_MUST_USE pd_status pd_vfile_parse(const uint8_t *data, size_t len, uint64_t file_bytes, pd_vfile_header *ret_header,
                                     pd_error *err);
void pd_vfile_format(const pd_vfile_header *header, uint8_t ret_slot[PD_VFILE_SLOT_BYTES]);

/* The parts of a block. */
typedef struct pd_vfile_block {
    int64_t *content; /* [PD_VFILE_BLOCK_ROWS] each */
    float *scale;
    float *error; /* length of (unit vector - row as stored), and a little more: see pd_vindex_append */
    uint32_t *check;
    uint8_t *rows; /* [PD_VFILE_BLOCK_ROWS, stride] */
} pd_vfile_block;
pd_vfile_block pd_vfile_block_at(uint8_t *base);

/* The checksum that a row ought to have. */
uint32_t pd_vfile_row_check(const pd_vfile_block *block, size_t row, size_t stride);
/* Are the first n_rows of a block what was written? */
bool pd_vfile_block_valid(const pd_vfile_block *block, size_t n_rows, size_t stride);

#endif
