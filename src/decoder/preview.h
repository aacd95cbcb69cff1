/* preview.h: the pictures that cameras put into their raw files, found without knowing the camera.
 *
 * Every camera wraps its preview differently, but a JPEG is a JPEG: the file is searched for beginnings of one whose
 * segments lead to a frame that can be shown. (Raw data may be JPEG too, of kinds that are left out here: lossless.) */
#ifndef PD_DECODER_PREVIEW_H
#define PD_DECODER_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pd_preview {
    const uint8_t *jpeg; /* inside the data */
    size_t len;          /* at most: to the end of the data, for the JPEG says itself where it ends */
    uint32_t width, height;
} pd_preview;

/* Size of the picture in a JPEG; false when there is none, or none for the eye: one or three colours of 8 bits. */
bool pd_preview_measure(const uint8_t *jpeg, size_t len, pd_preview *ret_preview);

/* The one with most pixels. `aspect`: long side by short side that it must have within 5 %; 0: any. */
bool pd_preview_find(const uint8_t *data, size_t len, double aspect, pd_preview *ret_preview);

#endif
