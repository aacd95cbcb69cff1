/* vindex.c: opening, mapping and following a vector file. */
#include "vindex/vindex.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "vindex/vindex_private.h"

static void unmap(pd_vindex *index)
{
    if (index->map)
        (void)munmap(index->map, PD_VFILE_HEADER_BYTES + index->map_blocks * index->block_bytes);
    index->map = NULL;
    index->map_blocks = 0;
}

static void close_file(pd_vindex *index)
{
    unmap(index);
    if (index->fd >= 0)
        close(index->fd);
    index->fd = -1;
}

void pd_vindex_close(pd_vindex **index)
{
    pd_vindex *x = *index;
    if (!x)
        return;
    close_file(x);
    if (!x->heap)
        pd_mem_free(x->tail);
    for (size_t i = 0; i < pd_vfile_block_count(x->n_rows) && x->heap; i++)
        pd_mem_free(x->heap[i]);
    pd_mem_free(x->heap);
    pd_mem_free(x->unit);
    pd_mem_free(x->path);
    pd_mem_free(x);
    *index = NULL;
}

size_t pd_vindex_count(const pd_vindex *index) { return index->header.count; }

int64_t pd_vindex_last_seq(const pd_vindex *index) { return index->header.last_seq; }

pd_vfile_block pd_vindex_block(const pd_vindex *index, size_t block)
{
    return pd_vfile_block_at(index->heap ? index->heap[block]
                                         : index->map + PD_VFILE_HEADER_BYTES + block * index->block_bytes);
}

pd_status pd_vindex_map(pd_vindex *index, size_t n_blocks, pd_error *err)
{
    if (n_blocks <= index->map_blocks)
        return PD_OK;
    struct stat st;
    if (fstat(index->fd, &st) != 0)
        return pd_error_set_errno(err, errno, "cannot look at '%s'", index->path);
    const size_t blocks_there = ((size_t)st.st_size - PD_VFILE_HEADER_BYTES) / index->block_bytes;
    const size_t bytes = PD_VFILE_HEADER_BYTES + blocks_there * index->block_bytes;
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, index->fd, 0);
    if (map == MAP_FAILED)
        return pd_error_set_errno(err, errno, "cannot map '%s'", index->path);
    unmap(index);
    index->map = map;
    index->map_blocks = blocks_there;
    return PD_OK;
}

/* Reads what is committed now. Damage is PD_ERR_CORRUPT, whatever it is. */
static pd_status read_header(pd_vindex *index, pd_error *err)
{
    uint8_t bytes[PD_VFILE_HEADER_BYTES];
    pd_vfile_header header;
    struct stat st;
    const ssize_t n = pread(index->fd, bytes, sizeof bytes, 0);
    if (n < 0 || fstat(index->fd, &st) != 0)
        return pd_error_set_errno(err, errno, "cannot read '%s'", index->path);
    pd_status status = pd_vfile_parse(bytes, (size_t)n, (uint64_t)st.st_size, &header, err);
    if (status == PD_OK && (header.dim != index->header.dim || strcmp(header.model_id, index->header.model_id) != 0))
        status = pd_error_set(err, PD_ERR_CORRUPT, "it belongs to another model");
    if (status != PD_OK) {
        pd_error_prefix(err, "the vector file '%s' cannot be used", index->path);
        return status;
    }
    PD_TRY(pd_vindex_map(index, pd_vfile_block_count(header.count), err));
    index->header = header;
    return PD_OK;
}

/* Every row against its checksum; for the writer, who must not build on damage. Gives memory back as it goes. */
static pd_status verify_rows(const pd_vindex *index, pd_error *err)
{
    const uint64_t count = index->header.count;
    for (size_t i = 0; i < pd_vfile_block_count(count); i++) {
        const pd_vfile_block block = pd_vindex_block(index, i);
        const uint64_t left = count - (uint64_t)i * PD_VFILE_BLOCK_ROWS;
        const size_t n = left < PD_VFILE_BLOCK_ROWS ? (size_t)left : PD_VFILE_BLOCK_ROWS;
        const bool valid = pd_vfile_block_valid(&block, n, index->stride);
        (void)madvise(block.content, index->block_bytes, MADV_DONTNEED);
        if (!valid)
            return pd_error_set(err, PD_ERR_CORRUPT, "the vector file '%s' is damaged in rows %zu to %zu", index->path,
                                i * PD_VFILE_BLOCK_ROWS, i * PD_VFILE_BLOCK_ROWS + n - 1);
    }
    return PD_OK;
}

