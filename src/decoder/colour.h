/* colour.h: any vips image to upright-agnostic 8-bit sRGB with three bands. Private to the decoder.
 *
 * An embedded ICC profile counts when it can be used; one that cannot is ignored. Pictures without profile are sRGB, or
 * the standard printing colours when they are CMYK. Alpha is flattened over white. Numbers of 32 bits and more say
 * nowhere what white is: whole ones are taken as 8, 16 or 32 bits by the largest there is; broken ones as linear light
 * whose white is 1 (as cameras' and rendering programs' files are) unless they are so large that they count to 255 or
 * 65,535. */
#ifndef PD_DECODER_COLOUR_H
#define PD_DECODER_COLOUR_H

#include <vips/vips.h>

/* Alpha over white where that can be done on the values as they are; else pd_colour_to_srgb does it. Before anything
 * that mixes neighbours: what is invisible must not shine through. 0, and *image replaced; -1 with the vips error set.
 */
int pd_colour_flatten_early(VipsImage **image);

/* 0, and a new reference in *ret_image; -1 with the vips error set. */
int pd_colour_to_srgb(VipsImage *image, VipsImage **ret_image);

/* One step of a chain of operations: *next takes the place of *image, whose reference is dropped, when `result` is 0;
 * otherwise nothing changes. Returns `result`. (A pointer to
 * it, because the operation that sets it stands in the same call.) */
int pd_image_replace(VipsImage **image, int result, VipsImage **next);

#endif
