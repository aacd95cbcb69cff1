/* bytes_avxvnni.c: what the product of bytes in 256-bit registers does better than AVX2: the int8 product and the scan.
 */
#include "kernels/quad_avxvnni.h"

#include <string.h>

#include "kernels/gemm_quad.h"

#define ROWS 8 /* of the scan whose lanes are summed together */

static inline __m256i load_bytes(const void *p) { return _mm256_loadu_si256(p); }

/* Two sums, so that one product need not wait for the other. */
static inline __m256i dot_row(const uint8_t *row, const int8_t *query, size_t dim)
{
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (size_t i = 0; i < dim; i += 2 * sizeof even) {
        even = add_bytes(even, load_bytes(row + i), load_bytes(query + i));
        odd = add_bytes(odd, load_bytes(row + i + sizeof even), load_bytes(query + i + sizeof even));
    }
    return _mm256_add_epi32(even, odd);
}

/* The sums of the lanes of each of 8 vectors, in order. */
static inline __m256i sum_rows(const __m256i x[ROWS])
{
    const __m256i low = _mm256_hadd_epi32(_mm256_hadd_epi32(x[0], x[1]), _mm256_hadd_epi32(x[2], x[3]));
    const __m256i high = _mm256_hadd_epi32(_mm256_hadd_epi32(x[4], x[5]), _mm256_hadd_epi32(x[6], x[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31));
}

/* Row after row, as the memory lies: the processor's own prefetcher follows that. */
static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    for (size_t row = 0; row < n_rows; row += ROWS) {
        const size_t left = n_rows - row < ROWS ? n_rows - row : ROWS;
        __m256i sum[ROWS];
        for (size_t j = 0; j < ROWS; j++) {
            sum[j] = j < left ? dot_row(rows, query, dim) : _mm256_setzero_si256();
            rows += j < left ? dim : 0;
        }
        int32_t dots[ROWS];
        _mm256_storeu_si256((__m256i *)(void *)dots, sum_rows(sum));
        memcpy(ret_dots + row, dots, left * sizeof *dots);
    }
}

void pd_kernels_avxvnni_bytes(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_i8 = gemm_i8;
    ret_kernels->scan_u8 = scan_u8;
}
