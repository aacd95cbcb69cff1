/* search.h: from a vector to photos: scan, exact rescoring, photos of the contents.
 *
 * Scores are cosines of the catalogue's fp16 embeddings with the query, exact; the order is score, best first, ties by
 * lower photo id. Offline photos are hits like others. */
#ifndef PD_SEARCH_SEARCH_H
#define PD_SEARCH_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"
#include "vindex/vindex.h"

#define PD_SEARCH_N_MAX 10000

/* Ties keep the better score first, then the lower id. */
typedef enum pd_order {
    PD_ORDER_SCORE,  /* best first */
    PD_ORDER_OLDEST, /* by the camera's clock; photos that have none come last in both */
    PD_ORDER_NEWEST,
    PD_ORDER_NAME, /* of the file, by its bytes */
} pd_order;

typedef struct pd_hit {
    int64_t id;     /* photo */
    char *path;     /* owned by the result */
    float score;    /* cosine, [-1, 1]; NAN: nothing was asked */
    char taken[32]; /* "" when unknown */
    uint32_t width, height;
} pd_hit;

typedef struct pd_hits {
    pd_hit *items;
    size_t n;
    int64_t total; /* photos that could have been hits */
} pd_hits;

typedef struct pd_search_options {
    int64_t model; /* store's number of the model */
    size_t dim;
    size_t offset, n; /* the n photos behind the `offset` best; offset + n <= PD_SEARCH_N_MAX */
    unsigned n_threads;
    const int64_t *exclude; /* contents never shown (the example itself), or NULL */
    size_t n_exclude;
} pd_search_options;

PD_MUST_USE pd_status pd_search_vector(pd_store *store, const pd_vindex *index, const pd_kernels *kernels,
                                       const float *query, const pd_search_options *options, pd_hits *ret_hits,
                                       pd_error *err);
/* Photos that have been decoded, without a question: a window of all of them. Dates are the store's (pd_store_browse):
 * the file's time where the camera told none. SCORE is taken as NEWEST. */
PD_MUST_USE pd_status pd_search_browse(pd_store *store, pd_order order, size_t offset, size_t n, pd_hits *ret_hits,
                                       pd_error *err);

void pd_hits_sort(pd_hits *hits, pd_order order);
/* Keeps only what is in the window. */
void pd_hits_cut(pd_hits *hits, size_t offset, size_t n);
void pd_hits_done(pd_hits *hits);

#endif
