/* search.c: one query end to end: scan, exact rescoring, photos.
 *
 * The scan ranks contents by the greatest cosine they can have. They are rescored in this order with the catalogue's
 * own vectors until the next one cannot reach the worst of the n best photos any more: the answer is that of looking at
 * every vector, proven for each query and not just likely. How many that takes depends on how close the photos are to
 * each other; when the scan kept too few, it is repeated with more. */
#include "search/search.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "search/hit_list.h"
#include "search/ranking.h"

/* Contents kept by the first scan. Measured on 100,000 vectors of 512 in 2,000 clusters, 80 queries: without the bound
 * keeping 4 n gave recall 1.0 (2 n: 0.975), the proof rescored 62 for n = 20, 240 for n = 100, 2,200 for n = 1,000.
 * Kept but not rescored costs next to nothing, a second scan as much as the first. */
#define FIRST_KEPT_MIN 1024
#define FIRST_KEPT_PER_HIT 4
#define KEPT_GROWTH 4

/* Rounding of float sums over 4096 products of unit vectors: measured below 1e-6, ten times that. */
#define COSINE_SLACK 1e-5f

typedef struct searching {
    pd_store *store;
    const pd_kernels *kernels;
    const pd_search_options *options;
    float *query;   /* [dim], unit length */
    float *vector;  /* [dim], one embedding */
    uint16_t *half; /* [dim] */
    pd_ranking ranking;
    float score; /* of the content whose photos are being added */
    pd_status status;
    pd_error *err;
} searching;

static bool is_excluded(const pd_search_options *options, int64_t content)
{
    for (size_t i = 0; i < options->n_exclude; i++)
        if (options->exclude[i] == content)
            return true;
    return false;
}

static pd_status set_query(searching *s, const float *query)
{
    double square = 0;
    for (size_t i = 0; i < s->options->dim; i++)
        square += (double)query[i] * query[i];
    if (!isfinite(square) || square <= 0)
        return pd_error_set(s->err, PD_ERR_INTERNAL, "the query's vector has no direction");
    const double factor = 1 / sqrt(square);
    for (size_t i = 0; i < s->options->dim; i++)
        s->query[i] = (float)(query[i] * factor);
    return PD_OK;
}

/* Stored vectors are of unit length before they are rounded to fp16: their own length takes the rounding out. */
static float exact_cosine(searching *s, const uint16_t *half)
{
    const size_t dim = s->options->dim;
    s->kernels->float_of_half(half, dim, s->vector);
    const float square = s->kernels->dot_f32(s->vector, s->vector, dim);
    if (!(square > 0))
        return 0;
    return fminf(1, fmaxf(-1, s->kernels->dot_f16(half, s->query, dim) / sqrtf(square)));
}

static bool add_photo(void *user, const pd_photo *photo)
{
    searching *s = user;
    pd_ranking_add(&s->ranking, photo->id, s->score);
    return true;
}

static pd_status add_photos(searching *s, int64_t content, float score)
{
    if (!pd_ranking_wants(&s->ranking, score))
        return PD_OK;
    s->score = score;
    return pd_store_photos_of_content(s->store, content, add_photo, s, s->err);
}

static pd_status rescore(searching *s, const pd_vindex_hit *estimate)
{
    if (is_excluded(s->options, estimate->content))
        return PD_OK;
    const pd_status status =
        pd_store_embedding_get(s->store, estimate->content, s->options->model, s->half, s->options->dim, s->err);
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    const float cosine = exact_cosine(s, s->half);
    if (fabsf(cosine - estimate->score) > estimate->bound + COSINE_SLACK)
        return pd_error_set(s->err, PD_ERR_CORRUPT,
                            "the vector file does not agree with the catalogue on content %lld: it must be made anew",
                            (long long)estimate->content);
    return add_photos(s, estimate->content, cosine);
}

static bool add_embedding(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim)
{
    (void)seq;
    searching *s = user;
    if (dim == s->options->dim && !is_excluded(s->options, content))
        s->status = add_photos(s, content, exact_cosine(s, half));
    return s->status == PD_OK;
}

/* Looks at every vector of the catalogue: when more contents are near the query, or have lost their photos, than the
 * scan can keep. Slow (a second for a million), and right. */
static pd_status rank_all(searching *s)
{
    pd_ranking_clear(&s->ranking);
    s->status = PD_OK;
    PD_TRY(pd_store_embeddings(s->store, s->options->model, 0, add_embedding, s, s->err));
    return s->status;
}

static size_t first_kept(size_t n_hits, size_t count)
{
    size_t kept = n_hits * FIRST_KEPT_PER_HIT;
    if (kept < FIRST_KEPT_MIN)
        kept = FIRST_KEPT_MIN;
    if (kept > PD_VINDEX_K_MAX)
        kept = PD_VINDEX_K_MAX;
    return kept < count ? kept : count;
}

