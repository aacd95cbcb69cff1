/* blank.h: pictures of nothing: plain colours, and noise from coarse to fine. Private to the room.
 *
 * Words fit even these, by chance, and no height of a cosine tells: what a model sees in them lies as far from its
 * words as any photo does. But it lies together, and far from photos. So they are drawn here and looked at with the
 * model's own image tower, and a photo that is nearly one of them in the model's eyes gets no tags. docs/tags.md has
 * figures. */
#ifndef PD_ANNOTATE_BLANK_H
#define PD_ANNOTATE_BLANK_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

#define PD_BLANKS 14

/* ret_rows: [PD_BLANKS, dim], of unit length. */
PD_MUST_USE pd_status pd_blanks_embed(pd_session *vision, size_t dim, float *ret_rows, pd_error *err);
/* cosines: [PD_BLANKS], of one photo with each. */
bool pd_is_blank(const float *cosines);

#endif
