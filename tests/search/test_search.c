/* The promise of the search: the same answer as looking at every vector of the catalogue. */
#include <math.h>
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
    pd_vindex *index;
    int64_t root, model;
    size_t dim, n;
} world;

static world w;
static uint16_t halves[N_MAX][DIM_MAX]; /* of content number i + 1, the oracle's copy */

static float noise(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)((n ^ n >> 31) >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

/* A cloud as embeddings make it: 200 clusters, one strong direction that all share, neighbours at cosines near 0.9. */
static void make_vector(uint64_t n, size_t dim, float *ret_vector)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        ret_vector[i] = 0.5f * noise(7 + i) + noise(n % 200 * 5000 + i) + 0.4f * noise(2000000 + n * dim + i);
        square += (double)ret_vector[i] * ret_vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        ret_vector[i] = (float)(ret_vector[i] / sqrt(square));
}

static void open_world(size_t dim)
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

static void close_world(void)
{
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

/* The next content, with its vector in catalogue and vector file, and n_photos photos. */
static int64_t add(const float *vector, unsigned n_photos)
{
    pd_content facts = { .type = "jpeg", .width = 40, .height = 30, .taken = "2019-06-01T10:20:30+02:00" };
    const uint64_t number = ++w.n;
    memcpy(facts.sha256, &number, sizeof number);
    uint16_t half[DIM_MAX];
    for (size_t i = 0; i < w.dim; i++)
        half[i] = pd_half_of_float(vector[i]);
    if (number <= N_MAX)
        memcpy(halves[number - 1], half, sizeof half);
    int64_t content = 0, seq = 0, id = 0;
    CHECK(pd_store_content_put(w.store, &facts, &content, NULL) == PD_OK && content == (int64_t)number);
    CHECK(pd_store_embedding_put(w.store, content, w.model, half, w.dim, &seq, NULL) == PD_OK);
    CHECK(pd_vindex_append(w.index, seq, content, vector, NULL) == PD_OK);
    for (unsigned i = 0; i < n_photos; i++) {
        char path[64];
        snprintf(path, sizeof path, "/p/%u/%llu.jpg", i, (unsigned long long)number);
        const pd_photo_file file = { .root_id = w.root, .path = path, .content = content };
        CHECK(pd_store_photo_put(w.store, &file, &id, NULL) == PD_OK);
    }
    return content;
}

static void commit_world(void)
{
    CHECK(pd_store_commit(w.store, NULL) == PD_OK);
    CHECK(pd_vindex_commit(w.index, NULL) == PD_OK);
}

static pd_hits search(const float *query, size_t n)
{
    const pd_search_options options = { .model = w.model, .dim = w.dim, .n = n, .n_threads = 1 };
    pd_hits hits = { 0 };
    CHECK(pd_search_vector(w.store, w.index, &w.kernels, query, &options, &hits, NULL) == PD_OK);
    return hits;
}

typedef struct scored {
    double score;
    int64_t id;
} scored;

static int compare_scored(const void *a, const void *b)
{
    const scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Cosines of the fp16 vectors in double; photo i + 1 is content i + 1 here. */
static void ask_oracle(const float *query, scored *ret_all)
{
    for (size_t i = 0; i < w.n; i++) {
        double dot = 0, own = 0, other = 0;
        for (size_t d = 0; d < w.dim; d++) {
            const double x = (double)pd_half_to_float(halves[i][d]), y = (double)query[d];
            dot += x * y;
            own += x * x;
            other += y * y;
        }
        ret_all[i] = (scored){ .score = dot / sqrt(own * other), .id = (int64_t)i + 1 };
    }
    qsort(ret_all, w.n, sizeof *ret_all, compare_scored);
}

static double worst_score;

/* The same photos. Two that are nearer to each other than float can tell may stand the other way round. */
static unsigned count_found(const pd_hits *hits, const scored *oracle, size_t n)
{
    unsigned found = 0;
    for (size_t i = 0; i < n && i < hits->n; i++) {
        worst_score = fmax(worst_score, fabs((double)hits->items[i].score - oracle[i].score));
        for (size_t o = 0; o < n; o++)
            found += hits->items[i].id == oracle[o].id;
    }
    return found;
}

static void recall_is_complete_on_20000_clustered_vectors(void)
{
    static scored oracle[N_MAX];
    float vector[DIM_MAX];
    open_world(DIM_MAX);
    for (uint64_t i = 0; i < N_MAX; i++) {
        make_vector(i, DIM_MAX, vector);
        add(vector, 1);
    }
    commit_world();
    worst_score = 0;
    static const size_t sizes[] = { 1, 10, 100 };
    for (uint64_t q = 0; q < 12; q++) {
        make_vector(N_MAX + q * 37, DIM_MAX, vector);
        if (q % 3 == 2) /* like words: far from every picture */
            for (size_t i = 0; i < DIM_MAX; i++)
                vector[i] = noise(90000000 + q * DIM_MAX + i);
        ask_oracle(vector, oracle);
        for (size_t s = 0; s < 3; s++) {
            pd_hits hits = search(vector, sizes[s]);
            CHECK(hits.n == sizes[s] && hits.total == N_MAX);
            CHECK(count_found(&hits, oracle, sizes[s]) == sizes[s]);
            pd_hits_done(&hits);
        }
    }
    printf("# largest difference of a score from the oracle: %.2g\n", worst_score);
    CHECK(worst_score < 1e-6); /* measured 1.4e-7 */
    close_world();
}

static void hits_carry_what_a_list_shows(void)
{
    open_world(64);
    float vector[64];
    make_vector(1, 64, vector);
    add(vector, 1);
    commit_world();
    pd_hits hits = search(vector, 5);
    REQUIRE(hits.n == 1 && hits.total == 1);
    CHECK(hits.items[0].id == 1 && !strcmp(hits.items[0].path, "/p/0/1.jpg"));
    CHECK(hits.items[0].score > 0.99999f && hits.items[0].score <= 1);
    CHECK(!strcmp(hits.items[0].taken, "2019-06-01T10:20:30+02:00"));
    CHECK(hits.items[0].width == 40 && hits.items[0].height == 30);
    pd_hits_done(&hits);
    close_world();
}

static void copies_of_a_content_are_hits_each(void)
{
    open_world(64);
    float vector[64];
    for (uint64_t i = 0; i < 5; i++) {
        make_vector(i, 64, vector);
        add(vector, 3);
    }
    commit_world();
    make_vector(2, 64, vector);
    pd_hits hits = search(vector, 4);
    REQUIRE(hits.n == 4 && hits.total == 15);
    for (int64_t i = 0; i < 3; i++)
        CHECK(hits.items[i].id == 7 + i);
    CHECK(hits.items[3].score < hits.items[2].score);
    pd_hits_done(&hits);
    close_world();
}

static void excluded_contents_are_never_shown(void)
{
    open_world(64);
    float vector[64];
    for (uint64_t i = 0; i < 50; i++) {
        make_vector(i, 64, vector);
        add(vector, 2);
    }
    commit_world();
    make_vector(2, 64, vector);
    const int64_t exclude[] = { 3, 3, 777 };
    const pd_search_options options = {
        .model = w.model, .dim = 64, .n = 100, .n_threads = 1, .exclude = exclude, .n_exclude = 3
    };
    pd_hits hits = { 0 };
    REQUIRE(pd_search_vector(w.store, w.index, &w.kernels, vector, &options, &hits, NULL) == PD_OK);
    CHECK(hits.n == 98 && hits.total == 98);
    for (size_t i = 0; i < hits.n; i++)
        CHECK(hits.items[i].id != 5 && hits.items[i].id != 6);
    pd_hits_done(&hits);
    close_world();
}

/* Photos that went leave vectors behind; here all of the first 5,000 candidates. */
static void the_search_goes_on_beyond_contents_without_photos(void)
{
    open_world(64);
    float vector[64];
    for (uint64_t i = 0; i < 6000; i++) {
        make_vector(i, 64, vector);
        add(vector, 0);
    }
    float opposite[64];
    make_vector(3, 64, vector);
    for (size_t i = 0; i < 64; i++)
        opposite[i] = -vector[i];
    const int64_t content = add(opposite, 1);
    commit_world();
    pd_hits hits = search(vector, 3);
    CHECK(hits.n == 1 && hits.total == 1);
    CHECK(hits.n == 1 && hits.items[0].score < -0.999f && content == 6001);
    pd_hits_done(&hits);
    close_world();
}

/* More equal candidates without photos than a scan may keep: only the catalogue itself can answer. */
static void the_last_of_70000_equal_vectors_is_found(void)
{
    open_world(64);
    float vector[64];
    make_vector(1, 64, vector);
    for (uint64_t i = 0; i < PD_VINDEX_K_MAX + 5000; i++)
        add(vector, 0);
    add(vector, 1);
    commit_world();
    pd_hits hits = search(vector, 2);
    CHECK(hits.n == 1 && hits.n == 1 && hits.items[0].score > 0.9999f);
    pd_hits_done(&hits);
    close_world();
}

static void a_vector_file_of_other_vectors_is_noticed(void)
{
    open_world(64);
    float vector[64];
    make_vector(1, 64, vector);
    const int64_t content = add(vector, 1);
    uint16_t half[64];
    for (size_t i = 0; i < 64; i++)
        half[i] = pd_half_of_float(noise(i));
    int64_t seq;
    CHECK(pd_store_embedding_put(w.store, content, w.model, half, 64, &seq, NULL) == PD_OK);
    commit_world();
    const pd_search_options options = { .model = w.model, .dim = 64, .n = 1, .n_threads = 1 };
    pd_hits hits = { 0 };
    pd_error err = { 0 };
    CHECK(pd_search_vector(w.store, w.index, &w.kernels, vector, &options, &hits, &err) == PD_ERR_CORRUPT);
    CHECK(strstr(err.message, "vector file") && !hits.items);
    close_world();
}

static void odd_questions_are_answered(void)
{
    open_world(64);
    commit_world();
    float vector[64];
    make_vector(1, 64, vector);
    pd_hits hits = search(vector, 10);
    CHECK(hits.n == 0 && hits.total == 0);
    pd_hits_done(&hits);
    hits = search(vector, 0);
    CHECK(hits.n == 0);
    pd_hits_done(&hits);
    pd_search_options options = { .model = w.model, .dim = 64, .n = PD_SEARCH_N_MAX + 1, .n_threads = 1 };
    CHECK(pd_search_vector(w.store, w.index, &w.kernels, vector, &options, &hits, NULL) == PD_ERR_LIMIT);
    options.n = 1;
    memset(vector, 0, sizeof vector);
    CHECK(pd_search_vector(w.store, w.index, &w.kernels, vector, &options, &hits, NULL) == PD_ERR_INTERNAL);
    close_world();
}

static void running_out_of_memory_leaks_nothing(void)
{
    open_world(64);
    float vector[64];
    for (uint64_t i = 0; i < 30; i++) {
        make_vector(i, 64, vector);
        add(vector, 1);
    }
    commit_world();
    const pd_search_options options = { .model = w.model, .dim = 64, .n = 5, .n_threads = 1 };
    size_t tries = 0;
    for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 100; tries++) {
        const size_t live = pd_mem_live();
        pd_hits hits = { 0 };
        (void)pd_mem_fail_at(tries + 1);
        status = pd_search_vector(w.store, w.index, &w.kernels, vector, &options, &hits, NULL);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && !hits.items && !hits.n));
        pd_hits_done(&hits);
        CHECK(pd_mem_live() <= live + 1); /* the catalogue's text buffer stays for the next photo */
    }
    CHECK(tries > 8 && tries < 100);
    close_world();
}

int main(void)
{
    RUN(hits_carry_what_a_list_shows);
    RUN(copies_of_a_content_are_hits_each);
    RUN(excluded_contents_are_never_shown);
    RUN(the_search_goes_on_beyond_contents_without_photos);
    RUN(the_last_of_70000_equal_vectors_is_found);
    RUN(a_vector_file_of_other_vectors_is_noticed);
    RUN(odd_questions_are_answered);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(recall_is_complete_on_20000_clustered_vectors);
    return TEST_RESULT();
}
