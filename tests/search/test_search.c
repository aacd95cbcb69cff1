/* The promise of the search: the same answer as looking at every vector of the catalogue, in the order that the
 * contract says, whatever window is asked for first. */
#include "search_world.h"

#define K 10 /* fusion's constants, said again: docs/search.md */
#define SHARE 0.5

typedef struct oracle_photo {
    uint32_t slot;
    double score, z, fused;
    size_t rank, rank_words;
    double share;
    bool passes, has_vector, is_worded, is_strong;
} oracle_photo;

static oracle_photo oracle[2 * N_MAX];
static size_t n_oracle;

static double exact(int64_t content, const float *query)
{
    double dot = 0, own = 0, other = 0;
    for (size_t d = 0; d < w.dim; d++) {
        const double x = (double)pd_half_to_float(halves[content - 1][d]), y = (double)query[d];
        dot += x * y;
        own += x * x;
        other += y * y;
    }
    return dot / sqrt(own * other);
}

static int by_score(const void *a, const void *b)
{
    const oracle_photo *x = a, *y = b;
    if (x->has_vector != y->has_vector)
        return x->has_vector ? -1 : 1;
    if (x->has_vector && x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int by_fusion(const void *a, const void *b)
{
    const oracle_photo *x = a, *y = b;
    if (x->is_strong != y->is_strong)
        return x->is_strong ? -1 : 1;
    if (fabs(x->fused - y->fused) > 1e-12)
        return x->fused > y->fused ? -1 : 1;
    if (x->is_worded != y->is_worded)
        return x->is_worded ? -1 : 1;
    return x->is_worded ? (x->slot > y->slot) - (x->slot < y->slot) : by_score(a, b);
}

typedef struct hearing {
    double best, first;
    size_t n, rank;
} hearing;

static bool hear_word(void *user, int64_t photo, double score)
{
    hearing *h = user;
    h->best = fmax(h->best, score);
    const uint32_t slot = pd_columns_slot(w.columns, photo);
    for (size_t i = 0; i < n_oracle; i++)
        if (oracle[i].slot == slot && oracle[i].passes) {
            oracle[i].is_worded = true;
            oracle[i].share = score / h->best;
            if (h->n == 0 || oracle[i].share < 0.98 * h->first) {
                h->rank = h->n;
                h->first = oracle[i].share;
            }
            oracle[i].rank_words = h->rank;
            h->n++;
        }
    return true;
}

/* Everything by its definition: exact cosines of all, both ranks, the fused value, the line. */
static size_t ask_oracle(const char *filters, const float *query, const char *words, size_t *ret_strong)
{
    pd_query *parsed = NULL;
    pd_slots slots = { 0 };
    CHECK(pd_query_parse(&parsed, filters, strlen(filters), NULL) == PD_OK);
    CHECK(pd_columns_filter(w.columns, w.store, parsed, PD_FIELD_COUNT, &slots, NULL) == PD_OK);
    static float all[N_MAX];
    size_t n_passing = 0, n_all = 0;
    n_oracle = 0;
    for (uint32_t slot = 0; slot < pd_columns_n(w.columns); slot++) {
        const int64_t content = pd_columns_content(w.columns, slot);
        if (!content || !pd_slots_has(&slots, slot))
            continue;
        oracle_photo *photo = &oracle[n_oracle++];
        *photo = (oracle_photo){ .slot = slot, .passes = true, .has_vector = halves[content - 1][0] != 0 };
        if (photo->has_vector)
            photo->score = exact(content, query);
        n_passing++;
    }
    for (size_t i = 0; i < w.n; i++)
        if (halves[i][0])
            all[n_all++] = (float)exact((int64_t)i + 1, query);
    pd_relevance relevance;
    pd_relevance_fit(&relevance, all, n_all, &(pd_null){ 0 }, 5);
    hearing h = { 0 };
    if (words[0])
        CHECK(pd_store_words_any(w.store, words, PD_SEARCH_WORDS_MAX, hear_word, &h, NULL) == PD_OK);
    qsort(oracle, n_oracle, sizeof *oracle, by_score);
    *ret_strong = 0;
    size_t n_near = 0;
    for (size_t i = 0; i < n_oracle; i++)
        n_near += oracle[i].is_worded && oracle[i].share >= 0.5;
    for (size_t i = 0; i < n_oracle; i++) {
        oracle_photo *p = &oracle[i];
        p->share *= 1 - (double)n_near / (double)n_passing;
        p->fused = p->has_vector ? 1.0 / (K + 1 + (double)i) : 0;
        if (p->is_worded)
            p->fused += SHARE * p->share / (K + 1 + (double)p->rank_words);
        p->z = (p->has_vector ? pd_relevance_of(&relevance, (float)p->score) : 0) + p->share;
        p->is_strong = p->z >= relevance.line;
        *ret_strong += p->is_strong;
    }
    qsort(oracle, n_oracle, sizeof *oracle, by_fusion);
    pd_slots_done(&slots);
    pd_query_free(&parsed);
    return n_passing;
}

static double worst_score;

/* The same photos in the same order; two that are nearer to each other than float can tell may have changed places. */
static size_t count_right(pd_result *result, size_t offset, size_t n)
{
    pd_result_item *items = malloc(n * sizeof *items);
    size_t n_items = 0, right = 0;
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ offset, n }, items, &n_items, NULL) == PD_OK);
    for (size_t i = 0; i < n_items; i++) {
        const oracle_photo *p = &oracle[offset + i];
        if (p->has_vector)
            worst_score = fmax(worst_score, fabs((double)items[i].score - p->score));
        right += items[i].slot == p->slot ||
                 (p->has_vector && fabs((double)items[i].score - p->score) < 1e-6 && !p->is_worded);
    }
    free(items);
    return right;
}

