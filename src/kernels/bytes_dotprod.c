/* bytes_dotprod.c: what ARM's dot product of bytes does better: the int8 product and the scan. */
#include "kernels/quad_neon.h"

#include "kernels/gemm_quad.h"
#include "kernels/scan_neon.h"

void pd_kernels_dotprod_bytes(pd_kernels *ret_kernels)
{
    ret_kernels->gemm_f32 = gemm_f32; /* the same as NEON's */
    ret_kernels->gemm_i8 = gemm_i8;
    ret_kernels->scan_u8 = scan_u8;
}
