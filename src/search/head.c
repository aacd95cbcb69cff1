/* head.c: rescoring with proof.
 *
 * Every estimate comes with a bound: the exact cosine is within it. The k best have at least the k-th greatest of
 * (estimate - bound), so nothing whose estimate + bound is below that needs a look. The rest is looked at in the order
 * of the greatest cosine they can have, until the next one cannot reach the k-th best exact one. Each chunk is read in
 * the order of contents, which is nearly how the catalogue holds them. */
#include "search/head.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "search/slot_rows.h"

/* Rounding of float sums over 4096 products of unit vectors: measured below 1e-6, ten times that. */
#define COSINE_SLACK 1e-5F
#define CHUNK 64

typedef struct candidate {
    float upper;
    uint32_t at; /* place */
    int64_t content;
} candidate;

typedef struct proving {
    const pd_search_place *place;
    const pd_sought *sought;
    pd_place *places;
    candidate *candidates;
    float *best; /* [k], a heap of the best exact scores, the worst at the root */
    size_t n_best, k;
    float *vector;  /* [dim] */
    uint16_t *half; /* [dim] */
    pd_error *err;
} proving;

pd_status pd_search_check_cancelled(const pd_sought *sought, pd_error *err)
{
    if (sought->cancelled && atomic_load(sought->cancelled))
        return pd_error_set(err, PD_ERR_CANCELLED, "the search was cancelled");
    return PD_OK;
}

static uint32_t row_of(const proving *p, size_t at) { return p->place->rows->of_slot[p->places[at].slot]; }

static float lower_of(const void *user, size_t at)
{
    const proving *p = user;
    return p->places[at].score - p->sought->bounds[row_of(p, at)];
}

static float upper_of(const proving *p, size_t at)
{
    return p->places[at].score + p->sought->bounds[row_of(p, at)] + COSINE_SLACK;
}

static int compare_uppers(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    if (a->upper != b->upper)
        return a->upper > b->upper ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int compare_contents(const void *left, const void *right)
{
    const candidate *a = left, *b = right;
    return a->content < b->content ? -1 : a->content > b->content;
}

static void keep_best(proving *p, float score)
{
    size_t at = 0;
    if (p->n_best < p->k) {
        for (at = p->n_best++; at > 0 && score < p->best[(at - 1) / 2]; at = (at - 1) / 2)
            p->best[at] = p->best[(at - 1) / 2];
        p->best[at] = score;
        return;
    }
    if (score <= p->best[0])
        return;
    for (size_t child; (child = 2 * at + 1) < p->k; at = child) {
        child += child + 1 < p->k && p->best[child + 1] < p->best[child];
        if (p->best[child] >= score)
            break;
        p->best[at] = p->best[child];
    }
    p->best[at] = score;
}

/* Stored vectors are of unit length before they are rounded to fp16: their own length takes the rounding out. */
static float exact_cosine(const proving *p)
{
    const pd_kernels *kernels = p->place->kernels;
    const size_t dim = p->place->dim;
    kernels->float_of_half(p->half, dim, p->vector);
    const float square = kernels->dot_f32(p->vector, p->vector, dim);
    if (!(square > 0))
        return 0;
    return fminf(1, fmaxf(-1, kernels->dot_f16(p->half, p->sought->vector, dim) / sqrtf(square)));
}

/* A content that another process took away in the meantime keeps its estimate. */
static pd_status rescore(proving *p, const candidate *c)
{
    const uint32_t row = row_of(p, c->at);
    float *score = &p->sought->scores[row], *bound = &p->sought->bounds[row];
    if (*bound > 0) { /* else another photo has this content too */
        const pd_status status =
            pd_store_embedding_get(p->place->store, c->content, p->place->model, p->half, p->place->dim, p->err);
        if (status != PD_OK && status != PD_ERR_NO_MATCH)
            return status;
        const float exact = status == PD_OK ? exact_cosine(p) : *score;
        if (fabsf(exact - *score) > *bound + COSINE_SLACK)
            return pd_error_set(p->err, PD_ERR_CORRUPT,
                                "the vector file does not agree with the catalogue on content %lld: it must be made "
                                "anew",
                                (long long)c->content);
        *score = exact;
        *bound = 0;
    }
    p->places[c->at].score = *score;
    keep_best(p, *score);
    return PD_OK;
}

static pd_status rescore_chunks(proving *p, size_t n)
{
    for (size_t first = 0; first < n; first += CHUNK) {
        PD_TRY(pd_search_check_cancelled(p->sought, p->err));
        if (p->n_best == p->k && p->candidates[first].upper < p->best[0])
            break;
        const size_t now = n - first < CHUNK ? n - first : CHUNK;
        qsort(p->candidates + first, now, sizeof *p->candidates, compare_contents);
        for (size_t i = first; i < first + now; i++)
            PD_TRY(rescore(p, &p->candidates[i]));
    }
    return PD_OK;
}

static pd_status list_candidates(proving *p, size_t n, size_t *ret_n)
{
    const float floor = pd_places_floor(lower_of, p, n, p->k);
    size_t count = 0, filled = 0;
    for (size_t at = 0; at < n; at++)
        count += upper_of(p, at) >= floor;
    p->candidates = pd_mem_alloc(count, sizeof *p->candidates);
    if (!p->candidates)
        return pd_error_set_nomem(p->err);
    const int64_t *contents = pd_columns_contents(p->place->columns);
    for (size_t at = 0; at < n; at++)
        if (upper_of(p, at) >= floor)
            p->candidates[filled++] = (candidate){ upper_of(p, at), (uint32_t)at, contents[p->places[at].slot] };
    qsort(p->candidates, count, sizeof *p->candidates, compare_uppers);
    *ret_n = count;
    return PD_OK;
}

pd_status pd_head_prove(const pd_search_place *place, const pd_sought *sought, pd_place *places, size_t n, size_t k,
                        pd_error *err)
{
    k = k < n ? k : n;
    if (k == 0)
        return PD_OK;
    proving p = { .place = place, .sought = sought, .places = places, .k = k, .err = err };
    size_t n_candidates = 0;
    p.best = pd_mem_alloc(k, sizeof *p.best);
    p.vector = pd_mem_alloc(place->dim, sizeof *p.vector);
    p.half = pd_mem_alloc(place->dim, sizeof *p.half);
    pd_status status = p.best && p.vector && p.half ? PD_OK : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = list_candidates(&p, n, &n_candidates);
    if (status == PD_OK)
        status = rescore_chunks(&p, n_candidates);
    pd_mem_free(p.best);
    pd_mem_free(p.vector);
    pd_mem_free(p.half);
    pd_mem_free(p.candidates);
    return status;
}
