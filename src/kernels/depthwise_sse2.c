#include "kernels/vec_sse2.h"

#include "kernels/depthwise_vec.h"

void pd_kernels_sse2_depthwise(pd_kernels *ret_kernels) { ret_kernels->depthwise = depthwise; }
