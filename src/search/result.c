/* result.c: an order of photos, as much of it as somebody asked for.
 *
 * By score, photos about which nothing is written keep their order by meaning, and the others are merged in where
 * fusion.c puts them; strong ones before weaker ones. In any other order the columns sort the strong and the weaker
 * set, each by itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "search/fusion.h"
#include "search/head.h"
#include "search/scored.h"
#include "search/slot_rows.h"

/* Places that are equal but for rounding: the photo with words comes first. */
#define TIE 1e-9

struct pd_result {
    pd_order order;
    bool has_meaning, is_complete;
    size_t total, n_strong;
    pd_relevance relevance;
    pd_place *places; /* with a vector, without words: in the order of slots */
    pd_place *rest;   /* without both */
    size_t n_places, n_rest;
    pd_worded_list worded; /* in the order of fusion */
    pd_worded *by_slot;    /* the same in the order of slots */
    pd_place *by_score;    /* those of them that have a vector, best first */
    size_t n_by_score;
    pd_slots strong, weak; /* when the order is not by score */
    pd_place *ordered;
    size_t n_ordered; /* of total, until is_complete */
};

void pd_result_free(pd_result **result)
{
    pd_result *r = *result;
    if (!r)
        return;
    pd_mem_free(r->places);
    pd_mem_free(r->rest);
    pd_worded_done(&r->worded);
    pd_mem_free(r->by_slot);
    pd_mem_free(r->by_score);
    pd_slots_done(&r->strong);
    pd_slots_done(&r->weak);
    pd_mem_free(r->ordered);
    pd_mem_free(r);
    *result = NULL;
}

size_t pd_result_total(const pd_result *result) { return result->total; }

int64_t pd_result_strong(const pd_result *result) { return result->has_meaning ? (int64_t)result->n_strong : -1; }

pd_order pd_result_order(const pd_result *result) { return result->order; }

static bool is_strong(const pd_result *r, const pd_place *place)
{
    return pd_relevance_of(&r->relevance, place->score) >= r->relevance.line;
}

static bool is_strong_word(const pd_result *r, const pd_worded *word) { return word->z >= r->relevance.line; }

static int compare_places(const void *left, const void *right) { return pd_place_compare(left, right); }

static void set_slot(pd_slots *slots, uint32_t slot)
{
    slots->words[slot / 64] |= UINT64_C(1) << (slot % 64);
    slots->count++;
}

