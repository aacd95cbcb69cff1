/* rendition.h: a finished picture as a JPEG that every browser shows. Private to the decoder. */
#ifndef PD_DECODER_RENDITION_H
#define PD_DECODER_RENDITION_H

#include <stddef.h>
#include <stdint.h>

#include <vips/vips.h>

#include "base/error.h"

/* Writes `image` (upright, 8-bit sRGB) to `ret_bytes` as a baseline JPEG with 4:2:0 colours and no metadata. LIMIT: it
 * has more than `bytes_max` bytes, *ret_n then says how many; FORMAT: the pixels cannot be computed. */
PD_MUST_USE pd_status pd_rendition_write(VipsImage *image, int quality, size_t bytes_max, uint8_t *ret_bytes,
                                         size_t *ret_n, pd_error *err);

#endif
