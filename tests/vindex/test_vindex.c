/* The vector file: what comes back, in which order, what is noticed when it is damaged. */
#include "vindex_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#define DIM 72 /* no multiple of 64 */
#define N 3000 /* three blocks */

static fixture f;

static pd_vindex *open_or_null(const char *path, pd_vindex_mode mode)
{
    pd_vindex *index = NULL;
    const pd_status status = pd_vindex_open(&index, path, mode, MODEL, DIM, &f.kernels, NULL);
    CHECK((status == PD_OK) == (index != NULL));
    return index;
}

/* A file with N committed rows. */
static void write_file(void)
{
    f = fixture_make();
    pd_vindex *index = open_or_null(f.path, PD_VINDEX_APPEND);
    CHECK(index && append_vectors(index, 0, N, DIM) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
    pd_vindex_close(&index);
}

static void remove_file(void)
{
    fixture_remove(&f);
    CHECK(pd_mem_live() == 0);
}

static double exact_cosine(const float *query, uint64_t n)
{
    float x[DIM];
    make_vector(n, DIM, x);
    double sum = 0;
    for (size_t i = 0; i < DIM; i++)
        sum += (double)x[i] * query[i];
    return sum;
}

static void every_estimate_is_within_its_bound(void)
{
    write_file();
    pd_vindex *index = open_or_null(f.path, PD_VINDEX_READ);
    REQUIRE(index && pd_vindex_count(index) == N && pd_vindex_last_seq(index) == 10 * (N - 1) + 1);
    static pd_vindex_hit hits[N];
    size_t n = 0;
    double worst = 0, widest = 0;
    for (uint64_t q = 0; q < 20; q++) {
        float query[DIM];
        make_vector(N + q, DIM, query);
        REQUIRE(pd_vindex_search(index, query, N, 1, hits, &n, NULL) == PD_OK && n == N);
        for (size_t i = 0; i < n; i++) {
            const double off = fabs(exact_cosine(query, (uint64_t)hits[i].content - 1) - (double)hits[i].score);
            worst = fmax(worst, off / (double)hits[i].bound);
            widest = fmax(widest, (double)hits[i].bound);
            if (i > 0 && hits[i].score + hits[i].bound > hits[i - 1].score + hits[i - 1].bound)
                CHECK(false && "best first");
        }
    }
    printf("# largest error / bound: %.3f, widest bound: %.4f\n", worst, widest);
    CHECK(worst < 1 && worst > 0.05);
    CHECK(widest < 0.02); /* measured 0.0123 */
    pd_vindex_close(&index);
    remove_file();
}

/* The estimates of all rows are those of the best, whatever the threads; rows are told by their contents. */
static void every_row_is_estimated_in_its_place(void)
{
    write_file();
    pd_vindex *index = open_or_null(f.path, PD_VINDEX_READ);
    REQUIRE(index);
    static pd_vindex_hit hits[N];
    static float scores[N], bounds[N], again[N];
    static int64_t contents[N];
    float query[DIM], row[DIM];
    size_t n = 0;
    make_vector(N + 5, DIM, query);
    REQUIRE(pd_vindex_search(index, query, N, 1, hits, &n, NULL) == PD_OK && n == N);
    REQUIRE(pd_vindex_estimate(index, query, 1, scores, bounds, NULL) == PD_OK);
    REQUIRE(pd_vindex_estimate(index, query, 4, again, bounds, NULL) == PD_OK);
    pd_vindex_contents(index, 0, 5, contents);
    pd_vindex_contents(index, 5, N - 5, contents + 5);
    for (size_t i = 0; i < N; i++)
        CHECK(contents[i] == (int64_t)i + 1 && scores[i] == again[i]);
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)hits[i].content - 1;
        CHECK(scores[at] == hits[i].score && bounds[at] == hits[i].bound);
    }
    pd_vindex_row(index, 2000, row);
    CHECK(exact_cosine(row, 2000) > 0.9999);
    (void)pd_mem_fail_at(1);
    CHECK(pd_vindex_estimate(index, query, 1, scores, bounds, NULL) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
    memset(query, 0, sizeof query);
    CHECK(pd_vindex_estimate(index, query, 1, scores, bounds, NULL) == PD_ERR_INTERNAL);
    pd_vindex_close(&index);
    remove_file();
}

