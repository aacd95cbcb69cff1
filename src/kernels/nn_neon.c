#include "kernels/vec_neon.h"

#include "kernels/nn_vec.h"
#include "kernels/round_vec.h"

void pd_kernels_neon_nn(pd_kernels *ret_kernels)
{
    ret_kernels->quantise_rows = quantise_rows;
    ret_kernels->round_rows = round_rows;
    ret_kernels->layer_norm = layer_norm;
    ret_kernels->activate = activate;
}
