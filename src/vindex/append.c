/* append.c: the writer: quantises rows into the last block, writes them out, commits. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "vindex/vindex_private.h"

#define GROW_BLOCKS_MAX 64 /* 34 MB at 512 dimensions */

/* Bytes are enough for a vector that was handed over in float and is kept as fp16 in the catalogue: the two differ by
 * at most half a unit in the last place of 11 bits, relative. */
#define HALF_ERROR 0.00049f

bool pd_vindex_normalise(const float *x, size_t dim, float *ret_unit)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++)
        square += (double)x[i] * x[i];
    if (!isfinite(square))
        return false;
    const double factor = square > 0 ? 1 / sqrt(square) : 0;
    for (size_t i = 0; i < dim; i++)
        ret_unit[i] = (float)(x[i] * factor);
    return true;
}

/* ret_bytes[i] = round(unit[i] / scale) + 128, padded with the byte of zero. */
static void quantise_row(const float *unit, size_t dim, size_t stride, uint8_t *ret_bytes, float *ret_scale,
                         float *ret_error)
{
    float peak = 0;
    for (size_t i = 0; i < dim; i++)
        peak = fmaxf(peak, fabsf(unit[i]));
    const float scale = peak / 127, inverse = peak > 0 ? 127 / peak : 0;
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        const float q = rintf(unit[i] * inverse);
        const double difference = (double)unit[i] - (double)scale * q;
        square += difference * difference;
        ret_bytes[i] = (uint8_t)((int)q + 128);
    }
    memset(ret_bytes + dim, 128, stride - dim);
    *ret_scale = scale;
    *ret_error = (float)sqrt(square) + HALF_ERROR;
}

/* Several blocks at once keep the file in one piece, one must do when the disk is nearly full. Space is reserved here
 * so that a full disk is an error now and not a signal at the first touch of the mapping. */
static pd_status grow_file(pd_vindex *index, size_t n_blocks, pd_error *err)
{
    struct stat st;
    if (fstat(index->fd, &st) != 0)
        return pd_error_set_errno(err, errno, "cannot look at '%s'", index->path);
    const size_t there = ((size_t)st.st_size - PD_VFILE_HEADER_BYTES) / index->block_bytes;
    if (n_blocks <= there)
        return PD_OK;
    const size_t wished = 1 + (there / 4 < GROW_BLOCKS_MAX ? there / 4 : GROW_BLOCKS_MAX);
    const off_t at = (off_t)(PD_VFILE_HEADER_BYTES + there * index->block_bytes);
    int sys_errno = posix_fallocate(index->fd, at, (off_t)(wished * index->block_bytes));
    if (sys_errno == ENOSPC && wished > 1)
        sys_errno = posix_fallocate(index->fd, at, (off_t)index->block_bytes);
    return sys_errno ? pd_error_set_errno(err, sys_errno, "cannot write '%s'", index->path) : PD_OK;
}

static pd_status write_at(const pd_vindex *index, const void *data, size_t len, size_t at, pd_error *err)
{
    const char *bytes = data;
    while (len > 0) {
        const ssize_t n = pwrite(index->fd, bytes, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return pd_error_set_errno(err, errno, "cannot write '%s'", index->path);
        bytes += n;
        at += (size_t)n;
        len -= (size_t)n;
    }
    return PD_OK;
}

/* Writes the rows of the last block that are not in the file yet. Nobody reads them before a header counts them. */
static pd_status flush_tail(pd_vindex *index, pd_error *err)
{
    if (!index->path || index->n_flushed == index->n_rows)
        return PD_OK;
    const size_t block = index->n_flushed / PD_VFILE_BLOCK_ROWS;
    const size_t first = index->n_flushed % PD_VFILE_BLOCK_ROWS;
    const size_t n = index->n_rows - index->n_flushed;
    PD_TRY(grow_file(index, block + 1, err));
    const pd_vfile_block tail = pd_vfile_block_at(index->tail);
    const struct {
        const void *data;
        size_t len;
    } parts[] = {
        { tail.content + first, n * sizeof *tail.content },       { tail.scale + first, n * sizeof *tail.scale },
        { tail.error + first, n * sizeof *tail.error },           { tail.check + first, n * sizeof *tail.check },
        { tail.rows + first * index->stride, n * index->stride },
    };
    const size_t base = PD_VFILE_HEADER_BYTES + block * index->block_bytes;
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++)
        PD_TRY(write_at(index, parts[i].data, parts[i].len,
                        base + (size_t)((const uint8_t *)parts[i].data - index->tail), err));
    index->n_flushed = index->n_rows;
    return PD_OK;
}

