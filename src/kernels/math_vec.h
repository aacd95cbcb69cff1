/* math_vec.h: private to kernels: exp and the activations on vectors; include a vec_<isa>.h before. */
#ifndef PD_KERNELS_MATH_VEC_H
#define PD_KERNELS_MATH_VEC_H

#include "kernels/kernels_isa.h"

/* e^x = 2^n * e^r with |r| <= ln 2 / 2; the polynomial and the split of ln 2 are those of Cephes' expf. NaN stays. */
static inline vec vec_exp(vec x)
{
    x = vec_max(vec_set(-87.0f), vec_min(vec_set(88.0f), x));
    const vec n = vec_round(vec_mul(x, vec_set(1.44269504f)));
    const vec r = vec_sub_mul(n, vec_set(-2.12194440e-4f), vec_sub_mul(n, vec_set(0.693359375f), x));
    vec p = vec_set(1.9875691500e-4f);
    p = vec_mul_add(p, r, vec_set(1.3981999507e-3f));
    p = vec_mul_add(p, r, vec_set(8.3334519073e-3f));
    p = vec_mul_add(p, r, vec_set(4.1665795894e-2f));
    p = vec_mul_add(p, r, vec_set(1.6666665459e-1f));
    p = vec_mul_add(p, r, vec_set(5.0000001201e-1f));
    p = vec_mul_add(vec_mul(r, r), p, vec_add(r, vec_set(1.0f)));
    return vec_scale_2(p, n);
}

/* 2^x for |x| <= 125, clamped to that, so that 1 / (1 + 2^x) stays a normal number; within 1e-7, and what x itself was
 * rounded by. A fit of degree 5 to 2^r for |r| <= 1/2 that makes the greatest relative error least. NaN stays. */
static inline vec vec_exp2(vec x)
{
    x = vec_max(vec_set(-125.0f), vec_min(vec_set(125.0f), x));
    const vec n = vec_round(x), r = vec_sub(x, n);
    vec p = vec_set(1.3276471739e-3f);
    p = vec_mul_add(p, r, vec_set(9.6755415402e-3f));
    p = vec_mul_add(p, r, vec_set(5.5507132761e-2f));
    p = vec_mul_add(p, r, vec_set(2.4022119720e-1f));
    p = vec_mul_add(p, r, vec_set(6.9314696706e-1f));
    p = vec_mul_add(p, r, vec_set(1.0000000717f));
    return vec_scale_2(p, n);
}

#define LOG2_E 1.44269504f

/* x / (1 + 2^z): z is -y / ln 2 for a gate of e^-y. */
static inline vec vec_gate(vec x, vec z) { return vec_divide(x, vec_add(vec_set(1.0f), vec_exp2(z))); }

/* erf for x >= 0: Abramowitz and Stegun 7.1.26, within 1.5e-7. */
static inline vec vec_erf(vec x)
{
    const vec one = vec_set(1.0f);
    const vec t = vec_div(one, vec_mul_add(vec_set(0.3275911f), x, one));
    vec p = vec_set(1.061405429f);
    p = vec_mul_add(p, t, vec_set(-1.453152027f));
    p = vec_mul_add(p, t, vec_set(1.421413741f));
    p = vec_mul_add(p, t, vec_set(-0.284496736f));
    p = vec_mul_add(p, t, vec_set(0.254829592f));
    return vec_sub_mul(vec_mul(p, t), vec_exp(vec_sub(vec_set(0.0f), vec_mul(x, x))), one);
}

static inline vec vec_gelu(vec x)
{
    const vec half = vec_mul(x, vec_set(0.5f)); /* x * erf(x) is even: |x| in both places */
    return vec_mul_add(vec_abs(half), vec_erf(vec_mul(vec_abs(x), vec_set(0.70710678f))), half);
}

static inline vec vec_gelu_tanh(vec x)
{
    /* (1 + tanh y) / 2 = 1 / (1 + e^-2y); 1.5957691 is 2 sqrt(2 / pi) */
    const vec cubic = vec_mul_add(vec_mul(x, x), vec_set(0.044715f), vec_set(1.0f));
    return vec_gate(x, vec_mul(vec_mul(x, vec_set(-1.5957691f * LOG2_E)), cubic));
}

static inline vec vec_activate(pd_activation activation, vec x)
{
    switch (activation) {
    case PD_ACTIVATION_RELU6: return vec_max(vec_set(0.0f), vec_min(vec_set(6.0f), x));
    case PD_ACTIVATION_QUICK_GELU: return vec_gate(x, vec_mul(x, vec_set(-1.702f * LOG2_E)));
    case PD_ACTIVATION_GELU: return vec_gelu(x);
    case PD_ACTIVATION_GELU_TANH: return vec_gelu_tanh(x);
    case PD_ACTIVATION_NONE:
    case PD_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
