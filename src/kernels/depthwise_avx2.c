#include "kernels/vec_avx2.h"

#include "kernels/depthwise_vec.h"

void pd_kernels_avx2_depthwise(pd_kernels *ret_kernels) { ret_kernels->depthwise = depthwise; }
