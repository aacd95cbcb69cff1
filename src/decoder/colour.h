/* colour.h: any vips image to upright-agnostic 8-bit sRGB with three bands. Private to the decoder.
 *
 * An embedded ICC profile counts when it can be used; one that cannot is ignored. Pictures without profile are sRGB, or
 * the standard printing colours when they are CMYK. Alpha is flattened over white. */
#ifndef PD_DECODER_COLOUR_H
#define PD_DECODER_COLOUR_H

#include <vips/vips.h>

/* 0, and a new reference in *ret_image; -1 with the vips error set. */
int pd_colour_to_srgb(VipsImage *image, VipsImage **ret_image);

/* One step of a chain of operations: *next takes the place of *image, whose reference is dropped, when `result` is 0;
 * otherwise nothing changes. Returns `result`. (A pointer to
 * it, because the operation that sets it stands in the same call.) */
int pd_image_replace(VipsImage **image, int result, VipsImage **next);

#endif
