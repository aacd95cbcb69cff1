/* vector_avx512.c: dots, halves, and the scan with one vpdpbusd for 64 products. */
#include "kernels/vec_avx512.h"

#include "kernels/vector_vec.h"

#define ROWS 4 /* of the scan that share a load of the query */

static __m512i load_line(const void *p) { return _mm512_loadu_si512(p); }

static __m512i dot_row(const uint8_t *row, const int8_t *query, size_t dim)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < dim; i += sizeof sum)
        sum = _mm512_dpbusd_epi32(sum, load_line(row + i), load_line(query + i));
    return sum;
}

static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    size_t row = 0;
    for (; row + ROWS <= n_rows; row += ROWS, rows += ROWS * dim) {
        __m512i sum[ROWS] = { _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                              _mm512_setzero_si512() };
        for (size_t i = 0; i < dim; i += sizeof *sum)
#pragma GCC unroll 4
            for (size_t j = 0; j < ROWS; j++)
                sum[j] = _mm512_dpbusd_epi32(sum[j], load_line(rows + j * dim + i), load_line(query + i));
#pragma GCC unroll 4
        for (size_t j = 0; j < ROWS; j++)
            ret_dots[row + j] = _mm512_reduce_add_epi32(sum[j]);
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
