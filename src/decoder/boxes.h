/* boxes.h: metadata in files made of boxes: HEIF, AVIF, Canon's CR3, JPEG XL, JPEG 2000.
 *
 * Boxes lie inside their parents, so walking them ends; every one of them is looked at once. Places of HEIF items are
 * checked against the file. A JPEG XL box that is compressed ("brob") is left alone. */
#ifndef PD_DECODER_BOXES_H
#define PD_DECODER_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who wants the blocks that are found: each lies inside the file, or in memory of the reader during the call. */
typedef struct pd_boxes_visitor {
    void (*exif)(void *user, const uint8_t *data, size_t len); /* a TIFF header, perhaps "Exif\0\0" before it */
    void (*canon)(void *user, unsigned number, const uint8_t *data, size_t len); /* CR3's CMT1 to CMT4: as TIFF files */
    void (*xmp)(void *user, const uint8_t *data, size_t len);
    void (*iptc)(void *user, const uint8_t *data, size_t len);
} pd_boxes_visitor;

/* Whether `data` begins with one of the boxes that such files begin with. */
bool pd_boxes_are_here(const uint8_t *data, size_t len);

/* False: out of memory. */
bool pd_boxes_read(const uint8_t *data, size_t len, const pd_boxes_visitor *visitor, void *user);

#endif
