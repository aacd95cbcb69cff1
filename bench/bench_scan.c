/* bench_scan.c: the exact scan at 10,000, 100,000 and 1,000,000 vectors of 512 numbers against plain reading of as many
 * bytes, interleaved, so that the ratio holds on a busy machine; then the vector file: opening, the first search, and
 * making it from a catalogue. Prints CSV. Arguments: `quick` leaves the million out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cpu.h"
#include "base/half.h"
#include "search/search.h"

#define DIM 512
#define KEPT 1024
#define ROUNDS 15

static pd_kernels kernels;

static float noise(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)((n ^ n >> 31) >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

/* 2,000 clusters under a shared direction; two vectors of a cluster have a cosine near 0.9. */
static void make_vector(uint64_t n, float *ret_vector)
{
    for (uint64_t i = 0; i < DIM; i++)
        ret_vector[i] =
            0.5f * noise(7 + i) + noise((n % 2000 + 100) * DIM + i) + 0.4f * noise(UINT64_C(1) << 40 | (n * DIM + i));
}

static void must(pd_status status, const char *what)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, pd_status_name(status));
    exit(1);
}

static double ms_since(int64_t start) { return (double)(pd_clock_ns() - start) / 1e6; }

static uint64_t read_plainly(const uint64_t *words, size_t n)
{
    uint64_t sums[8] = { 0 };
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (size_t lane = 0; lane < 8; lane++)
            sums[lane] ^= words[i + lane];
    return sums[0] ^ sums[1] ^ sums[2] ^ sums[3] ^ sums[4] ^ sums[5] ^ sums[6] ^ sums[7];
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare_doubles);
    return values[ROUNDS / 2];
}

static void time_scan(const pd_vindex *index)
{
    static pd_vindex_hit hits[KEPT];
    const size_t rows = pd_vindex_count(index), n_words = rows * DIM / 8;
    uint64_t *plain = malloc(n_words * sizeof *plain);
    if (!plain)
        exit(1);
    for (size_t i = 0; i < n_words; i++)
        plain[i] = i;
    double read[ROUNDS], one[ROUNDS], two[ROUNDS];
    __attribute__((unused)) volatile uint64_t sink = 0;
    size_t n;
    float query[DIM];
    for (size_t round = 0; round < ROUNDS; round++) {
        make_vector(UINT64_C(5000000) + round, query);
        int64_t start = pd_clock_ns();
        sink ^= read_plainly(plain, n_words);
        read[round] = ms_since(start);
        start = pd_clock_ns();
        must(pd_vindex_search(index, query, KEPT, 1, hits, &n, NULL), "search");
        one[round] = ms_since(start);
        start = pd_clock_ns();
        must(pd_vindex_search(index, query, KEPT, 2, hits, &n, NULL), "search");
        two[round] = ms_since(start);
    }
    free(plain);
    const double r = median(read), a = median(one), b = median(two);
    printf("scan,%s,%zu,%.2f,%.2f,%.2f,%.2f,%.1f\n", kernels.name, rows, r, a, a / r, b,
           (double)(rows * DIM) / a / 1e6);
}

static void append(pd_vindex *index, uint64_t from, uint64_t to)
{
    float vector[DIM];
    for (uint64_t i = from; i < to; i++) {
        make_vector(i, vector);
        must(pd_vindex_append(index, (int64_t)i + 1, (int64_t)i + 1, vector, NULL), "append");
    }
    must(pd_vindex_commit(index, NULL), "commit");
}

static void time_memory(uint64_t most)
{
    puts("what,kernels,rows,plain_read_ms,one_thread_ms,ratio,two_threads_ms,one_thread_gb_s");
    pd_vindex *index = NULL;
    must(pd_vindex_open(&index, NULL, PD_VINDEX_APPEND, "bench", DIM, &kernels, NULL), "open");
    uint64_t there = 0;
    for (uint64_t rows = 10000; rows <= most; rows *= 10) {
        append(index, there, rows);
        there = rows;
        time_scan(index);
    }
    pd_vindex_close(&index);
}

static void time_file(const char *dir, uint64_t rows)
{
    static pd_vindex_hit hits[KEPT];
    char path[128];
    snprintf(path, sizeof path, "%s/bench.vectors", dir);
    pd_vindex *index = NULL;
    must(pd_vindex_open(&index, path, PD_VINDEX_APPEND, "bench", DIM, &kernels, NULL), "create");
    append(index, 0, rows);
    pd_vindex_close(&index);

    float query[DIM];
    size_t n;
    make_vector(UINT64_C(5000000), query);
    int64_t start = pd_clock_ns();
    must(pd_vindex_open(&index, path, PD_VINDEX_READ, "bench", DIM, &kernels, NULL), "open");
    const double open_ms = ms_since(start);
    start = pd_clock_ns();
    must(pd_vindex_search(index, query, KEPT, 2, hits, &n, NULL), "search");
    const double first_ms = ms_since(start);
    pd_vindex_close(&index);
    start = pd_clock_ns();
    must(pd_vindex_open(&index, path, PD_VINDEX_APPEND, "bench", DIM, &kernels, NULL), "open");
    const double verify_ms = ms_since(start);
    pd_vindex_close(&index);
    (void)unlink(path);
    puts("what,rows,open_read_ms,first_search_two_threads_ms,open_append_and_verify_ms");
    printf("file,%llu,%.3f,%.1f,%.1f\n", (unsigned long long)rows, open_ms, first_ms, verify_ms);
}

