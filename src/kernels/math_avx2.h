/* math_avx2.h: private to kernels: exp and the activations on 8 floats, for the files compiled for AVX2. The formulas
 * are those of math_avx512.h. */
#ifndef PD_KERNELS_MATH_AVX2_H
#define PD_KERNELS_MATH_AVX2_H

#include <immintrin.h>

#include "kernels/kernels_isa.h"

static inline __m256 abs_ps(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

/* e^x = 2^n * e^r with |r| <= ln 2 / 2; the polynomial and the split of ln 2 are those of Cephes' expf. NaN stays. */
static inline __m256 exp_ps(__m256 x)
{
    x = _mm256_max_ps(_mm256_set1_ps(-87.0f), _mm256_min_ps(_mm256_set1_ps(88.0f), x));
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), 8);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.9875691500e-4f);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
    p = _mm256_fmadd_ps(_mm256_mul_ps(r, r), p, _mm256_add_ps(r, _mm256_set1_ps(1.0f)));
    const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(exponent));
}

/* x / (1 + e^-y) */
static inline __m256 gate_ps(__m256 x, __m256 y)
{
    const __m256 denominator = _mm256_add_ps(_mm256_set1_ps(1.0f), exp_ps(_mm256_sub_ps(_mm256_setzero_ps(), y)));
    return _mm256_div_ps(x, denominator);
}

/* erf for x >= 0: Abramowitz and Stegun 7.1.26, within 1.5e-7. */
static inline __m256 erf_ps(__m256 x)
{
    const __m256 one = _mm256_set1_ps(1.0f);
    const __m256 t = _mm256_div_ps(one, _mm256_fmadd_ps(_mm256_set1_ps(0.3275911f), x, one));
    __m256 p = _mm256_set1_ps(1.061405429f);
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-1.453152027f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(1.421413741f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(-0.284496736f));
    p = _mm256_fmadd_ps(p, t, _mm256_set1_ps(0.254829592f));
    return _mm256_fnmadd_ps(_mm256_mul_ps(p, t), exp_ps(_mm256_sub_ps(_mm256_setzero_ps(), _mm256_mul_ps(x, x))), one);
}

static inline __m256 gelu_ps(__m256 x)
{
    const __m256 erf = erf_ps(_mm256_mul_ps(abs_ps(x), _mm256_set1_ps(0.70710678f)));
    const __m256 half = _mm256_mul_ps(x, _mm256_set1_ps(0.5f)); /* and x * erf(x) is even: |x| twice */
    return _mm256_fmadd_ps(abs_ps(half), erf, half);
}

static inline __m256 gelu_tanh_ps(__m256 x)
{
    /* (1 + tanh y) / 2 = 1 / (1 + e^-2y); 1.5957691 is 2 sqrt(2 / pi) */
    const __m256 cubic = _mm256_fmadd_ps(_mm256_mul_ps(x, x), _mm256_set1_ps(0.044715f), _mm256_set1_ps(1.0f));
    return gate_ps(x, _mm256_mul_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.5957691f)), cubic));
}

static inline __m256 activate_ps(pd_activation activation, __m256 x)
{
    switch (activation) {
    case PD_ACTIVATION_RELU6: return _mm256_max_ps(_mm256_setzero_ps(), _mm256_min_ps(_mm256_set1_ps(6.0f), x));
    case PD_ACTIVATION_QUICK_GELU: return gate_ps(x, _mm256_mul_ps(x, _mm256_set1_ps(1.702f)));
    case PD_ACTIVATION_GELU: return gelu_ps(x);
    case PD_ACTIVATION_GELU_TANH: return gelu_tanh_ps(x);
    case PD_ACTIVATION_NONE:
    case PD_ACTIVATION_COUNT: break;
    }
    return x;
}

#endif
