/* sha256_shani.c: SHA-256 blocks with Intel's SHA extensions. Source: Intel, "Intel SHA Extensions" (2013), the
 * instruction definitions: sha256rnds2 does two rounds on (ABEF, CDGH), sha256msg1/msg2 extend the schedule. */
#include "base/sha256_isa.h"

#include <immintrin.h>

void pd_sha256_blocks_shani(uint32_t state[8], const uint8_t *data, size_t n_blocks)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    /* state words lie A B C D | E F G H; the instructions want A B E F | C D G H, high to low. */
    const __m128i dcba = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1B);
    __m128i abef = _mm_alignr_epi8(dcba, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, dcba, 0xF0);
    for (; n_blocks > 0; n_blocks--, data += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), big_endian);
#pragma GCC unroll 16
        for (int round = 0; round < 16; round++) {
            const __m128i now = w[round & 3];
            const __m128i wk =
                _mm_add_epi32(now, _mm_loadu_si128((const __m128i *)(const void *)(pd_sha256_k + 4 * round)));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0E));
            if (round < 12) { /* the four words that come 16 later */
                const __m128i next = w[(round + 1) & 3], third = w[(round + 2) & 3], last = w[(round + 3) & 3];
                const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, next), _mm_alignr_epi8(last, third, 4));
                w[round & 3] = _mm_sha256msg2_epu32(sum, last);
            }
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
