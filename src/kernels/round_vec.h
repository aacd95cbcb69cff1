/* round_vec.h: private to kernels: floats to bf16; plain C that the compiler turns into vectors of the file's set. */
#ifndef PD_KERNELS_ROUND_VEC_H
#define PD_KERNELS_ROUND_VEC_H

#include <string.h>

#include "kernels/kernels_isa.h"

static void round_rows(const float *x, size_t ld, size_t m, size_t k, uint16_t *ret_half, size_t ld_half)
{
    for (size_t row = 0; row < m; row++, x += ld, ret_half += ld_half) {
        for (size_t i = 0; i < k; i++)
            ret_half[i] = pd_bf16_of_float(x[i]);
        for (size_t i = k; i < ld_half; i++)
            ret_half[i] = 0;
    }
}

#endif
