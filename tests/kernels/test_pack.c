/* test_pack.c: the packed layouts as kernels.h draws them. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "kernels/kernels.h"
#include "test.h"

enum { N = 19, K = 6, N_PADDED = 32, K_PADDED = 8 };

static float weight_of(size_t output, size_t i) { return (float)output * 10.0f + (float)i - 60.0f; }

static void fill_weights(float *w)
{
    for (size_t output = 0; output < N; output++)
        for (size_t i = 0; i < K; i++)
            w[output * K + i] = weight_of(output, i);
}

static void float_panels_hold_sixteen_outputs_by_input(void)
{
    float w[N * K], packed[N_PADDED * K];
    fill_weights(w);
    REQUIRE(pd_pack_f32_bytes(N, K) == sizeof packed);
    pd_pack_f32(w, N, K, packed);
    for (size_t output = 0; output < N_PADDED; output++)
        for (size_t i = 0; i < K; i++) {
            const float wanted = output < N ? weight_of(output, i) : 0.0f;
            CHECK(packed[(output / 16 * K + i) * 16 + output % 16] == wanted);
        }
}

static void bf16_panels_hold_pairs_of_inputs(void)
{
    enum { ODD = 5, ODD_PADDED = 6 };
    float w[N * ODD];
    uint16_t packed[N_PADDED * ODD_PADDED];
    for (size_t i = 0; i < N * ODD; i++)
        w[i] = (float)i - 40.0f; /* exact in 8 bits */
    REQUIRE(pd_pack_bf16_bytes(N, ODD) == sizeof packed);
    pd_pack_bf16(w, N, ODD, packed);
    for (size_t output = 0; output < N_PADDED; output++)
        for (size_t i = 0; i < ODD_PADDED; i++) {
            const float wanted = output < N && i < ODD ? w[output * ODD + i] : 0.0f;
            const size_t at = output / 16 * 16 * ODD_PADDED + i / 2 * 32 + output % 16 * 2 + i % 2;
            CHECK(packed[at] == pd_bf16_of_float(wanted));
        }
}

static void bf16_is_the_nearest_with_ties_to_even(void)
{
    CHECK(pd_bf16_of_float(1.0f) == 0x3F80 && pd_bf16_of_float(-2.0f) == 0xC000);
    CHECK(pd_bf16_of_float(0x1.01p0f) == 0x3F80 && pd_bf16_of_float(0x1.03p0f) == 0x3F82); /* ties */
    CHECK(pd_bf16_of_float(0x1.010002p0f) == 0x3F81 && pd_bf16_of_float(0x1.fffffep127f) == 0x7F80);
    CHECK(pd_bf16_of_float(INFINITY) == 0x7F80 && (pd_bf16_of_float(NAN) & 0x7FFF) > 0x7F80);
}

static void byte_panels_hold_groups_of_four_inputs(void)
{
    float w[N * K], scale[N_PADDED], sum[N_PADDED];
    int8_t packed[N_PADDED * K_PADDED];
    fill_weights(w);
    REQUIRE(pd_pack_i8_bytes(N, K) == sizeof packed);
    memset(packed, 0x55, sizeof packed);
    pd_pack_i8(w, N, K, packed, scale, sum);
    for (size_t output = 0; output < N_PADDED; output++) {
        int total = 0, largest = 0;
        for (size_t i = 0; i < K_PADDED; i++) {
            const int8_t q = packed[output / 16 * 16 * K_PADDED + i / 4 * 64 + output % 16 * 4 + i % 4];
            const float wanted = output < N && i < K ? weight_of(output, i) : 0.0f;
            CHECK(fabsf((float)q * scale[output] - wanted) <= 0.501f * scale[output]);
            CHECK(q >= -127);
            total += q;
            largest = abs(q) > largest ? abs(q) : largest;
        }
        CHECK(largest == (output < N ? 127 : 0)); /* the range is used in full, output by output */
        CHECK(sum[output] == scale[output] * (float)total);
    }
}

static void an_output_of_zeros_packs_to_zeros(void)
{
    const float w[2 * K] = { 0.0f };
    float scale[16], sum[16];
    int8_t packed[16 * K_PADDED];
    pd_pack_i8(w, 2, K, packed, scale, sum);
    for (size_t i = 0; i < PD_COUNT_OF(packed); i++)
        CHECK(packed[i] == 0);
    CHECK(isfinite(scale[0]) && sum[0] == 0.0f);
}

static void outputs_are_quantised_to_the_nearest_step(void)
{
    const float w[4] = { 127.0f, 2.5f, -3.5f, 63.4f }; /* scale 1; ties go to the even step */
    float scale[16], sum[16];
    int8_t packed[64];
    pd_pack_i8(w, 1, 4, packed, scale, sum);
    CHECK(scale[0] == 1.0f);
    CHECK(packed[0] == 127 && packed[1] == 2 && packed[2] == -4 && packed[3] == 63);
    CHECK(sum[0] == 188.0f);
}

int main(void)
{
    RUN(float_panels_hold_sixteen_outputs_by_input);
    RUN(bf16_panels_hold_pairs_of_inputs);
    RUN(bf16_is_the_nearest_with_ties_to_even);
    RUN(byte_panels_hold_groups_of_four_inputs);
    RUN(an_output_of_zeros_packs_to_zeros);
    RUN(outputs_are_quantised_to_the_nearest_step);
    return TEST_RESULT();
}
