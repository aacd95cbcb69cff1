/* vindex_private.h: what reader, writer and scan of this room share. */
#ifndef PD_VINDEX_VINDEX_PRIVATE_H
#define PD_VINDEX_VINDEX_PRIVATE_H

#include "vindex/vfile.h"
#include "vindex/vindex.h"

/* Rows live in a mapped file, or in blocks on the heap (path NULL). */
struct pd_vindex {
    pd_vindex_mode mode;
    const pd_kernels *kernels;
    size_t stride, block_bytes;
    pd_vfile_header header; /* as committed */

    char *path;
    int fd; /* -1: none */
    uint8_t *map;
    size_t map_blocks; /* whole blocks mapped */

    uint8_t **heap;
    size_t heap_capacity; /* pointers */

    uint8_t *tail;      /* the writer's last block: the heap's, or a copy of what is in the file */
    float *unit;        /* [dim], the writer's scratch */
    uint64_t n_rows;    /* appended, committed or not */
    uint64_t n_flushed; /* of these, written to the file */
    int64_t row_seq;    /* of the newest row */
};

pd_vfile_block pd_vindex_block(const pd_vindex *index, size_t block);

/* Maps the blocks that the file has, when fewer than n_blocks are mapped. */
PD_MUST_USE pd_status pd_vindex_map(pd_vindex *index, size_t n_blocks, pd_error *err);

/* Lets the writer go on after the committed rows. */
PD_MUST_USE pd_status pd_vindex_tail_load(pd_vindex *index, pd_error *err);

/* A copy of `x` [dim] of length 1, with zeros for a vector of zeros; false when something in it is not a number. */
bool pd_vindex_normalise(const float *x, size_t dim, float *ret_unit);

#endif