static pd_status open_existing(pd_vindex *index, pd_error *err)
{
    const bool append = index->mode == PD_VINDEX_APPEND;
    index->fd = open(index->path, (append ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (index->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no vector file '%s'", index->path);
    if (index->fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", index->path);
    if (append && flock(index->fd, LOCK_EX | LOCK_NB) != 0)
        return pd_error_set(err, PD_ERR_BUSY, "another process is writing '%s'", index->path);
    PD_TRY(read_header(index, err));
    return append ? verify_rows(index, err) : PD_OK;
}

/* An empty file takes the path at once: readers of the old one keep what they have mapped, new ones see a whole header.
 */
static pd_status create_anew(pd_vindex *index, pd_error *err)
{
    char temporary[PATH_MAX];
    const int n = snprintf(temporary, sizeof temporary, "%s.new-%ld", index->path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return pd_error_set(err, PD_ERR_LIMIT, "path too long: '%s'", index->path);
    index->header.generation = index->header.count = 0;
    index->header.last_seq = 0;
    uint8_t bytes[PD_VFILE_HEADER_BYTES] = { 0 };
    pd_vfile_format(&index->header, bytes);
    index->fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (index->fd >= 0 && flock(index->fd, LOCK_EX | LOCK_NB) == 0 &&
        pd_fd_write_all(index->fd, bytes, sizeof bytes) == PD_OK && rename(temporary, index->path) == 0)
        return PD_OK;
    const int sys_errno = errno;
    (void)unlink(temporary);
    return pd_error_set_errno(err, sys_errno, "cannot create '%s'", index->path);
}

static pd_status open_append(pd_vindex *index, pd_error *err)
{
    index->unit = pd_mem_alloc(index->header.dim, sizeof *index->unit);
    if (!index->unit)
        return pd_error_set_nomem(err);
    if (!index->path)
        return PD_OK;
    pd_error opening;
    pd_status status = open_existing(index, &opening);
    if (status == PD_ERR_NOT_FOUND || status == PD_ERR_CORRUPT) {
        close_file(index);
        status = create_anew(index, err);
    } else if (status != PD_OK) {
        return pd_error_hand_on(err, &opening);
    }
    return status == PD_OK ? pd_vindex_tail_load(index, err) : status;
}

pd_status pd_vindex_open(pd_vindex **ret_index, const char *path, pd_vindex_mode mode, const char *model_id, size_t dim,
                         const pd_kernels *kernels, pd_error *err)
{
    if (dim < 1 || dim > PD_VINDEX_DIM_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "vectors have 1 to %d dimensions, not %zu", PD_VINDEX_DIM_MAX, dim);
    if (strlen(model_id) >= PD_VFILE_MODEL_ID_BYTES)
        return pd_error_set(err, PD_ERR_LIMIT, "a model's id has fewer than %d bytes: '%s'", PD_VFILE_MODEL_ID_BYTES,
                            model_id);
    pd_vindex *index = pd_mem_alloc(1, sizeof *index);
    if (!index)
        return pd_error_set_nomem(err);
    *index = (pd_vindex){
        .mode = mode,
        .kernels = kernels,
        .stride = pd_vfile_stride(dim),
        .block_bytes = pd_vfile_block_bytes(dim),
        .header.dim = dim,
        .fd = -1,
    };
    memcpy(index->header.model_id, model_id, strlen(model_id));
    pd_status status = PD_OK;
    if (path) {
        index->path = pd_mem_dup_string(path);
        status = index->path ? PD_OK : pd_error_set_nomem(err);
    }
    if (status == PD_OK)
        status = mode == PD_VINDEX_APPEND ? open_append(index, err) : open_existing(index, err);
    if (status == PD_OK)
        *ret_index = index;
    else
        pd_vindex_close(&index);
    return status;
}

/* The writer may have put a new file in the place of the one that is open. */
static bool is_replaced(const pd_vindex *index)
{
    struct stat ours, there;
    return stat(index->path, &there) == 0 && fstat(index->fd, &ours) == 0 &&
           (ours.st_ino != there.st_ino || ours.st_dev != there.st_dev);
}

pd_status pd_vindex_refresh(pd_vindex *index, pd_error *err)
{
    if (index->mode == PD_VINDEX_APPEND)
        return PD_OK;
    if (!is_replaced(index))
        return read_header(index, err);
    pd_vindex *fresh = NULL;
    PD_TRY(pd_vindex_open(&fresh, index->path, PD_VINDEX_READ, index->header.model_id, index->header.dim,
                          index->kernels, err));
    const pd_vindex old = *index;
    *index = *fresh;
    *fresh = old;
    pd_vindex_close(&fresh);
    return PD_OK;
}
