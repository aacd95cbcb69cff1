/* vectors.h: keeps the vector file in step with the catalogue, of which it is a cache.
 *
 * The one place that writes vector files: used by jobs after every batch, and by the library to mend a file that is
 * missing, damaged or behind. One thread at a time. */
#ifndef PD_PIPELINE_VECTORS_H
#define PD_PIPELINE_VECTORS_H

#include "base/error.h"
#include "kernels/kernels.h"
#include "store/store.h"
#include "vindex/vindex.h"

/* The vector file of a model: "<dir>/<model id>.vectors", on the heap; NULL when out of memory. */
PD_MUST_USE char *pd_vectors_path(const char *dir, const char *model_id);

typedef struct pd_vectors_of {
    int64_t model; /* the store's number */
    const char *model_id;
    size_t dim;
    const pd_kernels *kernels;
} pd_vectors_of;

/* Appends and commits the embeddings that the catalogue has beyond the index's last. */
PD_MUST_USE pd_status pd_vectors_catch_up(pd_vindex *index, pd_store *store, const pd_vectors_of *of, pd_error *err);

/* Whether index and catalogue tell the same number of rows and the same last one. */
PD_MUST_USE pd_status pd_vectors_agree(const pd_vindex *index, pd_store *store, int64_t model, bool *ret_agree,
                                       pd_error *err);

/* Opens `path` for append (NULL: in memory only) and catches up; starts anew over a file that disagrees with the
 * catalogue. */
PD_MUST_USE pd_status pd_vectors_open(pd_vindex **ret_index, const char *path, pd_store *store, const pd_vectors_of *of,
                                      pd_error *err);

#endif
