/* bench_search.c [ROWS...] [--vectors-only] [--cpu LEVEL] [--queries N]: exact search over so many vectors of 512
 * numbers (10000 100000 1000000), one catalogue and vector file that grow. Per size, in interleaved rounds:
 *
 *   read     one thread reads as many bytes of the mapped vector file as the scan does, and nothing else
 *   scan     pd_vindex_search, 1,024 kept
 *   answer   pd_vindex_estimate and pd_result_make: scan, exact rescoring from the catalogue, order; n best proven
 *
 * and the ratio of each to the reading before it. What one thread does is timed by its own clock, what two do by the
 * wall's. Then the recall of the 100 best over the queries against fp32 brute
 * force, both over the catalogue's own (fp16) vectors and over the floats that they were rounded from. --vectors-only:
 * no catalogue, so read and scan only. Prints CSV (bench.h); needs 1.9 KB of temporary files a row. */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "bench.h"
#include "search/search.h"
#include "vindex/vindex_private.h"

#define DIM 512
#define KEPT 1024
#define ROUNDS 41
#define BEST 100
#define QUERIES_MAX 1000
#define CLUSTERS 2000

static pd_kernels kernels;
static unsigned cpu_mask;
static size_t n_queries = QUERIES_MAX;
static bool vectors_only;

static float noise(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)((n ^ n >> 31) >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

/* Clusters under a shared direction; two vectors of a cluster have a cosine near 0.9. Unit length. */
static void make_vector(uint64_t n, float *ret_vector)
{
    double square = 0.0;
    for (uint64_t i = 0; i < DIM; i++) {
        const float value = 0.5f * noise(7 + i) + noise((n % CLUSTERS + 100) * DIM + i) +
                            0.4f * noise(UINT64_C(1) << 40 | (n * DIM + i));
        square += (double)value * value;
        ret_vector[i] = value;
    }
    for (size_t i = 0; i < DIM; i++)
        ret_vector[i] = (float)(ret_vector[i] / sqrt(square));
}

static void make_query(uint64_t n, float *ret_query) { make_vector(UINT64_C(50000000) + 7 * n, ret_query); }

static void must(pd_status status, const char *what)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, pd_status_name(status));
    exit(1);
}

static void *get(size_t count, size_t size)
{
    void *block = pd_mem_alloc_aligned(64, count * size);
    if (!block)
        must(PD_ERR_NOMEM, "memory");
    return block;
}

/* Everything on disk. */
typedef struct place {
    char dir[32], catalogue[64], vectors[64];
    pd_store *store;
    pd_vindex *index;
    pd_columns *columns;
    pd_rows *placed;
    pd_slots all;
    float *scores, *bounds;
    int64_t root, model;
    uint64_t rows;
} place;

static void open_place(place *p)
{
    *p = (place){ .dir = "/tmp/pd-bench-XXXXXX" };
    if (!mkdtemp(p->dir))
        must(PD_ERR_IO, "temporary folder");
    snprintf(p->catalogue, sizeof p->catalogue, "%s/catalogue", p->dir);
    snprintf(p->vectors, sizeof p->vectors, "%s/vectors", p->dir);
    if (!vectors_only) {
        must(pd_store_open(&p->store, p->catalogue, PD_STORE_WRITE, NULL), "catalogue");
        must(pd_store_root_add(p->store, "/photos", &p->root, NULL), "root");
        must(pd_store_model_add(p->store, "bench", "bench", DIM, &p->model, NULL), "model");
    }
}

static void close_place(place *p)
{
    pd_vindex_close(&p->index);
    pd_rows_free(&p->placed);
    pd_slots_done(&p->all);
    pd_columns_close(&p->columns);
    pd_mem_free(p->scores);
    pd_mem_free(p->bounds);
    pd_store_close(&p->store);
    (void)unlink(p->vectors);
    (void)unlink(p->catalogue);
    (void)rmdir(p->dir);
}

