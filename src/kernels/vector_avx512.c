/* vector_avx512.c: dots, halves, and the scan with one vpdpbusd for 64 products. */
#include "kernels/vec_avx512.h"

#include "kernels/vector_vec.h"

#define ROWS 16 /* of the scan whose lanes are summed together */

static __m512i load_line(const void *p) { return _mm512_loadu_si512(p); }

/* Two sums, so that one product need not wait for the other. */
static inline __m512i dot_row(const uint8_t *row, const int8_t *query, size_t dim)
{
    __m512i even = _mm512_setzero_si512(), odd = even;
    size_t i = 0;
    for (; i + 2 * sizeof even <= dim; i += 2 * sizeof even) {
        even = _mm512_dpbusd_epi32(even, load_line(row + i), load_line(query + i));
        odd = _mm512_dpbusd_epi32(odd, load_line(row + i + sizeof even), load_line(query + i + sizeof even));
    }
    if (i < dim)
        even = _mm512_dpbusd_epi32(even, load_line(row + i), load_line(query + i));
    return _mm512_add_epi32(even, odd);
}

/* The sums of the lanes of each of 16 vectors, in order. */
static inline __m512i sum_lanes(const __m512i x[ROWS])
{
    __m512i two[ROWS / 2], four[ROWS / 4];
#pragma GCC unroll 8
    for (size_t i = 0; i < ROWS / 2; i++)
        two[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(x[2 * i], x[2 * i + 1]),
                                  _mm512_unpackhi_epi32(x[2 * i], x[2 * i + 1]));
#pragma GCC unroll 4
    for (size_t i = 0; i < ROWS / 4; i++) /* of rows 4 i .. 4 i + 3, once in each quarter */
        four[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(two[2 * i], two[2 * i + 1]),
                                   _mm512_unpackhi_epi64(two[2 * i], two[2 * i + 1]));
    const __m512i low =
        _mm512_add_epi32(_mm512_shuffle_i32x4(four[0], four[1], 0x88), _mm512_shuffle_i32x4(four[0], four[1], 0xDD));
    const __m512i high =
        _mm512_add_epi32(_mm512_shuffle_i32x4(four[2], four[3], 0x88), _mm512_shuffle_i32x4(four[2], four[3], 0xDD));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(low, high, 0x88), _mm512_shuffle_i32x4(low, high, 0xDD));
}

/* Row after row, as the memory lies: the processor's own prefetcher follows that, and nothing else reaches the speed of
 * plain reading (SPEED.md). */
static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    size_t row = 0;
    for (; row + ROWS <= n_rows; row += ROWS) {
        __m512i sum[ROWS];
        for (size_t j = 0; j < ROWS; j++, rows += dim)
            sum[j] = dot_row(rows, query, dim);
        _mm512_storeu_si512(ret_dots + row, sum_lanes(sum));
    }
    for (; row < n_rows; row++, rows += dim)
        ret_dots[row] = _mm512_reduce_add_epi32(dot_row(rows, query, dim));
}

void pd_kernels_avx512_vector(pd_kernels *ret_kernels)
{
    ret_kernels->dot_f32 = dot_f32;
    ret_kernels->dot_f16 = dot_f16;
    ret_kernels->float_of_half = float_of_half;
    ret_kernels->half_of_float = half_of_float;
    ret_kernels->scan_u8 = scan_u8;
}
