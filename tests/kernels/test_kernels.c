/* test_kernels.c: which form of which member a mask gives. */
#include <string.h>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "test.h"

/* Members whose form differs between two tables, in the order of pd_kernels without its name. */
static size_t count_overridden(const pd_kernels *a, const pd_kernels *b)
{
    return (size_t)(a->gemm_f32 != b->gemm_f32) + (a->gemm_i8 != b->gemm_i8) + (a->gemm_bf16 != b->gemm_bf16) +
           (a->round_rows != b->round_rows) + (a->quantise_rows != b->quantise_rows) + (a->depthwise != b->depthwise) +
           (a->attention != b->attention) + (a->layer_norm != b->layer_norm) + (a->activate != b->activate) +
           (a->dot_f32 != b->dot_f32) + (a->dot_f16 != b->dot_f16) + (a->float_of_half != b->float_of_half) +
           (a->half_of_float != b->half_of_float) + (a->scan_u8 != b->scan_u8) + (a->resize_rows != b->resize_rows) +
           (a->resize_columns != b->resize_columns) + (a->normalise_rgb != b->normalise_rgb);
}

#define MEMBERS ((sizeof(pd_kernels) - sizeof(char *)) / sizeof(void (*)(void)))

static void mask_zero_is_the_scalar_table_without_holes(void)
{
    pd_kernels scalar, none;
    memset(&none, 0, sizeof none);
    pd_kernels_init(&scalar, 0);
    CHECK(strcmp(scalar.name, "scalar") == 0);
    CHECK(count_overridden(&scalar, &none) == MEMBERS);
}

static void expect_level(unsigned mask, const char *name, unsigned below, size_t overridden)
{
    pd_kernels level, base;
    pd_kernels_init(&level, mask);
    pd_kernels_init(&base, below);
    CHECK(strcmp(level.name, name) == 0);
    CHECK(count_overridden(&level, &base) == overridden);
}

static void every_level_overrides_what_is_below_it(void)
{
#ifdef __x86_64__
    const unsigned avx512 = PD_CPU_AVX2 | PD_CPU_AVX512_VNNI;
    expect_level(PD_CPU_SSE2, "sse2", 0, MEMBERS);
    expect_level(PD_CPU_AVX2, "avx2", 0, MEMBERS);
    expect_level(PD_CPU_SSE2 | PD_CPU_AVX2, "avx2", PD_CPU_SSE2, MEMBERS);
    expect_level(PD_CPU_AVX2 | PD_CPU_AVXVNNI, "avxvnni", PD_CPU_AVX2, 2); /* gemm_i8 and scan_u8 */
    expect_level(avx512 | PD_CPU_AVXVNNI, "avx512", avx512, 0);
    expect_level(avx512, "avx512", PD_CPU_AVX2, MEMBERS - 2); /* resize_rows and gemm_bf16 stay AVX2's */
    expect_level(avx512 | PD_CPU_AMX_INT8, "amx", avx512, 1); /* gemm_i8 */
    expect_level(avx512 | PD_CPU_AMX_INT8 | PD_CPU_AMX_BF16, "amx", avx512 | PD_CPU_AMX_INT8, 1);
    expect_level(avx512 | PD_CPU_AVX512_BF16, "avx512", avx512, 1);
#elif defined __aarch64__
    expect_level(PD_CPU_NEON, "neon", 0, MEMBERS);
    expect_level(PD_CPU_NEON | PD_CPU_NEON_DOTPROD, "dotprod", PD_CPU_NEON, 3);
#endif
    expect_level(PD_CPU_SHA, "scalar", 0, 0);
}

/* A mask is what may be used, bit by bit: no level begins before all it stands on is there. */
static void an_incomplete_mask_falls_back(void)
{
    pd_kernels kernels, scalar;
    pd_kernels_init(&scalar, 0);
    pd_kernels_init(&kernels, PD_CPU_AVX512_VNNI);
    CHECK(strcmp(kernels.name, "scalar") == 0);
    CHECK(count_overridden(&kernels, &scalar) == 0);
    pd_kernels_init(&kernels, PD_CPU_SHA);
    CHECK(strcmp(kernels.name, "scalar") == 0);
}

int main(void)
{
    RUN(mask_zero_is_the_scalar_table_without_holes);
    RUN(every_level_overrides_what_is_below_it);
    RUN(an_incomplete_mask_falls_back);
    return TEST_RESULT();
}
