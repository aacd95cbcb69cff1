/* vindex.h: exact nearest neighbours over unit vectors, in an append-only mapped file.
 *
 * The file is a cache of the catalogue's embeddings: one row is 8 bytes of content id, a scale, the length of
 * the rounding error, a checksum and `dim` bytes (docs/formats.md has every byte). It can be deleted at any time. A
 * row's bytes are round(x / scale) + 128, so that the scan is unsigned times signed bytes; scores from the scan are
 * estimates, the caller rescores the best with the exact vectors.
 *
 * One process may hold it open for append (the learner), any number for reading; a reader sees the rows that were
 * committed when it opened or last refreshed. A pd_vindex may be searched by any number of threads; append and refresh
 * need external locking. */
#ifndef PD_VINDEX_VINDEX_H
#define PD_VINDEX_VINDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernels/kernels.h"

#define PD_VINDEX_K_MAX 65536
#define PD_VINDEX_DIM_MAX 4096

typedef struct pd_vindex pd_vindex;

typedef enum pd_vindex_mode { PD_VINDEX_READ, PD_VINDEX_APPEND } pd_vindex_mode;

/* Opens the file for `model_id` (hex) and `dim`. READ: PD_ERR_NOT_FOUND when missing, PD_ERR_CORRUPT when damaged or of
 * another model or version. APPEND: creates what is missing and starts anew (empty) over what is damaged.
 * `path` NULL with APPEND: in memory only, never on disk. Kernels are borrowed. */
PD_MUST_USE pd_status pd_vindex_open(pd_vindex **ret_index, const char *path, pd_vindex_mode mode, const char *model_id,
                                     size_t dim, const pd_kernels *kernels, pd_error *err);
void pd_vindex_close(pd_vindex **index);

size_t pd_vindex_count(const pd_vindex *index);
int64_t pd_vindex_last_seq(const pd_vindex *index); /* of the newest committed row; 0 when empty */

/* Appends one vector [dim], made unit length; visible and durable-in-order after the next commit. seq must grow. */
PD_MUST_USE pd_status pd_vindex_append(pd_vindex *index, int64_t seq, int64_t content, const float *vector,
                                       pd_error *err);
PD_MUST_USE pd_status pd_vindex_commit(pd_vindex *index, pd_error *err);

/* A reader looks again at how far the writer has come. */
PD_MUST_USE pd_status pd_vindex_refresh(pd_vindex *index, pd_error *err);

typedef struct pd_vindex_hit {
    int64_t content;
    float score; /* estimated cosine */
    float bound; /* proven: the exact cosine is within score +- bound */
} pd_vindex_hit;

/* The k best rows for `query` [dim]: by the greatest cosine they can have (score + bound), best first, ties by lower
 * content id, the same for any n_threads. ret_hits has k elements, *ret_n_hits <= k are written. Scans with up to
 * n_threads threads (1: the caller's alone). Allocates O(k) a thread. */
PD_MUST_USE pd_status pd_vindex_search(const pd_vindex *index, const float *query, size_t k, unsigned n_threads,
                                       pd_vindex_hit *ret_hits, size_t *ret_n_hits, pd_error *err);

/* Every row's estimate, in the order of rows: ret_scores and ret_bounds [pd_vindex_count], as in pd_vindex_hit. Reads
 * as fast as the search, and leaves the ranking to whoever filters. Of an empty index: PD_OK. */
PD_MUST_USE pd_status pd_vindex_estimate(const pd_vindex *index, const float *query, unsigned n_threads,
                                         float *ret_scores, float *ret_bounds, pd_error *err);
/* Contents of rows first .. first + n - 1, which must be there. */
void pd_vindex_contents(const pd_vindex *index, size_t first, size_t n, int64_t *ret_contents);
/* A row as it is kept, of about unit length: ret_vector [dim]. For samples of what the index holds. */
void pd_vindex_row(const pd_vindex *index, size_t row, float *ret_vector);

#endif