static void clear_slot(pd_slots *slots, uint32_t slot)
{
    slots->count -= pd_slots_has(slots, slot);
    slots->words[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

typedef struct leaving_out {
    const pd_columns *columns;
    pd_slots *slots;
} leaving_out;

static bool leave_out(void *user, const pd_photo *photo)
{
    const leaving_out *l = user;
    const uint32_t slot = pd_columns_slot(l->columns, photo->id);
    if (slot < l->slots->n)
        clear_slot(l->slots, slot);
    return true;
}

/* The photos that pass, without the examples. */
static pd_status copy_slots(pd_result *r, const pd_search_place *place, const pd_slots *slots, const pd_sought *sought,
                            pd_error *err)
{
    PD_TRY(pd_slots_copy(slots, &r->weak, err));
    leaving_out l = { place->columns, &r->weak };
    for (size_t i = 0; i < sought->n_without; i++)
        PD_TRY(pd_store_photos_of_content(place->store, sought->without[i], leave_out, &l, err));
    r->total = (size_t)r->weak.count;
    return PD_OK;
}

static pd_status gather(pd_result *r, const pd_search_place *place, const pd_sought *sought, pd_error *err)
{
    r->places = pd_mem_alloc(r->total, sizeof *r->places);
    if (!r->places)
        return pd_error_set_nomem(err);
    const uint32_t *rows = place->rows->of_slot;
    for (size_t word = 0; word < (r->weak.n + 63) / 64; word++)
        for (uint64_t bits = r->weak.words[word]; bits; bits &= bits - 1) {
            const uint32_t slot = (uint32_t)(64 * word) + (uint32_t)__builtin_ctzll(bits);
            if (rows[slot] != PD_ROWS_NONE)
                r->places[r->n_places++] = (pd_place){ slot, sought->scores[rows[slot]] };
            else
                r->n_rest++;
        }
    r->rest = pd_mem_alloc(r->n_rest, sizeof *r->rest);
    if (!r->rest)
        return pd_error_set_nomem(err);
    size_t at = 0;
    for (size_t word = 0; r->n_rest && word < (r->weak.n + 63) / 64; word++)
        for (uint64_t bits = r->weak.words[word]; bits; bits &= bits - 1) {
            const uint32_t slot = (uint32_t)(64 * word) + (uint32_t)__builtin_ctzll(bits);
            if (rows[slot] == PD_ROWS_NONE)
                r->rest[at++] = (pd_place){ slot, NAN };
        }
    return PD_OK;
}

typedef struct forgetting {
    const pd_search_place *place;
    float *scores;
} forgetting;

static bool forget(void *user, const pd_photo *photo)
{
    const forgetting *f = user;
    const uint32_t slot = pd_columns_slot(f->place->columns, photo->id);
    if (slot < f->place->rows->n && f->place->rows->of_slot[slot] != PD_ROWS_NONE)
        f->scores[f->place->rows->of_slot[slot]] = NAN;
    return true;
}

/* Examples are as near as can be to what is sought: they say nothing about the library. */
static pd_status fit(pd_result *r, const pd_search_place *place, const pd_sought *sought, pd_error *err)
{
    forgetting f = { place, sought->scores };
    for (size_t i = 0; i < sought->n_without; i++)
        PD_TRY(pd_store_photos_of_content(place->store, sought->without[i], forget, &f, err));
    pd_relevance_fit(&r->relevance, sought->scores, pd_vindex_count(place->index), &sought->null, sought->expected);
    return PD_OK;
}

static pd_status fuse(pd_result *r, const pd_search_place *place, const pd_sought *sought, pd_error *err)
{
    if (sought->words && sought->words[0])
        PD_TRY(pd_worded_find(&r->worded, place, &r->weak, sought->words, err));
    pd_worded_list *list = &r->worded;
    pd_worded_take_out(list, r->places, &r->n_places);
    pd_worded_take_out(list, r->rest, &r->n_rest);
    PD_TRY(pd_worded_fuse(list, r->places, r->n_places, &r->relevance, err));
    r->by_slot = pd_mem_alloc(list->n, sizeof *r->by_slot);
    r->by_score = pd_mem_alloc(list->n, sizeof *r->by_score);
    if (!r->by_slot || !r->by_score)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < list->n; i++) {
        r->by_slot[i] = list->items[i];
        if (list->items[i].place.score == list->items[i].place.score)
            r->by_score[r->n_by_score++] = list->items[i].place;
        r->n_strong += is_strong_word(r, &list->items[i]);
    }
    qsort(r->by_slot, list->n, sizeof *r->by_slot, pd_worded_compare_slots);
    qsort(r->by_score, r->n_by_score, sizeof *r->by_score, compare_places);
    for (size_t i = 0; i < r->n_places; i++)
        r->n_strong += is_strong(r, &r->places[i]);
    return PD_OK;
}

/* Where merging has come to. */
typedef struct merging {
    const pd_result *result;
    const pd_place *base;      /* best first */
    size_t n_base, at, better; /* `better`: of by_score, those before base[at] */
    pd_place *out;
    size_t n, n_max;
} merging;

static size_t rank_of_base(merging *m)
{
    const pd_result *r = m->result;
    while (m->better < r->n_by_score && pd_place_compare(&r->by_score[m->better], &m->base[m->at]) < 0)
        m->better++;
    return m->at + m->better;
}

/* The base up to `end` and those of the worded that are (or are not) strong. */
static void merge_part(merging *m, size_t end, bool strong)
{
    const pd_result *r = m->result;
    for (size_t word = 0; m->n < m->n_max;) {
        while (word < r->worded.n && is_strong_word(r, &r->worded.items[word]) != strong)
            word++;
        const bool has_word = word < r->worded.n, has_base = m->at < end;
        if (!has_word && !has_base)
            break;
        if (has_word && (!has_base || r->worded.items[word].at <= (double)rank_of_base(m) + TIE))
            m->out[m->n++] = r->worded.items[word++].place;
        else
            m->out[m->n++] = m->base[m->at++];
    }
}

/* The first n_max of all, from the first n_base of the places in order (n_max, or all there are). */
static size_t merge(const pd_result *r, const pd_place *base, size_t n_base, pd_place *out, size_t n_max)
{
    merging m = { .result = r, .base = base, .n_base = n_base, .out = out, .n_max = n_max };
    size_t n_strong = 0;
    while (n_strong < n_base && is_strong(r, &base[n_strong]))
        n_strong++;
    merge_part(&m, n_strong, true);
    merge_part(&m, n_base, false);
    for (size_t i = 0; i < r->n_rest && m.n < n_max; i++)
        out[m.n++] = r->rest[i];
    return m.n;
}

static pd_status order_by_score(pd_result *r, size_t n, pd_place *out, pd_error *err)
{
    const size_t n_base = n < r->n_places ? n : r->n_places;
    if (n_base == r->n_places) {
        PD_TRY(pd_places_sort(r->places, r->n_places, err));
        (void)merge(r, r->places, n_base, out, n);
        return PD_OK;
    }
    pd_place *base = pd_mem_alloc(n_base, sizeof *base);
    if (!base)
        return pd_error_set_nomem(err);
    const pd_status status = pd_places_best(r->places, r->n_places, n_base, base, err);
    if (status == PD_OK)
        (void)merge(r, base, n_base, out, n);
    pd_mem_free(base);
    return status;
}

static const pd_worded *find_word(const pd_result *r, uint32_t slot)
{
    const pd_worded key = { .place = { slot, 0 } };
    return r->worded.n ? bsearch(&key, r->by_slot, r->worded.n, sizeof key, pd_worded_compare_slots) : NULL;
}

static float find_score(const pd_result *r, uint32_t slot)
{
    const pd_worded *word = find_word(r, slot);
    size_t low = 0, high = r->n_places;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (r->places[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < r->n_places && r->places[low].slot == slot)
        return r->places[low].score;
    return word ? word->place.score : NAN;
}

/* The strong set in the order of the columns, then the weaker one. */
static pd_status order_by_columns(const pd_result *r, const pd_columns *columns, size_t n, pd_place *out, pd_error *err)
{
    uint32_t *slots = pd_mem_alloc(n, sizeof *slots);
    if (!slots)
        return pd_error_set_nomem(err);
    size_t n_strong = 0, n_weak = 0;
    pd_status status = PD_OK;
    if (r->strong.count > 0)
        status = pd_columns_order(columns, &r->strong, &(pd_slot_window){ r->order, 0, n }, slots, &n_strong, err);
    if (status == PD_OK && n_strong < n)
        status = pd_columns_order(columns, &r->weak, &(pd_slot_window){ r->order, 0, n - n_strong }, slots + n_strong,
                                  &n_weak, err);
    for (size_t i = 0; status == PD_OK && i < n; i++)
        out[i] = (pd_place){ slots[i], r->has_meaning ? find_score(r, slots[i]) : NAN };
    pd_mem_free(slots);
    return status;
}

static pd_status put_in_order(pd_result *r, const pd_columns *columns, size_t n, pd_error *err)
{
    n = n < r->total ? n : r->total;
    pd_place *ordered = pd_mem_alloc(n, sizeof *ordered);
    if (!ordered)
        return pd_error_set_nomem(err);
    const pd_status status =
        r->order == PD_ORDER_SCORE ? order_by_score(r, n, ordered, err) : order_by_columns(r, columns, n, ordered, err);
    if (status != PD_OK) {
        pd_mem_free(ordered);
        return status;
    }
    pd_mem_free(r->ordered);
    r->ordered = ordered;
    r->n_ordered = n;
    r->is_complete = n == r->total;
    if (r->is_complete) { /* what it was made from is not needed any more */
        pd_mem_free(r->places);
        pd_mem_free(r->rest);
        r->places = r->rest = NULL;
        r->n_places = r->n_rest = 0;
        pd_slots_done(&r->strong);
        pd_slots_done(&r->weak);
    }
    return PD_OK;
}

/* Splits the set into strong and weaker, for orders that are not by score. */
static pd_status split(pd_result *r, pd_error *err)
{
    PD_TRY(pd_slots_copy(&r->weak, &r->strong, err));
    memset(r->strong.words, 0, (r->strong.n + 63) / 64 * sizeof *r->strong.words);
    r->strong.count = 0;
    for (size_t i = 0; i < r->n_places; i++)
        if (is_strong(r, &r->places[i]))
            set_slot(&r->strong, r->places[i].slot);
    for (size_t i = 0; i < r->worded.n; i++)
        if (is_strong_word(r, &r->worded.items[i]))
            set_slot(&r->strong, r->worded.items[i].place.slot);
    for (size_t word = 0; word < (r->weak.n + 63) / 64; word++)
        r->weak.words[word] &= ~r->strong.words[word];
    r->weak.count -= r->strong.count;
    return PD_OK;
}

static pd_status compare(pd_result *r, const pd_search_place *place, const pd_sought *sought, size_t head,
                         pd_error *err)
{
    PD_TRY(gather(r, place, sought, err));
    PD_TRY(pd_head_prove(place, sought, r->places, r->n_places, head, err));
    PD_TRY(pd_search_check_cancelled(sought, err));
    PD_TRY(fit(r, place, sought, err));
    PD_TRY(fuse(r, place, sought, err));
    PD_TRY(pd_search_check_cancelled(sought, err));
    return r->order == PD_ORDER_SCORE ? PD_OK : split(r, err);
}

pd_status pd_result_make(pd_result **ret_result, const pd_search_place *place, const pd_slots *slots,
                         const pd_sought *sought, pd_error *err)
{
    pd_result *r = pd_mem_alloc(1, sizeof *r);
    if (!r)
        return pd_error_set_nomem(err);
    *r = (pd_result){ .order = sought->order, .has_meaning = sought->vector != NULL };
    const size_t head = sought->head > PD_SEARCH_HEAD_MIN ? sought->head : PD_SEARCH_HEAD_MIN;
    pd_status status = copy_slots(r, place, slots, sought, err);
    if (status == PD_OK && r->has_meaning)
        status = compare(r, place, sought, head, err);
    if (status == PD_OK)
        status = put_in_order(r, place->columns, head, err);
    if (status == PD_OK)
        *ret_result = r;
    else
        pd_result_free(&r);
    return status;
}

pd_status pd_result_settle(pd_result *result, const pd_columns *columns, pd_error *err)
{
    if (result->is_complete || result->order == PD_ORDER_SCORE)
        return PD_OK;
    return put_in_order(result, columns, result->total, err);
}

static pd_result_item item_of(const pd_result *r, const pd_place *place)
{
    pd_result_item item = { .slot = place->slot, .score = place->score, .match = -1 };
    const pd_worded *word = find_word(r, place->slot);
    if (word)
        item.match = pd_relevance_match(&r->relevance, word->z);
    else if (place->score == place->score)
        item.match = pd_relevance_match(&r->relevance, pd_relevance_of(&r->relevance, place->score));
    return item;
}

pd_status pd_result_window(pd_result *result, const pd_columns *columns, const pd_result_range *range,
                           pd_result_item *ret_items, size_t *ret_n, pd_error *err)
{
    const size_t first = range->first < result->total ? range->first : result->total;
    const size_t end = range->n < result->total - first ? first + range->n : result->total;
    if (end > result->n_ordered)
        PD_TRY(put_in_order(result, columns, result->total, err));
    for (size_t i = first; i < end; i++)
        ret_items[i - first] = item_of(result, &result->ordered[i]);
    *ret_n = end - first;
    return PD_OK;
}
