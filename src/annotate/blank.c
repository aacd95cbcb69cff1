/* blank.c: pictures of nothing. */
#include "annotate/blank.h"

#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

/* Of 680 photos none is nearer to one of them than 0.70, with the model that ships; three quarters of made pictures of
 * other kinds are nearer than this. Nothing is known of other models: rather too high. */
#define NEAR 0.85f

enum { CHANNELS = 3, SIDE_MAX = 256 };

static const uint8_t colours[][CHANNELS] = { { 0, 0, 0 },   { 255, 255, 255 }, { 128, 128, 128 },
                                             { 255, 0, 0 }, { 0, 255, 0 },     { 0, 0, 255 } };
/* Pixels a side, which the model's resizing makes into large soft blots or fine grain; once in colour, once in grey. */
static const size_t sides[] = { 4, 16, 64, SIDE_MAX };

_Static_assert(PD_COUNT_OF(colours) + 2 * PD_COUNT_OF(sides) == PD_BLANKS, "all of them are drawn");

/* The same every time. */
static uint8_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint8_t)(*state >> 24);
}

static void draw_noise(uint8_t *pixels, size_t n, bool in_colour)
{
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < CHANNELS; c++)
            pixels[CHANNELS * i + c] = c == 0 || in_colour ? next_random(&state) : pixels[CHANNELS * i];
}

static pd_status embed(pd_session *vision, const uint8_t *pixels, size_t side, float *ret_row, pd_error *err)
{
    const pd_pixels picture = { .data = pixels, .width = side, .height = side, .row_bytes = CHANNELS * side };
    return pd_session_embed_pixels(vision, &picture, ret_row, err);
}

pd_status pd_blanks_embed(pd_session *vision, size_t dim, float *ret_rows, pd_error *err)
{
    uint8_t *pixels = pd_mem_alloc(SIDE_MAX * SIDE_MAX, CHANNELS);
    pd_status status = pixels ? PD_OK : pd_error_set_nomem(err);
    for (size_t i = 0; i < PD_COUNT_OF(colours) && status == PD_OK; i++, ret_rows += dim)
        status = embed(vision, colours[i], 1, ret_rows, err);
    for (size_t i = 0; i < 2 * PD_COUNT_OF(sides) && status == PD_OK; i++, ret_rows += dim) {
        const size_t side = sides[i / 2];
        draw_noise(pixels, side * side, i % 2 == 0);
        status = embed(vision, pixels, side, ret_rows, err);
    }
    pd_mem_free(pixels);
    return status;
}

bool pd_is_blank(const float *cosines)
{
    for (size_t i = 0; i < PD_BLANKS; i++)
        if (cosines[i] >= NEAR)
            return true;
    return false;
}
