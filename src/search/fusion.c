/* fusion.c: reciprocal rank fusion of meaning and words.
 *
 *     fused = 1 / (K + rank by meaning) + WORDS_SHARE * share / (K + rank by words)          ranks from 1
 *
 * share is the full text's score divided by the best one's: a photo of which one frequent word is written somewhere
 * says less than one that has them all, however few photos have any. It is less by the part of all photos of which
 * nearly as much is written as of the best: what stands everywhere tells nothing. Scores that are alike have one rank:
 * of the photos of a folder whose name was asked for, meaning decides. Chosen by quality/ablation.py: without the
 * share, or with a K of 60, which is usual between engines of equal worth, words that stand there by chance push the
 * right pictures out of the first ten.
 *
 * What machines wrote about photos is a list of its own, with a smaller share, for the photos that nobody else's words
 * are found of: it was made from the same picture that meaning looks at, and at the full share it pushes right pictures
 * down (quality/ablation.csv, study machine).
 *
 * A photo without words has its rank by meaning as its place. One with words has the place at which a photo without
 * words would have the same fused value, 1 / fused - K: so only the few with words are moved. */
#include "search/fusion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FUSION_K 10
#define WORDS_SHARE 0.5
#define MACHINE_SHARE 0.4 /* of it, where only a machine wrote the words */
#define ALIKE 0.98        /* of the score that a rank begins with */
#define NEAR 0.5          /* of the best score: as much is said of these */
#define WORDS_Z 1.0       /* standard deviations of relevance that the best match by words is worth */

typedef struct finding {
    const pd_search_place *place;
    const pd_slots *slots;
    pd_worded_list list;
    size_t n_said; /* of the list: found in what people wrote; in the order of slots once machines' words are added */
    size_t begun;  /* where the present list of ranks begins */
    double best;
    double first; /* share that the present rank begins with */
    size_t rank;
} finding;

static bool add_worded(void *user, int64_t photo, double score)
{
    finding *f = user;
    f->best = fmax(f->best, score);
    const uint32_t slot = pd_columns_slot(f->place->columns, photo);
    if (slot >= f->slots->n || !pd_slots_has(f->slots, slot) || f->list.n == PD_SEARCH_WORDS_MAX)
        return true;
    const pd_worded same = { .place = { slot, NAN } };
    if (f->n_said && bsearch(&same, f->list.items, f->n_said, sizeof same, pd_worded_compare_slots))
        return true;
    const double share = f->best > 0 ? fmin(1, fmax(0, score / f->best)) : 1;
    if (f->list.n == f->begun || share < ALIKE * f->first) {
        f->first = share;
        f->rank = f->list.n - f->begun;
    }
    f->list.items[f->list.n++] = (pd_worded){ .place = { slot, NAN }, .share = share, .rank = f->rank };
    return true;
}

int pd_worded_compare_slots(const void *left, const void *right)
{
    const pd_worded *a = left, *b = right;
    return a->place.slot < b->place.slot ? -1 : a->place.slot > b->place.slot;
}

static int compare_places(const void *left, const void *right)
{
    const pd_worded *a = left, *b = right;
    return a->at != b->at ? (a->at < b->at ? -1 : 1) : pd_worded_compare_slots(left, right);
}

static int compare_scores(const void *left, const void *right)
{
    const pd_worded *a = left, *b = right;
    const bool has_a = a->place.score == a->place.score, has_b = b->place.score == b->place.score;
    if (has_a && has_b)
        return pd_place_compare(&a->place, &b->place);
    return has_a != has_b ? (has_a ? -1 : 1) : pd_worded_compare_slots(left, right);
}

void pd_worded_done(pd_worded_list *list)
{
    pd_mem_free(list->items);
    *list = (pd_worded_list){ 0 };
}

/* Ends the present list of ranks, and begins the next. */
static void weigh_list(finding *f, double share)
{
    size_t n_near = 0;
    for (size_t i = f->begun; i < f->list.n; i++)
        n_near += f->list.items[i].share >= NEAR;
    for (size_t i = f->begun; i < f->list.n; i++)
        f->list.items[i].share *= share * (1 - (double)n_near / (double)f->slots->count);
    f->begun = f->list.n;
    f->best = 0;
}

