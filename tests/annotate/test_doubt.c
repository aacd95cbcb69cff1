/* How sure a caption is: the better it fits the surer it is; what loops is never believed. */
#include "annotate/doubt.h"

#include <math.h>

#include "test.h"

static const pd_caption_advice silent = { .rerank_weight = (float)NAN, .doubt_cosine_below = (float)NAN };
static const pd_doubt_scale scale = { .mean = 0.1F, .deviation = 0.05F }, none = { (float)NAN, (float)NAN };

static void scores_are_between_0_and_1_and_grow_with_the_fit(void)
{
    float before = -1;
    const pd_caption caption = { .text = "a dog", .likelihood = -1 };
    for (int c = -10; c <= 10; c++) {
        const pd_doubt doubt = pd_doubt_judge(&caption, 0.1F * (float)c, &silent, &scale);
        CHECK(doubt.score >= 0 && doubt.score <= 1 && doubt.score > before);
        before = doubt.score;
    }
}

static void the_directory_says_what_is_doubtful(void)
{
    const pd_caption caption = { .text = "a dog", .likelihood = -1 };
    const pd_caption_advice advice = { .rerank_weight = 2, .doubt_cosine_below = 0.5F };
    CHECK(pd_doubt_judge(&caption, 0.49F, &advice, &none).doubtful &&
          !pd_doubt_judge(&caption, 0.51F, &advice, &none).doubtful);
    CHECK(pd_doubt_judge(&caption, (float)NAN, &advice, &none).doubtful);
}

/* Three deviations above what everyday things score there, however high a model's cosines are. */
static void where_it_is_silent_everyday_things_are_the_scale(void)
{
    const pd_caption caption = { .text = "a dog", .likelihood = -1 };
    const pd_doubt_scale high = { .mean = 0.8F, .deviation = 0.01F };
    CHECK(pd_doubt_judge(&caption, 0.24F, &silent, &scale).doubtful);
    CHECK(!pd_doubt_judge(&caption, 0.26F, &silent, &scale).doubtful);
    CHECK(pd_doubt_judge(&caption, 0.82F, &silent, &high).doubtful);
    CHECK(!pd_doubt_judge(&caption, 0.84F, &silent, &high).doubtful);
    CHECK(fabsf(pd_doubt_judge(&caption, 0.3F, &silent, &scale).score -
                pd_doubt_judge(&caption, 0.84F, &silent, &high).score) < 1e-3F);
    CHECK(pd_doubt_judge(&caption, (float)NAN, &silent, &scale).doubtful);
    const pd_doubt lost = pd_doubt_judge(&caption, 0.3F, &silent, &none);
    CHECK(lost.doubtful && lost.score == 0);
}

static void a_scale_is_mean_and_deviation(void)
{
    static const float cosines[] = { 0.1F, 0.3F, 0.1F, 0.3F };
    pd_doubt_scale found;
    pd_doubt_scale_find(cosines, 4, &found);
    CHECK(fabsf(found.mean - 0.2F) < 1e-6F && fabsf(found.deviation - 0.1F) < 1e-6F);
    pd_doubt_scale_find(cosines, 1, &found);
    CHECK(found.deviation >= 0 && found.deviation < 1e-3F);
}

static void what_says_the_same_over_and_over_is_not_believed(void)
{
    const pd_caption caption = { .text = "bald bald bald", .likelihood = -0.01F, .repeats = true };
    const pd_doubt doubt = pd_doubt_judge(&caption, 0.9F, &silent, &scale);
    CHECK(doubt.doubtful && doubt.score == 0);
}

int main(void)
{
    RUN(scores_are_between_0_and_1_and_grow_with_the_fit);
    RUN(the_directory_says_what_is_doubtful);
    RUN(where_it_is_silent_everyday_things_are_the_scale);
    RUN(a_scale_is_mean_and_deviation);
    RUN(what_says_the_same_over_and_over_is_not_believed);
    return TEST_RESULT();
}
