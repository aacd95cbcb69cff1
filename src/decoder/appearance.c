#include "decoder/appearance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    SHORT_SIDE = 448,
    TILES = 8, /* a side */
    SHARPEST_TILES = TILES * TILES / 4,
    CELLS = 16,            /* a channel */
    ALIKE = 40,            /* levels */
    SHARE_MIN = 3,         /* per cent */
    TRIES = 12,            /* fullest cells looked at */
    SAMPLES_MAX = 1 << 16, /* of the pixels, for colours */
};

/* ---- sharpness */

/* The picture on the grid that sharpness is measured on. */
typedef struct reduced {
    const uint8_t *pixels;
    uint32_t from_width, from_height;
    uint32_t width, height;
} reduced;

typedef struct tile {
    double squares;
    uint64_t n;
} tile;

static float luma_at(const reduced *r, uint32_t x, uint32_t y)
{
    const uint8_t *pixel = r->pixels + 3 * ((size_t)y * r->from_width + x);
    return 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
}

/* Where the middle of place i of n lies among n_from: the place before it, and how far behind that. */
static uint32_t find_place(uint32_t i, uint32_t n, uint32_t n_from, float *ret_part)
{
    const float at = fmaxf(0, ((float)i + 0.5F) * (float)n_from / (float)n - 0.5F);
    uint32_t before = (uint32_t)at;
    before = before < n_from - 1 ? before : n_from - 1;
    *ret_part = before == n_from - 1 ? 0 : at - (float)before;
    return before;
}

