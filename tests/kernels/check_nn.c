/* check_nn.c: depthwise, attention, layer_norm and activate of every instruction set against the specification. */
#include <math.h>

#include "check.h"

#define DEPTHWISE_BOUND 1e-13  /* measured: 8.2e-15 */
#define ATTENTION_BOUND 3e-12  /* measured: 3.7e-13 */
#define LAYER_NORM_BOUND 1e-12 /* measured: 2.5e-13 */
#define ACTIVATE_BOUND 1e-12   /* measured: 1.9e-13 */

static void compare_depthwise(pd_depthwise d, size_t pad_bottom, size_t pad_right)
{
    const size_t reach = 2 * d.dilation;
    if (d.h_in + d.pad_top + pad_bottom <= reach || d.w_in + d.pad_left + pad_right <= reach)
        return; /* no output at all */
    d.h_out = (d.h_in + d.pad_top + pad_bottom - reach - 1) / d.stride + 1;
    d.w_out = (d.w_in + d.pad_left + pad_right - reach - 1) / d.stride + 1;
    const size_t n = d.h_out * d.w_out * d.channels;
    d.x = guarded_floats(d.h_in * d.w_in * d.channels);
    d.w = guarded_floats(9 * d.channels);
    d.bias = guarded_floats(d.channels);
    float *wanted = guarded_floats(n), *got = guarded_floats(n);
    d.y = wanted;
    spec.depthwise(&d);
    d.y = got;
    isa.depthwise(&d);
    CHECK(nmse(got, wanted, n) <= DEPTHWISE_BOUND);
    CHECK(guarded_release());
}

static void depthwise_agrees_at_every_border(void)
{
    for (size_t side = 1; side <= 11; side++)
        for (size_t stride = 1; stride <= 3; stride++)
            for (size_t dilation = 1; dilation <= 2; dilation++)
                for (size_t pad = 0; pad <= 2; pad++) {
                    const pd_depthwise d = { .h_in = side,
                                             .w_in = 12 - side,
                                             .channels = 1 + random_below(40),
                                             .stride = stride,
                                             .dilation = dilation,
                                             .pad_top = pad,
                                             .pad_left = 2 - pad,
                                             .activation = (pd_activation)(side % 2) };
                    compare_depthwise(d, 2 - pad, pad);
                }
    for (size_t channels = 1; channels <= 130; channels++)
        compare_depthwise((pd_depthwise){ .h_in = 5,
                                          .w_in = 7,
                                          .channels = channels,
                                          .stride = 1 + channels % 2,
                                          .dilation = 1,
                                          .pad_top = 1,
                                          .pad_left = 1,
                                          .activation = PD_ACTIVATION_RELU6 },
                          1, 1);
    report_worst("depthwise", DEPTHWISE_BOUND);
}

/* m queries among n keys. */
static void compare_attention(pd_attention a, float spread)
{
    const size_t m = a.n_queries, n = a.n_keys, width = a.n_heads * a.d_head, ld_out = width + random_below(3);
    const size_t len_out = (m - 1) * ld_out + width;
    a.ld_q = width + random_below(2);
    a.ld = 2 * width + random_below(2);
    a.scale = 1.0f / sqrtf((float)a.d_head);
    float *q = guarded_floats((m - 1) * a.ld_q + width), *kv = guarded_floats((n - 1) * a.ld + 2 * width);
    float *wanted = guarded_alloc(len_out * sizeof(float)), *got = guarded_alloc(len_out * sizeof(float));
    for (size_t i = 0; i < (m - 1) * a.ld_q + width; i++)
        q[i] *= spread;
    for (size_t i = 0; i < (n - 1) * a.ld + 2 * width; i++)
        kv[i] *= spread;
    a.q = q;
    a.k = kv;
    a.v = kv + width;
    a.ld_out = ld_out;
    a.scratch = guarded_floats(pd_attention_scratch(n));
    a.out = wanted;
    spec.attention(&a);
    a.out = got;
    isa.attention(&a);
    uint8_t gap[2 * sizeof(float)];
    memset(gap, CANARY, sizeof gap);
    bool gaps_intact = true;
    for (size_t row = 0; row + 1 < m; row++)
        gaps_intact = gaps_intact && memcmp(got + row * ld_out + width, gap, (ld_out - width) * sizeof(float)) == 0;
    CHECK(gaps_intact);
    for (size_t row = 1; row < m; row++) { /* without the gaps */
        memmove(wanted + row * width, wanted + row * ld_out, width * sizeof(float));
        memmove(got + row * width, got + row * ld_out, width * sizeof(float));
    }
    CHECK(nmse(got, wanted, m * width) <= ATTENTION_BOUND);
    CHECK(guarded_release());
}

