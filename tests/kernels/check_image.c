/* check_image.c: both passes of the resize and normalise_rgb of every instruction set against the specification. */
#include "check.h"

#define NORMALISE_BOUND 1e-12
#define GAP 3 /* canaries between the rows of the output */

/* Taps that wander over `size` source pixels; weights of either sign that sum to about 1. */
static pd_resize make_resize(size_t n_out, size_t size, size_t taps_max)
{
    uint32_t *first = guarded_alloc(n_out * sizeof *first), *count = guarded_alloc(n_out * sizeof *count);
    int32_t *weight = guarded_alloc(n_out * taps_max * sizeof *weight);
    for (size_t i = 0; i < n_out; i++) {
        const size_t most = taps_max < size ? taps_max : size;
        count[i] = (uint32_t)(1 + random_below(most));
        first[i] = (uint32_t)random_below(size - count[i] + 1);
        for (size_t tap = 0; tap < taps_max; tap++) /* those beyond count must not count */
            weight[i * taps_max + tap] = (int32_t)(random_float() * 0x1p22f * 1.9f / (float)count[i]);
    }
    return (pd_resize){ n_out, first, count, weight, taps_max };
}

static void compare_pictures(const uint8_t *wanted, const uint8_t *got, size_t bytes)
{
    CHECK(memcmp(wanted, got, bytes) == 0); /* gaps included: both began as canaries */
    CHECK(guarded_release());
}

static void compare_rows_pass(size_t rows, size_t width, size_t n_out, size_t taps_max)
{
    const pd_resize r = make_resize(n_out, width, taps_max);
    const size_t ld_in = width * 3 + random_below(3), ld_out = n_out * 3 + GAP;
    const uint8_t *in = guarded_bytes((rows - 1) * ld_in + width * 3);
    const size_t bytes = (rows - 1) * ld_out + n_out * 3;
    uint8_t *wanted = guarded_alloc(bytes), *got = guarded_alloc(bytes);
    spec.resize_rows(&r, in, ld_in, rows, wanted, ld_out);
    isa.resize_rows(&r, in, ld_in, rows, got, ld_out);
    compare_pictures(wanted, got, bytes);
}

static void compare_columns_pass(size_t height, size_t width, size_t n_out, size_t taps_max)
{
    const pd_resize r = make_resize(n_out, height, taps_max);
    const size_t ld_in = width * 3 + random_below(3), ld_out = width * 3 + GAP;
    const uint8_t *in = guarded_bytes((height - 1) * ld_in + width * 3);
    const size_t bytes = (n_out - 1) * ld_out + width * 3;
    uint8_t *wanted = guarded_alloc(bytes), *got = guarded_alloc(bytes);
    spec.resize_columns(&r, in, ld_in, width, wanted, ld_out);
    isa.resize_columns(&r, in, ld_in, width, got, ld_out);
    compare_pictures(wanted, got, bytes);
}

static void resizes_are_exact(void)
{
    for (size_t size = 1; size <= 130; size++) {
        compare_rows_pass(1 + size % 9, size, 1 + size / 2, 1 + size % 13);
        compare_columns_pass(size, 1 + (size * 7) % 67, 1 + size / 2, 1 + size % 13);
    }
    compare_rows_pass(5, 1009, 224, 40);
    compare_columns_pass(509, 224, 97, 40);
}

/* Black and white, with overshoot: results are clipped, not wrapped. */
static void resizes_clip(void)
{
    enum { N = 6 };
    const uint32_t first[2] = { 0, 2 }, count[2] = { 3, 4 };
    const int32_t weight[8] = { -(1 << 20), 3 << 21, 0, 0, 1 << 20, -(3 << 21), 1 << 19, 0 };
    const pd_resize r = { 2, first, count, weight, 4 };
    const uint8_t in[N * 3] = { 0, 255, 255, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 0 };
    uint8_t wanted[6], got[6];
    spec.resize_rows(&r, in, sizeof in, 1, wanted, sizeof wanted);
    isa.resize_rows(&r, in, sizeof in, 1, got, sizeof got);
    CHECK(memcmp(wanted, got, sizeof got) == 0);
    CHECK(wanted[0] == 255);
    CHECK(wanted[4] > 0 && wanted[3] == 0);
}

static void pixels_become_floats(void)
{
    static const float mul[3] = { 0.0145984f, 0.0150077f, 0.0142202f }, add[3] = { -1.79226f, -1.75209f, -1.48022f };
    for (size_t n = 0; n <= 130; n++) {
        const uint8_t *x = guarded_bytes(n * 3);
        float *wanted = guarded_floats(n * 3), *got = guarded_floats(n * 3);
        spec.normalise_rgb(x, n, mul, add, wanted);
        isa.normalise_rgb(x, n, mul, add, got);
        CHECK(nmse(got, wanted, n * 3) <= NORMALISE_BOUND);
        CHECK(guarded_release());
    }
    report_worst("normalise_rgb", NORMALISE_BOUND);
}

static void cases(void)
{
    RUN(resizes_are_exact);
    RUN(resizes_clip);
    RUN(pixels_become_floats);
}

int main(void) { return check_levels(cases); }