static void add_photo(place *p, uint64_t i, const float *vector)
{
    pd_content facts = { .type = "jpeg", .width = 4000, .height = 3000 };
    int64_t content = (int64_t)i + 1, id, seq = (int64_t)i + 1;
    if (!vectors_only) {
        uint16_t half[DIM];
        char name[64];
        memcpy(facts.sha256, &i, sizeof i);
        kernels.half_of_float(vector, DIM, half);
        must(pd_store_content_put(p->store, &facts, &content, NULL), "content");
        must(pd_store_embedding_put(p->store, content, p->model, half, DIM, &seq, NULL), "embedding");
        snprintf(name, sizeof name, "/photos/%llu.jpg", (unsigned long long)i);
        const pd_photo_file file = { .root_id = p->root, .path = name, .content = content };
        must(pd_store_photo_put(p->store, &file, &id, NULL), "photo");
        if (content != (int64_t)i + 1 || id != content)
            must(PD_ERR_INTERNAL, "numbers of contents and photos");
    }
    must(pd_vindex_append(p->index, seq, content, vector, NULL), "append");
}

/* No filter: every photo. */
static void filter_all(place *p)
{
    pd_query *query = NULL;
    pd_slots_done(&p->all);
    pd_columns_close(&p->columns);
    pd_mem_free(p->scores);
    pd_mem_free(p->bounds);
    p->scores = get(p->rows, sizeof *p->scores);
    p->bounds = get(p->rows, sizeof *p->bounds);
    must(pd_columns_open(&p->columns, p->store, NULL, NULL), "columns");
    must(pd_rows_refresh(&p->placed, p->index, p->columns, NULL), "rows");
    must(pd_query_parse(&query, "", 0, NULL), "query");
    must(pd_columns_filter(p->columns, p->store, query, PD_FIELD_COUNT, &p->all, NULL), "filter");
    pd_query_free(&query);
}

/* Adds rows up to `rows`, and opens the vector file as a search does. */
static void grow(place *p, uint64_t rows)
{
    enum { BATCH = 100000 };
    float vector[DIM];
    pd_vindex_close(&p->index);
    must(pd_vindex_open(&p->index, p->vectors, PD_VINDEX_APPEND, "bench", DIM, &kernels, NULL), "append to vectors");
    while (p->rows < rows) {
        const uint64_t end = rows - p->rows < BATCH ? rows : p->rows + BATCH;
        if (p->store)
            must(pd_store_begin(p->store, NULL), "begin");
        for (; p->rows < end; p->rows++) {
            make_vector(p->rows, vector);
            add_photo(p, p->rows, vector);
        }
        if (p->store)
            must(pd_store_commit(p->store, NULL), "commit");
    }
    must(pd_vindex_commit(p->index, NULL), "commit vectors");
    pd_vindex_close(&p->index);
    must(pd_vindex_open(&p->index, p->vectors, PD_VINDEX_READ, "bench", DIM, &kernels, NULL), "read vectors");
    if (p->store)
        filter_all(p);
}

static uint64_t read_block(const uint64_t *words, size_t n)
{
    uint64_t sums[8] = { 0 };
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (size_t lane = 0; lane < 8; lane++)
            sums[lane] ^= words[i + lane];
    return sums[0] ^ sums[1] ^ sums[2] ^ sums[3] ^ sums[4] ^ sums[5] ^ sums[6] ^ sums[7];
}

/* The same bytes of the same mapping. */
static uint64_t read_rows(const pd_vindex *index)
{
    uint64_t sum = 0, left = pd_vindex_count(index);
    for (size_t block = 0; left > 0; block++) {
        const uint64_t n = left < PD_VFILE_BLOCK_ROWS ? left : PD_VFILE_BLOCK_ROWS;
        sum ^= read_block((const uint64_t *)(const void *)pd_vindex_block(index, block).rows, n * DIM / 8);
        left -= n;
    }
    return sum;
}

/* Of one thread its own time. */
static int64_t now_ns(unsigned n_threads) { return n_threads > 1 ? pd_clock_ns() : bench_cpu_ns(); }

static double ms_since(int64_t start_ns, unsigned n_threads) { return (double)(now_ns(n_threads) - start_ns) / 1e6; }

static double time_scan(const place *p, const float *query, unsigned n_threads)
{
    static pd_vindex_hit hits[KEPT];
    size_t n;
    const int64_t start = now_ns(n_threads);
    must(pd_vindex_search(p->index, query, KEPT, n_threads, hits, &n, NULL), "scan");
    return ms_since(start, n_threads);
}

static pd_result *answer(const place *p, const float *query, size_t n, unsigned n_threads)
{
    const pd_search_place where = { .store = p->store,
                                    .columns = p->columns,
                                    .index = p->index,
                                    .rows = p->placed,
                                    .kernels = &kernels,
                                    .model = p->model,
                                    .dim = DIM };
    const pd_sought sought = {
        .scores = p->scores, .bounds = p->bounds, .vector = query, .expected = 5, .order = PD_ORDER_SCORE, .head = n
    };
    pd_result *result = NULL;
    must(pd_vindex_estimate(p->index, query, n_threads, p->scores, p->bounds, NULL), "scan");
    must(pd_result_make(&result, &where, &p->all, &sought, NULL), "answer");
    return result;
}

