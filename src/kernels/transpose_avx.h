/* transpose_avx.h: private to kernels: the transposition that vec_avx2.h and vec_avx512.h share. */
#ifndef PD_KERNELS_TRANSPOSE_AVX_H
#define PD_KERNELS_TRANSPOSE_AVX_H

#include <immintrin.h>
#include <stddef.h>

#define CORNER 8 /* x 8 floats are transposed in registers */

/* to[column][row] = from[row][column] for CORNER x CORNER floats. */
static inline void vec_transpose(const float *from, size_t ld, float *to, size_t ld_to)
{
    __m256 r[CORNER], pairs[CORNER], fours[CORNER];
#pragma GCC unroll 8
    for (size_t i = 0; i < CORNER; i++)
        r[i] = _mm256_loadu_ps(from + i * ld);
#pragma GCC unroll 8
    for (size_t i = 0; i < CORNER; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 8
    for (size_t i = 0; i < CORNER; i += 4)
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; j++) {
            fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
            fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xEE);
        }
#pragma GCC unroll 8
    for (size_t i = 0; i < 4; i++) {
        _mm256_storeu_ps(to + i * ld_to, _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20));
        _mm256_storeu_ps(to + (i + 4) * ld_to, _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31));
    }
}

#endif
