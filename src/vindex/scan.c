/* scan.c: looks at every row.
 *
 * How far an estimate can be off. Let x be the unit vector of a row and y its bytes times their scale, q the unit query
 * and p its bytes times their scale. The scan computes y.p exactly (in integers), and
 *     x.q - y.p = (x - y).q + y.(q - p),   so   |x.q - y.p| <= |x - y| + |y| |q - p|   (Cauchy-Schwarz)
 * where |x - y| is kept with the row (`error`), |y| <= 1 + |x - y| and |q - p| is known. Rows are ranked by estimate
 * plus bound, the greatest cosine they can have, so that whoever rescores may stop as soon as the next row cannot win.
 */
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"
#include "vindex/vindex_private.h"

#define THREADS_MAX 64
#define ROWS_PER_THREAD_MIN 25000 /* 3 ms of work at 512 dimensions on one core of 2023: a thread costs 0.05 ms */
#define FLOAT_SLACK 2e-6f         /* rounding of the few float operations between integers and score; values <= 2 */

typedef struct query {
    int8_t *bytes; /* [stride] */
    float scale;
    float error;    /* |q - p| */
    int32_t offset; /* 128 * sum of bytes: rows carry 128 too much in every element */
} query;

/* The worst hit kept is at the root. */
typedef struct heap {
    pd_vindex_hit *hits;
    size_t n, k;
} heap;

/* Where a scan of all rows writes; each [count]. */
typedef struct table {
    float *scores, *bounds;
} table;

typedef struct worker {
    const pd_vindex *index;
    const query *query;
    _Atomic size_t *next_block;
    heap heap;
    table table; /* scores not NULL: everything is written there, and no heap is kept */
    pthread_t thread;
    bool started;
} worker;

static bool is_worse(const pd_vindex_hit *a, const pd_vindex_hit *b)
{
    const float upper_a = a->score + a->bound, upper_b = b->score + b->bound;
    return upper_a != upper_b ? upper_a < upper_b : a->content > b->content;
}

static void sift_down(heap *h, size_t at)
{
    const pd_vindex_hit moved = h->hits[at];
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && is_worse(&h->hits[child + 1], &h->hits[child]))
            child++;
        if (!is_worse(&h->hits[child], &moved))
            break;
        h->hits[at] = h->hits[child];
    }
    h->hits[at] = moved;
}

static void push(heap *h, const pd_vindex_hit *hit)
{
    if (h->n == h->k) {
        if (!is_worse(&h->hits[0], hit))
            return;
        h->hits[0] = *hit;
        sift_down(h, 0);
        return;
    }
    size_t at = h->n++;
    for (; at > 0 && is_worse(hit, &h->hits[(at - 1) / 2]); at = (at - 1) / 2)
        h->hits[at] = h->hits[(at - 1) / 2];
    h->hits[at] = *hit;
}

/* Leaves the hits best first. */
static void sort_heap(heap *h)
{
    const size_t n = h->n;
    while (h->n > 1) {
        const pd_vindex_hit worst = h->hits[0];
        h->hits[0] = h->hits[--h->n];
        sift_down(h, 0);
        h->hits[h->n] = worst;
    }
    h->n = n;
}

static size_t count_rows(const pd_vindex *index, size_t block)
{
    const uint64_t left = index->header.count - (uint64_t)block * PD_VFILE_BLOCK_ROWS;
    return left < PD_VFILE_BLOCK_ROWS ? (size_t)left : PD_VFILE_BLOCK_ROWS;
}

