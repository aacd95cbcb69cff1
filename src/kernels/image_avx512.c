#include "kernels/vec_avx512.h"

#include "kernels/image_vec.h"

void pd_kernels_avx512_image(pd_kernels *ret_kernels)
{
    ret_kernels->resize_columns = resize_columns; /* resize_rows stays AVX2's */
    ret_kernels->normalise_rgb = normalise_rgb;
}
