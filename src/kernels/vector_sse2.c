/* vector_sse2.c: dots, halves, and the scan through 16-bit lanes. */
#include "kernels/vec_sse2.h"

#include "kernels/vector_vec.h"

#define DIM_MAX 4096 /* as kernels.h says */
#define STEP 16

static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    _Alignas(16) int16_t wide[DIM_MAX];
    const __m128i zero = _mm_setzero_si128();
    for (size_t i = 0; i < dim; i++)
        wide[i] = query[i];
    for (size_t row = 0; row < n_rows; row++, rows += dim) {
        __m128i low = zero, high = zero;
        for (size_t i = 0; i < dim; i += STEP) {
            const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(rows + i));
            const __m128i *weights = (const __m128i *)(const void *)(wide + i);
            low = _mm_add_epi32(low, _mm_madd_epi16(_mm_unpacklo_epi8(bytes, zero), _mm_load_si128(weights)));
            high = _mm_add_epi32(high, _mm_madd_epi16(_mm_unpackhi_epi8(bytes, zero), _mm_load_si128(weights + 1)));
        }
        const __m128i four = _mm_add_epi32(low, high);
        const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
        ret_dots[row] = _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
    }
}

void pd_kernels_sse2_vector(pd_kernels *ret_kernels)
{
    ret_kernels->dot_f32 = dot_f32;
    ret_kernels->dot_f16 = dot_f16;
    ret_kernels->float_of_half = float_of_half;
    ret_kernels->half_of_float = half_of_float;
    ret_kernels->scan_u8 = scan_u8;
}
