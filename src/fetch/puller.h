/* puller.h: one model on its way: what its steps share. */
#ifndef PD_FETCH_PULLER_H
#define PD_FETCH_PULLER_H

#include "fetch/place.h"
#include "fetch/record.h"
#include "fetch/fetch_request.h"
#include "fetch/talk.h"
#include "fetch/wire.h"

#define PD_FETCH_TRIES_MAX 7                        /* in a row, without a byte in between */
#define PD_FETCH_FIRST_TRIES_MAX 3                  /* of the first question */
#define PD_FETCH_WAIT_S_MAX 60                      /* longest wait that a hub may ask for (Retry-After) */
#define PD_FETCH_PROGRESS_BYTES (INT64_C(64) << 10) /* so many bytes, and the tries begin anew */
#define PD_FETCH_SAVE_BYTES (INT64_C(16) << 20)     /* after so many bytes, or a second, the record is written */

typedef struct pd_puller {
    pd_talk talk;
    pd_fetch_request request;
    pd_wire *wire;
    pd_place place;
    pd_record record;
    pd_pull_phase phase;
    int64_t done, total; /* bytes here, of all pieces */
    int64_t saved_ns, saved_done;
    pd_spans tower; /* of the one file of weights; n 0: not known, or there is none */
    bool vision_ready;
    int64_t vision_bytes; /* of `done`, once the image tower is here; 0: not known, or there is none */
    bool is_for_search;   /* says its config.json: only then an image tower is of use by itself */
    bool is_here;         /* under its final name, as it was asked for */
} pd_puller;

/* transfer.c: fetches what is missing of `span`. CANCELLED, FULL, NETWORK ... with a sentence. PD_ERR_BUSY, without
 * one: the content is another than the list said, nothing of the piece is here any more: the hub is to be asked again.
 */
PD_MUST_USE pd_status pd_puller_fetch(pd_puller *puller, pd_piece *piece, pd_span span, pd_error *err);

/* transfer.c: nothing of the piece is here any more. */
void pd_puller_forget(pd_puller *puller, pd_piece *piece);

/* questions.c: what the repository holds; and the size of a file that the list did not tell. */
PD_MUST_USE pd_status pd_puller_list(pd_puller *puller, pd_listing *ret_listing, pd_error *err);
PD_MUST_USE pd_status pd_puller_measure(pd_puller *puller, pd_piece *piece, pd_error *err);
/* Where a file of the repository lies. */
PD_MUST_USE pd_status pd_puller_append_url(const pd_puller *puller, pd_buf *url, const char *name, pd_error *err);

/* fetch.c: tells how far it is, and saves the record now and then (`now`: at once). Sees whether the image tower is
 * here. */
PD_MUST_USE pd_status pd_puller_tick(pd_puller *puller, bool now, pd_error *err);

#endif