typedef struct rebuild {
    pd_vindex *index;
    float vector[DIM];
} rebuild;

static bool append_embedding(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim)
{
    rebuild *r = user;
    kernels.float_of_half(half, dim, r->vector);
    must(pd_vindex_append(r->index, seq, content, r->vector, NULL), "append");
    return true;
}

static void fill_catalogue(pd_store *store, uint64_t rows, int64_t *ret_model)
{
    int64_t root, content, id, seq;
    float vector[DIM];
    uint16_t half[DIM];
    must(pd_store_begin(store, NULL), "begin");
    must(pd_store_root_add(store, "/photos", &root, NULL), "root");
    must(pd_store_model_add(store, "bench", "bench", DIM, ret_model, NULL), "model");
    for (uint64_t i = 0; i < rows; i++) {
        pd_content facts = { .type = "jpeg", .width = 4000, .height = 3000 };
        memcpy(facts.sha256, &i, sizeof i);
        make_vector(i, vector);
        kernels.half_of_float(vector, DIM, half);
        must(pd_store_content_put(store, &facts, &content, NULL), "content");
        must(pd_store_embedding_put(store, content, *ret_model, half, DIM, &seq, NULL), "embedding");
        char name[64];
        snprintf(name, sizeof name, "/photos/%llu.jpg", (unsigned long long)i);
        const pd_photo_file file = { .root_id = root, .path = name, .content = content };
        must(pd_store_photo_put(store, &file, &id, NULL), "photo");
    }
    must(pd_store_commit(store, NULL), "commit");
}

static void time_search(pd_store *store, const pd_vindex *index, int64_t model)
{
    puts("what,rows,n,threads,median_ms");
    static const size_t sizes[] = { 20, 100, 1000 };
    for (size_t s = 0; s < 3; s++) {
        double took[ROUNDS];
        float query[DIM];
        for (size_t round = 0; round < ROUNDS; round++) {
            const pd_search_options options = { .model = model, .dim = DIM, .n = sizes[s], .n_threads = 2 };
            pd_hits hits;
            make_vector(UINT64_C(5000000) + round, query);
            const int64_t start = pd_clock_ns();
            must(pd_search_vector(store, index, &kernels, query, &options, &hits, NULL), "search");
            took[round] = ms_since(start);
            pd_hits_done(&hits);
        }
        printf("search,%zu,%zu,2,%.2f\n", pd_vindex_count(index), sizes[s], median(took));
    }
}

static void time_catalogue(const char *dir, uint64_t rows)
{
    char path[128], vectors[128];
    snprintf(path, sizeof path, "%s/bench.sqlite", dir);
    snprintf(vectors, sizeof vectors, "%s/bench.vectors", dir);
    pd_store *store = NULL;
    int64_t model = 0;
    must(pd_store_open(&store, path, PD_STORE_WRITE, NULL), "catalogue");
    int64_t start = pd_clock_ns();
    fill_catalogue(store, rows, &model);
    const double fill_ms = ms_since(start);

    rebuild r = { 0 };
    start = pd_clock_ns();
    must(pd_vindex_open(&r.index, vectors, PD_VINDEX_APPEND, "bench", DIM, &kernels, NULL), "create");
    must(pd_store_embeddings(store, model, 0, append_embedding, &r, NULL), "embeddings");
    must(pd_vindex_commit(r.index, NULL), "commit");
    puts("what,rows,fill_catalogue_ms,make_vector_file_ms");
    printf("rebuild,%llu,%.0f,%.0f\n", (unsigned long long)rows, fill_ms, ms_since(start));
    time_search(store, r.index, model);
    pd_vindex_close(&r.index);
    pd_store_close(&store);
    (void)unlink(vectors);
    (void)unlink(path);
}

int main(int argc, char **argv)
{
    const uint64_t most = argc > 1 && !strcmp(argv[1], "quick") ? 100000 : 1000000;
    char dir[] = "/tmp/pd-bench-XXXXXX";
    if (!mkdtemp(dir))
        return 1;
    pd_kernels_init(&kernels, pd_cpu_detect());
    time_catalogue(dir, 100000);
    time_memory(most);
    time_file(dir, most);
    (void)rmdir(dir);
    return 0;
}
