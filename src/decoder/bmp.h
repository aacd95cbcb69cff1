/* bmp.h: Windows and OS/2 bitmaps of every header version. (libvips reads them through ImageMagick, which is a large
 * library that opens files at its leisure: too much for a sandbox and for so small a format.)
 *
 * 1, 2, 4, 8, 16, 24 and 32 bits, palettes, bit fields, RLE4, RLE8 and RLE24, bottom-up and top-down. Alpha counts
 * where a header declares it and one pixel uses it. Bitmaps that only wrap a JPEG or PNG are unsupported. */
#ifndef PD_DECODER_BMP_H
#define PD_DECODER_BMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_BMP_BYTES_MAX ((uint64_t)768 << 20) /* decoded; three bytes a pixel, four with alpha */

typedef struct pd_bmp_info {
    uint32_t width, height;
    uint32_t bits; /* a pixel */
    uint32_t compression;
    uint32_t masks[4]; /* red, green, blue, alpha; 0: none */
    uint32_t n_colours, colour_bytes;
    size_t colours_at, pixels_at;     /* offsets in the file */
    size_t profile_at, profile_bytes; /* embedded ICC profile; 0: none */
    bool is_top_down, is_os2;
} pd_bmp_info;

PD_MUST_USE pd_status pd_bmp_read_header(const uint8_t *data, size_t len, pd_bmp_info *ret_info, pd_error *err);

/* Writes [height, width, pd_bmp_channels] upright as displayed. A file that ends early is PD_ERR_FORMAT. */
PD_MUST_USE pd_status pd_bmp_read_pixels(const uint8_t *data, size_t len, const pd_bmp_info *info, uint8_t *ret_pixels,
                                         pd_error *err);

unsigned pd_bmp_channels(const pd_bmp_info *info); /* 3, or 4 when the header declares alpha */

#endif
