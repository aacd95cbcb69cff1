/* folded.h: finding texts in others; all of them folded (base/fold.h). */
#ifndef PD_COLUMNS_FOLDED_H
#define PD_COLUMNS_FOLDED_H

#include <stdbool.h>

#include "base/buf.h"

/* Replaces what is in `buf`: `text` folded, ending in a NUL. */
pd_status pd_folded_set(pd_buf *buf, const char *text);

/* `words` occur in `text`, and do not begin or end inside a number: "50mm" is in "ef50mm" and not in "18-150mm", "d70"
 * is in "nikon d70s" and not in "nikon d700". */
bool pd_folded_has_words(const char *text, const char *words);

bool pd_folded_begins_word(const char *text, const char *prefix); /* some word of the text begins so */

bool pd_folded_is_glob(const char *pattern);
/* '*': any bytes, '?': one character. */
bool pd_folded_glob(const char *text, const char *pattern);

/* The folders that `words` name are part of the path, whole and in a row: "b/c" of "/a/b/c/d"; words that begin with a
 * slash are the beginning. Slashes at the end of the words do not count. */
bool pd_folded_has_folder(const char *path, const char *words);

#endif
