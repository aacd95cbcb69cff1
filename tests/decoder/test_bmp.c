#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/mem.h"
#include "decoder/bmp.h"
#include "test.h"

enum { PIXELS_MAX = 256 };

/* Decodes a bitmap of the fuzzing corpus. */
static pd_status decode(const char *name, pd_bmp_info *ret_info, uint8_t ret_pixels[PIXELS_MAX])
{
    char path[4096];
    const char *source = getenv("PD_SOURCE");
    (void)snprintf(path, sizeof path, "%s/fuzz/corpus/bmp/%s", source ? source : ".", name);
    pd_file_map map;
    if (pd_file_map_open(&map, path, NULL) != PD_OK)
        abort();
    pd_status status = pd_bmp_read_header(map.data, map.len, ret_info, NULL);
    if (status == PD_OK && (size_t)ret_info->width * ret_info->height * 4 > PIXELS_MAX)
        abort();
    if (status == PD_OK)
        status = pd_bmp_read_pixels(map.data, map.len, ret_info, ret_pixels, NULL);
    pd_file_map_close(&map);
    return status;
}

/* The pixels as one letter each: red, green, blue, white, black, ? */
static const char *spell(const pd_bmp_info *info, const uint8_t *pixels)
{
    static char text[PIXELS_MAX];
    const size_t n = (size_t)info->width * info->height;
    for (size_t i = 0; i < n; i++) {
        const unsigned code = (unsigned)pixels[3 * i] << 16 | (unsigned)pixels[3 * i + 1] << 8 | pixels[3 * i + 2];
        text[i] = code == 0xff0000   ? 'r'
                  : code == 0x00ff00 ? 'g'
                  : code == 0x0000ff ? 'b'
                  : code == 0xffffff ? 'w'
                  : code == 0        ? 'k'
                                     : '?';
    }
    text[n] = '\0';
    return text;
}

static void palettes_and_runs_give_the_right_colours(void)
{
    static const struct {
        const char *name;
        uint32_t width, height;
        const char *letters;
    } cases[] = {
        { "bits_1", 9, 2, "grgrgrgrggrgrgrgrg" },
        { "bits_4", 3, 2, "rgbrgb" },
        { "core_header", 2, 2, "wkkw" },
        { "rle8", 4, 2, "gbwrgggg" },
        { "rle4_delta", 8, 4,
          "rrrrrrrr"
          "rrrrrrrr"
          "rrrrrgbw"
          "gbgrrrrr" },
    };
    for (size_t i = 0; i < PD_COUNT_OF(cases); i++) {
        pd_bmp_info info;
        uint8_t pixels[PIXELS_MAX];
        REQUIRE(decode(cases[i].name, &info, pixels) == PD_OK);
        CHECK(info.width == cases[i].width && info.height == cases[i].height);
        if (strcmp(spell(&info, pixels), cases[i].letters) != 0)
            fprintf(stderr, "%s: %s\n", cases[i].name, spell(&info, pixels));
        CHECK(strcmp(spell(&info, pixels), cases[i].letters) == 0);
    }
}

static void top_down_rows_keep_their_order(void)
{
    pd_bmp_info info;
    uint8_t pixels[PIXELS_MAX];
    REQUIRE(decode("bits_24", &info, pixels) == PD_OK);
    static const uint8_t want[] = { 2, 1, 0, 5, 4, 3, 10, 9, 8, 13, 12, 11 };
    CHECK(info.is_top_down && memcmp(pixels, want, sizeof want) == 0);
}

static void fields_of_any_width_reach_255(void)
{
    pd_bmp_info info;
    uint8_t pixels[PIXELS_MAX];
    REQUIRE(decode("bits_16_fields", &info, pixels) == PD_OK);
    CHECK(strcmp(spell(&info, pixels), "br") == 0);
}

static void alpha_counts_where_it_is_declared(void)
{
    pd_bmp_info info;
    uint8_t pixels[PIXELS_MAX];
    REQUIRE(decode("bits_32_alpha", &info, pixels) == PD_OK);
    static const uint8_t want[] = { 3, 2, 1, 0x80 };
    CHECK(pd_bmp_channels(&info) == 4 && memcmp(pixels, want, sizeof want) == 0);
}

static void impossible_bitmaps_are_refused(void)
{
    pd_bmp_info info;
    uint8_t pixels[PIXELS_MAX];
    CHECK(decode("size_wraps_around", &info, pixels) == PD_ERR_LIMIT);
    CHECK(decode("height_of_int_min", &info, pixels) == PD_ERR_FORMAT);
    CHECK(decode("run_past_the_end", &info, pixels) == PD_ERR_FORMAT);
    const uint8_t empty[26] = "BM";
    CHECK(pd_bmp_read_header(empty, sizeof empty, &info, NULL) == PD_ERR_FORMAT);
}

int main(void)
{
    RUN(palettes_and_runs_give_the_right_colours);
    RUN(top_down_rows_keep_their_order);
    RUN(fields_of_any_width_reach_255);
    RUN(alpha_counts_where_it_is_declared);
    RUN(impossible_bitmaps_are_refused);
    return TEST_RESULT();
}
