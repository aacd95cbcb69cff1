#include "decoder/phash.h"

#include <math.h>
#include <string.h>

enum { GRID = 32, BLOCK = 8 };

/* Spreads row y over the grid rows it touches, with exact weights: `cells` [GRID, GRID] collects area averages. */
static void add_row(double cells[GRID][GRID], const double row[GRID], uint32_t y, uint32_t height)
{
    const double scale = (double)GRID / height; /* grid rows a picture row */
    const double top = y * scale, bottom = (y + 1) * scale;
    for (int g = (int)top; g < GRID && g < bottom; g++) {
        const double overlap = fmin(bottom, g + 1) - fmax(top, g);
        for (int x = 0; x < GRID; x++)
            cells[g][x] += overlap * row[x];
    }
}

/* Luma in thousandths: whole numbers, so that sums are exact in any order. */
static uint32_t luma_of(const uint8_t *pixel) { return 299u * pixel[0] + 587u * pixel[1] + 114u * pixel[2]; }

/* One picture row averaged to GRID cells. Pixels that lie in one cell are summed as whole numbers; the one that crosses
 * the right edge of a cell is shared out. */
static void reduce_row(double ret_row[GRID], const uint8_t *pixels, uint32_t width)
{
    const double scale = (double)GRID / width / 1000; /* what a pixel is of a cell, and luma to 0..255 */
    uint32_t x = 0;
    double carry = 0; /* of the pixel that began in an earlier cell */
    for (uint32_t g = 0; g < GRID; g++) {
        /* the cell ends inside pixel `end`, `part` of GRID of it being ours */
        const uint32_t end = (uint32_t)((uint64_t)(g + 1) * width / GRID);
        const uint32_t part = (uint32_t)((uint64_t)(g + 1) * width % GRID);
        uint64_t sum = 0;
        for (; x < end; x++)
            sum += luma_of(pixels + 3 * (size_t)x);
        ret_row[g] = (carry + (double)sum) * scale;
        carry = 0;
        if (part) {
            const double luma = luma_of(pixels + 3 * (size_t)end);
            ret_row[g] += luma * part / GRID * scale;
            /* the rest of it: negative until the whole of it is added as pixel x of the next cell */
            carry = -luma * part / GRID;
        }
    }
}

static void transform(double ret_block[BLOCK * BLOCK], double cells[GRID][GRID])
{
    double waves[BLOCK][GRID];
    for (int u = 0; u < BLOCK; u++)
        for (int x = 0; x < GRID; x++)
            waves[u][x] = cos(M_PI * u * (2 * x + 1) / (2 * GRID));
    for (int u = 0; u < BLOCK; u++) {
        double columns[GRID]; /* C over x only */
        for (int y = 0; y < GRID; y++) {
            columns[y] = 0;
            for (int x = 0; x < GRID; x++)
                columns[y] += cells[y][x] * waves[u][x];
        }
        for (int v = 0; v < BLOCK; v++) {
            double sum = 0;
            for (int y = 0; y < GRID; y++)
                sum += columns[y] * waves[v][y];
            ret_block[BLOCK * v + u] = rint(sum * 1024) / 1024;
        }
    }
}

static double find_median(const double *values, int n)
{
    double sorted[BLOCK * BLOCK];
    for (int i = 0; i < n; i++) {
        int k = i;
        for (; k > 0 && sorted[k - 1] > values[i]; k--)
            sorted[k] = sorted[k - 1];
        sorted[k] = values[i];
    }
    return sorted[n / 2];
}

uint64_t pd_phash_of_rgb(const uint8_t *pixels, uint32_t width, uint32_t height)
{
    double cells[GRID][GRID] = { 0 };
    for (uint32_t y = 0; y < height; y++) {
        double row[GRID];
        reduce_row(row, pixels + (size_t)y * width * 3, width);
        add_row(cells, row, y, height);
    }
    double block[BLOCK * BLOCK];
    transform(block, cells);
    const double median = find_median(block + 1, BLOCK * BLOCK - 1);
    uint64_t hash = 0;
    for (int i = 1; i < BLOCK * BLOCK; i++)
        hash |= (uint64_t)(block[i] > median) << i;
    return hash;
}
