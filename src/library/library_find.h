/* library_find.h: one question on its way to a result. Private to the room. */
#ifndef PD_LIBRARY_FIND_H
#define PD_LIBRARY_FIND_H

#include "library/library_parts.h"

typedef struct pd_asked {
    pd_library *library;
    const pd_question *question;
    pd_query *query;
    pd_order order;   /* resolved: not NONE */
    bool has_meaning; /* something is compared: words, a like: part or an example */
    bool has_words;   /* words are */
    bool english_only;
    pd_library_choice choice; /* the model that answers */
    int64_t model;            /* the store's number; 0: not known yet */
    int64_t n_learned;        /* contents that it learned */
    pd_lease text, vision;    /* once they were needed */
    size_t dim;
    float *vector;                            /* [dim]: what is sought; of unit length once all parts are in */
    float *one;                               /* [dim]: one part */
    uint16_t *half;                           /* [dim] */
    double text_square, picture_square;       /* sums of squared weights */
    int64_t without[PD_LIBRARY_EXAMPLES_MAX]; /* contents of examples */
    size_t n_without;
    pd_buf words; /* of parts that are asked for, for the full text */
    size_t n_words;
    float *scores, *bounds; /* [rows of the index] */
    pd_null null;
} pd_asked;

PD_MUST_USE pd_status pd_asked_check_cancelled(const pd_asked *asked, pd_error *err);

/* The following are called with searcher.lock held, and give it up while they wait for a model or a decoder: what the
 * searcher has is looked for again after that. */

/* Finds `vector` and `without`: opens the model and, for pictures that are not learned, a decoder. */
PD_MUST_USE pd_status pd_asked_embed(pd_asked *asked, pd_error *err);
/* Compares `vector` with everything: scores, bounds and null. The index is open and stays as it is until the lock goes.
 */
PD_MUST_USE pd_status pd_asked_scan(pd_asked *asked, pd_error *err);

/* asked->one becomes the embedding of an example; one that the library knows goes to `without`. */
PD_MUST_USE pd_status pd_asked_example(pd_asked *asked, const pd_example *example, pd_error *err);

/* asked->text or asked->vision is there until the question is answered. */
PD_MUST_USE pd_status pd_asked_borrow(pd_asked *asked, pd_model_part part, pd_error *err);

/* The following are called with finder.lock held. */

/* Opens the catalogue and its columns, or takes in what changed. NO_MATCH with advice when nothing was learned here. */
PD_MUST_USE pd_status pd_library_need_columns(pd_library *library, pd_error *err);
/* NULL: not kept. */
pd_kept *pd_kept_by_number(pd_library *library, uint64_t number);
/* *ret_kept NULL: nobody asked this, or the library has changed since. */
PD_MUST_USE pd_status pd_kept_equal(pd_asked *asked, pd_kept **ret_kept, pd_error *err);
/* Makes the result and keeps it, in the place of the one that was used longest ago. */
PD_MUST_USE pd_status pd_kept_make(pd_asked *asked, pd_kept **ret_kept, pd_error *err);
/* Describes a window of it. */
PD_MUST_USE pd_status pd_kept_window(pd_library *library, pd_kept *kept, const pd_question *question, pd_hits *ret_hits,
                                     pd_error *err);
void pd_library_finder_clear(pd_library_finder *finder); /* everything but the lock */

#endif
