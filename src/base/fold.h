/* fold.h: texts as people compare them: case and diacritics do not count. ASCII and Latin letters become their plain
 * lower-case letter ("É" e, "ß" ss, "Æ" ae), Greek and Cyrillic ones lower case, combining marks nothing. Everything
 * else, malformed bytes included, stays as it is. */
#ifndef PD_BASE_FOLD_H
#define PD_BASE_FOLD_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the folded text: never longer than the text. */
pd_status pd_fold_append(pd_buf *buf, const char *text, size_t len);

#endif
