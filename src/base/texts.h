/* texts.h: the words that somebody wrote into a picture or beside it: one packed block that can be copied, sent,
 * checked and stored as a whole.
 *
 * A record is the kind (one byte), the text (UTF-8, not empty) and a NUL; records are ordered by kind, and within a
 * kind as they were written. Nothing here owns memory. */
#ifndef PD_BASE_TEXTS_H
#define PD_BASE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PD_TEXTS_BYTES_MAX ((size_t)65536)     /* all records of a picture; what comes after is left out */
#define PD_TEXTS_TEXT_BYTES_MAX ((size_t)8192) /* one text, cut at a character */
#define PD_TEXTS_WORD_BYTES_MAX ((size_t)256)  /* a keyword, a name, a label: a longer one is none, and left out */
#define PD_TEXTS_OF_KIND_MAX 1000              /* keywords, or persons, of one picture */

/* Values are pinned: they are in the catalogue. */
typedef enum pd_text_kind {
    PD_TEXT_TITLE = 1,
    PD_TEXT_DESCRIPTION = 2, /* the only one that may hold newlines */
    PD_TEXT_ARTIST = 3,      /* several: joined by "; " */
    PD_TEXT_COPYRIGHT = 4,
    PD_TEXT_SOFTWARE = 5,
    PD_TEXT_LABEL = 6,        /* what photo managers call it: "Red", "Select" */
    PD_TEXT_KEYWORD = 7,      /* any number */
    PD_TEXT_KEYWORD_PATH = 8, /* any number; levels from the top, separated by '|' */
    PD_TEXT_PERSON = 9,       /* any number: names that other programs wrote */
    PD_TEXT_KIND_END
} pd_text_kind;

typedef struct pd_texts {
    const char *bytes;
    size_t len;
} pd_texts;

bool pd_text_kind_is_list(pd_text_kind kind); /* any number of them; else at most one */
size_t pd_text_kind_bytes_max(pd_text_kind kind);

/* The text after `previous` (NULL: the first); NULL at the end. The block must be sound. */
const char *pd_texts_next(pd_texts texts, const char *previous);
pd_text_kind pd_texts_kind(const char *text); /* of a text that pd_texts_next returned */

/* The only text of that kind, or the first; NULL when there is none. */
const char *pd_texts_find(pd_texts texts, pd_text_kind kind);

/* Whether foreign bytes keep everything that is said above. */
bool pd_texts_are_sound(pd_texts texts);

/* Appends one record; the caller keeps the order. The buffer's ceiling says PD_ERR_LIMIT. */
pd_status pd_texts_append(pd_buf *buf, pd_text_kind kind, const char *text, size_t len);

#endif
