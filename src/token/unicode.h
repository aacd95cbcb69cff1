/* unicode.h: what the tokenizer must know of Unicode (14.0): classes, lower case, composition. Private to this room. */
#ifndef PD_TOKEN_UNICODE_H
#define PD_TOKEN_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "token/codes.h"

bool pd_unicode_is_letter(uint32_t code); /* \p{L} */
bool pd_unicode_is_number(uint32_t code); /* \p{N} */
bool pd_unicode_is_space(uint32_t code);  /* White_Space */

/* Appends the text in lower case, as Python's str.lower: U+0130 becomes two, a sigma at a word's end is final. */
void pd_unicode_lower(const pd_codes *text, pd_codes *ret_lower);

/* Appends the text in Normalization Form C (UAX #15). */
void pd_unicode_compose(const pd_codes *text, pd_codes *ret_composed);

/* Appends the text taken apart (Form D) without its combining marks: "café" -> "cafe". */
void pd_unicode_strip_marks(const pd_codes *text, pd_codes *ret_plain);

/* The ordinary form of a half- or full-width one (NFKC of U+FF01 .. U+FFEF); `code` itself for others. U+FFE3, whose
 * form is two code points, is left. */
uint32_t pd_unicode_standard_width(uint32_t code);

#endif