static void scan_block(const pd_vindex *index, const query *q, size_t at, heap *h)
{
    int32_t dots[PD_VFILE_BLOCK_ROWS];
    float upper[PD_VFILE_BLOCK_ROWS];
    const pd_vfile_block block = pd_vindex_block(index, at);
    const size_t n = count_rows(index, at);
    index->kernels->scan_u8(block.rows, n, index->stride, q->bytes, dots);
    const float fixed = q->error + FLOAT_SLACK, by_row = 1 + q->error;
    for (size_t i = 0; i < n; i++)
        upper[i] = block.scale[i] * q->scale * (float)(dots[i] - q->offset) + (fixed + by_row * block.error[i]);
    for (size_t i = 0; i < n; i++) {
        /* loose, since the sum below may round otherwise; push decides */
        if (h->n == h->k && upper[i] + FLOAT_SLACK < h->hits[0].score + h->hits[0].bound)
            continue;
        const pd_vindex_hit hit = {
            .content = block.content[i],
            .score = block.scale[i] * q->scale * (float)(dots[i] - q->offset),
            .bound = fixed + by_row * block.error[i],
        };
        push(h, &hit);
    }
}

static void estimate_block(const pd_vindex *index, const query *q, size_t at, const table *into)
{
    int32_t dots[PD_VFILE_BLOCK_ROWS];
    const pd_vfile_block block = pd_vindex_block(index, at);
    const size_t n = count_rows(index, at);
    float *scores = into->scores + at * PD_VFILE_BLOCK_ROWS, *bounds = into->bounds + at * PD_VFILE_BLOCK_ROWS;
    index->kernels->scan_u8(block.rows, n, index->stride, q->bytes, dots);
    const float fixed = q->error + FLOAT_SLACK, by_row = 1 + q->error;
    for (size_t i = 0; i < n; i++)
        scores[i] = block.scale[i] * q->scale * (float)(dots[i] - q->offset);
    for (size_t i = 0; i < n; i++)
        bounds[i] = fixed + by_row * block.error[i];
}

static void *scan_blocks(void *arg)
{
    worker *w = arg;
    const size_t n_blocks = pd_vfile_block_count(w->index->header.count);
    for (size_t at; (at = atomic_fetch_add(w->next_block, 1)) < n_blocks;) {
        if (w->table.scores)
            estimate_block(w->index, w->query, at, &w->table);
        else
            scan_block(w->index, w->query, at, &w->heap);
    }
    return NULL;
}

/* The same form as rows, but signed; its rounding error is measured, not guessed. */
static pd_status quantise_query(const pd_vindex *index, const float *vector, query *ret_query, pd_error *err)
{
    const size_t dim = index->header.dim;
    float *unit = pd_mem_alloc(dim, sizeof *unit);
    int8_t *bytes = pd_mem_alloc_aligned(64, index->stride);
    if (!unit || !bytes) {
        pd_mem_free(unit);
        pd_mem_free(bytes);
        return pd_error_set_nomem(err);
    }
    memset(bytes, 0, index->stride);
    const bool numbers = pd_vindex_normalise(vector, dim, unit);
    float peak = 0;
    for (size_t i = 0; i < dim && numbers; i++)
        peak = fmaxf(peak, fabsf(unit[i]));
    const float scale = peak / 127, inverse = peak > 0 ? 127 / peak : 0;
    double square = 0;
    int32_t sum = 0;
    for (size_t i = 0; i < dim && numbers; i++) {
        bytes[i] = (int8_t)rintf(unit[i] * inverse);
        const double difference = (double)unit[i] - (double)scale * bytes[i];
        square += difference * difference;
        sum += bytes[i];
    }
    pd_mem_free(unit);
    if (!numbers || peak <= 0) {
        pd_mem_free(bytes);
        return pd_error_set(err, PD_ERR_INTERNAL, "the query's vector has no direction");
    }
    *ret_query = (query){ .bytes = bytes, .scale = scale, .error = (float)sqrt(square), .offset = 128 * sum };
    return PD_OK;
}

static unsigned count_workers(const pd_vindex *index, unsigned n_threads)
{
    const size_t useful = index->header.count / ROWS_PER_THREAD_MIN;
    const size_t most = n_threads < THREADS_MAX ? n_threads : THREADS_MAX;
    return useful < 2 || most < 2 ? 1 : (unsigned)(useful < most ? useful : most);
}

/* Worker 0 is the caller, with the caller's array as heap. A thread that cannot be started leaves its blocks to the
 * others: blocks are taken, not dealt. */
