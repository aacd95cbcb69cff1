/* prepare.h: from tensors of a file to layers that the kernels take. Private to the room.
 *
 * A tower asks for its layers in a fixed order. What is folded is folded here, once: layer-norm gain and bias into the
 * linear layer behind it, batch norm into the convolution before it. Results live in a pd_prepared: the second time
 * they are mapped and no tensor is read. Linear layers come from draft.h. One thread at a time. */
#ifndef PD_MODEL_PREPARE_H
#define PD_MODEL_PREPARE_H

#include "model/model.h"
#include "nn/nn.h"
#include "weights/weights.h"

/* Changes whenever what is written into the blocks changes: part of the key of prepared weights on disk. */
#define PD_PREPARE_VERSION 2

#define PD_TENSOR_NAME_BYTES 160

typedef struct pd_prepare_progress {
    void (*tell)(void *user, uint64_t done_bytes, uint64_t total_bytes); /* NULL: nobody is told */
    void *user;
    uint64_t done, total;
} pd_prepare_progress;

typedef struct pd_preparer {
    const pd_weights *weights;
    pd_prepared *prepared;
    const pd_kernels *kernels; /* for calibration */
    pd_precision precision;
    pd_prepare_progress *progress;
    const atomic_bool *cancelled; /* NULL, or looked at before each block and after each tensor */
    const char *dir;              /* for sentences */
    pd_error *err;
} pd_preparer;

typedef enum pd_fold {
    PD_FOLD_NONE,
    PD_FOLD_LAYER_NORM, /* `norm` gives gain and bias of the input */
    PD_FOLD_BATCH_NORM, /* <name>.convolution and <name>.normalization in place of <name> */
} pd_fold;

/* Where a linear layer comes from. */
typedef struct pd_linear_source {
    char names[3][PD_TENSOR_NAME_BYTES]; /* layers stacked by rows, each "<name>.weight" and "<name>.bias" */
    size_t n_names;
    size_t n, k; /* of each of them */
    bool bias;
    char bias_name[PD_TENSOR_NAME_BYTES]; /* "": as above; else the bias is this tensor (of a single layer) */
    size_t kernel;   /* 0: weights are [n, k]. Else [n, c, kernel, kernel], turned into rows of order y, x, channel */
    bool keep_float; /* not for int8, whatever the precision */
    pd_fold fold;
    char norm[PD_TENSOR_NAME_BYTES];
    float eps; /* of the batch norm */
} pd_linear_source;

/* PD_ERR_CANCELLED with a sentence, or PD_OK. */
PD_MUST_USE pd_status pd_prepare_check_cancelled(const pd_preparer *preparer);

/* A layer as the file has it, folded: ret_w [n * n_names, k], ret_bias [n * n_names]. */
PD_MUST_USE pd_status pd_prepare_dense(pd_preparer *preparer, const pd_linear_source *source, float *ret_w,
                                       float *ret_bias);

/* The next block of the prepared weights; *ret_fill: it has to be filled. */
PD_MUST_USE pd_status pd_prepare_block(pd_preparer *preparer, size_t count, size_t size, void **ret_block,
                                       bool *ret_fill);

/* A 3 x 3 depthwise convolution and its batch norm: *ret_w [9, channels], *ret_bias [channels]. */
PD_MUST_USE pd_status pd_prepare_depthwise(pd_preparer *preparer, const char *name, size_t channels, float eps,
                                           const float **ret_w, const float **ret_bias);

/* A tensor of m x k (m 1: of k) floats as it is. Here and elsewhere a tensor may have more dimensions than it needs, of
 * size 1, in front. */
PD_MUST_USE pd_status pd_prepare_floats(pd_preparer *preparer, const char *name, size_t m, size_t k,
                                        const float **ret_values);

/* Finds a [m, k] tensor of floats to be read in place, row by row. Its values are checked the first time. */
PD_MUST_USE pd_status pd_prepare_table(pd_preparer *preparer, const char *name, size_t m, size_t k,
                                       pd_tensor *ret_table);

#endif
