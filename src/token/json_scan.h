/* json_scan.h: the words of a long JSON text, one after the other, without making objects of them; private to this
 * room.
 *
 * A JSON library makes an object of each of 49,408 words, which takes longer than all the rest of opening a tokenizer.
 * One thread at a time. */
#ifndef PD_TOKEN_JSON_SCAN_H
#define PD_TOKEN_JSON_SCAN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

typedef struct pd_scan {
    const char *text;
    size_t len, at;
    pd_error *err;
} pd_scan;

/* PD_ERR_FORMAT with the place and what is wrong there. */
pd_status pd_scan_refuse(const pd_scan *scan, const char *what);

int pd_scan_peek(pd_scan *scan);               /* skips white space; the next byte, or -1 at the end */
bool pd_scan_take(pd_scan *scan, char wanted); /* skips white space, and the byte when it is that one */

/* A word in quotes, decoded to texts + *texts_len, which has room: a decoded word is shorter than the quoted one. */
PD_MUST_USE pd_status pd_scan_word(pd_scan *scan, char *texts, size_t *texts_len);

/* Skips a value of any kind. Brackets are counted, not matched: who reads what was skipped checks that. */
PD_MUST_USE pd_status pd_scan_skip(pd_scan *scan);

#endif
