/* search.h: from what was asked to an order of photos.
 *
 * A *result* is that order: made once, of the photos that pass the filters, and the same from then on whatever is
 * learned meanwhile. Three things go into it:
 *
 *   meaning   every vector is compared (the scan's estimate); those that can be among the first `head` are compared
 *             again with the catalogue's own fp16 embeddings, until it is proven that no other can be. Their scores are
 *             exact cosines; behind them photos are ordered by estimates, which are off by some thousandths
 *   words     the full text of the catalogue, fused by reciprocal rank
 *   relevance what the score means in this library, and the line between strong and weaker matches
 *
 * Strong matches come first, in whatever order, then the weaker ones: the line is one place in the list. Ties keep the
 * lower slot. Photos without a vector come last. Offline photos are hits like others.
 *
 * Only the first `head` photos are put in order at first; the rest when somebody asks for it. Calls that share a
 * result, the columns or the rows need external locking. docs/search.md explains the ranking, quality/ measures it. */
#ifndef PD_SEARCH_SEARCH_H
#define PD_SEARCH_SEARCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "columns/columns.h"
#include "kernels/kernels.h"
#include "query/query.h"
#include "store/store.h"
#include "vindex/vindex.h"

#define PD_SEARCH_HEAD_MIN 200   /* photos whose place is proven at once, at least */
#define PD_SEARCH_WORDS_MAX 1000 /* photos that words are taken from, the best */

/* How vectors that nobody asked for score in this library: what a score is compared with while the library is too small
 * to tell by itself. weight: of how many photos; 0: not known. */
typedef struct pd_null {
    double mean, deviation, weight;
} pd_null;

/* A question that nobody asked is made of the same kinds of parts as the one that is asked. */
typedef struct pd_null_mix {
    const float *bank; /* [n_bank, dim]: unit vectors of everyday words; NULL when text_weight is 0 */
    size_t n_bank, dim;
    double text_weight, picture_weight; /* lengths of what words and what pictures add */
} pd_null_mix;
/* Looks at a sample of the index. Fewer than two vectors where pictures are asked for, none at all: weight 0. */
PD_MUST_USE pd_status pd_null_measure(const pd_vindex *index, const pd_kernels *kernels, const pd_null_mix *mix,
                                      pd_null *ret_null, pd_error *err);
/* Photos above which the library tells by itself, within a hundredth: measuring can be left out. */
#define PD_NULL_NEEDED_MAX 5000

/* What a score means: z is its distance from the library's mean in standard deviations of this question's own scores.
 * A relevance of 0 is as good as any photo, `line` is where strong matches begin. */
typedef struct pd_relevance {
    double mean, deviation, line;
} pd_relevance;
/* Of the scores of the whole library, filters apart; NANs are passed over. `expected`: photos that a question of this
 * kind is likely to be about. */
void pd_relevance_fit(pd_relevance *ret_relevance, const float *scores, size_t n, const pd_null *null, double expected);
double pd_relevance_of(const pd_relevance *relevance, float score); /* NAN: 0 */
/* 0: no nearer than the library's average photo; 50: the line; towards 100 above it. */
int pd_relevance_match(const pd_relevance *relevance, double z);
/* 5 for one or two words, which name a kind of thing, falling to 1 for a sentence, which tells of one picture. */
double pd_relevance_expected(size_t n_words);

/* Which row of the index holds the vector of a slot's content. Made anew when one of the two has changed. */
typedef struct pd_rows pd_rows;
/* *rows: NULL, or of before. */
PD_MUST_USE pd_status pd_rows_refresh(pd_rows **rows, const pd_vindex *index, const pd_columns *columns, pd_error *err);
void pd_rows_free(pd_rows **rows);

/* What is searched. Borrowed; everything but store and columns may be absent when nothing is asked but filters. */
typedef struct pd_search_place {
    pd_store *store;
    const pd_columns *columns;
    const pd_vindex *index;
    const pd_rows *rows; /* of these two */
    const pd_kernels *kernels;
    int64_t model; /* store's number of the model */
    size_t dim;
} pd_search_place;

typedef struct pd_sought {
    float *scores, *bounds; /* [pd_vindex_count] by pd_vindex_estimate for `vector`; exact ones are written into them */
    const float *vector;    /* [dim], unit length; NULL: nothing but filters is asked */
    pd_null null;
    double expected;
    const char *words;      /* for the full text; "" */
    const int64_t *without; /* contents that are not among the results */
    size_t n_without;
    pd_order order;               /* not NONE */
    size_t head;                  /* photos to put in order at once; PD_SEARCH_HEAD_MIN at least */
    const atomic_bool *cancelled; /* or NULL */
} pd_sought;

typedef struct pd_result pd_result;

/* `slots`: what passes the filters; copied. PD_ERR_CORRUPT: index and catalogue do not agree. PD_ERR_CANCELLED. */
PD_MUST_USE pd_status pd_result_make(pd_result **ret_result, const pd_search_place *place, const pd_slots *slots,
                                     const pd_sought *sought, pd_error *err);
void pd_result_free(pd_result **result);

size_t pd_result_total(const pd_result *result);
int64_t pd_result_strong(const pd_result *result); /* -1: nothing was asked but filters */
pd_order pd_result_order(const pd_result *result);

typedef struct pd_result_item {
    uint32_t slot;
    float score; /* NAN: nothing was asked, or there is no vector */
    int match;   /* -1: nothing to compare */
} pd_result_item;
typedef struct pd_result_range {
    size_t first, n; /* more than there are is fine */
} pd_result_range;
/* ret_items [range->n]. Behind the head this puts the whole result in order, once; `columns` as they were when
 * it was made, else pd_result_settle must have been called before they changed. */
PD_MUST_USE pd_status pd_result_window(pd_result *result, const pd_columns *columns, const pd_result_range *range,
                                       pd_result_item *ret_items, size_t *ret_n, pd_error *err);
/* Puts in order what needs the columns for that, before they change. */
PD_MUST_USE pd_status pd_result_settle(pd_result *result, const pd_columns *columns, pd_error *err);

#endif
