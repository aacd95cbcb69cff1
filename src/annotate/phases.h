/* phases.h: the two phases of an annotation and what they share.
 *
 *     tags       embeddings of the catalogue -> tagger -> catalogue; one thread, no picture
 *     captions   catalogue -> to_write -> n threads (original -> decoder process -> pd_writer) -> written -> catalogue
 *
 * Private to the room. The annotation's thread is the only one that uses the store. Results wait in memory until a
 * batch is full, so that a transaction is open for milliseconds: who edits or learns meanwhile hardly waits. */
#ifndef PD_ANNOTATE_PHASES_H
#define PD_ANNOTATE_PHASES_H

#include <pthread.h>

#include "annotate/slate.h"
#include "media/media.h"

#define PD_PHASE_TAGS_BATCH 256                     /* contents: about 0.1 s of a transaction */
#define PD_PHASE_CAPTIONS_BATCH 16                  /* captions in one transaction ... */
#define PD_PHASE_CAPTIONS_BATCH_MS 2000             /* ... at most this long after the first of them */
#define PD_PHASE_NICE 19                            /* who looks at pictures has time */
#define PD_PHASE_FILE_MS (6 * PD_MEDIA_FILE_MS_MAX) /* so that a file may take longer by the clock */

typedef struct pd_phase_parts {
    pd_slate *slate;
    const pd_annotation_options *options;
    pd_store *store;
    pthread_mutex_t stop_lock; /* of `pool`: what a cancel has to end */
    pd_media_pool *pool;
} pd_phase_parts;

/* *ret_n: contents that were written about. PD_OK also when it was cancelled: what was written is in the catalogue. */
PD_MUST_USE pd_status pd_phase_tags(pd_phase_parts *parts, int64_t *ret_n, pd_error *err);
PD_MUST_USE pd_status pd_phase_captions(pd_phase_parts *parts, int64_t *ret_n, pd_error *err);

/* pd_store_begin, however long another writer takes; PD_ERR_CANCELLED when the annotation is. */
PD_MUST_USE pd_status pd_phase_begin(const pd_phase_parts *parts, pd_error *err);

#endif
