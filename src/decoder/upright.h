/* upright.h: from EXIF's orientation to a picture that stands as it was seen. Private to the decoder. */
#ifndef PD_DECODER_UPRIGHT_H
#define PD_DECODER_UPRIGHT_H

#include <stdint.h>

#include <vips/vips.h>

/* EXIF 1..8. Turns read in any order, so that the picture is in memory afterwards; orientation 1 changes nothing. 0,
 * and *image replaced; -1 with the vips error set. */
int pd_image_turn_upright(VipsImage **image, uint32_t orientation);

#endif