static void reduce_row(const reduced *r, uint32_t y, float *ret_row)
{
    float down, right;
    const uint32_t top = find_place(y, r->height, r->from_height, &down);
    const uint32_t bottom = top + (down > 0);
    for (uint32_t x = 0; x < r->width; x++) {
        const uint32_t left = find_place(x, r->width, r->from_width, &right), next = left + (right > 0);
        const float above = luma_at(r, left, top) + right * (luma_at(r, next, top) - luma_at(r, left, top));
        const float below = luma_at(r, left, bottom) + right * (luma_at(r, next, bottom) - luma_at(r, left, bottom));
        ret_row[x] = above + down * (below - above);
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static float mean_of_sharpest(const tile tiles[TILES * TILES])
{
    double roots[TILES * TILES], sum = 0;
    int n = 0;
    for (int i = 0; i < TILES * TILES; i++)
        if (tiles[i].n)
            roots[n++] = sqrt(tiles[i].squares / (double)tiles[i].n);
    qsort(roots, (size_t)n, sizeof *roots, compare);
    const int n_kept = n < SHARPEST_TILES ? n : SHARPEST_TILES;
    for (int i = 0; i < n_kept; i++)
        sum += roots[i];
    return n_kept ? (float)(sum / n_kept) : NAN;
}

static pd_status measure_sharpness(const uint8_t *pixels, uint32_t width, uint32_t height, float *ret_sharpness)
{
    const uint32_t short_side = width < height ? width : height;
    const double scale = short_side > SHORT_SIDE ? (double)SHORT_SIDE / short_side : 1;
    const reduced r = { pixels, width, height, (uint32_t)lround(width * scale), (uint32_t)lround(height * scale) };
    tile tiles[TILES * TILES] = { 0 };
    float *rows = pd_mem_alloc(r.width, 3 * sizeof *rows); /* three, in turn */
    if (!rows)
        return PD_ERR_NOMEM;
    for (uint32_t y = 0; y < r.height; y++) {
        reduce_row(&r, y, rows + (size_t)(y % 3) * r.width);
        if (y < 2)
            continue;
        const float *above = rows + (size_t)((y - 2) % 3) * r.width, *row = rows + (size_t)((y - 1) % 3) * r.width;
        const float *below = rows + (size_t)(y % 3) * r.width;
        tile *line = tiles + (uint64_t)(y - 1) * TILES / r.height * TILES;
        for (uint32_t x = 1; x + 1 < r.width; x++) {
            const float edge = 4 * row[x] - row[x - 1] - row[x + 1] - above[x] - below[x];
            tile *t = line + (uint64_t)x * TILES / r.width;
            t->squares += (double)(edge * edge);
            t->n++;
        }
    }
    pd_mem_free(rows);
    *ret_sharpness = mean_of_sharpest(tiles);
    return PD_OK;
}

/* ---- colours */

typedef struct cell {
    uint32_t n, red, green, blue; /* pixels, and their sums */
} cell;

/* [CELLS, CELLS, CELLS] */
static uint32_t count_cells(const uint8_t *pixels, uint32_t width, uint32_t height, cell *cells)
{
    uint32_t n = 0;
    const uint32_t step = (uint32_t)ceil(sqrt((double)width * height / SAMPLES_MAX));
    for (uint32_t y = step / 2 < height ? step / 2 : 0; y < height; y += step)
        for (uint32_t x = step / 2 < width ? step / 2 : 0; x < width; x += step) {
            const uint8_t *pixel = pixels + 3 * ((size_t)y * width + x);
            cell *c = cells + ((size_t)pixel[0] / CELLS * CELLS + pixel[1] / CELLS) * CELLS + pixel[2] / CELLS;
            c->n++;
            c->red += pixel[0];
            c->green += pixel[1];
            c->blue += pixel[2];
            n++;
        }
    return n;
}

static bool are_alike(const cell *a, const cell *b)
{
    const float red = (float)a->red / (float)a->n - (float)b->red / (float)b->n;
    const float green = (float)a->green / (float)a->n - (float)b->green / (float)b->n;
    const float blue = (float)a->blue / (float)a->n - (float)b->blue / (float)b->n;
    const float light = 0.299F * red + 0.587F * green + 0.114F * blue;
    const float reddish = red - light, bluish = blue - light;
    return light * light / 4 + reddish * reddish + bluish * bluish < ALIKE * ALIKE;
}

/* Takes the fullest cell and those like it out; their sum. */
static cell take_fullest(cell *cells)
{
    cell sum = { 0 };
    const cell *fullest = cells;
    for (size_t i = 1; i < CELLS * CELLS * CELLS; i++)
        if (cells[i].n > fullest->n)
            fullest = cells + i;
    const cell like = *fullest;
    for (size_t i = 0; like.n && i < CELLS * CELLS * CELLS; i++)
        if (cells[i].n && are_alike(&like, cells + i)) {
            sum.n += cells[i].n;
            sum.red += cells[i].red;
            sum.green += cells[i].green;
            sum.blue += cells[i].blue;
            cells[i].n = 0;
        }
    return sum;
}

/* Puts a colour at its place by share; the smallest falls off a full list. */
static void insert_colour(pd_look *look, pd_look_colour colour)
{
    uint32_t at = look->n_colours;
    while (at > 0 && look->colours[at - 1].share < colour.share)
        at--;
    if (at == PD_LOOK_COLOURS_MAX)
        return;
    look->n_colours += look->n_colours < PD_LOOK_COLOURS_MAX;
    memmove(look->colours + at + 1, look->colours + at, (look->n_colours - 1 - at) * sizeof colour);
    look->colours[at] = colour;
}

static void find_colours(const uint8_t *pixels, uint32_t width, uint32_t height, pd_look *look)
{
    cell cells[CELLS * CELLS * CELLS] = { 0 };
    const uint32_t n = count_cells(pixels, width, height, cells);
    for (int i = 0; i < TRIES; i++) {
        const cell sum = take_fullest(cells);
        const uint32_t share = n ? (uint32_t)((uint64_t)100 * sum.n / n) : 0;
        if (share >= SHARE_MIN)
            insert_colour(look, (pd_look_colour){ (uint8_t)((sum.red + sum.n / 2) / sum.n),
                                                  (uint8_t)((sum.green + sum.n / 2) / sum.n),
                                                  (uint8_t)((sum.blue + sum.n / 2) / sum.n), (uint8_t)share });
    }
}

pd_status pd_look_of_rgb(const uint8_t *pixels, uint32_t width, uint32_t height, pd_look *ret_look)
{
    pd_look look = { 0 };
    PD_TRY(measure_sharpness(pixels, width, height, &look.sharpness));
    find_colours(pixels, width, height, &look);
    *ret_look = look;
    return PD_OK;
}
