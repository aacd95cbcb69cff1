#include "kernels/vec_neon.h"

#include "kernels/scan_neon.h"
#include "kernels/vector_vec.h"

void pd_kernels_neon_vector(pd_kernels *ret_kernels)
{
    ret_kernels->dot_f32 = dot_f32;
    ret_kernels->dot_f16 = dot_f16;
    ret_kernels->float_of_half = float_of_half;
    ret_kernels->half_of_float = half_of_float;
    ret_kernels->scan_u8 = scan_u8;
}
