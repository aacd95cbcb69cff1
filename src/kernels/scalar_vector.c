/* scalar_vector.c: dots, halves and the scan of the vector index. */
#include "base/half.h"
#include "kernels/kernels_isa.h"

static float dot_f32(const float *a, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

static float dot_f16(const uint16_t *half, const float *b, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += (double)pd_half_to_float(half[i]) * (double)b[i];
    return (float)sum;
}

static void float_of_half(const uint16_t *half, size_t n, float *ret_value)
{
    for (size_t i = 0; i < n; i++)
        ret_value[i] = pd_half_to_float(half[i]);
}

static void half_of_float(const float *value, size_t n, uint16_t *ret_half)
{
    for (size_t i = 0; i < n; i++)
        ret_half[i] = pd_half_of_float(value[i]);
}

static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    for (size_t row = 0; row < n_rows; row++) {
        int32_t dot = 0;
        for (size_t i = 0; i < dim; i++)
            dot += rows[row * dim + i] * query[i];
        ret_dots[row] = dot;
    }
}

void pd_kernels_scalar_vector(pd_kernels *ret_kernels)
{
    ret_kernels->dot_f32 = dot_f32;
    ret_kernels->dot_f16 = dot_f16;
    ret_kernels->float_of_half = float_of_half;
    ret_kernels->half_of_float = half_of_float;
    ret_kernels->scan_u8 = scan_u8;
}
