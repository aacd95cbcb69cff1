#include "search/ranking.h"

#include "base/mem.h"

pd_status pd_ranking_init(pd_ranking *ranking, size_t n_max)
{
    *ranking = (pd_ranking){ .items = pd_mem_alloc(n_max, sizeof *ranking->items), .n_max = n_max };
    return ranking->items ? PD_OK : PD_ERR_NOMEM;
}

void pd_ranking_done(pd_ranking *ranking)
{
    pd_mem_free(ranking->items);
    *ranking = (pd_ranking){ 0 };
}

void pd_ranking_clear(pd_ranking *ranking) { ranking->n = 0; }

bool pd_ranking_wants(const pd_ranking *ranking, float score)
{
    return ranking->n_max > 0 && (ranking->n < ranking->n_max || score >= ranking->items[0].score);
}

static bool ranks_behind(const pd_ranked *a, const pd_ranked *b)
{
    return a->score != b->score ? a->score < b->score : a->id > b->id;
}

static void sift_down(pd_ranking *r, size_t at, pd_ranked moved)
{
    for (size_t child; (child = 2 * at + 1) < r->n; at = child) {
        if (child + 1 < r->n && ranks_behind(&r->items[child + 1], &r->items[child]))
            child++;
        if (!ranks_behind(&r->items[child], &moved))
            break;
        r->items[at] = r->items[child];
    }
    r->items[at] = moved;
}

void pd_ranking_add(pd_ranking *ranking, int64_t id, float score)
{
    const pd_ranked added = { .id = id, .score = score };
    if (ranking->n == ranking->n_max) {
        if (ranking->n > 0 && ranks_behind(&ranking->items[0], &added))
            sift_down(ranking, 0, added);
        return;
    }
    size_t at = ranking->n++;
    for (; at > 0 && ranks_behind(&added, &ranking->items[(at - 1) / 2]); at = (at - 1) / 2)
        ranking->items[at] = ranking->items[(at - 1) / 2];
    ranking->items[at] = added;
}

void pd_ranking_sort(pd_ranking *ranking)
{
    const size_t n = ranking->n;
    while (ranking->n > 1) {
        const pd_ranked worst = ranking->items[0];
        ranking->n--;
        sift_down(ranking, 0, ranking->items[ranking->n]);
        ranking->items[ranking->n] = worst;
    }
    ranking->n = n;
}
