/* check_gemm.c: gemm_f32, gemm_i8 and quantise_rows of every instruction set against the specification. */
#include <math.h>

#include "check.h"

#define F32_BOUND 2e-11  /* measured: 7.2e-12 */
#define BF16_BOUND 3e-12 /* measured: 1.8e-12, AMX; 6.2e-13 elsewhere */
#define I8_BOUND 1e-12   /* measured: 7.2e-14 */
#define GAP 5            /* canaries between the rows of c */

/* Tails of every kind: rows around the tiles, columns around the panels, and k around the groups of 4. */
static const size_t shapes[][3] = {
    { 1, 1, 1 },     { 1, 16, 4 },    { 2, 17, 3 },    { 3, 15, 5 },      { 5, 31, 7 },
    { 7, 32, 8 },    { 13, 33, 9 },   { 14, 48, 16 },  { 15, 24, 17 },    { 27, 49, 31 },
    { 28, 64, 96 },  { 29, 130, 97 }, { 49, 96, 576 }, { 50, 71, 768 },   { 130, 16, 33 },
    { 4, 20, 5003 }, { 1, 300, 64 },  { 131, 8, 130 }, { 700, 40, 1000 },
};

/* One product, on the way to both tables. */
struct product {
    pd_gemm g;
    float *c_spec, *c_isa;
};

static struct product make_product(size_t m, size_t n, size_t k, unsigned variant)
{
    struct product p = { .g = { .m = m, .n = n, .k = k, .ld_c = n + (variant & 1 ? GAP : 0) } };
    const size_t c_len = (m - 1) * p.g.ld_c + n;
    p.g.bias = variant & 2 ? guarded_floats(n) : NULL;
    p.g.activation = (pd_activation)(variant / 8 % PD_ACTIVATION_COUNT);
    p.c_spec = guarded_floats(c_len);
    p.c_isa = guarded_alloc(c_len * sizeof(float));
    for (size_t i = 0; i < c_len; i++)
        if (i % p.g.ld_c >= n)
            p.c_spec[i] = CANARY_FLOAT;
    memcpy(p.c_isa, p.c_spec, c_len * sizeof(float));
    if (variant & 4) { /* added to a residual elsewhere, of rows 3 farther apart */
        p.g.ld_residual = n + 3;
        p.g.residual = guarded_floats((m - 1) * (n + 3) + n);
    }
    return p;
}

/* The table's turn: with its own c, and c as the residual when the case has none other but wants one. */
static pd_gemm aim(const struct product *p, float *c, bool add_to_c)
{
    pd_gemm g = p->g;
    g.c = c;
    if (add_to_c && !g.residual) {
        g.residual = c;
        g.ld_residual = g.ld_c;
    }
    return g;
}

static void compare_product(const struct product *p, double bound)
{
    const pd_gemm *g = &p->g;
    bool gaps_intact = true;
    for (size_t row = 0; row < g->m; row++)
        for (size_t i = g->n; i < g->ld_c && row + 1 < g->m; i++)
            gaps_intact = gaps_intact && p->c_isa[row * g->ld_c + i] == CANARY_FLOAT;
    CHECK(gaps_intact);
    for (size_t row = 0; row < g->m; row++) /* so that the gaps do not count as energy */
        for (size_t i = g->n; i < g->ld_c && row + 1 < g->m; i++)
            p->c_isa[row * g->ld_c + i] = p->c_spec[row * g->ld_c + i] = 0.0f;
    const double error = nmse(p->c_isa, p->c_spec, (g->m - 1) * g->ld_c + g->n);
    CHECK(error <= bound);
    if (!(error <= bound))
        fprintf(stderr, "   %zu x %zu x %zu, activation %d: error %.1e\n", g->m, g->n, g->k, (int)g->activation, error);
    CHECK(guarded_release());
}

static void compare_f32(size_t m, size_t n, size_t k, unsigned variant)
{
    struct product p = make_product(m, n, k, variant);
    const size_t ld_a = k + variant % 3;
    const float *a = guarded_floats((m - 1) * ld_a + k);
    const float *w = guarded_floats(n * k);
    float *packed = guarded_alloc(pd_pack_f32_bytes(n, k));
    pd_pack_f32(w, n, k, packed);
    const bool add_to_c = variant & 16;
    const pd_gemm for_spec = aim(&p, p.c_spec, add_to_c), for_isa = aim(&p, p.c_isa, add_to_c);
    spec.gemm_f32(&for_spec, a, ld_a, packed);
    isa.gemm_f32(&for_isa, a, ld_a, packed);
    compare_product(&p, F32_BOUND);
}

