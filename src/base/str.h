/* str.h: text as views, and UTF-8 from foreign hands. Nothing here owns memory or allocates. */
#ifndef PD_BASE_STR_H
#define PD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A borrowed run of bytes; not NUL-terminated. */
typedef struct pd_str {
    const char *ptr;
    size_t len;
} pd_str;

pd_str pd_str_of(const char *string);
bool pd_str_equal(pd_str a, pd_str b);

/* Reads one code point. Returns the bytes used (1 to 4) and sets *ret_code; a malformed byte (overlong forms and
 * surrogates included) uses 1 byte and gives U+FFFD. len must be > 0. */
size_t pd_utf8_next(const char *text, size_t len, uint32_t *ret_code);

/* Writes one code point (<= U+10FFFF) as 1 to 4 bytes; returns their number. */
size_t pd_utf8_put(uint32_t code, char ret_bytes[4]);

bool pd_utf8_valid(const char *text, size_t len);

/* Appends `text` with every malformed byte replaced by U+FFFD: what may be put into JSON. */
pd_status pd_utf8_append_clean(pd_buf *buf, const char *text, size_t len);

/* Appends `text` for one line of a terminal: malformed bytes, control characters (newline, escape ...), marks that turn
 * the writing direction, and backslash become \xNN, \n, \t, \\ so that a file name can neither break the line, nor
 * speak to the terminal, nor look like another. */
pd_status pd_text_append_printable(pd_buf *buf, const char *text, size_t len);

/* Parses a whole decimal number without sign; false when empty, not a number, or greater than max. */
bool pd_parse_u64(const char *string, uint64_t max, uint64_t *ret_value);

#endif
