/* How sure a caption is: the better it fits the surer it is; what loops is never believed. */
#include "annotate/doubt.h"

#include <math.h>

#include "test.h"

static const pd_caption_advice silent = { .rerank_weight = (float)NAN, .doubt_cosine_below = (float)NAN };

static void scores_are_between_0_and_1_and_grow_with_the_fit(void)
{
    float before = -1;
    const pd_caption caption = { .text = "a dog", .likelihood = -1 };
    for (int c = -10; c <= 10; c++) {
        const pd_doubt doubt = pd_doubt_judge(&caption, 0.1F * (float)c, &silent);
        CHECK(doubt.score >= 0 && doubt.score <= 1 && doubt.score > before);
        before = doubt.score;
    }
}

static void the_directory_says_what_is_doubtful(void)
{
    const pd_caption caption = { .text = "a dog", .likelihood = -1 };
    const pd_caption_advice advice = { .rerank_weight = 2, .doubt_cosine_below = 0.5F };
    CHECK(pd_doubt_judge(&caption, 0.49F, &advice).doubtful && !pd_doubt_judge(&caption, 0.51F, &advice).doubtful);
    CHECK(pd_doubt_judge(&caption, 0.30F, &silent).doubtful && !pd_doubt_judge(&caption, 0.36F, &silent).doubtful);
    CHECK(pd_doubt_judge(&caption, (float)NAN, &silent).doubtful);
}

static void what_says_the_same_over_and_over_is_not_believed(void)
{
    const pd_caption caption = { .text = "bald bald bald", .likelihood = -0.01F, .repeats = true };
    const pd_doubt doubt = pd_doubt_judge(&caption, 0.9F, &silent);
    CHECK(doubt.doubtful && doubt.score == 0);
}

int main(void)
{
    RUN(scores_are_between_0_and_1_and_grow_with_the_fit);
    RUN(the_directory_says_what_is_doubtful);
    RUN(what_says_the_same_over_and_over_is_not_believed);
    return TEST_RESULT();
}
