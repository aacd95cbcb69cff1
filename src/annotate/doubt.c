#include "annotate/doubt.h"

#include <math.h>
#include <stdio.h>

/* Cosine below which a caption is doubtful where the captioner's directory does not say: that of models/tiny-caption,
 * whose model card measured it (12 % of Flickr8k's dev split marked; quality/captions.csv measures it again). */
#define DOUBT_COSINE_PRESET 0.33F

/* A logistic curve, fitted to what is right of quality/captions.py (its rows "fitted on all"). The likelihood adds
 * nothing to the cosine there, and is not comparable between sentences and labels ("a photo of a tree"). */
#define SCORE_AT_0 (-5.81F)
#define SCORE_PER_COSINE 14.35F

#define CHOICE_VERSION 1 /* of how captions are chosen and judged; grows when either changes */

void pd_caption_source(const pd_captioner *captioner, char ret_source[PD_WRITTEN_SOURCE_BYTES])
{
    (void)snprintf(ret_source, PD_WRITTEN_SOURCE_BYTES, "%s/%d", pd_captioner_id(captioner), CHOICE_VERSION);
}

pd_doubt pd_doubt_judge(const pd_caption *caption, float cosine, const pd_caption_advice *advice)
{
    const float below = isnan(advice->doubt_cosine_below) ? DOUBT_COSINE_PRESET : advice->doubt_cosine_below;
    const float score = 1 / (1 + expf(-SCORE_AT_0 - SCORE_PER_COSINE * cosine));
    return (pd_doubt){ .score = caption->repeats ? 0 : score, .doubtful = caption->repeats || !(cosine >= below) };
}
