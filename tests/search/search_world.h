/* search_world.h: a catalogue, its columns and its vectors, with reproducible photos. */
#ifndef PD_SEARCH_WORLD_H
#define PD_SEARCH_WORLD_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/half.h"
#include "base/mem.h"
#include "search/search.h"
#include "test.h"

#define DIM_MAX 512
#define N_MAX 20000

typedef struct world {
    char dir[64], path[96];
    pd_kernels kernels;
    pd_store *store;
    pd_columns *columns;
    pd_vindex *index;
    pd_rows *rows;
    int64_t root, model;
    size_t dim, n, n_photos;
} world;

static world w;
static uint16_t halves[N_MAX][DIM_MAX]; /* of content number i + 1, the oracle's copy */

static inline float noise(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)((n ^ n >> 31) >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

/* A cloud as embeddings make it: 200 clusters, one strong direction that all share, neighbours at cosines near 0.9. */
static inline void make_vector(uint64_t n, size_t dim, float *ret_vector)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        ret_vector[i] = 0.5f * noise(7 + i) + noise(n % 200 * 5000 + i) + 0.4f * noise(2000000 + n * dim + i);
        square += (double)ret_vector[i] * ret_vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        ret_vector[i] = (float)(ret_vector[i] / sqrt(square));
}

static inline void open_world(size_t dim)
{
    w = (world){ .dim = dim };
    snprintf(w.dir, sizeof w.dir, "/tmp/pd-search-XXXXXX");
    if (!mkdtemp(w.dir))
        abort();
    snprintf(w.path, sizeof w.path, "%s/catalogue.sqlite", w.dir);
    pd_kernels_init(&w.kernels, pd_cpu_detect());
    CHECK(pd_store_open(&w.store, w.path, PD_STORE_WRITE, NULL) == PD_OK);
    CHECK(pd_store_root_add(w.store, "/p", &w.root, NULL) == PD_OK);
    CHECK(pd_store_model_add(w.store, "m", "m", dim, &w.model, NULL) == PD_OK);
    CHECK(pd_vindex_open(&w.index, NULL, PD_VINDEX_APPEND, "m", dim, &w.kernels, NULL) == PD_OK);
    CHECK(pd_store_begin(w.store, NULL) == PD_OK);
}

static inline void close_world(void)
{
    pd_rows_free(&w.rows);
    pd_columns_close(&w.columns);
    pd_vindex_close(&w.index);
    pd_store_close(&w.store);
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", w.path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(w.dir);
    CHECK(pd_mem_live() == 0);
}

/* Folders with words for the full text; a third of the photos have none that says anything. */
static const char *const folders[] = { "red dog", "blue sea", "x", "dog", "y", "z", "red sea", "v", "w" };
#define N_FOLDERS (sizeof folders / sizeof *folders)

/* The next content with n_photos photos; vector NULL: not learned. */
static inline int64_t add(const float *vector, unsigned n_photos)
{
    const uint64_t number = ++w.n;
    pd_content facts = { .type = number % 3 ? "jpeg" : "png", .width = 40, .height = 30, .iso = (uint32_t)number % 7 };
    memcpy(facts.sha256, &number, sizeof number);
    int64_t content = 0, seq = 0, id = 0;
    CHECK(pd_store_content_put(w.store, &facts, &content, NULL) == PD_OK && content == (int64_t)number);
    if (vector) {
        uint16_t half[DIM_MAX];
        for (size_t i = 0; i < w.dim; i++)
            half[i] = pd_half_of_float(vector[i]);
        if (number <= N_MAX)
            memcpy(halves[number - 1], half, sizeof half);
        CHECK(pd_store_embedding_put(w.store, content, w.model, half, w.dim, &seq, NULL) == PD_OK);
        CHECK(pd_vindex_append(w.index, seq, content, vector, NULL) == PD_OK);
    }
    for (unsigned i = 0; i < n_photos; i++) {
        char path[96];
        snprintf(path, sizeof path, "/p/%s/%u-%llu.jpg", folders[number % N_FOLDERS], i, (unsigned long long)number);
        const pd_photo_file file = { .root_id = w.root,
                                     .path = path,
                                     .content = content,
                                     .bytes = (int64_t)(number * 7919 % 1009),
                                     .mtime_ns = (int64_t)(number * 104729 % 5003) * 1000000000 };
        CHECK(pd_store_photo_put(w.store, &file, &id, NULL) == PD_OK);
        w.n_photos++;
    }
    return content;
}

static inline void commit_world(void)
{
    CHECK(pd_store_commit(w.store, NULL) == PD_OK);
    CHECK(pd_vindex_commit(w.index, NULL) == PD_OK);
    CHECK(pd_columns_open(&w.columns, w.store, NULL, NULL) == PD_OK);
    CHECK(pd_rows_refresh(&w.rows, w.index, w.columns, NULL) == PD_OK);
}

static inline pd_search_place place_of_world(void)
{
    return (pd_search_place){ .store = w.store,
                              .columns = w.columns,
                              .index = w.index,
                              .rows = w.rows,
                              .kernels = &w.kernels,
                              .model = w.model,
                              .dim = w.dim };
}

/* Scans, filters and orders. `sought` has what a test wants to say; scores and vector are put in here. */
static inline pd_status find(const char *filters, const float *vector, pd_sought sought, pd_result **ret_result,
                             pd_error *err)
{
    const pd_search_place place = place_of_world();
    const size_t count = pd_vindex_count(w.index);
    float *scores = malloc((count + 1) * sizeof *scores), *bounds = malloc((count + 1) * sizeof *bounds);
    pd_query *query = NULL;
    pd_slots slots = { 0 };
    if (sought.order == PD_ORDER_NONE)
        sought.order = PD_ORDER_SCORE;
    if (sought.expected <= 0)
        sought.expected = 5;
    sought.scores = scores;
    sought.bounds = bounds;
    sought.vector = vector;
    pd_status status = pd_query_parse(&query, filters, strlen(filters), err);
    if (status == PD_OK)
        status = pd_columns_filter(w.columns, w.store, query, PD_FIELD_COUNT, &slots, err);
    if (status == PD_OK && vector)
        status = pd_vindex_estimate(w.index, vector, 1, scores, bounds, err);
    if (status == PD_OK)
        status = pd_result_make(ret_result, &place, &slots, &sought, err);
    pd_slots_done(&slots);
    pd_query_free(&query);
    free(scores);
    free(bounds);
    return status;
}

#endif
