/* check_vector.c: dots, halves and the scan of every instruction set against the specification. */
#include <math.h>

#include "check.h"

#define DOT_BOUND 1e-12

/* Dots may cancel, so their error is measured against the lengths of the vectors. */
static void compare_dot(size_t n)
{
    const float *a = guarded_floats(n), *b = guarded_floats(n);
    uint16_t *half = guarded_alloc(n * sizeof *half);
    spec.half_of_float(a, n, half);
    double aa = 0.0, bb = 0.0;
    for (size_t i = 0; i < n; i++) {
        aa += (double)a[i] * a[i];
        bb += (double)b[i] * b[i];
    }
    const double limit = sqrt(DOT_BOUND * aa * bb);
    CHECK(fabs((double)isa.dot_f32(a, b, n) - spec.dot_f32(a, b, n)) <= limit);
    CHECK(fabs((double)isa.dot_f16(half, b, n) - spec.dot_f16(half, b, n)) <= limit);
    CHECK(guarded_release());
}

static void dots_agree(void)
{
    for (size_t n = 0; n <= 130; n++)
        compare_dot(n);
    compare_dot(512);
    compare_dot(4099);
}

static void every_half_becomes_its_float(void)
{
    enum { HALVES = 65536 };
    static uint16_t half[HALVES];
    static float wanted[HALVES], got[HALVES];
    for (size_t i = 0; i < HALVES; i++)
        half[i] = (uint16_t)i;
    spec.float_of_half(half, HALVES, wanted);
    isa.float_of_half(half, HALVES, got);
    size_t wrong = 0;
    for (size_t i = 0; i < HALVES; i++)
        wrong += isnan(wanted[i]) ? !isnan(got[i]) : memcmp(wanted + i, got + i, sizeof *got) != 0;
    CHECK(wrong == 0);
}

/* Floats of every exponent, and those half way between two halves. */
static float make_float(size_t i)
{
    uint32_t bits = random_u32();
    if (i % 2)
        bits = (bits & 0x8FFFE000u) | 0x1000u | (uint32_t)(96 + random_below(64)) << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return isnan(value) ? INFINITY : value;
}

static void floats_are_rounded_to_the_same_halves(void)
{
    for (size_t n = 0; n <= 1000; n += n < 130 ? 1 : 87) {
        float *value = guarded_floats(n);
        uint16_t *wanted = guarded_alloc(n * sizeof *wanted), *got = guarded_alloc(n * sizeof *got);
        for (size_t i = 0; i < n; i++)
            value[i] = make_float(i);
        spec.half_of_float(value, n, wanted);
        isa.half_of_float(value, n, got);
        CHECK(memcmp(wanted, got, n * sizeof *got) == 0);
        float *back = guarded_alloc(n * sizeof *back);
        isa.float_of_half(got, n, back); /* writes no more than n */
        CHECK(guarded_release());
    }
}

static void compare_scan(size_t n, size_t dim, int extreme)
{
    uint8_t *rows = guarded_bytes(n * dim);
    int8_t *query = (int8_t *)guarded_bytes(dim);
    int32_t *wanted = guarded_alloc(n * sizeof *wanted), *got = guarded_alloc(n * sizeof *got);
    if (extreme) {
        memset(rows, 255, n * dim);
        memset(query, extreme, dim);
    }
    spec.scan_u8(rows, n, dim, query, wanted);
    isa.scan_u8(rows, n, dim, query, got);
    CHECK(memcmp(wanted, got, n * sizeof *got) == 0);
    CHECK(guarded_release());
}

static void scans_are_exact(void)
{
    for (size_t n = 0; n <= 35; n++)
        for (size_t dim = 64; dim <= 4096; dim *= 2)
            compare_scan(n, dim, 0);
    compare_scan(7, 192, 0);
    compare_scan(7, 1152, 0);
    compare_scan(5, 4096, 127);
    compare_scan(5, 4096, -128);
}

static void cases(void)
{
    RUN(dots_agree);
    RUN(every_half_becomes_its_float);
    RUN(floats_are_rounded_to_the_same_halves);
    RUN(scans_are_exact);
}

int main(void) { return check_levels(cases); }
