#include "kernels/quad_neon.h"

#include "kernels/gemm_quad.h"

void pd_kernels_neon_gemm(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_f32 = gemm_f32;
    ret_kernels->gemm_i8 = gemm_i8;
}
