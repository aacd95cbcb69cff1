#include "nn/nn.h"

#include <math.h>
#include <string.h>

void pd_pool_mean(const float *x, size_t m, size_t k, float *ret_mean)
{
    memcpy(ret_mean, x, k * sizeof *x);
    for (size_t i = 1; i < m; i++)
        for (size_t j = 0; j < k; j++)
            ret_mean[j] += x[i * k + j];
    for (size_t j = 0; j < k; j++)
        ret_mean[j] /= (float)m;
}

void pd_patches_gather(const float *x, size_t side, size_t patch, float *ret_rows)
{
    const size_t n = side / patch, line = patch * 3;
    for (size_t py = 0; py < n; py++)
        for (size_t px = 0; px < n; px++)
            for (size_t y = 0; y < patch; y++, ret_rows += line)
                memcpy(ret_rows, x + ((py * patch + y) * side + px * patch) * 3, line * sizeof *x);
}

bool pd_unit_make(float *x, size_t n)
{
    double sum = 0; /* of squares: the last rounding should not depend on the instruction set */
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    const double length = sqrt(sum);
    if (!isfinite(length) || length == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(x[i] / length);
    return true;
}

void pd_nn_tap_rows(const pd_nn *nn, const char *name, const float *data, size_t m, size_t k)
{
    if (nn->tap)
        nn->tap(nn->tap_user, name, data, 2, (const size_t[]){ m, k });
}

void pd_nn_tap_map(const pd_nn *nn, const char *name, const float *data, size_t h, size_t w, size_t channels)
{
    if (nn->tap)
        nn->tap(nn->tap_user, name, data, 3, (const size_t[]){ h, w, channels });
}
