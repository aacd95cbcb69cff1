/* test_kernels.c: which form of which member a mask gives. */
#include <string.h>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "test.h"

/* Members whose form differs between two tables, in the order of pd_kernels without its name. */
static size_t count_overridden(const pd_kernels *a, const pd_kernels *b)
{
    return (size_t)(a->gemm_f32 != b->gemm_f32) + (a->gemm_i8 != b->gemm_i8) + (a->quantise_rows != b->quantise_rows) +
           (a->depthwise != b->depthwise) + (a->attention != b->attention) + (a->layer_norm != b->layer_norm) +
           (a->activate != b->activate) + (a->dot_f32 != b->dot_f32) + (a->dot_f16 != b->dot_f16) +
           (a->float_of_half != b->float_of_half) + (a->half_of_float != b->half_of_float) +
           (a->scan_u8 != b->scan_u8) + (a->resize_rows != b->resize_rows) + (a->resize_columns != b->resize_columns) +
           (a->normalise_rgb != b->normalise_rgb);
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

static void avx2_overrides_every_member(void)
{
    pd_kernels scalar, avx2;
    pd_kernels_init(&scalar, 0);
    pd_kernels_init(&avx2, PD_CPU_AVX2);
#ifdef __x86_64__
    CHECK(strcmp(avx2.name, "avx2") == 0);
    CHECK(count_overridden(&avx2, &scalar) == MEMBERS);
#else
    CHECK(count_overridden(&avx2, &scalar) == 0);
#endif
}

static void avx512_overrides_all_but_the_row_pass(void)
{
    pd_kernels avx2, avx512;
    pd_kernels_init(&avx2, PD_CPU_AVX2);
    pd_kernels_init(&avx512, PD_CPU_AVX2 | PD_CPU_AVX512_VNNI);
#ifdef __x86_64__
    CHECK(strcmp(avx512.name, "avx512") == 0);
    CHECK(count_overridden(&avx512, &avx2) == MEMBERS - 1);
    CHECK(avx512.resize_rows == avx2.resize_rows);
#else
    CHECK(count_overridden(&avx512, &avx2) == 0);
#endif
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
    RUN(avx2_overrides_every_member);
    RUN(avx512_overrides_all_but_the_row_pass);
    RUN(an_incomplete_mask_falls_back);
    return TEST_RESULT();
}