static void compare_bf16(size_t m, size_t n, size_t k, unsigned variant)
{
    struct product p = make_product(m, n, k, variant);
    const size_t ld_a = (k + 1) / 2 * 2 + variant % 2 * 2;
    const float *x = guarded_floats(m * k), *w = guarded_floats(n * k);
    uint16_t *a = guarded_alloc(m * ld_a * sizeof *a), *packed = guarded_alloc(pd_pack_bf16_bytes(n, k));
    spec.round_rows(x, k, m, k, a, ld_a);
    pd_pack_bf16(w, n, k, packed);
    const bool add_to_c = variant & 16;
    const pd_gemm for_spec = aim(&p, p.c_spec, add_to_c), for_isa = aim(&p, p.c_isa, add_to_c);
    spec.gemm_bf16(&for_spec, a, ld_a, packed);
    isa.gemm_bf16(&for_isa, a, ld_a, packed);
    compare_product(&p, BF16_BOUND);
}

static pd_rows_u8 guarded_rows(size_t m, size_t ld_q)
{
    return (pd_rows_u8){ guarded_alloc(m * ld_q), guarded_floats(m), guarded_floats(m), ld_q };
}

static void compare_i8(size_t m, size_t n, size_t k, unsigned variant)
{
    struct product p = make_product(m, n, k, variant);
    const float *a = guarded_floats(m * k);
    const float *w = guarded_floats(n * k);
    const size_t n_padded = (n + PD_PANEL_COLUMNS - 1) / PD_PANEL_COLUMNS * PD_PANEL_COLUMNS;
    int8_t *packed = guarded_alloc(pd_pack_i8_bytes(n, k));
    float *scale = guarded_floats(n_padded), *sum = guarded_floats(n_padded);
    pd_pack_i8(w, n, k, packed, scale, sum);
    const pd_rows_u8 rows = guarded_rows(m, (k + 3) / 4 * 4 + 4 * (variant % 2));
    spec.quantise_rows(a, k, m, k, &rows);
    const pd_weights_i8 weights = { packed, scale, sum };
    const bool add_to_c = variant & 16;
    const pd_gemm for_spec = aim(&p, p.c_spec, add_to_c), for_isa = aim(&p, p.c_isa, add_to_c);
    spec.gemm_i8(&for_spec, &rows, &weights);
    isa.gemm_i8(&for_isa, &rows, &weights);
    compare_product(&p, I8_BOUND);
}

static void float_products_agree_at_every_tail(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(shapes); i++)
        for (unsigned variant = 0; variant < 3; variant++)
            compare_f32(shapes[i][0], shapes[i][1], shapes[i][2], random_u32());
    for (unsigned i = 0; i < 300; i++)
        compare_f32(1 + random_below(40), 1 + random_below(70), 1 + random_below(130), i);
    report_worst("gemm_f32", F32_BOUND);
}

static void bf16_products_agree_at_every_tail(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(shapes); i++)
        for (unsigned variant = 0; variant < 3; variant++)
            compare_bf16(shapes[i][0], shapes[i][1], shapes[i][2], random_u32());
    for (unsigned i = 0; i < 300; i++)
        compare_bf16(1 + random_below(40), 1 + random_below(70), 1 + random_below(130), i);
    report_worst("gemm_bf16", BF16_BOUND);
}

static void byte_products_agree_at_every_tail(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(shapes); i++)
        for (unsigned variant = 0; variant < 3; variant++)
            compare_i8(shapes[i][0], shapes[i][1], shapes[i][2], random_u32());
    for (unsigned i = 0; i < 300; i++)
        compare_i8(1 + random_below(40), 1 + random_below(70), 1 + random_below(130), i);
    report_worst("gemm_i8", I8_BOUND);
}