static void k_best_are_the_first_of_all(void)
{
    write_file();
    pd_vindex *index = open_or_null(f.path, PD_VINDEX_READ);
    static pd_vindex_hit all[N], some[100];
    size_t n_all = 0, n_some = 0;
    float query[DIM];
    make_vector(77, DIM, query);
    REQUIRE(pd_vindex_search(index, query, N + 5, 1, all, &n_all, NULL) == PD_OK && n_all == N);
    REQUIRE(pd_vindex_search(index, query, 100, 1, some, &n_some, NULL) == PD_OK && n_some == 100);
    CHECK(memcmp(all, some, sizeof some) == 0);
    CHECK(all[0].content == 78 && all[0].score > 0.98f);
    pd_vindex_close(&index);
    remove_file();
}

static void equal_rows_come_by_content(void)
{
    f = fixture_make();
    pd_vindex *index = open_or_null(NULL, PD_VINDEX_APPEND);
    float x[DIM];
    make_vector(1, DIM, x);
    for (int64_t i = 1; i <= 2000; i++)
        REQUIRE(pd_vindex_append(index, i, 5000 - i, x, NULL) == PD_OK);
    REQUIRE(pd_vindex_commit(index, NULL) == PD_OK);
    pd_vindex_hit hits[10];
    size_t n = 0;
    REQUIRE(pd_vindex_search(index, x, 10, 1, hits, &n, NULL) == PD_OK && n == 10);
    for (int64_t i = 0; i < 10; i++)
        CHECK(hits[i].content == 3000 + i);
    pd_vindex_close(&index);
    remove_file();
}

