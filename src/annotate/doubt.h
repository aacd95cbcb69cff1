/* doubt.h: how sure a caption is. Private to the room; pure.
 *
 * What speaks for a caption is its cosine with its picture in the search model's space. docs/captions.md says how the
 * constants were calibrated, and why its likelihood does not count. */
#ifndef PD_ANNOTATE_DOUBT_H
#define PD_ANNOTATE_DOUBT_H

#include <stdbool.h>
#include <stddef.h>

#include "annotate/annotate.h"

typedef struct pd_doubt {
    float score; /* 0..1: how often captions with such numbers say something right */
    bool doubtful;
} pd_doubt;

/* What stands in machine texts as the source of captions: the captioner's id, and the version of how captions are
 * chosen and judged here. With another one they are written anew. */
void pd_caption_source(const pd_captioner *captioner, char ret_source[PD_WRITTEN_SOURCE_BYTES]);

/* What everyday things (annotate.h) score on the picture: a scale that needs no labels, for the cosines of any model.
 */
typedef struct pd_doubt_scale {
    float mean, deviation;
} pd_doubt_scale;
void pd_doubt_scale_find(const float *cosines, size_t n, pd_doubt_scale *ret_scale);

/* scale is looked at only where the captioner's directory does not say what is doubtful. */
pd_doubt pd_doubt_judge(const pd_caption *caption, float cosine, const pd_caption_advice *advice,
                        const pd_doubt_scale *scale);

#endif
