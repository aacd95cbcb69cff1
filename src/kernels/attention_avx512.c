#include "kernels/vec_avx512.h"

#include "kernels/attention_vec.h"

void pd_kernels_avx512_attention(pd_kernels *ret_kernels) { ret_kernels->attention = attention; }