/* With unit scales the sums are the dots themselves: the largest that k = 516 can make, and of either sign. */
static void byte_dots_are_exact_at_the_extremes(void)
{
    enum { M = 15, N = 33, K = 516, N_PADDED = 48, K_PADDED = K };
    static const uint8_t inputs[] = { 0, 1, 127, 128, 254, 255 };
    static const int8_t weights_of[] = { -127, -126, -1, 1, 126, 127 };
    for (size_t in = 0; in < PD_COUNT_OF(inputs); in++)
        for (size_t of = 0; of < PD_COUNT_OF(weights_of); of++) {
            pd_rows_u8 rows = guarded_rows(M, K_PADDED);
            int8_t *packed = guarded_alloc(N_PADDED * K_PADDED);
            float *scale = guarded_floats(N_PADDED), *sum = guarded_floats(N_PADDED), *c = guarded_floats(M * N);
            memset(rows.q, 0, M * K_PADDED);
            for (size_t row = 0; row < M; row++) {
                memset(rows.q + row * K_PADDED, inputs[in], K);
                rows.scale[row] = 1.0f;
                rows.zero[row] = 0.0f;
            }
            memset(packed, weights_of[of], N_PADDED * K_PADDED);
            for (size_t i = 0; i < N_PADDED; i++) {
                scale[i] = 1.0f;
                sum[i] = (float)(K * weights_of[of]); /* a zero of 0 leaves it out, whatever an ARM adds to both */
            }
            const pd_gemm g = { .m = M, .n = N, .k = K, .c = c, .ld_c = N };
            isa.gemm_i8(&g, &rows, &(pd_weights_i8){ packed, scale, sum });
            bool exact = true;
            for (size_t i = 0; i < M * N; i++)
                exact = exact && c[i] == (float)(K * inputs[in] * weights_of[of]);
            CHECK(exact);
            CHECK(guarded_release());
        }
}

static void compare_rows(size_t m, size_t k, float spread, float shift)
{
    const size_t ld = k + random_below(3), ld_q = (k + 3) / 4 * 4 + 4 * random_below(3);
    float *x = guarded_floats((m - 1) * ld + k);
    for (size_t i = 0; i < (m - 1) * ld + k; i++)
        x[i] = spread * x[i] + shift;
    const pd_rows_u8 a = guarded_rows(m, ld_q), b = guarded_rows(m, ld_q);
    spec.quantise_rows(x, ld, m, k, &a);
    isa.quantise_rows(x, ld, m, k, &b);
    CHECK(memcmp(a.scale, b.scale, m * sizeof(float)) == 0);
    CHECK(memcmp(a.zero, b.zero, m * sizeof(float)) == 0);
    bool close = true, padded = true;
    for (size_t row = 0; row < m; row++)
        for (size_t i = 0; i < ld_q; i++) {
            const int step = a.q[row * ld_q + i] - b.q[row * ld_q + i];
            close = close && abs(step) <= 1;
            padded = padded && (i < k || b.q[row * ld_q + i] == 0);
        }
    CHECK(close);
    CHECK(padded);
    CHECK(guarded_release());
}

static void rows_are_quantised_alike(void)
{
    for (size_t k = 1; k <= 130; k++)
        compare_rows(1 + k % 4, k, 1.0f, 0.0f);
    compare_rows(3, 768, 6.0f, 0.0f);
    compare_rows(3, 768, 3.0f, 3.0f);  /* never negative: after RELU6 */
    compare_rows(3, 768, 3.0f, -4.0f); /* never positive */
    compare_rows(2, 67, 0.0f, 0.0f);   /* all zero */
    compare_rows(2, 67, 1e-38f, 0.0f); /* a scale below the smallest normal float */
    compare_rows(2, 67, 1e-44f, 0.0f); /* and far below */
    compare_rows(2, 67, 1e38f, 0.0f);
}

/* Every upper half of a float, with lower halves around the ties. */
static void rows_are_rounded_to_the_same_bf16(void)
{
    static const uint32_t lower[] = { 0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF };
    enum { WIDTH = 4096, LD = WIDTH + 2 };
    for (uint32_t upper = 0; upper < 65536; upper += WIDTH)
        for (size_t i = 0; i < PD_COUNT_OF(lower); i++) {
            float *x = guarded_floats(WIDTH);
            uint16_t *wanted = guarded_alloc(LD * sizeof *wanted), *got = guarded_alloc(LD * sizeof *got);
            for (uint32_t j = 0; j < WIDTH; j++) {
                const uint32_t bits = (upper + j) << 16 | lower[i];
                memcpy(x + j, &bits, sizeof bits);
            }
            spec.round_rows(x, WIDTH, 1, WIDTH - i, wanted, LD);
            isa.round_rows(x, WIDTH, 1, WIDTH - i, got, LD);
            CHECK(memcmp(wanted, got, LD * sizeof *got) == 0);
            CHECK(wanted[LD - 1] == 0 && wanted[WIDTH - i] == 0);
            CHECK(guarded_release());
        }
}

static void cases(void)
{
    RUN(float_products_agree_at_every_tail);
    RUN(bf16_products_agree_at_every_tail);
    RUN(rows_are_rounded_to_the_same_bf16);
    RUN(byte_products_agree_at_every_tail);
    RUN(byte_dots_are_exact_at_the_extremes);
    RUN(rows_are_quantised_alike);
}

int main(void) { return check_levels(cases); }
