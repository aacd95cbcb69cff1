#include "base/near.h"

#include <stdint.h>
#include <string.h>

enum { EDITS_MAX = 2, PREFIX_MIN = 2 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: three rows of the usual table are enough. */
size_t pd_near_distance(const char *a, const char *b)
{
    const size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > PD_NEAR_BYTES_MAX || n_b > PD_NEAR_BYTES_MAX)
        return SIZE_MAX;
    size_t rows[3][PD_NEAR_BYTES_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        last[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            row[j] = smaller(last[j - 1] + (a[i - 1] != b[j - 1]), smaller(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *const spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[n_b];
}

bool pd_near_match(const char *typed, const char *known)
{
    const size_t len = strlen(typed);
    if (len >= PREFIX_MIN && strncmp(typed, known, len) == 0)
        return true;
    const size_t distance = pd_near_distance(typed, known);
    return distance <= EDITS_MAX && distance < smaller(len, strlen(known));
}