static pd_status rank_kept(searching *s, const pd_vindex *index, size_t kept, size_t *n_rescored, bool *ret_proven)
{
    pd_vindex_hit *estimates = pd_mem_alloc(kept, sizeof *estimates);
    if (!estimates)
        return pd_error_set_nomem(s->err);
    size_t n;
    pd_status status = pd_vindex_search(index, s->query, kept, s->options->n_threads, estimates, &n, s->err);
    bool proven = false;
    /* the first *n_rescored are those that a scan that kept fewer found already */
    for (size_t i = *n_rescored; status == PD_OK && i < n && !proven; i++) {
        proven = !pd_ranking_wants(&s->ranking, estimates[i].score + estimates[i].bound + COSINE_SLACK);
        if (!proven)
            status = rescore(s, &estimates[i]);
    }
    pd_mem_free(estimates);
    *n_rescored = kept;
    *ret_proven = proven;
    return status;
}

static pd_status rank(searching *s, const pd_vindex *index)
{
    const size_t count = pd_vindex_count(index);
    size_t n_rescored = 0;
    for (size_t kept = first_kept(s->ranking.n_max, count);;) {
        bool proven;
        PD_TRY(rank_kept(s, index, kept, &n_rescored, &proven));
        if (proven || kept == count)
            return PD_OK;
        if (kept == PD_VINDEX_K_MAX)
            return rank_all(s);
        kept = kept * KEPT_GROWTH < PD_VINDEX_K_MAX ? kept * KEPT_GROWTH : PD_VINDEX_K_MAX;
        kept = kept < count ? kept : count;
    }
}

static bool count_photo(void *user, const pd_photo *photo)
{
    (void)photo;
    ++*(int64_t *)user;
    return true;
}

static pd_status count_possible(searching *s, int64_t *ret_total)
{
    pd_store_totals totals;
    PD_TRY(pd_store_totals_get(s->store, s->options->model, &totals, s->err));
    int64_t n_excluded = 0;
    for (size_t i = 0; i < s->options->n_exclude; i++) {
        const int64_t content = s->options->exclude[i];
        const pd_search_options before = { .exclude = s->options->exclude, .n_exclude = i };
        const pd_status status =
            is_excluded(&before, content)
                ? PD_ERR_NO_MATCH
                : pd_store_embedding_get(s->store, content, s->options->model, s->half, s->options->dim, s->err);
        if (status == PD_OK)
            PD_TRY(pd_store_photos_of_content(s->store, content, count_photo, &n_excluded, s->err));
        else if (status != PD_ERR_NO_MATCH)
            return status;
    }
    *ret_total = totals.learned - n_excluded;
    return PD_OK;
}

static pd_status describe(searching *s, pd_hits *hits)
{
    const size_t offset = s->options->offset < s->ranking.n ? s->options->offset : s->ranking.n;
    PD_TRY(pd_hits_reserve(hits, s->ranking.n - offset, s->err));
    for (size_t i = offset; i < s->ranking.n; i++)
        PD_TRY(pd_hits_describe(hits, s->store, s->ranking.items[i].id, s->ranking.items[i].score, s->err));
    return PD_OK;
}

static pd_status open_searching(searching *s, const float *query)
{
    const size_t dim = s->options->dim;
    s->query = pd_mem_alloc(dim, sizeof *s->query);
    s->vector = pd_mem_alloc(dim, sizeof *s->vector);
    s->half = pd_mem_alloc(dim, sizeof *s->half);
    if (!s->query || !s->vector || !s->half ||
        pd_ranking_init(&s->ranking, s->options->offset + s->options->n) != PD_OK)
        return pd_error_set_nomem(s->err);
    return set_query(s, query);
}

static void close_searching(searching *s)
{
    pd_ranking_done(&s->ranking);
    pd_mem_free(s->half);
    pd_mem_free(s->vector);
    pd_mem_free(s->query);
}

pd_status pd_search_vector(pd_store *store, const pd_vindex *index, const pd_kernels *kernels, const float *query,
                           const pd_search_options *options, pd_hits *ret_hits, pd_error *err)
{
    PD_TRY(pd_hits_check_window(options->offset, options->n, err));
    searching s = { .store = store, .kernels = kernels, .options = options, .err = err };
    pd_hits hits = { 0 };
    pd_status status = open_searching(&s, query);
    if (status == PD_OK)
        status = count_possible(&s, &hits.total);
    if (status == PD_OK && options->n > 0)
        status = rank(&s, index);
    if (status == PD_OK) {
        pd_ranking_sort(&s.ranking);
        status = describe(&s, &hits);
    }
    close_searching(&s);
    if (status == PD_OK)
        *ret_hits = hits;
    else
        pd_hits_done(&hits);
    return status;
}
