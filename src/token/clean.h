/* clean.h: what the reference does to a text before it is cut into words; private to this room.
 *
 * openai/CLIP's basic_clean and whitespace_clean: ftfy.fix_text, html.unescape twice, white space folded to single
 * spaces and stripped, lower case. Of ftfy: character references, C1 controls read as Windows-1252, Latin ligatures
 * taken apart, half- and full-width forms, straight quotes, terminal escapes and control characters removed, NFC. Not:
 * guessing the encoding of text that was decoded wrongly ("cafÃ©"); nobody types that into a search field. */
#ifndef PD_TOKEN_CLEAN_H
#define PD_TOKEN_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "token/codes.h"

/* Replaces what ret_clean held. Malformed UTF-8 becomes U+FFFD. PD_ERR_NOMEM, or PD_ERR_LIMIT beyond PD_CODES_MAX. */
pd_status pd_clean_text(const char *text, size_t len, bool lower_case, pd_codes *ret_clean);

#endif
