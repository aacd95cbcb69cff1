#include "kernels/vec_avx2.h"

#include "kernels/attention_vec.h"

void pd_kernels_avx2_attention(pd_kernels *ret_kernels) { ret_kernels->attention = attention; }
