#include "search/hit_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

pd_status pd_hits_check_window(size_t offset, size_t n, pd_error *err)
{
    if (n <= PD_SEARCH_N_MAX && offset <= PD_SEARCH_N_MAX - n)
        return PD_OK;
    return pd_error_set(err, PD_ERR_LIMIT, "at most %d photos are shown, not %zu behind the first %zu", PD_SEARCH_N_MAX,
                        n, offset);
}

pd_status pd_hits_reserve(pd_hits *hits, size_t n, pd_error *err)
{
    hits->items = pd_mem_alloc(n, sizeof *hits->items);
    return hits->items ? PD_OK : pd_error_set_nomem(err);
}

pd_status pd_hits_describe(pd_hits *hits, pd_store *store, int64_t photo, float score, pd_error *err)
{
    pd_photo known;
    const pd_status status = pd_store_photo_by_id(store, photo, &known, err);
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    pd_hit *hit = &hits->items[hits->n];
    *hit = (pd_hit){ .id = known.id,
                     .path = pd_mem_dup_string(known.path),
                     .score = score,
                     .width = known.facts.width,
                     .height = known.facts.height };
    if (!hit->path)
        return pd_error_set_nomem(err);
    (void)snprintf(hit->taken, sizeof hit->taken, "%s", known.facts.taken);
    hits->n++;
    return PD_OK;
}

pd_status pd_search_browse(pd_store *store, pd_order order, size_t offset, size_t n, pd_hits *ret_hits, pd_error *err)
{
    static const pd_store_order orders[] = { [PD_ORDER_SCORE] = PD_STORE_NEWEST,
                                             [PD_ORDER_OLDEST] = PD_STORE_OLDEST,
                                             [PD_ORDER_NEWEST] = PD_STORE_NEWEST,
                                             [PD_ORDER_NAME] = PD_STORE_NAME };
    PD_TRY(pd_hits_check_window(offset, n, err));
    pd_hits hits = { 0 };
    size_t n_ids = 0;
    int64_t *ids = pd_mem_alloc(n, sizeof *ids);
    pd_status status = ids ? pd_hits_reserve(&hits, n, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_store_browse(store, &(pd_store_window){ orders[order], offset, n }, ids, &n_ids, &hits.total, err);
    for (size_t i = 0; status == PD_OK && i < n_ids; i++)
        status = pd_hits_describe(&hits, store, ids[i], NAN, err);
    pd_mem_free(ids);
    if (status == PD_OK)
        *ret_hits = hits;
    else
        pd_hits_done(&hits);
    return status;
}

static int compare_scores(const void *left, const void *right)
{
    const pd_hit *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The camera's wall clock as it is written: an offset behind it does not count. */
static int compare_times(const pd_hit *a, const pd_hit *b, int direction)
{
    enum { CLOCK_BYTES = 19 }; /* "YYYY-MM-DDTHH:MM:SS" */
    if (!a->taken[0] || !b->taken[0])
        return !a->taken[0] - !b->taken[0];
    return direction * strncmp(a->taken, b->taken, CLOCK_BYTES);
}

static int compare_oldest_first(const void *left, const void *right)
{
    const int order = compare_times(left, right, 1);
    return order ? order : compare_scores(left, right);
}

static int compare_newest_first(const void *left, const void *right)
{
    const int order = compare_times(left, right, -1);
    return order ? order : compare_scores(left, right);
}

static int compare_names(const void *left, const void *right)
{
    const pd_hit *a = left, *b = right;
    const int order = strcmp(pd_path_name(a->path), pd_path_name(b->path));
    return order ? order : compare_scores(left, right);
}

void pd_hits_sort(pd_hits *hits, pd_order order)
{
    static int (*const compare[])(const void *left, const void *right) = { [PD_ORDER_SCORE] = compare_scores,
                                                                           [PD_ORDER_OLDEST] = compare_oldest_first,
                                                                           [PD_ORDER_NEWEST] = compare_newest_first,
                                                                           [PD_ORDER_NAME] = compare_names };
    if (hits->n > 1)
        qsort(hits->items, hits->n, sizeof *hits->items, compare[order]);
}

void pd_hits_cut(pd_hits *hits, size_t offset, size_t n)
{
    const size_t first = offset < hits->n ? offset : hits->n;
    const size_t kept = n < hits->n - first ? n : hits->n - first;
    for (size_t i = 0; i < hits->n; i++)
        if (i < first || i >= first + kept)
            pd_mem_free(hits->items[i].path);
    if (kept > 0)
        memmove(hits->items, hits->items + first, kept * sizeof *hits->items);
    hits->n = kept;
}

void pd_hits_done(pd_hits *hits)
{
    for (size_t i = 0; i < hits->n; i++)
        pd_mem_free(hits->items[i].path);
    pd_mem_free(hits->items);
    *hits = (pd_hits){ 0 };
}
