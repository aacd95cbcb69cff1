/* originals.h: the files that hold a content, to be opened as they were learned.
 *
 * Private to the room. */
#ifndef PD_ANNOTATE_ORIGINALS_H
#define PD_ANNOTATE_ORIGINALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

#define PD_ORIGINALS_MAX 8 /* copies of one content that are tried */

/* The folders of the library, copied: immutable. */
typedef struct pd_root_paths {
    char **paths; /* [n] */
    size_t n, capacity;
} pd_root_paths;
PD_MUST_USE pd_status pd_root_paths_read(pd_root_paths *ret_roots, pd_store *store, pd_error *err);
void pd_root_paths_done(pd_root_paths *roots); /* safe for a zeroed one */

typedef struct pd_original {
    char *path;
    const char *root;        /* the innermost that holds it; borrowed from the roots */
    int64_t bytes, mtime_ns; /* when it was learned */
} pd_original;
typedef struct pd_originals {
    pd_original items[PD_ORIGINALS_MAX];
    size_t n; /* 0: no photo has this content any more, or none under a root */
} pd_originals;
PD_MUST_USE pd_status pd_originals_find(pd_originals *ret_originals, pd_store *store, const pd_root_paths *roots,
                                        int64_t content, pd_error *err);
void pd_originals_done(pd_originals *originals);
/* Opens the first that is there and has the size and time at which it was learned. NOT_FOUND: none is. */
PD_MUST_USE pd_status pd_originals_open(const pd_originals *originals, int *ret_fd, pd_error *err);

#endif
