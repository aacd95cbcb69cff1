/* bpe.h: byte-level pair encoding of one word; private to this room. Immutable after init.
 *
 * A word starts as its bytes, the last one marked as a word's end; then the pair of neighbours with the lowest rank is
 * joined everywhere, again and again. Works on ids: joining looks one number up and touches no text. */
#ifndef PD_TOKEN_BPE_H
#define PD_TOKEN_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "token/vocabulary.h"

#define PD_BPE_MERGES_BYTES_MAX ((size_t)64 << 20)

typedef struct pd_bpe_merge {
    uint64_t pair; /* left id << 32 | right id */
    uint32_t rank;
    int32_t id; /* of both together; -1: empty slot */
} pd_bpe_merge;

typedef struct pd_bpe {
    int32_t inner_ids[256]; /* of a byte inside a word */
    int32_t end_ids[256];   /* of a byte that ends a word */
    pd_bpe_merge *slots;    /* hash table by pair */
    size_t n_slots;         /* a power of two */
} pd_bpe;

typedef struct pd_bpe_symbol {
    int32_t id;
    uint32_t rank; /* of this symbol joined with the next; see bpe.c */
} pd_bpe_symbol;

/* Reads the text of a merges.txt. `unknown` stands for a byte that the vocabulary lacks. */
PD_MUST_USE pd_status pd_bpe_init(pd_bpe *ret_bpe, const pd_vocabulary *vocabulary, pd_str merges, int32_t unknown,
                                  pd_error *err);
void pd_bpe_done(pd_bpe *bpe);

/* Encodes a word of len > 0 bytes into ret_symbols (len elements); returns how many symbols are left. */
size_t pd_bpe_encode(const pd_bpe *bpe, const uint8_t *word, size_t len, pd_bpe_symbol *ret_symbols);

#endif