static void make_world(size_t n, size_t dim)
{
    float vector[DIM_MAX];
    memset(halves, 0, sizeof halves);
    open_world(dim);
    for (uint64_t i = 0; i < n; i++) {
        make_vector(i, dim, vector);
        add(i % 50 == 49 ? NULL : vector, i % 20 == 19 ? 2 : 1);
    }
    commit_world();
}

static void make_question(uint64_t q, float *ret_vector)
{
    make_vector(N_MAX + q * 37, w.dim, ret_vector);
    if (q % 3 == 2) /* like words: far from every picture */
        for (size_t i = 0; i < w.dim; i++)
            ret_vector[i] = noise(90000000 + q * w.dim + i);
    float length = sqrtf(w.kernels.dot_f32(ret_vector, ret_vector, w.dim));
    for (size_t i = 0; i < w.dim; i++)
        ret_vector[i] /= length;
}

static void the_order_is_the_one_of_looking_at_everything(void)
{
    enum { N = 3000 };
    static const char *const filters[] = { "", "type:png", "-type:png iso:>2", "in:dog", "iso:99" };
    static const char *const words[] = { "", "dog", "a red dog by the blue sea" };
    make_world(N, 64);
    float vector[DIM_MAX];
    worst_score = 0;
    for (uint64_t q = 0; q < 6; q++) {
        make_question(q, vector);
        for (size_t f = 0; f < 5; f++) {
            const char *said = words[(q + f) % 3];
            size_t n_strong = 0;
            const size_t n = ask_oracle(filters[f], vector, said, &n_strong);
            pd_result *result = NULL;
            REQUIRE(find(filters[f], vector, (pd_sought){ .words = said, .head = 2 * N }, &result, NULL) == PD_OK);
            CHECK(pd_result_total(result) == n && (f == 4) == (n == 0));
            CHECK(fabs((double)pd_result_strong(result) - (double)n_strong) <= 1); /* one may lie on the line */
            if (pd_result_strong(result) == (int64_t)n_strong)
                CHECK(count_right(result, 0, n) == n);
            pd_result_free(&result);
        }
    }
    printf("# largest difference of a score from the oracle: %.2g\n", worst_score);
    CHECK(worst_score < 1e-6); /* measured 1.6e-7 */
    close_world();
}

/* Without words the head is the order by exact cosines, on a cloud where a hundred rows are within the scan's error. */
static void the_head_is_proven_on_20000_clustered_vectors(void)
{
    make_world(N_MAX, DIM_MAX);
    float vector[DIM_MAX];
    static const size_t heads[] = { 1, 200, 1000 };
    worst_score = 0;
    for (uint64_t q = 0; q < 6; q++) {
        make_question(q, vector);
        size_t n_strong;
        (void)ask_oracle("", vector, "", &n_strong);
        for (size_t h = 0; h < 3; h++) {
            pd_result *result = NULL;
            REQUIRE(find("", vector, (pd_sought){ .head = heads[h] }, &result, NULL) == PD_OK);
            CHECK(count_right(result, 0, heads[h]) == heads[h]);
            pd_result_free(&result);
        }
    }
    printf("# largest difference of a score from the oracle: %.2g\n", worst_score);
    CHECK(worst_score < 1e-6); /* measured 1.4e-7 */
    close_world();
}

static pd_result_item first[3000], all[6000];

