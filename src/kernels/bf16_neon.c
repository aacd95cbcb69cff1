#include "kernels/vec_neon.h"

#include "kernels/bf16_vec.h"

void pd_kernels_neon_bf16(pd_kernels *ret_kernels) { ret_kernels->gemm_bf16 = gemm_bf16; }
