/* weights.h: tensors in files, mapped and never copied; and weights made ready once and mapped from then on.
 *
 * pd_weights reads what a Hugging Face model directory has: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` names; where there is neither, `pytorch_model.bin` or those that
 * `pytorch_model.bin.index.json` names. Of an index only the names of the files are used. Immutable after open; any
 * number of threads.
 *
 * safetensors: 8 bytes little-endian header length, a JSON header, then the bytes of the tensors
 * (https://github.com/huggingface/safetensors). PyTorch's (torch.save of a state_dict, from version 1.6 on): a zip
 * archive of a pickle, of which nothing is ever run, and of the tensors' bytes; those that do not lie in one piece are
 * copied, 256 MiB of them at most. Every offset, shape and length is checked against the file before a view is handed
 * out; tensors of types outside of pd_dtype are checked for their place only and are not found. */
#ifndef PD_WEIGHTS_WEIGHTS_H
#define PD_WEIGHTS_WEIGHTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/sha256.h"

#define PD_TENSOR_RANK_MAX 8
#define PD_WEIGHTS_HEADER_BYTES_MAX ((size_t)100 << 20) /* as the reference implementation */
#define PD_WEIGHTS_TENSORS_MAX 65536
#define PD_WEIGHTS_SHARDS_MAX 256

typedef enum pd_dtype {
    PD_DTYPE_F32,
    PD_DTYPE_F16,
    PD_DTYPE_BF16,
    PD_DTYPE_I64,
    PD_DTYPE_I32,
    PD_DTYPE_I8,
    PD_DTYPE_U8,
    PD_DTYPE_BOOL,
    PD_DTYPE_F64,
    PD_DTYPE_I16,
    PD_DTYPE_COUNT
} pd_dtype;

size_t pd_dtype_bytes(pd_dtype dtype);
const char *pd_dtype_name(pd_dtype dtype); /* "F32" ... as in the file */

/* A view of one tensor; borrowed from the pd_weights it was found in. */
typedef struct pd_tensor {
    pd_dtype dtype;
    size_t rank;                      /* 0: a scalar */
    size_t shape[PD_TENSOR_RANK_MAX]; /* outermost first */
    size_t count;                     /* product of shape */
    const void *data;                 /* count * pd_dtype_bytes bytes; may be unaligned for the type: use the readers */
    const char *name;
} pd_tensor;

typedef struct pd_weights pd_weights;

/* Opens a directory's weights, or one file of either format when `path` is a file. Errors name the file and the tensor.
 */
PD_MUST_USE pd_status pd_weights_open(pd_weights **ret_weights, const char *path, pd_error *err);
void pd_weights_close(pd_weights **weights);

/* False when there is no tensor of that name. */
bool pd_weights_find(const pd_weights *weights, const char *name, pd_tensor *ret_tensor);

size_t pd_weights_count(const pd_weights *weights);
void pd_weights_at(const pd_weights *weights, size_t index, pd_tensor *ret_tensor); /* in file order */

/* A string of the header's "__metadata__"; NULL when absent. Borrowed. */
const char *pd_weights_metadata(const pd_weights *weights, const char *key);

size_t pd_weights_files(const pd_weights *weights); /* how many they lie in */

/* SHA-256 over the bytes of all files, shards in index order. Reads everything once. cancelled (or NULL) is looked at
 * between pieces of 16 MiB: PD_ERR_CANCELLED. */
PD_MUST_USE pd_status pd_weights_hash(const pd_weights *weights, const atomic_bool *cancelled,
                                      uint8_t ret_digest[PD_SHA256_BYTES], pd_error *err);

/* Copies elements [first, first + n) as floats; F32, F16 and BF16 only (PD_ERR_UNSUPPORTED else). */
PD_MUST_USE pd_status pd_tensor_read_f32(const pd_tensor *tensor, size_t first, size_t n, float *ret_values,
                                         pd_error *err);
/* The same for I64 and I32 as int64_t. */
PD_MUST_USE pd_status pd_tensor_read_i64(const pd_tensor *tensor, size_t first, size_t n, int64_t *ret_values,
                                         pd_error *err);

/* Prepared weights.
 *
 * A builder asks for its blocks in a fixed order. The first time (no file yet, or a file with another key, layout or
 * damage) the blocks are fresh memory, `*ret_fill` is true, and the builder fills them; pd_prepared_seal then writes
 * them as one file, atomically, and maps it. The next time the same calls return places in the mapped file and
 * `*ret_fill` is false (and the blocks cannot be written). Blocks that are filled before the next is asked for need no
 * memory of the process while they are written to a file. When the file cannot be written the blocks simply stay in
 * memory, and sealing is PD_OK. Places stay good until close. One thread at a time until sealed; immutable and shared
 * after. Opening reads the header, the table and both ends of each block, so damage elsewhere in a block is not seen.
 */
typedef struct pd_prepared pd_prepared;

/* `path` NULL: never on disk. `key` identifies content and settings; a file with another key is replaced. */
PD_MUST_USE pd_status pd_prepared_open(pd_prepared **ret_prepared, const char *path, const uint8_t key[PD_SHA256_BYTES],
                                       pd_error *err);
/* Whether blocks will have to be filled: all of them, or none. */
bool pd_prepared_is_fresh(const pd_prepared *prepared);

/* A block of count * size bytes, 64-byte aligned. PD_ERR_CORRUPT when a mapped file has no such block next: the caller
 * gives up, removes the file through pd_prepared_discard and starts again. */
PD_MUST_USE pd_status pd_prepared_block(pd_prepared *prepared, size_t count, size_t size, void **ret_block,
                                        bool *ret_fill, pd_error *err);
/* Missing folders of `path` are made. PD_ERR_CORRUPT when a mapped file has more blocks: as above. After any failure
 * the blocks are not to be used. */
PD_MUST_USE pd_status pd_prepared_seal(pd_prepared *prepared, pd_error *err);
void pd_prepared_discard(pd_prepared **prepared); /* closes and removes the file */
void pd_prepared_close(pd_prepared **prepared);
size_t pd_prepared_bytes(const pd_prepared *prepared); /* of the blocks, once sealed */

#endif