static void attention_agrees_with_and_without_causality(void)
{
    static const size_t tokens[] = { 1, 2, 7, 8, 15, 16, 17, 31, 33, 49, 50, 63, 64, 65, 77, 130, 197 };
    static const size_t widths[] = { 64, 1, 5, 8, 31, 32, 80, 130 };
    pd_attention a = { 0 };
    for (size_t i = 0; i < PD_COUNT_OF(tokens); i++)
        for (unsigned causal = 0; causal < 2; causal++) {
            a = (pd_attention){ .n_heads = 2, .d_head = 64, .causal = causal };
            a.n_queries = a.n_keys = tokens[i];
            compare_attention(a, 1.0f);
            a.n_heads = 1 + i % 3;
            a.d_head = widths[i % PD_COUNT_OF(widths)];
            compare_attention(a, 1.0f);
        }
    a = (pd_attention){ .n_queries = 50, .n_keys = 50, .n_heads = 12, .d_head = 64 };
    compare_attention(a, 4.0f); /* scores up to 20: a few tokens take nearly all */
    a.causal = true;
    compare_attention(a, 4.0f);
    report_worst("attention", ATTENTION_BOUND);
}

static void attention_agrees_with_keys_of_another_sequence(void)
{
    static const size_t queries[] = { 1, 3, 5, 6, 16, 65 }, keys[] = { 1, 16, 49, 97, 577 };
    for (size_t i = 0; i < PD_COUNT_OF(queries); i++)
        for (size_t j = 0; j < PD_COUNT_OF(keys); j++)
            compare_attention((pd_attention){ .n_queries = queries[i],
                                              .n_keys = keys[j],
                                              .n_heads = 1 + j % 3,
                                              .d_head = 32 + 8 * i },
                              1.0f);
    report_worst("attention", ATTENTION_BOUND);
}

static void compare_layer_norm(size_t m, size_t k, bool affine, float shift)
{
    float *x = guarded_floats(m * k), *wanted = guarded_floats(m * k), *got = guarded_floats(m * k);
    const float *w = affine ? guarded_floats(k) : NULL, *b = affine ? guarded_floats(k) : NULL;
    for (size_t i = 0; i < m * k; i++) /* neighbours differ: of two equal numbers only rounding would be left */
        x[i] = x[i] * 0.5f + (i % 2 ? 1.0f : -1.0f) + shift;
    spec.layer_norm(x, m, k, w, b, 1e-5f, wanted);
    isa.layer_norm(x, m, k, w, b, 1e-5f, got);
    CHECK(nmse(got, wanted, m * k) <= LAYER_NORM_BOUND);
    isa.layer_norm(x, m, k, w, b, 1e-5f, x); /* in place is the same */
    CHECK(memcmp(x, got, m * k * sizeof(float)) == 0);
    CHECK(guarded_release());
}

static void layer_norm_agrees(void)
{
    for (size_t k = 2; k <= 130; k++)
        compare_layer_norm(1 + k % 3, k, k % 2, 0.0f);
    compare_layer_norm(50, 768, true, 0.0f);
    compare_layer_norm(3, 1024, true, 2.0f); /* a mean of four deviations */
    report_worst("layer_norm", LAYER_NORM_BOUND);
}

static void compare_activation(pd_activation activation, size_t n, float spread)
{
    float *wanted = guarded_floats(n), *got = guarded_floats(n);
    for (size_t i = 0; i < n; i++)
        wanted[i] *= spread;
    memcpy(got, wanted, n * sizeof(float));
    spec.activate(activation, wanted, n);
    isa.activate(activation, got, n);
    CHECK(nmse(got, wanted, n) <= ACTIVATE_BOUND);
    CHECK(guarded_release());
}

static void activations_agree(void)
{
    for (pd_activation activation = 0; activation < PD_ACTIVATION_COUNT; activation++) {
        for (size_t n = 0; n <= 130; n++)
            compare_activation(activation, n, 1.0f);
        compare_activation(activation, 5003, 0.01f);
        compare_activation(activation, 5003, 4.0f);
        compare_activation(activation, 5003, 200.0f);
    }
    report_worst("activate", ACTIVATE_BOUND);
}

static void activations_keep_nan_and_zero(void)
{
    for (pd_activation activation = 0; activation < PD_ACTIVATION_COUNT; activation++) {
        float x[19];
        for (size_t i = 0; i < PD_COUNT_OF(x); i++)
            x[i] = i % 2 ? NAN : 0.0f;
        isa.activate(activation, x, PD_COUNT_OF(x));
        bool kept = true;
        for (size_t i = 0; i < PD_COUNT_OF(x); i++)
            kept = kept && (i % 2 ? isnan(x[i]) : x[i] == 0.0f);
        CHECK(kept);
    }
}

static void cases(void)
{
    RUN(depthwise_agrees_at_every_border);
    RUN(attention_agrees_with_and_without_causality);
    RUN(attention_agrees_with_keys_of_another_sequence);
    RUN(layer_norm_agrees);
    RUN(activations_agree);
    RUN(activations_keep_nan_and_zero);
}

int main(void) { return check_levels(cases); }