/* Every photo, in pieces of 99. */
static size_t read_all(pd_result *result)
{
    size_t n = 0, n_all = 0;
    while (pd_result_window(result, w.columns, &(pd_result_range){ n_all, 99 }, all + n_all, &n, NULL) == PD_OK &&
           n > 0)
        n_all += n;
    return n_all;
}

/* Nothing twice, the strong ones in front; by score and without words, scores fall. */
static bool is_whole(const pd_result *result, size_t n, bool falls)
{
    static bool seen[6000];
    memset(seen, 0, sizeof seen);
    bool is_right = n == pd_result_total(result);
    for (size_t i = 0; i < n; i++) {
        is_right &= !seen[all[i].slot];
        seen[all[i].slot] = true;
        is_right &= pd_result_strong(result) < 0 || ((int64_t)i < pd_result_strong(result)) == (all[i].match >= 50);
        is_right &= !falls || i == 0 || !isfinite(all[i].score) || all[i - 1].score >= all[i].score;
    }
    return is_right;
}

static void check_deep(const float *vector, const char *words, pd_order order)
{
    pd_result *result = NULL;
    size_t n_first = 0, n = 0, same = 0;
    REQUIRE(find("iso:>0", vector, (pd_sought){ .words = words, .order = order }, &result, NULL) == PD_OK);
    CHECK(pd_result_order(result) == order && (pd_result_strong(result) >= 0) == (vector != NULL));
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ 0, 150 }, first, &n_first, NULL) == PD_OK);
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ 2100, 20 }, all, &n, NULL) == PD_OK && n == 20);
    CHECK(is_whole(result, read_all(result), order == PD_ORDER_SCORE && !words[0]));
    while (same < n_first && first[same].slot == all[same].slot && first[same].match == all[same].match)
        same++;
    CHECK(same == 150);
    const size_t total = pd_result_total(result);
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ total + 5, 20 }, all, &n, NULL) == PD_OK && n == 0);
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ SIZE_MAX, SIZE_MAX }, all, &n, NULL) == PD_OK &&
          n == 0);
    pd_result_free(&result);
}

/* What is put in order late is what would have been put in order at once. */
static void a_deep_window_goes_on_where_the_head_ends(void)
{
    make_world(2500, 64);
    float vector[DIM_MAX];
    make_question(1, vector);
    static const pd_order orders[] = { PD_ORDER_SCORE, PD_ORDER_NEWEST, PD_ORDER_NAME, PD_ORDER_LARGEST };
    for (size_t o = 0; o < 4; o++) {
        check_deep(vector, "red dog", orders[o]);
        check_deep(vector, "", orders[o]);
        if (orders[o] != PD_ORDER_SCORE)
            check_deep(NULL, "", orders[o]);
    }
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
    pd_result *result = NULL;
    pd_result_item items[20];
    size_t n = 0;
    REQUIRE(find("", vector, (pd_sought){ 0 }, &result, NULL) == PD_OK && pd_result_total(result) == 15);
    REQUIRE(pd_result_window(result, w.columns, &(pd_result_range){ 0, 4 }, items, &n, NULL) == PD_OK && n == 4);
    for (uint32_t i = 0; i < 3; i++)
        CHECK(pd_columns_photo(w.columns, items[i].slot) == 7 + i && items[i].score > 0.9999F);
    CHECK(items[3].score < items[2].score);
    pd_result_free(&result);
    close_world();
}

static void examples_are_never_shown_and_say_nothing_about_the_line(void)
{
    open_world(64);
    float vector[64];
    for (uint64_t i = 0; i < 50; i++) {
        make_vector(i, 64, vector);
        add(vector, 2);
    }
    commit_world();
    make_vector(2, 64, vector);
    const int64_t without[] = { 3, 3, 777 };
    pd_result *result = NULL;
    pd_result_item items[100];
    size_t n = 0;
    REQUIRE(find("", vector, (pd_sought){ .without = without, .n_without = 3 }, &result, NULL) == PD_OK);
    CHECK(pd_result_total(result) == 98);
    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ 0, 100 }, items, &n, NULL) == PD_OK && n == 98);
    for (size_t i = 0; i < n; i++)
        CHECK(pd_columns_content(w.columns, items[i].slot) != 3);
    pd_result_free(&result);
    close_world();
}

