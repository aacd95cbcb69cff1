/* scored.h: photos with their scores, in order. Private to the room. */
#ifndef PD_SEARCH_SCORED_H
#define PD_SEARCH_SCORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_place {
    uint32_t slot;
    float score;
} pd_place;

/* Higher score first, ties by lower slot: negative when a comes first. Scores are numbers. */
static inline int pd_place_compare(const pd_place *a, const pd_place *b)
{
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

/* All of them, in linear time. They come in the order of slots. */
PD_MUST_USE pd_status pd_places_sort(pd_place *places, size_t n, pd_error *err);

/* The first k of them in order; ret_best [k], k <= n. */
PD_MUST_USE pd_status pd_places_best(const pd_place *places, size_t n, size_t k, pd_place *ret_best, pd_error *err);

/* A value that at least k of n values reach, near the greatest such one. value(user, i) is a number. */
float pd_places_floor(float (*value)(const void *user, size_t i), const void *user, size_t n, size_t k);

#endif