static void any_number_of_threads_gives_the_same_answer(void)
{
    f = fixture_make();
    enum { ROWS = 120000, K = 500 };
    pd_vindex *index = NULL;
    REQUIRE(pd_vindex_open(&index, NULL, PD_VINDEX_APPEND, MODEL, 16, &f.kernels, NULL) == PD_OK);
    REQUIRE(append_vectors(index, 0, ROWS, 16) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
    static pd_vindex_hit one[K], many[K];
    float query[16];
    size_t n = 0;
    make_vector(ROWS, 16, query);
    REQUIRE(pd_vindex_search(index, query, K, 1, one, &n, NULL) == PD_OK && n == K);
    for (unsigned threads = 2; threads < 6; threads++) {
        REQUIRE(pd_vindex_search(index, query, K, threads, many, &n, NULL) == PD_OK && n == K);
        CHECK(memcmp(one, many, sizeof one) == 0);
    }
    pd_vindex_close(&index);
    remove_file();
}

static void uncommitted_rows_are_not_seen(void)
{
    write_file();
    pd_vindex *writer = open_or_null(f.path, PD_VINDEX_APPEND), *reader = open_or_null(f.path, PD_VINDEX_READ);
    REQUIRE(writer && reader && append_vectors(writer, N, 2000, DIM) == PD_OK);
    CHECK(pd_vindex_count(writer) == N);
    CHECK(pd_vindex_refresh(reader, NULL) == PD_OK && pd_vindex_count(reader) == N);
    REQUIRE(pd_vindex_commit(writer, NULL) == PD_OK);
    CHECK(pd_vindex_count(writer) == N + 2000 && pd_vindex_count(reader) == N);
    CHECK(pd_vindex_refresh(reader, NULL) == PD_OK && pd_vindex_count(reader) == N + 2000);
    pd_vindex_hit hit[2];
    size_t n = 0;
    float query[DIM];
    make_vector(N + 1999, DIM, query);
    CHECK(pd_vindex_search(reader, query, 1, 1, &hit[0], &n, NULL) == PD_OK && n == 1);
    CHECK(pd_vindex_search(writer, query, 1, 1, &hit[1], &n, NULL) == PD_OK && n == 1);
    CHECK(hit[0].content == N + 2000 && hit[1].content == N + 2000);
    pd_vindex_close(&writer);
    pd_vindex_close(&reader);
    remove_file();
}

static void the_writer_goes_on_where_it_stopped(void)
{
    write_file();
    pd_vindex *all = NULL, *index = NULL;
    for (uint64_t i = 0; i < 5; i++) {
        index = open_or_null(f.path, PD_VINDEX_APPEND);
        REQUIRE(index && pd_vindex_count(index) == N + 300 * i);
        REQUIRE(append_vectors(index, N + 300 * i, 300, DIM) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
        REQUIRE(append_vectors(index, N + 300 * i + 300, 5, DIM) == PD_OK); /* lost: no commit */
        pd_vindex_close(&index);
    }
    index = open_or_null(f.path, PD_VINDEX_READ);
    all = open_or_null(NULL, PD_VINDEX_APPEND);
    REQUIRE(index && all && append_vectors(all, 0, N + 1500, DIM) == PD_OK && pd_vindex_commit(all, NULL) == PD_OK);
    static pd_vindex_hit hits[2][N + 1500];
    size_t n[2];
    float query[DIM];
    make_vector(12345, DIM, query);
    REQUIRE(pd_vindex_search(index, query, N + 1500, 1, hits[0], &n[0], NULL) == PD_OK && n[0] == N + 1500);
    REQUIRE(pd_vindex_search(all, query, N + 1500, 1, hits[1], &n[1], NULL) == PD_OK && n[1] == N + 1500);
    CHECK(memcmp(hits[0], hits[1], sizeof hits[0]) == 0);
    pd_vindex_close(&index);
    pd_vindex_close(&all);
    remove_file();
}

static void a_second_writer_is_refused(void)
{
    write_file();
    pd_vindex *first = open_or_null(f.path, PD_VINDEX_APPEND), *second = NULL;
    pd_error err = { 0 };
    CHECK(pd_vindex_open(&second, f.path, PD_VINDEX_APPEND, MODEL, DIM, &f.kernels, &err) == PD_ERR_BUSY);
    CHECK(strstr(err.message, f.path));
    pd_vindex_close(&first);
    remove_file();
}

static void a_missing_file_is_said(void)
{
    f = fixture_make();
    pd_vindex *index = NULL;
    pd_error err = { 0 };
    CHECK(pd_vindex_open(&index, f.path, PD_VINDEX_READ, MODEL, DIM, &f.kernels, &err) == PD_ERR_NOT_FOUND && !index);
    CHECK(strstr(err.message, f.path));
    CHECK(pd_vindex_open(&index, f.path, PD_VINDEX_READ, MODEL, PD_VINDEX_DIM_MAX + 1, &f.kernels, &err) ==
          PD_ERR_LIMIT);
    remove_file();
}

static void change_byte(off_t at)
{
    const int fd = open(f.path, O_RDWR);
    unsigned char byte = 0;
    CHECK(pread(fd, &byte, 1, at) == 1);
    byte ^= 4;
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

/* Reading says what is wrong, writing starts anew. */
static void check_unusable(const char *reason)
{
    pd_vindex *index = NULL;
    pd_error err = { 0 };
    CHECK(pd_vindex_open(&index, f.path, PD_VINDEX_READ, MODEL, DIM, &f.kernels, &err) == PD_ERR_CORRUPT && !index);
    if (!strstr(err.message, reason))
        fprintf(stderr, "'%s' is not in: %s\n", reason, err.message);
    CHECK(strstr(err.message, reason) && strstr(err.message, f.path));
    index = open_or_null(f.path, PD_VINDEX_APPEND);
    CHECK(index && pd_vindex_count(index) == 0 && pd_vindex_last_seq(index) == 0);
    pd_vindex_close(&index);
    index = open_or_null(f.path, PD_VINDEX_READ);
    CHECK(index && pd_vindex_count(index) == 0);
    pd_vindex_close(&index);
    remove_file();
}

static void a_cut_file_is_unusable(void)
{
    write_file();
    CHECK(truncate(f.path, 100000) == 0);
    check_unusable("was cut");
    write_file();
    CHECK(truncate(f.path, 100) == 0);
    check_unusable("was cut");
    write_file();
    CHECK(truncate(f.path, 0) == 0);
    check_unusable("was cut");
}

static void random_bytes_are_unusable(void)
{
    f = fixture_make();
    FILE *file = fopen(f.path, "wb");
    REQUIRE(file);
    for (uint64_t i = 0; i < 20000; i++)
        fputc((int)(noise(i) * 127) & 0xFF, file);
    fclose(file);
    check_unusable("no vector file");
}

static void a_damaged_header_falls_back_to_the_commit_before(void)
{
    write_file(); /* generation 1 is in slot 1; slot 0 says: no rows */
    change_byte(4096 + 20);
    pd_vindex *index = open_or_null(f.path, PD_VINDEX_READ);
    CHECK(index && pd_vindex_count(index) == 0);
    pd_vindex_close(&index);
    change_byte(20);
    check_unusable("header is damaged");
}

static void another_model_is_unusable(void)
{
    write_file();
    pd_vindex *index = NULL;
    CHECK(pd_vindex_open(&index, f.path, PD_VINDEX_READ, "other", DIM, &f.kernels, NULL) == PD_ERR_CORRUPT);
    CHECK(pd_vindex_open(&index, f.path, PD_VINDEX_READ, MODEL, DIM + 1, &f.kernels, NULL) == PD_ERR_CORRUPT);
    remove_file();
}

static void one_flipped_bit_in_any_part_of_a_row_is_seen_by_the_writer(void)
{
    /* of row 5 in the second block of 1024 rows: content, scale, error, checksum, bytes */
    static const off_t parts[] = { 5 * 8, 8192 + 5 * 4, 12288 + 5 * 4, 16384 + 5 * 4, 20480 + 5 * 128 + 100 };
    for (size_t i = 0; i < 5; i++) {
        write_file();
        change_byte(8192 + (20480 + 1024 * 128) + parts[i]);
        pd_vindex *index = open_or_null(f.path, PD_VINDEX_APPEND);
        CHECK(index && pd_vindex_count(index) == 0);
        pd_vindex_close(&index);
        remove_file();
    }
}

static void a_reader_follows_a_file_that_was_written_anew(void)
{
    write_file();
    pd_vindex *reader = open_or_null(f.path, PD_VINDEX_READ);
    REQUIRE(reader);
    CHECK(unlink(f.path) == 0);
    pd_vindex *writer = open_or_null(f.path, PD_VINDEX_APPEND);
    REQUIRE(writer && append_vectors(writer, 0, 10, DIM) == PD_OK && pd_vindex_commit(writer, NULL) == PD_OK);
    CHECK(pd_vindex_count(reader) == N);
    CHECK(pd_vindex_refresh(reader, NULL) == PD_OK && pd_vindex_count(reader) == 10);
    pd_vindex_close(&writer);
    pd_vindex_close(&reader);
    remove_file();
}

static void bad_vectors_are_refused(void)
{
    f = fixture_make();
    pd_vindex *index = open_or_null(NULL, PD_VINDEX_APPEND);
    float x[DIM] = { 0 };
    pd_vindex_hit hit;
    size_t n = 7;
    CHECK(pd_vindex_search(index, x, 1, 1, &hit, &n, NULL) == PD_OK && n == 0);
    CHECK(pd_vindex_append(index, 1, 1, x, NULL) == PD_OK); /* zeros: like nothing */
    CHECK(pd_vindex_append(index, 1, 2, x, NULL) == PD_ERR_INTERNAL);
    x[3] = NAN;
    CHECK(pd_vindex_append(index, 2, 2, x, NULL) == PD_ERR_INTERNAL);
    REQUIRE(pd_vindex_commit(index, NULL) == PD_OK && pd_vindex_count(index) == 1);
    CHECK(pd_vindex_search(index, x, 1, 1, &hit, &n, NULL) == PD_ERR_INTERNAL);
    x[3] = 1;
    CHECK(pd_vindex_search(index, x, PD_VINDEX_K_MAX + 1, 1, &hit, &n, NULL) == PD_ERR_LIMIT);
    CHECK(pd_vindex_search(index, x, 1, 1, &hit, &n, NULL) == PD_OK && n == 1 && fabsf(hit.score) < 1e-6f);
    pd_vindex_close(&index);
    remove_file();
}

static void *search_often(void *arg)
{
    const pd_vindex *index = arg;
    pd_vindex_hit hits[20];
    size_t n;
    float query[DIM];
    make_vector(5, DIM, query);
    for (int i = 0; i < 50; i++)
        if (pd_vindex_search(index, query, 20, 2, hits, &n, NULL) != PD_OK || n != 20 || hits[0].content != 6)
            return arg;
    return NULL;
}

static void four_threads_search_one_index(void)
{
    f = fixture_make();
    pd_vindex *index = open_or_null(NULL, PD_VINDEX_APPEND);
    REQUIRE(append_vectors(index, 0, 51000, DIM) == PD_OK && pd_vindex_commit(index, NULL) == PD_OK);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        REQUIRE(pthread_create(&threads[i], NULL, search_often, index) == 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        CHECK(!failed);
    }
    pd_vindex_close(&index);
    remove_file();
}

int main(void)
{
    RUN(every_estimate_is_within_its_bound);
    RUN(every_row_is_estimated_in_its_place);
    RUN(k_best_are_the_first_of_all);
    RUN(equal_rows_come_by_content);
    RUN(any_number_of_threads_gives_the_same_answer);
    RUN(uncommitted_rows_are_not_seen);
    RUN(the_writer_goes_on_where_it_stopped);
    RUN(a_second_writer_is_refused);
    RUN(a_missing_file_is_said);
    RUN(a_cut_file_is_unusable);
    RUN(random_bytes_are_unusable);
    RUN(a_damaged_header_falls_back_to_the_commit_before);
    RUN(another_model_is_unusable);
    RUN(one_flipped_bit_in_any_part_of_a_row_is_seen_by_the_writer);
    RUN(a_reader_follows_a_file_that_was_written_anew);
    RUN(bad_vectors_are_refused);
    RUN(four_threads_search_one_index);
    return TEST_RESULT();
}
