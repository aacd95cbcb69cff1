/* sha256.h, half.h */
#include "test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/cpu.h"
#include "base/half.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/sha256_isa.h"

static bool hashes_to(const void *data, size_t len, const char *expected)
{
    pd_sha256 sha;
    uint8_t digest[PD_SHA256_BYTES];
    char text[PD_SHA256_TEXT_BYTES];
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, data, len);
    pd_sha256_finish(&sha, digest);
    pd_sha256_format(digest, text);
    return strcmp(text, expected) == 0;
}

/* FIPS 180-4's examples, as published by NIST. */
static void sha256_gives_the_published_digests(void)
{
    CHECK(hashes_to("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK(hashes_to("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK(hashes_to("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    CHECK(hashes_to("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                    "mnopqrstnopqrstu",
                    112, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"));
    char *million = pd_mem_alloc(1000000, 1);
    REQUIRE(million != NULL);
    memset(million, 'a', 1000000);
    CHECK(hashes_to(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    pd_mem_free(million);
}

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static void pieces_of_any_size_give_the_same_digest(void)
{
    uint8_t data[1000], whole[PD_SHA256_BYTES], pieces[PD_SHA256_BYTES];
    uint32_t random = 7;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(next_random(&random) >> 24);
    for (int round = 0; round < 500; round++) {
        const size_t len = next_random(&random) % (sizeof data + 1);
        pd_sha256 a, b;
        pd_sha256_init(&a);
        pd_sha256_update(&a, data, len);
        pd_sha256_finish(&a, whole);
        pd_sha256_init(&b);
        for (size_t at = 0; at < len;) {
            size_t step = next_random(&random) % 150;
            if (step > len - at)
                step = len - at;
            pd_sha256_update(&b, data + at, step);
            at += step;
        }
        pd_sha256_finish(&b, pieces);
        CHECK(memcmp(whole, pieces, sizeof whole) == 0);
    }
}

static void the_processors_form_equals_the_scalar_one(void)
{
#ifdef __x86_64__
    if (!(pd_cpu_detect() & PD_CPU_SHA)) {
        CHECK(true);
        return;
    }
    uint8_t data[64 * 20 + 1];
    uint32_t random = 3;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(next_random(&random) >> 24);
    for (size_t n = 0; n <= 20; n++) {
        uint32_t a[8], b[8];
        for (size_t i = 0; i < 8; i++)
            a[i] = b[i] = next_random(&random);
        pd_sha256_blocks_scalar(a, data + 1, n);
        pd_sha256_blocks_shani(b, data + 1, n);
        CHECK(memcmp(a, b, sizeof a) == 0);
    }
#else
    CHECK(true);
#endif
}

/* What the bits mean: IEEE 754-2019, 3.6. */
static double value_of_half(unsigned half)
{
    const int exponent = (int)(half >> 10 & 31), mantissa = (int)(half & 1023);
    const double sign = half >> 15 ? -1 : 1;
    if (exponent == 31)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25));
}

static void every_half_is_read_exactly_and_survives(void)
{
    size_t wrong = 0;
    for (unsigned half = 0; half < 65536; half++) {
        const float value = pd_half_to_float((uint16_t)half);
        const double expected = value_of_half(half);
        if (isnan(expected))
            wrong += !isnan(value) || !isnan(pd_half_to_float(pd_half_of_float(value)));
        else
            wrong +=
                (double)value != expected || !signbit(value) != !signbit(expected) || pd_half_of_float(value) != half;
    }
    CHECK(wrong == 0);
}

/* Between every two neighbours: below the middle to the lower, above to the upper, on it to the even one. */
static void every_middle_rounds_to_even(void)
{
    size_t wrong = 0;
    for (unsigned half = 0; half < 0x7C00; half++) {
        const double low = value_of_half(half), high = half == 0x7BFF ? 65536 : value_of_half(half + 1);
        const float middle = (float)((low + high) / 2);
        const unsigned even = half % 2 ? half + 1 : half;
        wrong += pd_half_of_float(middle) != even || pd_half_of_float(-middle) != (even | 0x8000);
        wrong += pd_half_of_float(nextafterf(middle, 0)) != half;
        wrong += pd_half_of_float(nextafterf(middle, INFINITY)) != half + 1;
    }
    CHECK(wrong == 0);
    CHECK(pd_half_of_float(INFINITY) == 0x7C00 && pd_half_of_float(-1e30f) == 0xFC00);
    CHECK(pd_half_of_float(0x1p-149f) == 0 && pd_half_of_float(-0x1p-149f) == 0x8000);
}

static void a_bfloat_is_the_upper_half_of_a_float(void)
{
    size_t wrong = 0;
    for (unsigned b = 0; b < 65536; b++) {
        const uint32_t bits = b << 16;
        const float value = pd_bfloat_to_float((uint16_t)b);
        wrong += memcmp(&value, &bits, sizeof value) != 0;
    }
    CHECK(wrong == 0);
}

int main(void)
{
    RUN(sha256_gives_the_published_digests);
    RUN(pieces_of_any_size_give_the_same_digest);
    RUN(the_processors_form_equals_the_scalar_one);
    RUN(every_half_is_read_exactly_and_survives);
    RUN(every_middle_rounds_to_even);
    RUN(a_bfloat_is_the_upper_half_of_a_float);
    return TEST_RESULT();
}
