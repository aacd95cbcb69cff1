/* vocabulary.h: words and their ids, from the text of a vocab.json or vocab.txt; private to this room. Immutable after
 * parse. */
#ifndef PD_TOKEN_VOCABULARY_H
#define PD_TOKEN_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define PD_VOCABULARY_BYTES_MAX ((size_t)64 << 20)

typedef struct pd_vocabulary_entry {
    uint32_t at, len; /* in texts */
    int32_t id;
} pd_vocabulary_entry;

typedef struct pd_vocabulary {
    char *texts;
    pd_vocabulary_entry *entries;
    size_t n_entries;
    uint32_t *slots; /* hash table: entry + 1, or 0 */
    size_t n_slots;  /* a power of two */
    int32_t n_ids;   /* highest id + 1 */
} pd_vocabulary;

/* Parses {"word": id, ...}. On failure nothing is owned. */
PD_MUST_USE pd_status pd_vocabulary_parse(pd_vocabulary *ret_vocabulary, const char *text, size_t len, pd_error *err);
/* The same of a vocab.txt: a word a line, the number of the line (from 0) its id. */
PD_MUST_USE pd_status pd_vocabulary_parse_lines(pd_vocabulary *ret_vocabulary, const char *text, size_t len,
                                                pd_error *err);
void pd_vocabulary_done(pd_vocabulary *vocabulary);

pd_str pd_vocabulary_word(const pd_vocabulary *vocabulary, size_t index); /* of the text's index-th entry */
bool pd_vocabulary_find(const pd_vocabulary *vocabulary, pd_str word, int32_t *ret_id);

#endif
