/* exif_text.h: texts and times as cameras and photo managers write them, made clean. */
#ifndef PD_DECODER_EXIF_TEXT_H
#define PD_DECODER_EXIF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

/* "2004:11:26 12:05:19" and its usual variants, with an offset "+01:00", "" or NULL, to "2004-11-26T12:05:19+01:00".
 * False, and an empty text, for blanks, zeros and dates that do not exist. */
bool pd_exif_time_format(const char *time, const char *offset, char ret_text[32]);

/* XMP's "2004-11-26T12:05:19.25+01:00": without fraction, offset, seconds or time too (a day alone is its midnight). A
 * year or month alone is no time. *ret_subsec: the digits of the fraction, or "". */
bool pd_xmp_time_format(const char *time, char ret_text[32], char ret_subsec[PD_MEDIA_SUBSEC_BYTES]);

/* The leading digits of `text` as a fraction of a second; "" when there are none. */
void pd_subsec_format(const char *text, char ret_subsec[PD_MEDIA_SUBSEC_BYTES]);

/* "18-55mm f/3.5-5.6" from shortest and longest focal length and the f-numbers there; parts that are not known (NAN, 0)
 * are left out, and without a focal length the text is empty. */
void pd_lens_format(const double lens[4], char *ret_text, size_t size);

/* Copies a text of unknown encoding: UTF-8 where it is valid, Latin-1 otherwise; control characters become spaces,
 * outer spaces go, and what does not fit is cut at a character. */
void pd_text_clean(const uint8_t *text, size_t len, char *ret_text, size_t size);

/* The same; with keeps_lines the ends of lines (any kind of them) become newlines. */
void pd_text_clean_lines(const uint8_t *text, size_t len, bool keeps_lines, char *ret_text, size_t size);

#endif
