#include <string.h>

#include "base/mem.h"
#include "decoder/phash.h"
#include "test.h"

enum { SIDE = 96 };

typedef uint8_t (*painter)(unsigned x, unsigned y);

static uint8_t paint_plain(unsigned x, unsigned y) { return (uint8_t)(77 + 0 * (x + y)); }
static uint8_t paint_scene(unsigned x, unsigned y) { return (uint8_t)(x * 2 + (y > 40 ? 40 : 0) + (x * y / 97) % 20); }
static uint8_t paint_other(unsigned x, unsigned y) { return (uint8_t)((x / 12 + y / 24) % 2 * 200 + y / 2); }

/* `zoom` 2 gives the same picture with every pixel twice; `shade` makes all a little brighter. */
static uint64_t hash(painter paint, unsigned zoom, uint8_t shade)
{
    const unsigned side = SIDE * zoom;
    uint8_t *pixels = pd_mem_alloc((size_t)side * side, 3);
    if (!pixels)
        abort();
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++)
            memset(pixels + 3 * ((size_t)y * side + x), paint(x / zoom, y / zoom) + shade, 3);
    const uint64_t result = pd_phash_of_rgb(pixels, side, side);
    pd_mem_free(pixels);
    return result;
}

static int count_differences(uint64_t a, uint64_t b) { return __builtin_popcountll(a ^ b); }

static void a_plain_picture_hashes_to_zero(void) { CHECK(hash(paint_plain, 1, 0) == 0); }

static void size_and_brightness_do_not_matter(void)
{
    CHECK(hash(paint_scene, 1, 0) == hash(paint_scene, 2, 0));
    CHECK(count_differences(hash(paint_scene, 1, 0), hash(paint_scene, 1, 3)) <= 2);
}

static void different_pictures_are_far_apart(void)
{
    CHECK(count_differences(hash(paint_scene, 1, 0), hash(paint_other, 1, 0)) >= 16);
}

/* By the definition in phash.h: a horizontal cosine wave of frequency u has one coefficient, (u, 0). */
static void a_pure_wave_sets_its_own_bit(void)
{
    uint8_t pixels[32 * 32 * 3];
    for (size_t i = 0; i < 32 * 32; i++)
        memset(pixels + 3 * i, i % 32 < 16 ? 200 : 50, 3); /* a step: odd frequencies, signs + - + - */
    CHECK(pd_phash_of_rgb(pixels, 32, 32) == (1u << 1 | 1u << 5));
}

static void the_smallest_pictures_have_a_hash(void)
{
    const uint8_t pixel[6] = { 255, 0, 0, 0, 0, 255 };
    CHECK(pd_phash_of_rgb(pixel, 1, 1) == 0);
    CHECK(pd_phash_of_rgb(pixel, 2, 1) == pd_phash_of_rgb(pixel, 2, 1));
}

int main(void)
{
    RUN(a_plain_picture_hashes_to_zero);
    RUN(size_and_brightness_do_not_matter);
    RUN(different_pictures_are_far_apart);
    RUN(a_pure_wave_sets_its_own_bit);
    RUN(the_smallest_pictures_have_a_hash);
    return TEST_RESULT();
}