static void a_library_of_one_picture_is_answered(void)
{
    open_world(64);
    float vector[64];
    make_vector(1, 64, vector);
    for (uint64_t i = 0; i < 3000; i++)
        add(vector, 1);
    commit_world();
    pd_result *result = NULL;
    pd_result_item items[10];
    size_t n = 0;
    REQUIRE(find("", vector, (pd_sought){ 0 }, &result, NULL) == PD_OK);
    CHECK(pd_result_total(result) == 3000 && pd_result_strong(result) == 0);
    REQUIRE(pd_result_window(result, w.columns, &(pd_result_range){ 2990, 10 }, items, &n, NULL) == PD_OK && n == 10);
    CHECK(items[9].slot == 2999 && items[9].score > 0.9999F);
    pd_result_free(&result);
    /* beside questions that nobody asked it is a strong match for what it is, and no match for its opposite */
    const pd_null null = { .mean = 0, .deviation = 0.1, .weight = 50000 };
    REQUIRE(find("", vector, (pd_sought){ .null = null }, &result, NULL) == PD_OK);
    CHECK(pd_result_strong(result) == 3000);
    pd_result_free(&result);
    for (size_t i = 0; i < 64; i++)
        vector[i] = -vector[i];
    REQUIRE(find("", vector, (pd_sought){ .null = null }, &result, NULL) == PD_OK);
    CHECK(pd_result_strong(result) == 0);
    REQUIRE(pd_result_window(result, w.columns, &(pd_result_range){ 0, 1 }, items, &n, NULL) == PD_OK &&
            items[0].match == 0);
    pd_result_free(&result);
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
    pd_result *result = NULL;
    pd_error err = { 0 };
    CHECK(find("", vector, (pd_sought){ 0 }, &result, &err) == PD_ERR_CORRUPT);
    CHECK(strstr(err.message, "vector file") && !result);
    close_world();
}

static void odd_questions_are_answered(void)
{
    open_world(64);
    commit_world();
    float vector[64];
    make_vector(1, 64, vector);
    pd_result *result = NULL;
    REQUIRE(find("", vector, (pd_sought){ .words = "a dog" }, &result, NULL) == PD_OK);
    CHECK(pd_result_total(result) == 0 && pd_result_strong(result) == 0);
    pd_result_free(&result);
    REQUIRE(find("", NULL, (pd_sought){ .order = PD_ORDER_NEWEST }, &result, NULL) == PD_OK);
    CHECK(pd_result_total(result) == 0 && pd_result_strong(result) == -1);
    pd_result_free(&result);
    const atomic_bool cancelled = true;
    CHECK(find("", vector, (pd_sought){ .cancelled = &cancelled }, &result, NULL) == PD_ERR_CANCELLED && !result);
    close_world();
}

static void running_out_of_memory_leaks_nothing(void)
{
    make_world(700, 64);
    float vector[64];
    make_vector(5, 64, vector);
    for (int deep = 0; deep < 2; deep++)
        for (int by_date = 0; by_date < 2; by_date++) {
            size_t tries = 0;
            const pd_sought sought = { .words = "red dog", .order = by_date ? PD_ORDER_OLDEST : PD_ORDER_SCORE };
            for (pd_status status = PD_ERR_NOMEM; status == PD_ERR_NOMEM && tries < 300; tries++) {
                const size_t live = pd_mem_live();
                pd_result *result = NULL;
                pd_result_item items[5];
                size_t n = 77;
                if (deep)
                    REQUIRE(find("iso:>0", vector, sought, &result, NULL) == PD_OK);
                (void)pd_mem_fail_at(tries + 1);
                status = deep ? pd_result_window(result, w.columns, &(pd_result_range){ 500, 5 }, items, &n, NULL)
                              : find("iso:>0", vector, sought, &result, NULL);
                (void)pd_mem_fail_at(0);
                CHECK(status == PD_OK || (status == PD_ERR_NOMEM && n == 77 && (deep || !result)));
                if (deep) /* a failure leaves the result as it was */
                    CHECK(pd_result_window(result, w.columns, &(pd_result_range){ 500, 5 }, items, &n, NULL) == PD_OK &&
                          n == 5);
                pd_result_free(&result);
                CHECK(pd_mem_live() <= live + 3); /* buffers of the catalogue stay */
            }
            printf("# %zu allocations\n", tries);
            CHECK(tries > 2 && tries < 300);
        }
    close_world();
}

int main(void)
{
    RUN(the_order_is_the_one_of_looking_at_everything);
    RUN(a_deep_window_goes_on_where_the_head_ends);
    RUN(copies_of_a_content_are_hits_each);
    RUN(examples_are_never_shown_and_say_nothing_about_the_line);
    RUN(a_library_of_one_picture_is_answered);
    RUN(a_vector_file_of_other_vectors_is_noticed);
    RUN(odd_questions_are_answered);
    RUN(running_out_of_memory_leaks_nothing);
    RUN(the_head_is_proven_on_20000_clustered_vectors);
    return TEST_RESULT();
}
