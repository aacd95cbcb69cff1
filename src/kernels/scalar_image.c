/* scalar_image.c: resizing in fixed point, as Pillow's src/libImaging/Resample.c, and pixels to floats. */
#include "kernels/kernels_isa.h"

#define RGB 3
#define ONE_HALF (1 << (PD_RESIZE_BITS - 1))

static uint8_t clip(int32_t fixed)
{
    const int32_t value = fixed >> PD_RESIZE_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* One output byte of output i; its first source byte is in[0], the next `step` bytes on. */
static uint8_t weigh(const pd_resize *r, size_t i, const uint8_t *in, size_t step)
{
    int32_t sum = ONE_HALF;
    for (size_t tap = 0; tap < r->count[i]; tap++)
        sum += in[tap * step] * r->weight[i * r->weights_max + tap];
    return clip(sum);
}

static void resize_rows(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t rows, uint8_t *out, size_t ld_out)
{
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < r->n_out; i++)
            for (size_t channel = 0; channel < RGB; channel++)
                out[row * ld_out + i * RGB + channel] =
                    weigh(r, i, in + row * ld_in + r->first[i] * RGB + channel, RGB);
}

static void resize_columns(const pd_resize *r, const uint8_t *in, size_t ld_in, size_t width, uint8_t *out,
                           size_t ld_out)
{
    for (size_t i = 0; i < r->n_out; i++)
        for (size_t byte = 0; byte < width * RGB; byte++)
            out[i * ld_out + byte] = weigh(r, i, in + r->first[i] * ld_in + byte, ld_in);
}

static void normalise_rgb(const uint8_t *x, size_t n, const float mul[3], const float add[3], float *y)
{
    for (size_t i = 0; i < n; i++)
        for (size_t channel = 0; channel < RGB; channel++)
            y[i * RGB + channel] = (float)((double)x[i * RGB + channel] * (double)mul[channel] + (double)add[channel]);
}

void pd_kernels_scalar_image(pd_kernels *ret_kernels)
{
    ret_kernels->resize_rows = resize_rows;
    ret_kernels->resize_columns = resize_columns;
    ret_kernels->normalise_rgb = normalise_rgb;
}
