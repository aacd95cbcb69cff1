/* preprocess.h: any picture to the model's square of pixels, as Pillow and transformers' image processors do it.
 *
 * The short side is resized to short_side, the long side to int(short_side * long / short) (truncated), with Pillow's
 * antialiased bicubic or bilinear: rows first, rounded and clipped to 8 bits, then columns. The square is cut at
 * floor((length - side) / 2); where the picture is smaller it stands in the middle of zeros. Or both sides are resized
 * to the square's. Only what the square shows is computed. Private to the room. */
#ifndef PD_MODEL_PREPROCESS_H
#define PD_MODEL_PREPROCESS_H

#include "base/arena.h"
#include "model/config.h"

/* Arena space of one call; mostly untouched by pictures of ordinary size. */
size_t pd_preprocess_need(const pd_preprocess_config *config);

/* ret_crop: [side, side, 3]. PD_ERR_LIMIT when a side is 0 or more than PD_MODEL_PIXELS_SIDE_MAX. */
PD_MUST_USE pd_status pd_preprocess_run(const pd_preprocess_config *config, const pd_kernels *kernels, pd_arena *arena,
                                        const pd_pixels *pixels, uint8_t *ret_crop, pd_error *err);

#endif
