#include "kernels/kernels.h"

#include "base/attr.h"
#include "base/cpu.h"
#include "kernels/kernels_isa.h"

typedef void (*fill_function)(pd_kernels *ret_kernels);

static const fill_function scalar_files[] = { pd_kernels_scalar_gemm, pd_kernels_scalar_nn, pd_kernels_scalar_vector,
                                              pd_kernels_scalar_image };

static void fill(pd_kernels *kernels, const char *name, const fill_function *files, size_t n_files)
{
    kernels->name = name;
    for (size_t i = 0; i < n_files; i++)
        files[i](kernels);
}

void pd_kernels_init(pd_kernels *ret_kernels, unsigned cpu_mask)
{
    fill(ret_kernels, "scalar", scalar_files, PD_COUNT_OF(scalar_files));
    (void)cpu_mask;
}
