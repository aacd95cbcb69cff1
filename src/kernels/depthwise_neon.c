#include "kernels/vec_neon.h"

#include "kernels/depthwise_vec.h"

void pd_kernels_neon_depthwise(pd_kernels *ret_kernels) { ret_kernels->depthwise = depthwise; }
