/* ciff.h: make and model from CIFF, Canon's own block of 1998-2000, before its cameras wrote EXIF. */
#ifndef PD_DECODER_CIFF_H
#define PD_DECODER_CIFF_H

#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

/* `jpeg` is a whole JPEG file. Fills make and model where they are empty and the block is there. */
void pd_ciff_read(const uint8_t *jpeg, size_t len, pd_photo_meta *meta);

#endif
