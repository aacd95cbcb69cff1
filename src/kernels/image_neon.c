#include "kernels/vec_neon.h"

#include "kernels/image_quad.h"

void pd_kernels_neon_image(pd_kernels *ret_kernels)
{
    ret_kernels->resize_rows = resize_rows;
    ret_kernels->resize_columns = resize_columns;
    ret_kernels->normalise_rgb = normalise_rgb;
}