static double time_answer(const place *p, const float *query, size_t n, unsigned n_threads)
{
    const int64_t start = now_ns(n_threads);
    pd_result *result = answer(p, query, n, n_threads);
    const double ms = ms_since(start, n_threads);
    pd_result_free(&result);
    return ms;
}

/* What a round times after the plain reading. */
static const struct contender {
    const char *name;
    size_t n; /* 0: the scan alone */
    unsigned n_threads;
} contenders[] = {
    { "scan 1 thread", 0, 1 },
    { "scan 2 threads", 0, 2 },
    { "answer n=200 1 thread", 200, 1 },
    { "answer n=200 2 threads", 200, 2 },
    { "answer n=1000 2 threads", 1000, 2 },
};
enum { CONTENDERS = sizeof contenders / sizeof *contenders };

static void print_contender(const char *subject, const struct contender *c, double *ms, double *ratio)
{
    char name[128];
    snprintf(name, sizeof name, "search,%s,%s,ms", subject, c->name);
    bench_print(name, &(bench_values){ ms, ROUNDS });
    snprintf(name, sizeof name, "search,%s,%s,times read", subject, c->name);
    bench_print(name, &(bench_values){ ratio, ROUNDS });
}

static void time_rounds(const place *p, const char *subject)
{
    static double read[ROUNDS], gb_s[ROUNDS], ms[CONTENDERS][ROUNDS], ratio[CONTENDERS][ROUNDS];
    const size_t n_contenders = vectors_only ? 2 : CONTENDERS;
    __attribute__((unused)) volatile uint64_t sink = read_rows(p->index); /* pages are there from now on */
    float query[DIM];
    char name[128];
    for (size_t round = 0; round < ROUNDS; round++) {
        make_query(round, query);
        for (size_t i = 0; i < n_contenders; i++) {
            const struct contender *c = &contenders[i];
            const int64_t start = bench_cpu_ns();
            sink ^= read_rows(p->index);
            read[round] = ms_since(start, 1);
            ms[i][round] = c->n ? time_answer(p, query, c->n, c->n_threads) : time_scan(p, query, c->n_threads);
            ratio[i][round] = ms[i][round] / read[round];
        }
        gb_s[round] = (double)(p->rows * DIM) / read[round] / 1e6;
    }
    snprintf(name, sizeof name, "search,%s,read,ms", subject);
    bench_print(name, &(bench_values){ read, ROUNDS });
    snprintf(name, sizeof name, "search,%s,read,GB/s", subject);
    bench_print(name, &(bench_values){ gb_s, ROUNDS });
    for (size_t i = 0; i < n_contenders; i++)
        print_contender(subject, &contenders[i], ms[i], ratio[i]);
}

/* The BEST best of one query so far, best first; ties by lower id. */
typedef struct top {
    size_t n;
    float score[BEST];
    int64_t id[BEST];
} top;

static void offer(top *t, float score, int64_t id)
{
    if (t->n == BEST && score <= t->score[BEST - 1]) /* ids only grow */
        return;
    size_t at = t->n < BEST ? t->n++ : BEST - 1;
    for (; at > 0 && score > t->score[at - 1]; at--) {
        t->score[at] = t->score[at - 1];
        t->id[at] = t->id[at - 1];
    }
    t->score[at] = score;
    t->id[at] = id;
}

