/* sniff.h: what a file is, by its first bytes (a raw file that calls itself TIFF: by its directories). Nothing that is
 * not in this table is ever given to a codec. */
#ifndef PD_DECODER_SNIFF_H
#define PD_DECODER_SNIFF_H

#include <stddef.h>
#include <stdint.h>

typedef enum pd_image_type {
    PD_IMAGE_UNKNOWN,
    PD_IMAGE_JPEG,
    PD_IMAGE_PNG,
    PD_IMAGE_WEBP,
    PD_IMAGE_GIF,
    PD_IMAGE_BMP,
    PD_IMAGE_TIFF,
    PD_IMAGE_HEIF,
    PD_IMAGE_AVIF,
    PD_IMAGE_JXL,
    PD_IMAGE_JP2,
    PD_IMAGE_RAW, /* of a camera: DNG, CR2, NEF ... */
    PD_IMAGE_TYPE_COUNT
} pd_image_type;

pd_image_type pd_sniff_type(const uint8_t *data, size_t len);

/* "jpeg", "png" ...; "" for PD_IMAGE_UNKNOWN. */
const char *pd_image_type_name(pd_image_type type);

/* What an unknown file seems to be, for the sentence to the user: "a ZIP archive"; NULL when it rings no bell. */
const char *pd_sniff_other(const uint8_t *data, size_t len);

#endif
