#include "kernels/kernels.h"

#include "base/attr.h"
#include "base/cpu.h"
#include "kernels/kernels_isa.h"

typedef void (*fill_function)(pd_kernels *ret_kernels);

static const fill_function scalar_files[] = { pd_kernels_scalar_gemm, pd_kernels_scalar_nn, pd_kernels_scalar_vector,
                                              pd_kernels_scalar_image };
#ifdef PD_HAVE_SSE2
static const fill_function sse2_files[] = { pd_kernels_sse2_gemm,      pd_kernels_sse2_bf16,
                                            pd_kernels_sse2_nn,        pd_kernels_sse2_depthwise,
                                            pd_kernels_sse2_attention, pd_kernels_sse2_vector,
                                            pd_kernels_sse2_image };
#endif
#ifdef PD_HAVE_AVX2
static const fill_function avx2_files[] = { pd_kernels_avx2_gemm,      pd_kernels_avx2_bf16,
                                            pd_kernels_avx2_nn,        pd_kernels_avx2_depthwise,
                                            pd_kernels_avx2_attention, pd_kernels_avx2_vector,
                                            pd_kernels_avx2_image };
#endif
#ifdef PD_HAVE_AVXVNNI
static const fill_function avxvnni_files[] = { pd_kernels_avxvnni_bytes };
#endif
#ifdef PD_HAVE_AVX512
static const fill_function avx512_files[] = { pd_kernels_avx512_gemm,      pd_kernels_avx512_nn,
                                              pd_kernels_avx512_depthwise, pd_kernels_avx512_attention,
                                              pd_kernels_avx512_vector,    pd_kernels_avx512_image };
static const fill_function avx512_bf16_files[] = { pd_kernels_avx512_bf16 };
#endif
#ifdef PD_HAVE_AMX
static const fill_function amx_files[] = { pd_kernels_amx_gemm };
static const fill_function amx_bf16_files[] = { pd_kernels_amx_bf16 };
#endif
#ifdef PD_HAVE_NEON
static const fill_function neon_files[] = { pd_kernels_neon_gemm,      pd_kernels_neon_bf16,
                                            pd_kernels_neon_nn,        pd_kernels_neon_depthwise,
                                            pd_kernels_neon_attention, pd_kernels_neon_vector,
                                            pd_kernels_neon_image };
static const fill_function dotprod_files[] = { pd_kernels_dotprod_bytes };
#endif

/* Each level overwrites what the one before it filled in. */
static const struct level {
    const char *name;
    unsigned needs;
    const fill_function *files;
    size_t n_files;
} levels[] = {
    { "scalar", 0, scalar_files, PD_COUNT_OF(scalar_files) },
#ifdef PD_HAVE_SSE2
    { "sse2", PD_CPU_SSE2, sse2_files, PD_COUNT_OF(sse2_files) },
#endif
#ifdef PD_HAVE_AVX2
    { "avx2", PD_CPU_AVX2, avx2_files, PD_COUNT_OF(avx2_files) },
#endif
#ifdef PD_HAVE_AVXVNNI
    { "avxvnni", PD_CPU_AVX2 | PD_CPU_AVXVNNI, avxvnni_files, PD_COUNT_OF(avxvnni_files) },
#endif
#ifdef PD_HAVE_AVX512
    { "avx512", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI, avx512_files, PD_COUNT_OF(avx512_files) },
    { "avx512", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI | PD_CPU_AVX512_BF16, avx512_bf16_files,
      PD_COUNT_OF(avx512_bf16_files) },
#endif
#ifdef PD_HAVE_AMX
    { "amx", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI | PD_CPU_AMX_INT8, amx_files, PD_COUNT_OF(amx_files) },
    { "amx", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI | PD_CPU_AMX_INT8 | PD_CPU_AMX_BF16, amx_bf16_files,
      PD_COUNT_OF(amx_bf16_files) },
#endif
#ifdef PD_HAVE_NEON
    { "neon", PD_CPU_NEON, neon_files, PD_COUNT_OF(neon_files) },
    { "dotprod", PD_CPU_NEON | PD_CPU_NEON_DOTPROD, dotprod_files, PD_COUNT_OF(dotprod_files) },
#endif
};

void pd_kernels_init(pd_kernels *ret_kernels, unsigned cpu_mask)
{
    for (size_t i = 0; i < PD_COUNT_OF(levels); i++) {
        if ((levels[i].needs & cpu_mask) != levels[i].needs)
            continue;
        ret_kernels->name = levels[i].name;
        for (size_t file = 0; file < levels[i].n_files; file++)
            levels[i].files[file](ret_kernels);
    }
}