static pd_status add_heap_block(pd_vindex *index, size_t block, pd_error *err)
{
    if (block >= index->heap_capacity) {
        const size_t capacity = index->heap_capacity ? 2 * index->heap_capacity : 16;
        uint8_t **heap = pd_mem_realloc(index->heap, capacity, sizeof *heap);
        if (!heap)
            return pd_error_set_nomem(err);
        index->heap = heap;
        index->heap_capacity = capacity;
    }
    uint8_t *bytes = pd_mem_alloc_aligned(64, index->block_bytes);
    if (!bytes)
        return pd_error_set_nomem(err);
    index->heap[block] = index->tail = bytes;
    return PD_OK;
}

/* Makes room for row n_rows. */
static pd_status begin_row(pd_vindex *index, pd_error *err)
{
    if (index->n_rows % PD_VFILE_BLOCK_ROWS != 0)
        return PD_OK;
    if (!index->path)
        return add_heap_block(index, index->n_rows / PD_VFILE_BLOCK_ROWS, err);
    PD_TRY(flush_tail(index, err));
    if (!index->tail)
        index->tail = pd_mem_alloc_aligned(64, index->block_bytes);
    return index->tail ? PD_OK : pd_error_set_nomem(err);
}

pd_status pd_vindex_tail_load(pd_vindex *index, pd_error *err)
{
    index->n_rows = index->n_flushed = index->header.count;
    index->row_seq = index->header.last_seq;
    if (index->n_rows % PD_VFILE_BLOCK_ROWS == 0)
        return PD_OK;
    index->tail = pd_mem_alloc_aligned(64, index->block_bytes);
    if (!index->tail)
        return pd_error_set_nomem(err);
    memcpy(index->tail, pd_vindex_block(index, index->n_rows / PD_VFILE_BLOCK_ROWS).content, index->block_bytes);
    return PD_OK;
}

pd_status pd_vindex_append(pd_vindex *index, int64_t seq, int64_t content, const float *vector, pd_error *err)
{
    PD_CHECK(index->mode == PD_VINDEX_APPEND);
    if (seq <= index->row_seq)
        return pd_error_set(err, PD_ERR_INTERNAL, "vector %lld comes after vector %lld", (long long)seq,
                            (long long)index->row_seq);
    if (!pd_vindex_normalise(vector, index->header.dim, index->unit))
        return pd_error_set(err, PD_ERR_INTERNAL, "the vector of content %lld has elements that are no numbers",
                            (long long)content);
    PD_TRY(begin_row(index, err));
    const size_t row = index->n_rows % PD_VFILE_BLOCK_ROWS;
    const pd_vfile_block tail = pd_vfile_block_at(index->tail);
    tail.content[row] = content;
    quantise_row(index->unit, index->header.dim, index->stride, tail.rows + row * index->stride, &tail.scale[row],
                 &tail.error[row]);
    tail.check[row] = pd_vfile_row_check(&tail, row, index->stride);
    index->n_rows++;
    index->row_seq = seq;
    return PD_OK;
}

/* Rows reach the disk before the header that counts them, and the header goes into the slot that is not in force: a
 * process that dies anywhere in here, or a power cut, leaves the old count or the new one. */
pd_status pd_vindex_commit(pd_vindex *index, pd_error *err)
{
    PD_CHECK(index->mode == PD_VINDEX_APPEND);
    if (index->n_rows == index->header.count)
        return PD_OK;
    pd_vfile_header next = index->header;
    next.generation++;
    next.count = index->n_rows;
    next.last_seq = index->row_seq;
    if (index->path) {
        PD_TRY(flush_tail(index, err));
        PD_TRY(pd_vindex_map(index, pd_vfile_block_count(next.count), err));
        if (fdatasync(index->fd) != 0)
            return pd_error_set_errno(err, errno, "cannot write '%s'", index->path);
        uint8_t slot[PD_VFILE_SLOT_BYTES];
        pd_vfile_format(&next, slot);
        PD_TRY(write_at(index, slot, sizeof slot, next.generation % 2 * PD_VFILE_SLOT_BYTES, err));
    }
    index->header = next;
    return PD_OK;
}
