#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/appearance.h"
#include "test.h"

typedef void (*painter)(unsigned x, unsigned y, uint8_t *pixel);

static void paint_plain(unsigned x, unsigned y, uint8_t *pixel) { memset(pixel, 77 + (x + y) * 0, 3); }
static void paint_board(unsigned x, unsigned y, uint8_t *pixel) { memset(pixel, (x / 20 + y / 20) % 2 ? 220 : 30, 3); }
static void paint_ramp(unsigned x, unsigned y, uint8_t *pixel) { memset(pixel, (x + y) / 8 % 256, 3); }
/* half of it red, a quarter white, a quarter blue of two shades */
static void paint_flag(unsigned x, unsigned y, uint8_t *pixel)
{
    static const uint8_t colours[4][3] = { { 200, 20, 30 }, { 255, 255, 255 }, { 20, 30, 180 }, { 24, 36, 190 } };
    memcpy(pixel, colours[y < 300 ? 0 : x < 200 ? 1 : 2 + x / 4 % 2], 3);
}
/* the same board, blurred over all but one tile */
static void paint_subject(unsigned x, unsigned y, uint8_t *pixel)
{
    if (x > 100 && x < 200 && y > 100 && y < 200)
        paint_board(x, y, pixel);
    else
        paint_ramp(x, y, pixel);
}

static pd_look look_at(painter paint, unsigned width, unsigned height, unsigned zoom)
{
    uint8_t *pixels = pd_mem_alloc((size_t)width * height * zoom * zoom, 3);
    pd_look look = { 0 };
    if (!pixels)
        abort();
    for (unsigned y = 0; y < height * zoom; y++)
        for (unsigned x = 0; x < width * zoom; x++)
            paint(x / zoom, y / zoom, pixels + 3 * ((size_t)y * width * zoom + x));
    CHECK(pd_look_of_rgb(pixels, width * zoom, height * zoom, &look) == PD_OK);
    pd_mem_free(pixels);
    return look;
}

static bool is_colour(const pd_look_colour *c, int red, int green, int blue, int share)
{
    return c->red == red && c->green == green && c->blue == blue && c->share == share;
}

static void a_plain_picture_has_one_colour_and_no_edges(void)
{
    const pd_look look = look_at(paint_plain, 500, 400, 1);
    CHECK(look.sharpness == 0 && look.n_colours == 1 && is_colour(look.colours, 77, 77, 77, 100));
}

static void colours_come_with_their_shares(void)
{
    const pd_look look = look_at(paint_flag, 400, 600, 1);
    REQUIRE(look.n_colours == 3);
    CHECK(is_colour(look.colours, 200, 20, 30, 50));
    const bool is_white_first = look.colours[1].green == 255;
    CHECK(
        is_colour(look.colours + (is_white_first ? 1 : 2), 255, 255, 255, look.colours[is_white_first ? 1 : 2].share));
    const pd_look_colour *blue = look.colours + (is_white_first ? 2 : 1); /* the mean of both shades */
    CHECK(blue->red == 22 && blue->green == 33 && blue->blue == 185 && blue->share >= 24 && blue->share <= 25);
}

static void edges_are_sharper_than_slopes(void)
{
    const float board = look_at(paint_board, 500, 450, 1).sharpness, ramp = look_at(paint_ramp, 500, 450, 1).sharpness;
    CHECK(board > 50 && ramp < 20 && ramp > 0);
}

static void a_sharp_subject_before_a_soft_ground_is_sharp(void)
{
    const float all = look_at(paint_ramp, 448, 448, 1).sharpness, one = look_at(paint_subject, 448, 448, 1).sharpness;
    CHECK(one > 2 * all);
}

/* measured: 0.98 of it */
static void a_larger_copy_is_about_as_sharp(void)
{
    const float once = look_at(paint_board, 448, 448, 1).sharpness, twice = look_at(paint_board, 448, 448, 2).sharpness;
    CHECK(fabsf(twice / once - 1) < 0.1F);
}

static void pictures_of_few_pixels_have_no_sharpness(void)
{
    for (unsigned side = 1; side <= 3; side++) {
        const pd_look look = look_at(paint_board, side, 3, 1);
        CHECK(isnan(look.sharpness) == (side < 3) && look.n_colours == 1);
    }
    const pd_look line = look_at(paint_board, 1, 40000, 2);
    CHECK(isnan(line.sharpness) && line.n_colours == 2);
    const pd_look row = look_at(paint_board, 40000, 3, 1);
    CHECK(row.sharpness > 0 && row.n_colours == 2);
}

static void no_memory_is_said(void)
{
    uint8_t pixels[27] = { 0 };
    pd_look look = { .n_colours = 9 };
    (void)pd_mem_fail_at(1);
    CHECK(pd_look_of_rgb(pixels, 3, 3, &look) == PD_ERR_NOMEM && look.n_colours == 9);
    (void)pd_mem_fail_at(0);
}

int main(void)
{
    RUN(a_plain_picture_has_one_colour_and_no_edges);
    RUN(colours_come_with_their_shares);
    RUN(edges_are_sharper_than_slopes);
    RUN(a_sharp_subject_before_a_soft_ground_is_sharp);
    RUN(a_larger_copy_is_about_as_sharp);
    RUN(pictures_of_few_pixels_have_no_sharpness);
    RUN(no_memory_is_said);
    return TEST_RESULT();
}
