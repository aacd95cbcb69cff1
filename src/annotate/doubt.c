#include "annotate/doubt.h"

#include <math.h>
#include <stdio.h>

/* Where the captioner's directory does not say what is doubtful: standard deviations of everyday things' cosines above
 * their mean. With models/tiny-caption, whose directory says it, this line marks as many captions as that, and they are
 * wrong nearly as often (docs/captions.md). */
#define DOUBT_BELOW 3.0F

/* Logistic curves, fitted to what is right of quality/captions.py (its rows "fitted on all"). The likelihood adds
 * nothing to the cosine there, and is not comparable between sentences and labels ("a photo of a tree"). */
#define SCORE_AT_0 (-5.81F)
#define SCORE_PER_COSINE 14.35F
#define SCALED_SCORE_AT_0 (-4.07F)
#define SCORE_PER_DEVIATION 0.98F

/* Of how captions are chosen and judged; grow when either changes. */
#define CHOICE_VERSION 1
#define SCALED_CHOICE_VERSION 2

void pd_caption_source(const pd_captioner *captioner, char ret_source[PD_WRITTEN_SOURCE_BYTES])
{
    pd_caption_advice advice;
    pd_captioner_advice(captioner, &advice);
    (void)snprintf(ret_source, PD_WRITTEN_SOURCE_BYTES, "%s/%d", pd_captioner_id(captioner),
                   isnan(advice.doubt_cosine_below) ? SCALED_CHOICE_VERSION : CHOICE_VERSION);
}

void pd_doubt_scale_find(const float *cosines, size_t n, pd_doubt_scale *ret_scale)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)cosines[i];
        square += (double)cosines[i] * (double)cosines[i];
    }
    const double mean = sum / (double)n;
    *ret_scale = (pd_doubt_scale){ (float)mean, (float)sqrt(fmax(0, square / (double)n - mean * mean)) };
}

static float logistic(float odds) { return 1 / (1 + expf(-odds)); }

pd_doubt pd_doubt_judge(const pd_caption *caption, float cosine, const pd_caption_advice *advice,
                        const pd_doubt_scale *scale)
{
    pd_doubt doubt;
    if (isnan(advice->doubt_cosine_below)) {
        const float above = (cosine - scale->mean) / scale->deviation; /* not a number: nothing to compare with */
        doubt.score = isnan(above) ? 0 : logistic(SCALED_SCORE_AT_0 + SCORE_PER_DEVIATION * above);
        doubt.doubtful = !(above >= DOUBT_BELOW);
    } else {
        doubt.score = logistic(SCORE_AT_0 + SCORE_PER_COSINE * cosine);
        doubt.doubtful = !(cosine >= advice->doubt_cosine_below);
    }
    return caption->repeats ? (pd_doubt){ .score = 0, .doubtful = true } : doubt;
}
