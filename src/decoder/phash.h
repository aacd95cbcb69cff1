/* phash.h: the perceptual hash. Pictures that look alike differ in few of its 64 bits.
 *
 * Definition (fixed: the values are stored). The upright sRGB picture is reduced to 32 x 32 by exact area averages of
 * its luma Y = 0.299 R + 0.587 G + 0.114 B on the coded 8-bit values. C(u,v) is its two-dimensional DCT-II without
 * normalisation, rounded to 1/1024 so that a plain area is 0; u is the horizontal and v the vertical frequency. Of the
 * block u, v in 0..7, the 63 values other than C(0,0) have the median m (the 32nd in rising order). Bit 8 v + u,
 * counted from the lowest, is C(u,v) > m; bit 0 (the mean brightness, which says nothing) is 0. */
#ifndef PD_DECODER_PHASH_H
#define PD_DECODER_PHASH_H

#include <stdint.h>

/* `pixels`: [height, width, 3], both sides >= 1. */
uint64_t pd_phash_of_rgb(const uint8_t *pixels, uint32_t width, uint32_t height);

#endif
