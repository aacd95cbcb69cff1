/* stages.h: the three stages of learning and what they hand on.
 *
 *     feed -> decode (n threads) -> to_embed -> embed (n threads) -> to_write -> write (one thread)
 *                   \_____________ known, failed ______________________/
 *
 * Private to the room. A pd_item belongs to whom it was handed last. Decode threads are the only ones that read
 * pictures, embed threads the only ones that use the model, the write stage is the only one that changes the
 * catalogue. A stage that meets an error of the whole job (disk full, no memory) puts it on the board; all others then
 * drain: every item comes to its end, so that claims and picture slots come home. */
#ifndef PD_PIPELINE_STAGES_H
#define PD_PIPELINE_STAGES_H

#include <stdatomic.h>

#include "base/queue.h"
#include "kernels/kernels.h"
#include "media/media.h"
#include "model/model.h"
#include "pipeline/feed.h"
#include "pipeline/pipeline.h"

#define PD_STAGE_BATCH_FILES 64      /* one transaction ... */
#define PD_STAGE_BATCH_MS 1000       /* ... at most this long after its first file */
#define PD_STAGE_FIRST_BATCH_FILES 4 /* the first ones are smaller, doubling: what is learned can be found at once */
#define PD_STAGE_FIRST_BATCH_MS 250

#define PD_STAGE_NORMAL_NICE 5  /* a third of the CPU time of what runs at 0: decoding still ends in its time */
#define PD_STAGE_GENTLE_NICE 19 /* 1.5 % of it ... */
#define PD_STAGE_GENTLE_FILE_MS (6 * PD_MEDIA_FILE_MS_MAX) /* ... so that a file may take longer by the clock */

typedef enum pd_item_kind {
    PD_ITEM_KNOWN,   /* the content is learned already */
    PD_ITEM_PICTURE, /* decoded; to be embedded */
    PD_ITEM_LEARNED, /* embedded */
    PD_ITEM_FAILED,  /* `why` and `sentence` say it */
    PD_ITEM_GONE,    /* vanished between finding and reading: nothing to be said */
} pd_item_kind;

typedef struct pd_item {
    pd_item_kind kind;
    const pd_todo *todo;
    int64_t bytes, mtime_ns; /* as read; both 0: to be tried again by the next run, whatever the file looks like */
    uint8_t sha256[PD_SHA256_BYTES];
    bool claimed;       /* sha256 is claimed from the feed */
    bool has_facts;     /* `facts` are those of the picture, without its pixels and thumbnail */
    int64_t content;    /* KNOWN */
    pd_picture facts;   /* no slot */
    pd_picture picture; /* owns a slot while kind is PICTURE */
    pd_status why;      /* FAILED */
    pd_error sentence;  /* FAILED */
    uint16_t *half;     /* LEARNED: [dim] */
} pd_item;

typedef struct pd_stages {
    pd_board *board;
    pd_feed *feed;
    pd_plan *plan;
    const char *thumbs_dir;

    pd_speed speed; /* of this round */
    pd_media_pool *pool;
    const pd_model *model;
    const pd_kernels *kernels;
    pd_vectors_of vectors;

    pd_store *store;  /* the write stage's */
    pd_vindex *index; /* the write stage's */
    pd_store *lookup; /* the decode stage's, under lookup_lock */
    pthread_mutex_t lookup_lock;

    pd_queue *to_embed, *to_write;
    atomic_uint n_decoding, n_embedding; /* threads; the last to leave closes the queue it fed */
    atomic_int_least64_t embed_ns;       /* one embedding, smoothed */
    atomic_bool thumbs_warned;
} pd_stages;

/* Gives the calling thread, and the processes it starts, the priority of the round. Priority only goes down without
 * privileges, so who calls this is not used for another round. */
void pd_stage_set_priority(const pd_stages *stages);

void *pd_stage_decode(void *stages); /* pd_stages * */
void *pd_stage_embed(void *stages);
/* Runs in the calling thread until to_write is closed and empty. What ends the job is on the board. */
void pd_stage_write(pd_stages *stages);

/* Leaving: by the threads themselves, and for those that could not be started. */
void pd_stage_leave_decode(pd_stages *stages);
void pd_stage_leave_embed(pd_stages *stages);

pd_item *pd_item_create(const pd_todo *todo); /* NULL: out of memory */
void pd_item_free(pd_item **item);            /* gives the picture's slot back */

/* Hands an item on; the queues are closed only when nobody pushes any more. */
void pd_item_push(pd_queue *queue, pd_item *item);

/* Makes the item a FAILED one, giving its slot back. */
void pd_item_fail(pd_item *item, const pd_error *error);

#endif
