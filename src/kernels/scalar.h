/* scalar.h: private to kernels: the activations as formulas, shared by the scalar files. */
#ifndef PD_KERNELS_SCALAR_H
#define PD_KERNELS_SCALAR_H

#include <math.h>

#include "kernels/kernels.h"

static inline double pd_scalar_activate(pd_activation activation, double x)
{
    switch (activation) {
    case PD_ACTIVATION_RELU6: return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x;
    case PD_ACTIVATION_QUICK_GELU: return x / (1.0 + exp(-1.702 * x));
    case PD_ACTIVATION_GELU: return 0.5 * x * (1.0 + erf(x * M_SQRT1_2));
    case PD_ACTIVATION_GELU_TANH: return 0.5 * x * (1.0 + tanh(sqrt(M_2_PI) * (x + 0.044715 * x * x * x)));
    case PD_ACTIVATION_NONE:
    case PD_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
