/* pickle.h: the tensors that a pickled state_dict of PyTorch names; private to this room.
 *
 * A pickle is a program for a stack machine that may call any function of Python. Here nothing is ever called: the
 * machine knows the opcodes of protocol 2 that a state_dict is written with, and six kinds of names (OrderedDict,
 * _rebuild_tensor_v2, _rebuild_parameter, the types of storages), whose "calls" make values. Any other opcode or name
 * ends the reading with PD_ERR_UNSUPPORTED and a sentence that says which it was. Values live in one table, so
 * containers that contain themselves and deep nesting cost nothing. Sources: pickletools.py, torch/_utils.py,
 * torch/serialization.py. */
#ifndef PD_WEIGHTS_PICKLE_H
#define PD_WEIGHTS_PICKLE_H

#include "base/error.h"
#include "base/str.h"
#include "weights/weights.h"

#define PD_PICKLE_BYTES_MAX ((size_t)32 << 20)
#define PD_PICKLE_VALUES_MAX ((size_t)1 << 21) /* made, remembered or on the stack; of each */

/* Where a tensor's elements lie: in which storage, from which element on, how far apart. What it says is not checked
 * against anything. */
typedef struct pd_pickled_tensor {
    pd_str name, storage; /* views into the pickle; the storage is the file "data/<storage>" */
    pd_dtype dtype;
    uint64_t storage_count; /* elements of the storage */
    uint64_t first;
    size_t rank;
    uint64_t shape[PD_TENSOR_RANK_MAX], stride[PD_TENSOR_RANK_MAX]; /* in elements */
} pd_pickled_tensor;

/* *ret_tensors: owned (pd_mem_free), in the order of the pickle. Values of the state_dict that are no tensors are left
 * out; a state_dict without any is refused. */
PD_MUST_USE pd_status pd_pickle_read(const uint8_t *pickle, size_t len, pd_pickled_tensor **ret_tensors, size_t *ret_n,
                                     pd_error *err);

#endif
