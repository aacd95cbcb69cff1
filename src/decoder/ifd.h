/* ifd.h: the facts of a photo from TIFF directories: an EXIF block, or a whole TIFF (classic or BigTIFF).
 *
 * Damaged, hostile or missing parts cost only the fields that live there. Only three directories are looked at (the
 * first, EXIF, GPS), each once, so that no chain of pointers can go in circles. */
#ifndef PD_DECODER_IFD_H
#define PD_DECODER_IFD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

/* All fields absent, orientation 1. */
void pd_meta_init(pd_photo_meta *ret_meta);

/* Adds what `data` tells; it begins with "II" or "MM", or with "Exif\0\0" before that. False when it does not. */
bool pd_ifd_read(const uint8_t *data, size_t len, pd_photo_meta *meta);

/* "2004:11:26 12:05:19" and its usual variants, with an offset "+01:00", "" or NULL, to "2004-11-26T12:05:19+01:00".
 * False, and an empty text, for blanks, zeros and dates that do not exist. */
bool pd_exif_time_format(const char *time, const char *offset, char ret_text[32]);

/* Copies a text of unknown encoding: UTF-8 where it is valid, Latin-1 otherwise; control characters become spaces,
 * outer spaces go, and what does not fit is cut at a character. */
void pd_text_clean(const uint8_t *text, size_t len, char *ret_text, size_t size);

#endif
