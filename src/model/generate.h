/* generate.h: which words come next, over any source of logits: greedy and beam search. Private to the room.
 *
 * Semantics are those of transformers 5's generate() (generation/utils.py, logits_process.py): every step takes the 2 x
 * beams best continuations; only those ranked among the first `beams` may end; a finished one scores its sum of
 * log-probabilities divided by (number of new ids, the stop included) ^ length_penalty. Greedy search applies penalties
 * to raw logits, beams to log-probabilities, which are not normalised again. Of equal ones the first is taken.
 *
 * Logits may be anything: NaN counts as -inf, and a continuation of -inf is never taken. Where none is left, what was
 * written so far stands. */
#ifndef PD_MODEL_GENERATE_H
#define PD_MODEL_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum pd_stopping {
    PD_STOPPING_HEURISTIC, /* early_stopping false: when the best beam, ending now, could not beat the worst finished */
    PD_STOPPING_EARLY,     /* true: as soon as there are n_beams finished ones */
    PD_STOPPING_NEVER,     /* "never": as the first, but for a beam that goes on to the end */
} pd_stopping;

typedef struct pd_generate_options {
    size_t n_beams, n_captions;    /* as pd_caption_options */
    size_t max_tokens, min_tokens; /* new ones; at least 1 is written */
    size_t no_repeat_ngram;
    float length_penalty, repetition_penalty;
    pd_stopping stopping;
    bool no_triples; /* no id three times in a row; transformers has no such rule */
    int32_t stop;
    const int32_t *suppressed; /* ids that are never taken */
    size_t n_suppressed;
} pd_generate_options;

/* Where logits come from. */
typedef struct pd_language {
    size_t vocabulary;
    /* After a beginning of n >= 1 ids. ret_logits: [vocabulary]. */
    void (*begin)(void *user, const int32_t *ids, size_t n, float *ret_logits);
    /* After tokens[i] behind the text of row parents[i] of the call before. ret_logits: [n, vocabulary]. */
    void (*go_on)(void *user, size_t n, const uint32_t *parents, const int32_t *tokens, float *ret_logits);
    void *user;
} pd_language;

typedef struct pd_generated {
    const int32_t *ids; /* the beginning, new ones, and the stop if it came */
    size_t n;
    float score, likelihood; /* as in pd_caption */
} pd_generated;

size_t pd_generate_need(const pd_generate_options *options, size_t vocabulary, size_t n_beginning);

/* ret_generated: [n_captions], best first; returns how many there are, at least 1. Their ids lie in the arena: rewind
 * it afterwards. */
size_t pd_generate_run(const pd_language *language, const pd_generate_options *options, const int32_t *beginning,
                       size_t n_beginning, pd_arena *arena, pd_generated *ret_generated);

/* The same words over and over: one or two ids at least three times in a row, longer runs at least twice, or fewer than
 * half of eight and more ids different. */
bool pd_generate_repeats(const int32_t *ids, size_t n);

#endif
