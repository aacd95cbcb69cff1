/* raw.h: raw files of cameras: the preview that the camera made, or else the sensor's values developed by LibRaw.
 * Private to the decoder.
 *
 * The camera's own preview is what the photographer saw, and costs a hundredth. LibRaw says where it lies; what LibRaw
 * does not know (a camera newer than it) still has a preview that preview.h finds. */
#ifndef PD_DECODER_RAW_H
#define PD_DECODER_RAW_H

#include <vips/vips.h>

#include "base/error.h"
#include "decoder/preview.h"

typedef struct pd_raw pd_raw; /* one thread at a time; reads the file's bytes while it lives */

/* FORMAT: neither LibRaw nor preview.h finds a picture in it. */
PD_MUST_USE pd_status pd_raw_open(pd_raw **ret_raw, const uint8_t *data, size_t len, pd_error *err);
void pd_raw_close(pd_raw **raw); /* NULL-safe */

/* Size as stored, before turning: the preview's when it is the whole picture, else the sensor's. */
void pd_raw_size(const pd_raw *raw, uint32_t *ret_width, uint32_t *ret_height);
uint32_t pd_raw_orientation(const pd_raw *raw); /* EXIF 1..8; 0: LibRaw does not know the file */

/* The preview when its short side is >= short_side_min, or when nothing better can be had; NULL: develop. */
const pd_preview *pd_raw_choose_preview(const pd_raw *raw, uint32_t short_side_min);

/* Develops the sensor's values: 8-bit sRGB as stored, at half the size when that leaves short_side_min. *ret_image
 * reads memory of `raw`. */
PD_MUST_USE pd_status pd_raw_develop(pd_raw *raw, uint32_t short_side_min, VipsImage **ret_image, pd_error *err);

#endif
