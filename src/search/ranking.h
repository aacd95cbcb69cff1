/* ranking.h: the n best photos seen so far. One thread at a time. */
#ifndef PD_SEARCH_RANKING_H
#define PD_SEARCH_RANKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct pd_ranked {
    int64_t id; /* photo */
    float score;
} pd_ranked;

typedef struct pd_ranking {
    pd_ranked *items; /* a heap, the worst first; sorted once pd_ranking_sort was called */
    size_t n, n_max;
} pd_ranking;

PD_MUST_USE pd_status pd_ranking_init(pd_ranking *ranking, size_t n_max);
void pd_ranking_done(pd_ranking *ranking);
void pd_ranking_clear(pd_ranking *ranking);

/* Could a photo of this score be among the n best? */
bool pd_ranking_wants(const pd_ranking *ranking, float score);
void pd_ranking_add(pd_ranking *ranking, int64_t id, float score);
void pd_ranking_sort(pd_ranking *ranking); /* best first, ties by lower id; nothing can be added afterwards */

#endif
