#include "kernels/vec_sse2.h"

#include "kernels/attention_vec.h"

void pd_kernels_sse2_attention(pd_kernels *ret_kernels) { ret_kernels->attention = attention; }
