/* pass.h: one pass over columns that makes a set. */
#ifndef PD_COLUMNS_PASS_H
#define PD_COLUMNS_PASS_H

#include <stdint.h>
#include <string.h>

/* 64 bytes that are 0 or 1 to the bits of a word: the product moves byte i of eight to bit 56 + i. */
static inline uint64_t pd_pack_bits(const uint8_t yes[64])
{
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t eight;
        memcpy(&eight, yes + 8 * i, 8);
        word |= (eight * UINT64_C(0x0102040810204080) >> 56) << (8 * i);
    }
    return word;
}

/* For every slot i: sets its bit in `words` where `expr` is true. Goes over whole words, as the columns do; written so
 * that the compiler compares many at once. */
#define PD_PASS(words, n_slots, expr)                                                \
    do {                                                                             \
        for (size_t pass_word = 0; pass_word < ((n_slots) + 63) / 64; pass_word++) { \
            uint8_t pass_yes[64];                                                    \
            for (size_t pass_bit = 0; pass_bit < 64; pass_bit++) {                   \
                const size_t i = 64 * pass_word + pass_bit;                          \
                pass_yes[pass_bit] = (expr);                                         \
            }                                                                        \
            (words)[pass_word] |= pd_pack_bits(pass_yes);                            \
        }                                                                            \
    } while (0)

#endif
