/* order.c: a set in an order: all of it by radix sort, or the first few in one pass. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "columns/columns_private.h"

/* By `key`, then by id; of names the key is the first eight bytes, and the rest decides before the id. */
typedef struct entry {
    uint64_t key;
    uint32_t slot;
} entry;

/* ~key turns an order round while ties stay by lower id. */
typedef struct ordering {
    const pd_columns *columns;
    bool by_name, backwards;
    const void *column; /* int64_t or uint32_t */
    bool is_long;
} ordering;

static ordering find_ordering(const pd_columns *columns, pd_order order)
{
    ordering o = { .columns = columns };
    switch (order) {
    case PD_ORDER_NAME:
    case PD_ORDER_NAME_BACKWARDS: o.by_name = true; break;
    case PD_ORDER_SMALLEST:
    case PD_ORDER_LARGEST: o.column = columns->f.bytes; break;
    case PD_ORDER_OLDEST:
    case PD_ORDER_NEWEST:
    case PD_ORDER_NONE:
    case PD_ORDER_SCORE:
    default:
        o.column = columns->f.time;
        o.is_long = true;
        break;
    }
    o.backwards = order != PD_ORDER_NAME && order != PD_ORDER_SMALLEST && order != PD_ORDER_OLDEST;
    return o;
}

/* Eight bytes of a text from `at` on, the first one highest, zeros behind its end. */
static uint64_t read_eight(const char *text)
{
    uint64_t key = 0;
    for (unsigned i = 0; i < 8 && text[i]; i++)
        key |= (uint64_t)(unsigned char)text[i] << (56 - 8 * i);
    return key;
}

static uint64_t find_key(const ordering *o, uint32_t slot)
{
    uint64_t key;
    if (o->by_name)
        key = read_eight(pd_columns_name(o->columns, slot));
    else if (o->is_long)
        key = (uint64_t)((const int64_t *)o->column)[slot] ^ UINT64_C(1) << 63;
    else
        key = ((const uint32_t *)o->column)[slot];
    return o->backwards ? ~key : key;
}

/* What decides between two of the same key. */
static int compare_rest(const ordering *o, uint32_t a, uint32_t b)
{
    if (o->by_name) {
        const int order = strcmp(pd_columns_name(o->columns, a), pd_columns_name(o->columns, b));
        if (order)
            return o->backwards ? -order : order;
    }
    const int64_t *photo = o->columns->f.photo;
    return (photo[a] > photo[b]) - (photo[a] < photo[b]);
}

static bool is_before(const ordering *o, const entry *a, const entry *b)
{
    return a->key != b->key ? a->key < b->key : compare_rest(o, a->slot, b->slot) < 0;
}

static int compare_entries(const void *a, const void *b, void *user)
{
    return is_before(user, a, b) ? -1 : is_before(user, b, a) ? 1 : 0;
}

/* ---- the first few */

/* Room for the best, and as much again and more for those that may be: when it is full, what is too much goes. A heap
 * would do as well unless the photos come in just the wrong order, and by date they do. */
enum { SPARE = 4096, FIRST_FEW_MAX = 16384 };

typedef struct few {
    ordering *order;
    entry *entries;
    size_t n, n_kept, capacity;
    bool has_worst;
    entry worst; /* of those that are kept since the last time */
} few;

static void swap_entries(entry *a, entry *b)
{
    const entry kept = *a;
    *a = *b;
    *b = kept;
}

/* Moves the `n_kept` first in order to the front, in no order (Hoare's select; the middle of three as the pivot). */
static void select_first(const ordering *o, entry *entries, size_t n, size_t n_kept)
{
    size_t low = 0, high = n;
    while (high - low > 1) {
        entry *first = entries + low, *middle = entries + (low + high - 1) / 2, *last = entries + high - 1;
        if (is_before(o, middle, first))
            swap_entries(middle, first);
        if (is_before(o, last, first))
            swap_entries(last, first);
        if (is_before(o, last, middle))
            swap_entries(last, middle);
        const entry pivot = *middle;
        size_t i = low, j = high - 1;
        for (;; i++, j--) {
            while (is_before(o, &entries[i], &pivot))
                i++;
            while (is_before(o, &pivot, &entries[j]))
                j--;
            if (i >= j)
                break;
            swap_entries(&entries[i], &entries[j]);
        }
        if (n_kept == j + 1)
            return;
        if (n_kept <= j) /* up to j is what is not behind the pivot, and it never is all */
            high = j + 1;
        else
            low = j + 1;
    }
}

static void cut_few(few *f)
{
    if (f->n <= f->n_kept)
        return;
    select_first(f->order, f->entries, f->n, f->n_kept);
    f->n = f->n_kept;
    f->worst = f->entries[0];
    f->has_worst = true;
    for (size_t i = 1; i < f->n; i++)
        if (is_before(f->order, &f->worst, &f->entries[i]))
            f->worst = f->entries[i];
}

static void offer(few *f, uint32_t slot)
{
    const entry e = { find_key(f->order, slot), slot };
    if (f->has_worst && !is_before(f->order, &e, &f->worst))
        return;
    f->entries[f->n++] = e;
    if (f->n == f->capacity)
        cut_few(f);
}