/* Looks at every vector, as floats or as the halves that the catalogue keeps of them. */
static void look_at_all(const place *p, const float *queries, bool halves, top *ret_tops)
{
    enum { BLOCK = 1024 };
    float *block = get((size_t)BLOCK * DIM, sizeof *block), *packed = get(1, pd_pack_f32_bytes(BLOCK, DIM));
    float *scores = get(n_queries * BLOCK, sizeof *scores);
    memset(ret_tops, 0, n_queries * sizeof *ret_tops);
    for (uint64_t first = 0; first < p->rows; first += BLOCK) {
        const size_t n = p->rows - first < BLOCK ? (size_t)(p->rows - first) : BLOCK;
        for (size_t i = 0; i < n; i++) {
            float *vector = block + i * DIM;
            uint16_t half[DIM];
            make_vector(first + i, vector);
            if (!halves)
                continue;
            kernels.half_of_float(vector, DIM, half);
            kernels.float_of_half(half, DIM, vector);
            const float length = sqrtf(kernels.dot_f32(vector, vector, DIM));
            for (size_t j = 0; j < DIM; j++)
                vector[j] /= length;
        }
        pd_pack_f32(block, n, DIM, packed);
        const pd_gemm gemm = { .m = n_queries, .n = n, .k = DIM, .c = scores, .ld_c = BLOCK };
        kernels.gemm_f32(&gemm, queries, DIM, packed);
        for (size_t q = 0; q < n_queries; q++)
            for (size_t i = 0; i < n; i++)
                offer(&ret_tops[q], scores[q * BLOCK + i], (int64_t)(first + i) + 1);
    }
    pd_mem_free(block);
    pd_mem_free(packed);
    pd_mem_free(scores);
}

static size_t count_common(const top *t, const pd_columns *columns, const pd_result_item *items, size_t n)
{
    size_t common = 0;
    for (size_t i = 0; i < t->n; i++)
        for (size_t j = 0; j < n; j++)
            common += t->id[i] == pd_columns_photo(columns, items[j].slot);
    return common;
}

static void measure_recall(const place *p, const char *subject)
{
    float *queries = get(n_queries * DIM, sizeof *queries);
    top *of_halves = get(n_queries, sizeof *of_halves), *of_floats = get(n_queries, sizeof *of_floats);
    size_t found_halves = 0, found_floats = 0, all = 0;
    for (size_t q = 0; q < n_queries; q++)
        make_query(q, queries + q * DIM);
    look_at_all(p, queries, true, of_halves);
    look_at_all(p, queries, false, of_floats);
    for (size_t q = 0; q < n_queries; q++) {
        pd_result_item items[BEST];
        size_t n = 0;
        pd_result *result = answer(p, queries + q * DIM, BEST, 2);
        must(pd_result_window(result, p->columns, &(pd_result_range){ 0, BEST }, items, &n, NULL), "window");
        found_halves += count_common(&of_halves[q], p->columns, items, n);
        found_floats += count_common(&of_floats[q], p->columns, items, n);
        all += of_halves[q].n;
        pd_result_free(&result);
    }
    const double halves = (double)found_halves / (double)all, floats = (double)found_floats / (double)all;
    printf("search,%s,recall@%d of %zu queries against brute force over fp16 vectors,,%.6f,,,1\n", subject, BEST,
           n_queries, halves);
    printf("search,%s,recall@%d of %zu queries against brute force over fp32 vectors,,%.6f,,,1\n", subject, BEST,
           n_queries, floats);
    pd_mem_free(queries);
    pd_mem_free(of_halves);
    pd_mem_free(of_floats);
}

static void bench_rows(place *p, uint64_t rows)
{
    char subject[64];
    grow(p, rows);
    snprintf(subject, sizeof subject, "%s %llu x %d", kernels.name, (unsigned long long)rows, DIM);
    time_rounds(p, subject);
    if (!vectors_only && n_queries > 0)
        measure_recall(p, subject);
}

int main(int argc, char **argv)
{
    uint64_t sizes[8] = { 10000, 100000, 1000000 };
    size_t n_sizes = 0;
    cpu_mask = pd_cpu_detect();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--vectors-only") == 0)
            vectors_only = true;
        else if (strcmp(argv[i], "--cpu") == 0 && i + 1 < argc && pd_cpu_level(argv[i + 1], &cpu_mask))
            i++;
        else if (strcmp(argv[i], "--queries") == 0 && i + 1 < argc)
            n_queries = strtoul(argv[++i], NULL, 10);
        else if (n_sizes < sizeof sizes / sizeof *sizes && strtoull(argv[i], NULL, 10) > 0)
            sizes[n_sizes++] = strtoull(argv[i], NULL, 10);
        else
            argc = 0;
    }
    if (argc == 0 || n_queries > QUERIES_MAX) {
        fprintf(stderr, "usage: bench_search [ROWS...] [--vectors-only] [--cpu LEVEL] [--queries N]\n");
        return 2;
    }
    pd_kernels_init(&kernels, cpu_mask);
    puts(BENCH_COLUMNS);
    place p;
    open_place(&p);
    for (size_t i = 0; i < (n_sizes ? n_sizes : 3); i++)
        bench_rows(&p, sizes[i]);
    close_place(&p);
    return 0;
}
