/* appearance.h: sharpness and dominant colours of the upright picture.
 *
 * Sharpness (fixed: the values are stored, and compared between pictures of a burst). The picture is reduced, never
 * enlarged, to a short side of 448 px, so that a copy at another size has about the same; its luma goes through the
 * Laplacian 4 c - l - r - u - d, and each of 8 x 8 tiles has the root of the mean square of it. The mean over the 16
 * sharpest tiles is the sharpness: a face in front of a soft background is sharp.
 *
 * Colours: the picture's colours are counted in cells of 16 levels. The fullest cell and all that look alike, which is
 * less far than 40 levels, lightness counting half, are one colour: their mean. Then the fullest of the rest, and so
 * on; what covers less than 3 % is none. */
#ifndef PD_DECODER_APPEARANCE_H
#define PD_DECODER_APPEARANCE_H

#include "base/error.h"
#include "base/look.h"

/* `pixels`: [height, width, 3], both sides >= 1. NOMEM. */
PD_MUST_USE pd_status pd_look_of_rgb(const uint8_t *pixels, uint32_t width, uint32_t height, pd_look *ret_look);

#endif