static pd_status find_first(ordering *order, const pd_slots *slots, size_t n_kept, entry **ret_entries)
{
    few f = { .order = order, .n_kept = n_kept, .capacity = 2 * n_kept + SPARE };
    f.entries = pd_mem_alloc(f.capacity, sizeof *f.entries);
    if (!f.entries)
        return PD_ERR_NOMEM;
    /* what came last is likely to be the newest: the best first leave little to do for the others */
    const size_t n_words = (slots->n + 63) / 64;
    for (size_t w = 0; w < n_words; w++) {
        const size_t at = order->backwards ? n_words - 1 - w : w;
        for (uint64_t left = slots->words[at]; left; left &= left - 1)
            offer(&f, (uint32_t)(64 * at) + (uint32_t)__builtin_ctzll(left));
    }
    cut_few(&f);
    qsort_r(f.entries, f.n, sizeof *f.entries, compare_entries, order);
    *ret_entries = f.entries;
    return PD_OK;
}

/* ---- all */

/* Bits of a digit: counting more of them than there are entries would take longer than moving these. */
enum { DIGIT_BITS = 11, DIGIT_BITS_OF_FEW = 7, FEW = 4096 };

/* One digit of the keys, stable. */
static void sort_digit(const entry *from, entry *to, size_t n, unsigned shift, unsigned bits)
{
    uint32_t places[1 << DIGIT_BITS];
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    memset(places, 0, sizeof *places << bits);
    for (size_t i = 0; i < n; i++)
        places[from[i].key >> shift & mask]++;
    uint32_t at = 0;
    for (size_t digit = 0; digit <= mask; digit++) {
        const uint32_t count = places[digit];
        places[digit] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[places[from[i].key >> shift & mask]++] = from[i];
}

/* By key, stable; the result is in `entries`. Digits that all keys share, and most are, cost nothing. */
static void sort_keys(entry *entries, entry *room, size_t n)
{
    entry *from = entries, *to = room;
    uint64_t varies = 0;
    const unsigned bits = n < FEW ? DIGIT_BITS_OF_FEW : DIGIT_BITS;
    for (size_t i = 1; i < n; i++)
        varies |= entries[i].key ^ entries[0].key;
    while (varies) {
        const unsigned shift = (unsigned)__builtin_ctzll(varies);
        sort_digit(from, to, n, shift, bits);
        varies = shift + bits < 64 ? varies & ~UINT64_C(0) << (shift + bits) : 0;
        entry *const sorted = to;
        to = from;
        from = sorted;
    }
    if (from != entries)
        memcpy(entries, from, n * sizeof *entries);
}

/* Names that agree in the first `depth` bytes, by what follows; when nothing follows, they are as they were: by id. */
static void sort_names(const ordering *o, entry *entries, entry *room, size_t n, size_t depth)
{
    enum { HANDFUL = 16 };
    for (size_t begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && entries[end].key == entries[begin].key;)
            end++;
        const uint64_t key = o->backwards ? ~entries[begin].key : entries[begin].key;
        if (end - begin < 2 || !(key & 0xFF))
            continue;
        if (end - begin < HANDFUL || depth > 4096) {
            qsort_r(entries + begin, end - begin, sizeof *entries, compare_entries, (void *)(uintptr_t)o);
            continue;
        }
        for (size_t i = begin; i < end; i++) {
            const uint64_t next = read_eight(pd_columns_name(o->columns, entries[i].slot) + depth);
            entries[i].key = o->backwards ? ~next : next;
        }
        sort_keys(entries + begin, room, end - begin);
        sort_names(o, entries + begin, room, end - begin, depth + 8);
    }
}

static void sort_all(const ordering *o, entry *entries, entry *room, size_t n)
{
    bool ascends = true;
    const int64_t *photo = o->columns->f.photo;
    for (size_t i = 1; i < n && ascends; i++)
        ascends = photo[entries[i].slot] > photo[entries[i - 1].slot];
    if (!ascends) {
        for (size_t i = 0; i < n; i++)
            entries[i].key = (uint64_t)photo[entries[i].slot] ^ UINT64_C(1) << 63;
        sort_keys(entries, room, n);
    }
    for (size_t i = 0; i < n; i++)
        entries[i].key = find_key(o, entries[i].slot);
    sort_keys(entries, room, n);
    if (o->by_name)
        sort_names(o, entries, room, n, 8);
}

static pd_status find_all(const ordering *order, const pd_slots *slots, entry **ret_entries)
{
    const size_t n = (size_t)slots->count;
    entry *entries = pd_mem_alloc(2 * n, sizeof *entries);
    if (!entries)
        return PD_ERR_NOMEM;
    size_t at = 0;
    for (size_t w = 0; w < (slots->n + 63) / 64; w++)
        for (uint64_t left = slots->words[w]; left && at < n; left &= left - 1)
            entries[at++].slot = (uint32_t)(64 * w) + (uint32_t)__builtin_ctzll(left);
    if (n)
        sort_all(order, entries, entries + n, n);
    *ret_entries = entries;
    return PD_OK;
}

pd_status pd_columns_order(const pd_columns *columns, const pd_slots *slots, const pd_slot_window *window,
                           uint32_t *ret_slots, size_t *ret_n, pd_error *err)
{
    const size_t count = (size_t)slots->count, offset = window->offset;
    const size_t n_there = offset >= count ? 0 : window->n < count - offset ? window->n : count - offset;
    if (n_there == 0) {
        *ret_n = 0;
        return PD_OK;
    }
    ordering o = find_ordering(columns, window->order);
    entry *entries = NULL;
    const pd_status status = offset + n_there <= FIRST_FEW_MAX && offset + n_there < count / 4
                                 ? find_first(&o, slots, offset + n_there, &entries)
                                 : find_all(&o, slots, &entries);
    if (status != PD_OK)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n_there; i++)
        ret_slots[i] = entries[offset + i].slot;
    pd_mem_free(entries);
    *ret_n = n_there;
    return PD_OK;
}
