#include "kernels/vec_avx2.h"

#include "kernels/bf16_vec.h"

void pd_kernels_avx2_bf16(pd_kernels *ret_kernels) { ret_kernels->gemm_bf16 = gemm_bf16; }
