/* makernote.h: lens and sensitivity from the notes that cameras keep for themselves, where EXIF proper is silent.
 *
 * Only forms that are plain: names written as text (Canon, Olympus, Panasonic), ranges (Nikon, Sony), sensitivities as
 * numbers (Canon, Casio, Nikon). Source of the layouts: exiftool's documentation of tag names. */
#ifndef PD_DECODER_MAKERNOTE_H
#define PD_DECODER_MAKERNOTE_H

#include "decoder/tiff.h"

typedef struct pd_makernote {
    char lens[96]; /* "" when not known */
    uint64_t iso;  /* 0: not known */
} pd_makernote;

/* `note` lies inside tiff->data. ret_note: zeroed by the caller. */
void pd_makernote_read(const pd_tiff *tiff, const uint8_t *note, size_t len, const char *make, pd_makernote *ret_note);

/* A directory of Canon's note itself, as CR3 has it. */
void pd_makernote_read_canon(const pd_tiff *tiff, uint64_t offset, pd_makernote *ret_note);

#endif
