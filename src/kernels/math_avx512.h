/* math_avx512.h: private to kernels: exp and the activations on 16 floats, for the files compiled for AVX-512. */
#ifndef PD_KERNELS_MATH_AVX512_H
#define PD_KERNELS_MATH_AVX512_H

#include <immintrin.h>

#include "kernels/kernels_isa.h"

/* The first `count` lanes, at most 16. */
static inline __mmask16 first_lanes(size_t count) { return count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1); }

/* e^x = 2^n * e^r with |r| <= ln 2 / 2; the polynomial and the split of ln 2 are those of Cephes' expf. NaN stays. */
static inline __m512 exp_ps(__m512 x)
{
    x = _mm512_max_ps(_mm512_set1_ps(-87.0f), _mm512_min_ps(_mm512_set1_ps(88.0f), x));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, _mm512_add_ps(r, _mm512_set1_ps(1.0f)));
    return _mm512_scalef_ps(p, n);
}

/* x / (1 + e^-y) */
static inline __m512 gate_ps(__m512 x, __m512 y)
{
    const __m512 denominator = _mm512_add_ps(_mm512_set1_ps(1.0f), exp_ps(_mm512_sub_ps(_mm512_setzero_ps(), y)));
    return _mm512_div_ps(x, denominator);
}

/* erf for x >= 0: Abramowitz and Stegun 7.1.26, within 1.5e-7. */
static inline __m512 erf_ps(__m512 x)
{
    const __m512 one = _mm512_set1_ps(1.0f);
    const __m512 t = _mm512_div_ps(one, _mm512_fmadd_ps(_mm512_set1_ps(0.3275911f), x, one));
    __m512 p = _mm512_set1_ps(1.061405429f);
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-1.453152027f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(1.421413741f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.284496736f));
    p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.254829592f));
    return _mm512_fnmadd_ps(_mm512_mul_ps(p, t), exp_ps(_mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(x, x))), one);
}

static inline __m512 gelu_ps(__m512 x)
{
    const __m512 erf = erf_ps(_mm512_mul_ps(_mm512_abs_ps(x), _mm512_set1_ps(0.70710678f)));
    const __m512 half = _mm512_mul_ps(x, _mm512_set1_ps(0.5f)); /* and x * erf(x) is even: |x| twice */
    return _mm512_fmadd_ps(_mm512_abs_ps(half), erf, half);
}

static inline __m512 gelu_tanh_ps(__m512 x)
{
    /* (1 + tanh y) / 2 = 1 / (1 + e^-2y); 1.5957691 is 2 sqrt(2 / pi) */
    const __m512 cubic = _mm512_fmadd_ps(_mm512_mul_ps(x, x), _mm512_set1_ps(0.044715f), _mm512_set1_ps(1.0f));
    return gate_ps(x, _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.5957691f)), cubic));
}

static inline __m512 activate_ps(pd_activation activation, __m512 x)
{
    switch (activation) {
    case PD_ACTIVATION_RELU6: return _mm512_max_ps(_mm512_setzero_ps(), _mm512_min_ps(_mm512_set1_ps(6.0f), x));
    case PD_ACTIVATION_QUICK_GELU: return gate_ps(x, _mm512_mul_ps(x, _mm512_set1_ps(1.702f)));
    case PD_ACTIVATION_GELU: return gelu_ps(x);
    case PD_ACTIVATION_GELU_TANH: return gelu_tanh_ps(x);
    case PD_ACTIVATION_NONE:
    case PD_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