static pd_status run_workers(worker *workers, unsigned n, pd_error *err)
{
    pd_status status = PD_OK;
    for (unsigned i = 1; i < n && status == PD_OK; i++) {
        workers[i] = workers[0];
        const size_t k = workers[0].heap.k;
        workers[i].heap.hits = k ? pd_mem_alloc(k, sizeof(pd_vindex_hit)) : NULL;
        if (k && !workers[i].heap.hits)
            status = pd_error_set_nomem(err);
        else
            workers[i].started =
                pd_thread_start(&workers[i].thread, "pd-scan", scan_blocks, &workers[i], NULL) == PD_OK;
    }
    if (status == PD_OK)
        (void)scan_blocks(&workers[0]);
    for (unsigned i = 1; i < n; i++) {
        if (workers[i].started)
            (void)pthread_join(workers[i].thread, NULL);
        for (size_t hit = 0; hit < workers[i].heap.n; hit++)
            push(&workers[0].heap, &workers[i].heap.hits[hit]);
        pd_mem_free(workers[i].heap.hits);
    }
    return status;
}

pd_status pd_vindex_search(const pd_vindex *index, const float *vector, size_t k, unsigned n_threads,
                           pd_vindex_hit *ret_hits, size_t *ret_n_hits, pd_error *err)
{
    if (k > PD_VINDEX_K_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "at most %d vectors are looked up at once, not %zu", PD_VINDEX_K_MAX, k);
    const size_t count = index->header.count, k_used = k < count ? k : count;
    if (k_used == 0) {
        *ret_n_hits = 0;
        return PD_OK;
    }
    query q;
    PD_TRY(quantise_query(index, vector, &q, err));
    _Atomic size_t next_block = 0;
    worker workers[THREADS_MAX] = { 0 };
    workers[0] =
        (worker){ .index = index, .query = &q, .next_block = &next_block, .heap = { .hits = ret_hits, .k = k_used } };
    const pd_status status = run_workers(workers, count_workers(index, n_threads), err);
    if (status == PD_OK) {
        sort_heap(&workers[0].heap);
        *ret_n_hits = workers[0].heap.n;
    }
    pd_mem_free(q.bytes);
    return status;
}

pd_status pd_vindex_estimate(const pd_vindex *index, const float *vector, unsigned n_threads, float *ret_scores,
                             float *ret_bounds, pd_error *err)
{
    if (index->header.count == 0)
        return PD_OK;
    query q;
    PD_TRY(quantise_query(index, vector, &q, err));
    _Atomic size_t next_block = 0;
    worker workers[THREADS_MAX] = { 0 };
    workers[0] = (worker){
        .index = index, .query = &q, .next_block = &next_block, .table = { .scores = ret_scores, .bounds = ret_bounds }
    };
    const pd_status status = run_workers(workers, count_workers(index, n_threads), err);
    pd_mem_free(q.bytes);
    return status;
}

void pd_vindex_contents(const pd_vindex *index, size_t first, size_t n, int64_t *ret_contents)
{
    PD_CHECK(first + n <= index->header.count);
    for (size_t done = 0; done < n;) {
        const size_t row = first + done, at = row % PD_VFILE_BLOCK_ROWS;
        const size_t rest = PD_VFILE_BLOCK_ROWS - at, now = n - done < rest ? n - done : rest;
        const pd_vfile_block block = pd_vindex_block(index, row / PD_VFILE_BLOCK_ROWS);
        memcpy(ret_contents + done, block.content + at, now * sizeof *ret_contents);
        done += now;
    }
}

void pd_vindex_row(const pd_vindex *index, size_t row, float *ret_vector)
{
    PD_CHECK(row < index->header.count);
    const pd_vfile_block block = pd_vindex_block(index, row / PD_VFILE_BLOCK_ROWS);
    const size_t at = row % PD_VFILE_BLOCK_ROWS;
    const uint8_t *bytes = block.rows + at * index->stride;
    for (size_t i = 0; i < index->header.dim; i++)
        ret_vector[i] = block.scale[at] * (float)((int)bytes[i] - 128);
}
