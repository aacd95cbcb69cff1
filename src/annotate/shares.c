/* shares.c: how much of one photo each word claims. */
#include <math.h>
#include <string.h>

#include "annotate/tagger.h"

#define SHARPNESS 2.0 /* of standard deviations; quality/tags.csv */

/* False: all are the same, or not numbers. */
static bool standardise(float *values, size_t n)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)values[i];
        square += (double)values[i] * (double)values[i];
    }
    const double mean = sum / (double)n, variance = square / (double)n - mean * mean;
    if (!(variance > 1e-12))
        return false;
    const double scale = SHARPNESS / sqrt(variance);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(((double)values[i] - mean) * scale);
    return true;
}

void pd_shares_find(const pd_vocabulary *vocabulary, float *cosines, float *ret_shares)
{
    const size_t n = vocabulary->n;
    double sum = 0;
    if (!standardise(cosines, n)) {
        memset(ret_shares, 0, n * sizeof *ret_shares);
        return;
    }
    for (size_t w = 0; w < n; w++) {
        cosines[w] = expf(cosines[w]); /* at most e^127: SHARPNESS times the square root of n */
        sum += (double)cosines[w];
    }
    const float scale = (float)(1 / sum);
    memset(ret_shares, 0, n * sizeof *ret_shares);
    for (size_t w = 0; w < n; w++) {
        const pd_word *word = &vocabulary->words[w];
        const uint16_t *implied = vocabulary->implied + word->implied_at;
        const float share = cosines[w] * scale;
        ret_shares[w] += share;
        for (size_t i = 0; i < word->n_implied; i++)
            ret_shares[implied[i]] += share;
    }
}
