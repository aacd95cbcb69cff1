#include "search/scored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Cosines, with room for bounds on both sides; what is outside falls into the outermost bins. */
#define BINS 4096
#define LOWEST (-1.25F)
#define HIGHEST 1.25F

/* Three passes over 32 bits. */
#define DIGIT_BITS 11
#define DIGITS (1U << DIGIT_BITS)
#define N_PASSES 3

static size_t bin_of(float value)
{
    const float at = (value - LOWEST) * ((float)BINS / (HIGHEST - LOWEST));
    if (!(at > 0))
        return 0;
    return at < BINS - 1 ? (size_t)at : BINS - 1;
}

float pd_places_floor(float (*value)(const void *user, size_t i), const void *user, size_t n, size_t k)
{
    uint32_t count[BINS] = { 0 };
    for (size_t i = 0; i < n; i++)
        count[bin_of(value(user, i))]++;
    size_t bin = BINS, reached = 0;
    while (bin > 0 && reached < k)
        reached += count[--bin];
    /* a step lower: bin_of rounds */
    return bin <= 1 ? -HUGE_VALF : LOWEST + (float)(bin - 1) * ((HIGHEST - LOWEST) / (float)BINS);
}

static float score_of(const void *user, size_t i) { return ((const pd_place *)user)[i].score; }

static int compare(const void *a, const void *b) { return pd_place_compare(a, b); }

pd_status pd_places_best(const pd_place *places, size_t n, size_t k, pd_place *ret_best, pd_error *err)
{
    if (k == 0)
        return PD_OK;
    const float floor = pd_places_floor(score_of, places, n, k);
    size_t n_found = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        n_found += places[i].score >= floor;
    pd_place *found = pd_mem_alloc(n_found, sizeof *found);
    if (!found)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (places[i].score >= floor)
            found[at++] = places[i];
    pd_status status = PD_OK;
    if (n_found > 4 * k + 1024) /* many are alike */
        status = pd_places_sort(found, n_found, err);
    else
        qsort(found, n_found, sizeof *found, compare);
    if (status == PD_OK)
        memcpy(ret_best, found, k * sizeof *found);
    pd_mem_free(found);
    return status;
}

/* Ascending keys for descending scores. */
static uint32_t key_of(float score)
{
    uint32_t bits;
    score += 0.0F; /* -0 is 0 */
    memcpy(&bits, &score, sizeof bits);
    return bits & 0x80000000U ? bits : ~bits & 0x7FFFFFFFU;
}

pd_status pd_places_sort(pd_place *places, size_t n, pd_error *err)
{
    pd_place *other = pd_mem_alloc(n, sizeof *other);
    uint32_t(*counts)[DIGITS] = pd_mem_alloc(N_PASSES, sizeof *counts);
    if (!other || !counts) {
        pd_mem_free(other);
        pd_mem_free(counts);
        return pd_error_set_nomem(err);
    }
    for (size_t i = 0; i < n; i++)
        for (unsigned pass = 0; pass < N_PASSES; pass++)
            counts[pass][key_of(places[i].score) >> (pass * DIGIT_BITS) & (DIGITS - 1)]++;
    pd_place *from = places, *to = other;
    for (unsigned pass = 0; pass < N_PASSES; pass++) {
        uint32_t sum = 0;
        for (size_t digit = 0; digit < DIGITS; digit++) {
            const uint32_t here = counts[pass][digit];
            counts[pass][digit] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            to[counts[pass][key_of(from[i].score) >> (pass * DIGIT_BITS) & (DIGITS - 1)]++] = from[i];
        pd_place *const swapped = from;
        from = to;
        to = swapped;
    }
    if (from != places)
        memcpy(places, from, n * sizeof *places);
    pd_mem_free(other);
    pd_mem_free(counts);
    return PD_OK;
}
