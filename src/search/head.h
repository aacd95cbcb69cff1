/* head.h: exact scores for the photos that can be among the best. Private to the room. */
#ifndef PD_SEARCH_HEAD_H
#define PD_SEARCH_HEAD_H

#include "search/scored.h"
#include "search/search.h"

/* places [n], in the order of slots, have the estimates of sought->scores. Afterwards the k best of them are what
 * looking at every vector of the catalogue would give: whatever can be among them has its exact score, in the places
 * and in sought->scores. */
PD_MUST_USE pd_status pd_head_prove(const pd_search_place *place, const pd_sought *sought, pd_place *places, size_t n,
                                    size_t k, pd_error *err);

PD_MUST_USE pd_status pd_search_check_cancelled(const pd_sought *sought, pd_error *err);

#endif
