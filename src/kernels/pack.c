/* pack.c: weights in the order in which every form of the GEMMs reads them. */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/kernels_isa.h"

#define GROUP 4 /* inputs whose int8 products one 32-bit lane sums */
#define PAIR 2  /* inputs whose bf16 products one does */

static size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

size_t pd_pack_f32_bytes(size_t n, size_t k) { return round_up(n, PD_PANEL_COLUMNS) * k * sizeof(float); }

void pd_pack_f32(const float *w, size_t n, size_t k, float *ret_packed)
{
    for (size_t first = 0; first < n; first += PD_PANEL_COLUMNS)
        for (size_t i = 0; i < k; i++)
            for (size_t column = 0; column < PD_PANEL_COLUMNS; column++)
                *ret_packed++ = first + column < n ? w[(first + column) * k + i] : 0.0f;
}

size_t pd_pack_i8_bytes(size_t n, size_t k) { return round_up(n, PD_PANEL_COLUMNS) * round_up(k, GROUP); }

void pd_pack_i8(const float *w, size_t n, size_t k, int8_t *ret_packed, float *ret_scale, float *ret_sum)
{
    const size_t panel_bytes = PD_PANEL_COLUMNS * round_up(k, GROUP);
    memset(ret_packed, 0, pd_pack_i8_bytes(n, k));
    for (size_t output = 0; output < round_up(n, PD_PANEL_COLUMNS); output++)
        ret_scale[output] = ret_sum[output] = 0.0f;
    for (size_t output = 0; output < n; output++) {
        const float *row = w + output * k;
        float largest = 0.0f;
        for (size_t i = 0; i < k; i++) /* not fmaxf, which is a call */
            largest = fabsf(row[i]) > largest ? fabsf(row[i]) : largest;
        const float scale = largest > 0.0f ? largest / 127.0f : 1.0f;
        int8_t *column = ret_packed + output / PD_PANEL_COLUMNS * panel_bytes + output % PD_PANEL_COLUMNS * GROUP;
        int32_t sum = 0;
        for (size_t i = 0; i < k; i++) {
            float q = rintf(row[i] / scale);
            q = q > -127.0f ? (q < 127.0f ? q : 127.0f) : -127.0f;
            column[i / GROUP * GROUP * PD_PANEL_COLUMNS + i % GROUP] = (int8_t)q;
            sum += (int8_t)q;
        }
        ret_scale[output] = scale;
        ret_sum[output] = scale * (float)sum;
    }
}

size_t pd_pack_bf16_bytes(size_t n, size_t k)
{
    return round_up(n, PD_PANEL_COLUMNS) * round_up(k, PAIR) * sizeof(uint16_t);
}

void pd_pack_bf16(const float *w, size_t n, size_t k, uint16_t *ret_packed)
{
    for (size_t first = 0; first < n; first += PD_PANEL_COLUMNS)
        for (size_t i = 0; i < k; i += PAIR)
            for (size_t output = first; output < first + PD_PANEL_COLUMNS; output++)
                for (size_t j = i; j < i + PAIR; j++)
                    *ret_packed++ = output < n && j < k ? pd_bf16_of_float(w[output * k + j]) : 0;
}

size_t pd_attention_scratch(size_t n_keys) { return PD_ATTENTION_ROWS * round_up(n_keys, PD_ATTENTION_ALIGN); }
