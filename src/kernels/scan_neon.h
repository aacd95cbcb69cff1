/* scan_neon.h: private to kernels: the scan with signed products: rows less 128, and 128 times the query's sum. */
#ifndef PD_KERNELS_SCAN_NEON_H
#define PD_KERNELS_SCAN_NEON_H

#include "kernels/kernels_isa.h"

#define STEP 16

static inline int32x4_t add_step(int32x4_t sum, int8x16_t row, int8x16_t query)
{
#ifdef __ARM_FEATURE_DOTPROD
    return vdotq_s32(sum, row, query);
#else
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(row), vget_low_s8(query)));
    return vpadalq_s16(sum, vmull_s8(vget_high_s8(row), vget_high_s8(query)));
#endif
}

static void scan_u8(const uint8_t *rows, size_t n_rows, size_t dim, const int8_t *query, int32_t *ret_dots)
{
    int32_t offset = 0;
    for (size_t i = 0; i < dim; i++)
        offset += 128 * query[i];
    for (size_t row = 0; row < n_rows; row++, rows += dim) {
        int32x4_t sum = vdupq_n_s32(0);
        for (size_t i = 0; i < dim; i += STEP) {
            const uint8x16_t bytes = veorq_u8(vld1q_u8(rows + i), vdupq_n_u8(0x80));
            sum = add_step(sum, vreinterpretq_s8_u8(bytes), vld1q_s8(query + i));
        }
        ret_dots[row] = vaddvq_s32(sum) + offset;
    }
}

#endif
