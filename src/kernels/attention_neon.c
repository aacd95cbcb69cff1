#include "kernels/vec_neon.h"

#include "kernels/attention_vec.h"

void pd_kernels_neon_attention(pd_kernels *ret_kernels) { ret_kernels->attention = attention; }
