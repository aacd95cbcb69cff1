/* vector_avx2.c: dots, halves, and the scan through 16-bit lanes (vpmaddubsw would saturate). */
#include "kernels/vec_avx2.h"

#include "kernels/vector_vec.h"

#define DIM_MAX 4096 /* as kernels.h says */
#define STEP 16
#define SUMS 2 /* of a row, so that one product need not wait for the other */

static __m256i add_step(__m256i sum, const uint8_t *row, const int16_t *query)
{
    const __m256i wide = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)row));
    const __m256i weights = _mm256_load_si256((const __m256i *)(const void *)query);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(wide, weights));
}

static int32_t sum_lanes(__m256i x)
{
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

/* Row after row, as the memory lies: the processor's own prefetcher follows that. */
static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    _Alignas(32) int16_t wide[DIM_MAX];
    for (size_t i = 0; i < dim; i++)
        wide[i] = query[i];
    for (size_t row = 0; row < n_rows; row++, rows += dim) {
        __m256i sum[SUMS] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
        for (size_t i = 0; i < dim; i += SUMS * STEP)
#pragma GCC unroll 2
            for (size_t j = 0; j < SUMS; j++)
                sum[j] = add_step(sum[j], rows + i + j * STEP, wide + i + j * STEP);
        ret_dots[row] = sum_lanes(_mm256_add_epi32(sum[0], sum[1]));
    }
}

void pd_kernels_avx2_vector(pd_kernels *ret_kernels)
{
    ret_kernels->dot_f32 = dot_f32;
    ret_kernels->dot_f16 = dot_f16;
    ret_kernels->float_of_half = float_of_half;
    ret_kernels->half_of_float = half_of_float;
    ret_kernels->scan_u8 = scan_u8;
}
