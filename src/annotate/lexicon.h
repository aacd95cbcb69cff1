/* lexicon.h: the words of vocabulary.txt as a table that the build makes (tools/vocabulary.py). Private to the room.
 */
#ifndef PD_ANNOTATE_LEXICON_H
#define PD_ANNOTATE_LEXICON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PD_WORDS_MAX 4000

typedef struct pd_word {
    const char *word;
    const char *texts;   /* what is embedded for it: each with its NUL, an empty one at the end */
    uint32_t implied_at; /* in pd_vocabulary.implied: every word that is true where this one is, as its index */
    uint32_t n_implied;
    bool general; /* some word implies it */
} pd_word;

/* Immutable. */
typedef struct pd_vocabulary {
    const char *version;  /* hex; another one for other words, texts or implications */
    const pd_word *words; /* [n], in byte order */
    size_t n;             /* <= PD_WORDS_MAX */
    const uint16_t *implied;
} pd_vocabulary;

const pd_vocabulary *pd_vocabulary_get(void);

#endif
