/* wordpiece.h: WordPiece over a vocabulary; private to this room. token.h says what it does. */
#ifndef PD_TOKEN_WORDPIECE_H
#define PD_TOKEN_WORDPIECE_H

#include "token/token.h"
#include "token/vocabulary.h"

typedef enum pd_wordpiece_special {
    PD_WORDPIECE_UNK,
    PD_WORDPIECE_CLS,
    PD_WORDPIECE_SEP,
    PD_WORDPIECE_PAD,
    PD_WORDPIECE_MASK,
    PD_WORDPIECE_SPECIALS
} pd_wordpiece_special;

struct pd_wordpiece {
    pd_vocabulary vocabulary;
    char texts[PD_WORDPIECE_SPECIALS][64];   /* of the special tokens */
    int32_t specials[PD_WORDPIECE_SPECIALS]; /* their ids; -1: not in the vocabulary (allowed but for [UNK]) */
    bool lower_case, strip_accents, chinese, clean_up;
};

/* From the bytes of tokenizer_config.json ("": the defaults) and vocab.txt. On failure nothing is owned. */
PD_MUST_USE pd_status pd_wordpiece_parse(pd_wordpiece *ret_wordpiece, pd_str config, pd_str words, pd_error *err);
void pd_wordpiece_done(pd_wordpiece *wordpiece);

#endif
