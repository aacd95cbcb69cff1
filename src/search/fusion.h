/* fusion.h: words beside meaning. Private to the room. */
#ifndef PD_SEARCH_FUSION_H
#define PD_SEARCH_FUSION_H

#include "search/scored.h"
#include "search/search.h"

/* A photo about which something is written that was asked for. */
typedef struct pd_worded {
    pd_place place; /* score NAN: no vector */
    double share;   /* of the best one's score by words, and how rare such photos are: [0, 1] */
    size_t rank;    /* by words, 0 for the best; those that are alike share one */
    double at;      /* where it belongs in the order by meaning: before the place of the first greater number */
    double z;       /* relevance, words counted */
} pd_worded;

typedef struct pd_worded_list {
    pd_worded *items; /* in the order of `at`; ties by lower slot */
    size_t n;
} pd_worded_list;

/* The photos of the set that the full text knows for these words. Scores, places and relevance are still to come. */
PD_MUST_USE pd_status pd_worded_find(pd_worded_list *ret_list, const pd_search_place *place, const pd_slots *slots,
                                     const char *words, pd_error *err);
/* Takes them out of the places, which are in the order of slots: *n becomes smaller, scores are copied. */
void pd_worded_take_out(pd_worded_list *list, pd_place *places, size_t *n);
/* Finds `at` and z, and puts the list in order. places [n]: the photos about which nothing is written. */
PD_MUST_USE pd_status pd_worded_fuse(pd_worded_list *list, const pd_place *places, size_t n,
                                     const pd_relevance *relevance, pd_error *err);
int pd_worded_compare_slots(const void *left, const void *right); /* for qsort and bsearch of pd_worded */
void pd_worded_done(pd_worded_list *list);

#endif