pd_status pd_worded_find(pd_worded_list *ret_list, const pd_search_place *place, const pd_slots *slots,
                         const char *words, pd_error *err)
{
    finding f = { .place = place, .slots = slots };
    f.list.items = pd_mem_alloc(PD_SEARCH_WORDS_MAX, sizeof *f.list.items);
    if (!f.list.items)
        return pd_error_set_nomem(err);
    pd_status status = pd_store_words_any(place->store, words, PD_SEARCH_WORDS_MAX, add_worded, &f, err);
    weigh_list(&f, 1);
    f.n_said = f.list.n;
    if (f.n_said)
        qsort(f.list.items, f.n_said, sizeof *f.list.items, pd_worded_compare_slots);
    if (status == PD_OK)
        status = pd_store_words_machine(place->store, words, PD_SEARCH_WORDS_MAX, add_worded, &f, err);
    weigh_list(&f, MACHINE_SHARE);
    if (status == PD_OK)
        *ret_list = f.list;
    else
        pd_worded_done(&f.list);
    return status;
}

void pd_worded_take_out(pd_worded_list *list, pd_place *places, size_t *n)
{
    if (list->n == 0)
        return;
    qsort(list->items, list->n, sizeof *list->items, pd_worded_compare_slots);
    size_t kept = 0, next = 0;
    for (size_t i = 0; i < *n; i++) {
        while (next < list->n && list->items[next].place.slot < places[i].slot)
            next++;
        if (next < list->n && list->items[next].place.slot == places[i].slot)
            list->items[next].place.score = places[i].score;
        else
            places[kept++] = places[i];
    }
    *n = kept;
}

enum { BINS = 4096 };

/* Evenly between the worst and the best of the listed scores. */
typedef struct binning {
    float worst, factor;
    uint16_t first[BINS]; /* the first of the listed that is not better than everything in the bin */
} binning;

static size_t bin_of(const binning *b, float score)
{
    const float at = (score - b->worst) * b->factor;
    return at > 0 ? (at < BINS - 1 ? (size_t)at : BINS - 1) : 0;
}

static void fill_bins(binning *b, const pd_worded *items, size_t n)
{
    const float best = items[0].place.score;
    b->worst = items[n - 1].place.score;
    b->factor = best > b->worst ? BINS / (best - b->worst) : 0;
    size_t item = 0;
    for (size_t bin = BINS; bin-- > 0;) {
        while (item < n && bin_of(b, items[item].place.score) > bin)
            item++;
        b->first[bin] = (uint16_t)item;
    }
}

/* How many of the places are better than each of the listed, which are in the order of scores. Only places in a bin
 * that one of the listed is in are compared one by one. */
static pd_status count_better(const pd_worded *items, size_t n_items, const pd_place *places, size_t n,
                              size_t *ret_better, pd_error *err)
{
    if (n_items == 0)
        return PD_OK;
    size_t *between =
        pd_mem_alloc(n_items + 1, sizeof *between); /* places that so many of the listed are better than */
    binning *bins = pd_mem_alloc(1, sizeof *bins);
    if (!between || !bins) {
        pd_mem_free(between);
        pd_mem_free(bins);
        return pd_error_set_nomem(err);
    }
    fill_bins(bins, items, n_items);
    for (size_t i = 0; i < n; i++) {
        size_t before = bins->first[bin_of(bins, places[i].score)];
        while (before < n_items && pd_place_compare(&items[before].place, &places[i]) < 0)
            before++;
        between[before]++;
    }
    for (size_t i = 0, sum = 0; i < n_items; i++)
        ret_better[i] = sum += between[i];
    pd_mem_free(between);
    pd_mem_free(bins);
    return PD_OK;
}

pd_status pd_worded_fuse(pd_worded_list *list, const pd_place *places, size_t n, const pd_relevance *relevance,
                         pd_error *err)
{
    if (list->n == 0)
        return PD_OK;
    qsort(list->items, list->n, sizeof *list->items, compare_scores);
    size_t n_scored = 0;
    while (n_scored < list->n && list->items[n_scored].place.score == list->items[n_scored].place.score)
        n_scored++;
    size_t *better = pd_mem_alloc(n_scored, sizeof *better);
    if (!better)
        return pd_error_set_nomem(err);
    const pd_status status = count_better(list->items, n_scored, places, n, better, err);
    for (size_t i = 0; status == PD_OK && i < list->n; i++) {
        pd_worded *item = &list->items[i];
        const double by_words = WORDS_SHARE * item->share / (FUSION_K + 1 + (double)item->rank);
        const double by_meaning = i < n_scored ? 1 / (FUSION_K + 1 + (double)(better[i] + i)) : 0;
        item->at = by_meaning + by_words > 0 ? 1 / (by_meaning + by_words) - (FUSION_K + 1) : HUGE_VAL;
        item->z = pd_relevance_of(relevance, item->place.score) + WORDS_Z * item->share;
    }
    pd_mem_free(better);
    qsort(list->items, list->n, sizeof *list->items, compare_places);
    return status;
}
