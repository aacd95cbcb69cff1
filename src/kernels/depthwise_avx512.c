#include "kernels/vec_avx512.h"

#include "kernels/depthwise_vec.h"

void pd_kernels_avx512_depthwise(pd_kernels *ret_kernels) { ret_kernels->depthwise = depthwise; }
