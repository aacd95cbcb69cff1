/* Orders of many photos against the library's sort; what a score means. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "search/scored.h"
#include "search/search.h"
#include "test.h"

#define N 30000

static pd_place places[N], sorted[N];

static int compare(const void *a, const void *b) { return pd_place_compare(a, b); }

static uint32_t next_random(void)
{
    static uint64_t state = 88172645463325252U;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

/* Cosines, many of them equal, both zeros among them. */
static void make_places(size_t n, uint32_t n_values)
{
    for (size_t i = 0; i < n; i++) {
        const float value = (float)(next_random() % n_values) / (float)n_values * 2 - 1;
        places[i] = (pd_place){ (uint32_t)i, i % 97 == 0 ? (i % 2 ? -0.0F : 0.0F) : value };
    }
    memcpy(sorted, places, n * sizeof *places);
    qsort(sorted, n, sizeof *sorted, compare);
}

static void sorting_is_what_comparing_gives(void)
{
    static const size_t sizes[] = { 0, 1, 2, 100, N };
    for (size_t s = 0; s < 5; s++)
        for (uint32_t n_values = 1; n_values < 10000000; n_values *= 50) {
            make_places(sizes[s], n_values);
            CHECK(pd_places_sort(places, sizes[s], NULL) == PD_OK);
            for (size_t i = 0; i < sizes[s]; i++)
                CHECK(places[i].slot == sorted[i].slot);
        }
    CHECK(pd_mem_live() == 0);
}

static void the_best_are_the_first_of_all(void)
{
    static pd_place best[N];
    static const size_t wanted[] = { 0, 1, 7, 200, 5000, N };
    for (uint32_t n_values = 1; n_values < 10000000; n_values *= 50)
        for (size_t k = 0; k < 6; k++) {
            make_places(N, n_values);
            CHECK(pd_places_best(places, N, wanted[k], best, NULL) == PD_OK);
            for (size_t i = 0; i < wanted[k]; i++)
                CHECK(best[i].slot == sorted[i].slot);
        }
    make_places(N, 1000);
    (void)pd_mem_fail_at(1);
    CHECK(pd_places_best(places, N, 10, best, NULL) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
    CHECK(pd_mem_live() == 0);
}

static void relevance_is_measured_in_deviations(void)
{
    static float scores[10001];
    for (size_t i = 0; i < 10000; i++) /* twelve uniform numbers: nearly normal, deviation 0.05 */
        for (size_t j = 0; j < 12; j++)
            scores[i] += ((float)(next_random() % 10000) / 10000 - 0.5F) * 0.05F;
    scores[10000] = NAN;
    pd_relevance r;
    pd_relevance_fit(&r, scores, 10001, &(pd_null){ 0 }, 5);
    CHECK(fabs(r.mean) <= 0.002);
    CHECK(fabs(r.deviation - 0.05) <= 0.002);
    CHECK(r.line > 3.2 && r.line < 3.9); /* chance lets 5 of 10,000 reach 3.29 */
    CHECK(fabs(pd_relevance_of(&r, 0.1F) - 2) <= 0.1);
    CHECK(pd_relevance_match(&r, -1) == 0 && pd_relevance_match(&r, r.line) == 50);
    CHECK(pd_relevance_match(&r, r.line - 0.01) == 49 && pd_relevance_match(&r, 100) >= 99);
    for (double z = -2; z < 10; z += 0.01)
        CHECK(pd_relevance_match(&r, z) <= pd_relevance_match(&r, z + 0.01));
    pd_relevance sentence;
    pd_relevance_fit(&sentence, scores, 10001, &(pd_null){ 0 }, pd_relevance_expected(12));
    CHECK(sentence.line > r.line);
}

static void little_is_known_about_little(void)
{
    pd_relevance r;
    pd_relevance_fit(&r, NULL, 0, &(pd_null){ 0 }, 5);
    CHECK(pd_relevance_of(&r, 0.5F) == 0 && pd_relevance_match(&r, 0) == 0 && r.line >= 1);
    const float one = 0.3F;
    pd_relevance_fit(&r, &one, 1, &(pd_null){ 0 }, 5);
    CHECK(pd_relevance_of(&r, one) < r.line); /* nothing to compare with */
    const pd_null null = { .mean = 0, .deviation = 0.1, .weight = 50 };
    pd_relevance_fit(&r, &one, 1, &null, 5);
    CHECK(pd_relevance_of(&r, one) > r.line);
    const float unlike = 0.05F;
    pd_relevance_fit(&r, &unlike, 1, &null, 5);
    CHECK(pd_relevance_of(&r, unlike) < r.line);
    CHECK(pd_relevance_expected(0) == 5);
    CHECK(pd_relevance_expected(2) == 5);
    CHECK(pd_relevance_expected(40) == 1);
}

int main(void)
{
    RUN(sorting_is_what_comparing_gives);
    RUN(the_best_are_the_first_of_all);
    RUN(relevance_is_measured_in_deviations);
    RUN(little_is_known_about_little);
    return TEST_RESULT();
}
