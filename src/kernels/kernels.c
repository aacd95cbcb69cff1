#include "kernels/kernels.h"

#include "base/attr.h"
#include "base/cpu.h"
#include "kernels/kernels_isa.h"

typedef void (*fill_function)(pd_kernels *ret_kernels);

static const fill_function scalar_files[] = { pd_kernels_scalar_gemm, pd_kernels_scalar_nn, pd_kernels_scalar_vector,
                                              pd_kernels_scalar_image };
#ifdef PD_HAVE_AVX2
static const fill_function avx2_files[] = { pd_kernels_avx2_gemm,      pd_kernels_avx2_nn,
                                            pd_kernels_avx2_depthwise, pd_kernels_avx2_attention,
                                            pd_kernels_avx2_vector,    pd_kernels_avx2_image };
#endif
#ifdef PD_HAVE_AVX512
static const fill_function avx512_files[] = { pd_kernels_avx512_gemm,      pd_kernels_avx512_nn,
                                              pd_kernels_avx512_depthwise, pd_kernels_avx512_attention,
                                              pd_kernels_avx512_vector,    pd_kernels_avx512_image };
#endif

/* Each level overwrites what the one before it filled in. */
static const struct level {
    const char *name;
    unsigned needs;
    const fill_function *files;
    size_t n_files;
} levels[] = {
    { "scalar", 0, scalar_files, PD_COUNT_OF(scalar_files) },
#ifdef PD_HAVE_AVX2
    { "avx2", PD_CPU_AVX2, avx2_files, PD_COUNT_OF(avx2_files) },
#endif
#ifdef PD_HAVE_AVX512
    { "avx512", PD_CPU_AVX2 | PD_CPU_AVX512_VNNI, avx512_files, PD_COUNT_OF(avx512_files) },
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
