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

/* One picture row averaged to GRID cells. */
static void reduce_row(double ret_row[GRID], const uint8_t *pixels, uint32_t width)
{
    memset(ret_row, 0, GRID * sizeof *ret_row);
    const double scale = (double)GRID / width;
    for (uint32_t x = 0; x < width; x++) {
        const double luma = 0.299 * pixels[3 * x] + 0.587 * pixels[3 * x + 1] + 0.114 * pixels[3 * x + 2];
        const double left = x * scale, right = (x + 1) * scale;
        for (int g = (int)left; g < GRID && g < right; g++)
            ret_row[g] += luma * (fmin(right, g + 1) - fmax(left, g));
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
