/* tally.c: how many photos of a set have which value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "columns/columns_private.h"
#include "columns/folded.h"
#include "store/store.h"

#define TEXT_VALUES_MAX 1024 /* tags, persons or albums that are looked at: the most frequent of all */
#define FOLDED_BYTES_MAX ((size_t)65536)
#define MONTHS (1 << 16)

/* The values found so far, texts included. */
typedef struct tally {
    pd_value_count *values;
    size_t n, capacity;
    bool by_count; /* else as they were added */
    pd_buf prefix; /* folded */
} tally;

typedef struct counting {
    const pd_columns *columns;
    const pd_slots *slots;
    tally *tally;
    pd_error *err;
} counting;

static pd_status add_value(tally *t, const char *value, int64_t count)
{
    if (count == 0)
        return PD_OK;
    if (t->n == t->capacity) {
        const size_t capacity = 2 * t->capacity + 32;
        pd_value_count *values = pd_mem_realloc(t->values, capacity, sizeof *values);
        if (!values)
            return PD_ERR_NOMEM;
        t->values = values;
        t->capacity = capacity;
    }
    t->values[t->n++] = (pd_value_count){ value, count };
    return PD_OK;
}

static pd_status add_if_begun(tally *t, const char *value, int64_t count)
{
    return strncmp(value, t->prefix.data, t->prefix.len) == 0 ? add_value(t, value, count) : PD_OK;
}

/* ---- one pass over a column */

#define EACH_SLOT(slots, expr)                                               \
    for (size_t word = 0; word < ((slots)->n + 63) / 64; word++)             \
        for (uint64_t left = (slots)->words[word]; left; left &= left - 1) { \
            const size_t i = 64 * word + (size_t)__builtin_ctzll(left);      \
            expr;                                                            \
        }

static void count_codes(const pd_slots *slots, const uint32_t *column, size_t n, int64_t *ret_counts)
{
    EACH_SLOT(slots, if (column[i] < n) ret_counts[column[i]]++)
}

static void count_small(const pd_slots *slots, const uint16_t *column, int64_t *ret_counts)
{
    EACH_SLOT(slots, ret_counts[column[i]]++)
}

/* ---- dictionaries */

/* A folder's photos are those in it and below; a folder that has nothing but one other is not worth a line,
 * nor is the whole disk. */
static void sum_folders(const pd_dict *dict, int64_t *counts, uint8_t *skip)
{
    for (size_t code = 1; code < dict->n; code++)
        skip[code] = counts[code] == 0;
    for (size_t code = dict->n - 1; code > 0; code--)
        counts[dict->parent[code]] += counts[code];
    for (size_t code = 1; code < dict->n; code++) {
        const uint32_t parent = dict->parent[code];
        if (skip[parent] == 1 && (counts[parent] == counts[code] || dict->parent[parent] == 0))
            skip[parent] = 2;
    }
}

static bool is_begun(pd_field field, const char *folded, const char *prefix)
{
    if (field == PD_FIELD_IN && prefix[0] == '/')
        return strncmp(folded, prefix, strlen(prefix)) == 0;
    return pd_folded_begins_word(folded, prefix);
}

static pd_status add_entries(const counting *c, pd_field field, const pd_dict *dict, const int64_t *counts,
                             const uint8_t *skip)
{
    pd_buf folded;
    pd_status status = PD_OK;
    pd_buf_init(&folded, FOLDED_BYTES_MAX);
    for (uint32_t code = 1; code < dict->n && status == PD_OK; code++) {
        if (counts[code] == 0 || skip[code] == 2)
            continue;
        status = pd_folded_set(&folded, pd_dict_shown(dict, code));
        if (status == PD_OK && is_begun(field, folded.data, c->tally->prefix.data))
            status = add_value(c->tally, pd_dict_shown(dict, code), counts[code]);
        status = status == PD_ERR_LIMIT ? PD_OK : status;
    }
    pd_buf_done(&folded);
    return status;
}

static pd_status count_dict(const counting *c, pd_field field, const uint32_t *column, const pd_dict *dict)
{
    int64_t *counts = pd_mem_alloc(dict->n, sizeof *counts);
    uint8_t *skip = pd_mem_alloc(dict->n, 1);
    pd_status status = counts && skip ? PD_OK : PD_ERR_NOMEM;
    if (status == PD_OK) {
        count_codes(c->slots, column, dict->n, counts);
        if (field == PD_FIELD_IN)
            sum_folders(dict, counts, skip);
        status = add_entries(c, field, dict, counts, skip);
    }
    pd_mem_free(counts);
    pd_mem_free(skip);
    c->tally->by_count = true;
    return status;
}

/* ---- small numbers */

/* The words for numbers that are counted, so that they need not be made. */
static const char years[][5] = {
#define TEN(x) #x "0", #x "1", #x "2", #x "3", #x "4", #x "5", #x "6", #x "7", #x "8", #x "9"
    TEN(182), TEN(183), TEN(184), TEN(185), TEN(186), TEN(187), TEN(188), TEN(189), TEN(190), TEN(191),
    TEN(192), TEN(193), TEN(194), TEN(195), TEN(196), TEN(197), TEN(198), TEN(199), TEN(200), TEN(201),
    TEN(202), TEN(203), TEN(204), TEN(205), TEN(206), TEN(207), TEN(208), TEN(209), TEN(210),
};
#define FIRST_YEAR 1820 /* photography is younger */

static pd_status add_years(tally *t, const int64_t *counts)
{
    for (size_t i = 0; i < PD_COUNT_OF(years); i++) {
        int64_t count = 0;
        for (size_t month = 0; month < 12; month++)
            count += counts[12 * (FIRST_YEAR + i) + month];
        PD_TRY(add_if_begun(t, years[i], count));
    }
    return PD_OK;
}

static pd_status add_months(tally *t, const int64_t *counts)
{
    static const char months[12][3] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12" };
    for (size_t month = 0; month < 12; month++) {
        int64_t count = 0;
        for (size_t at = month; at < PD_MONTH_ABSENT; at += 12)
            count += counts[at];
        PD_TRY(add_if_begun(t, months[month], count));
    }
    return PD_OK;
}

/* One row for each value of each field that is made from facts. */
static const struct {
    pd_field field;
    const char *value;
    unsigned mask, wanted;
} facts_table[] = {
#define SHAPE(shape) PD_FACT_SHAPE, (1 + (shape)) << PD_FACT_SHAPE_SHIFT
#define RATING(n) PD_FACT_RATING, (n) << PD_FACT_RATING_SHIFT
#define HAS(what) 1 << (PD_FACT_HAS_SHIFT + (what)), 1 << (PD_FACT_HAS_SHIFT + (what))
    { PD_FIELD_ORIENTATION, "landscape", SHAPE(PD_SHAPE_LANDSCAPE) },
    { PD_FIELD_ORIENTATION, "portrait", SHAPE(PD_SHAPE_PORTRAIT) },
    { PD_FIELD_ORIENTATION, "square", SHAPE(PD_SHAPE_SQUARE) },
    { PD_FIELD_RATING, "0", RATING(0) },
    { PD_FIELD_RATING, "1", RATING(1) },
    { PD_FIELD_RATING, "2", RATING(2) },
    { PD_FIELD_RATING, "3", RATING(3) },
    { PD_FIELD_RATING, "4", RATING(4) },
    { PD_FIELD_RATING, "5", RATING(5) },
    { PD_FIELD_FAVORITE, "yes", PD_FACT_FAVORITE, PD_FACT_FAVORITE },
    { PD_FIELD_FAVORITE, "no", PD_FACT_FAVORITE, 0 },
    { PD_FIELD_FLASH, "yes", PD_FACT_FLASH, PD_FACT_FLASH },
    { PD_FIELD_FLASH, "no", PD_FACT_NO_FLASH, PD_FACT_NO_FLASH },
    { PD_FIELD_HAS, "gps", HAS(PD_HAS_GPS) },
    { PD_FIELD_HAS, "date", HAS(PD_HAS_DATE) },
    { PD_FIELD_HAS, "tag", HAS(PD_HAS_TAG) },
    { PD_FIELD_HAS, "caption", HAS(PD_HAS_CAPTION) },
    { PD_FIELD_HAS, "rating", HAS(PD_HAS_RATING) },
    { PD_FIELD_HAS, "album", HAS(PD_HAS_ALBUM) },
    { PD_FIELD_GRAY, "yes", PD_NAMED_KNOWN | PD_NAMED_COLOURED, PD_NAMED_KNOWN },
    { PD_FIELD_GRAY, "no", PD_NAMED_KNOWN | PD_NAMED_COLOURED, PD_NAMED_KNOWN | PD_NAMED_COLOURED },
};

static pd_status add_facts(tally *t, pd_field field, const int64_t *counts)
{
    for (size_t row = 0; row < PD_COUNT_OF(facts_table); row++) {
        int64_t count = 0;
        if (facts_table[row].field != field)
            continue;
        for (unsigned facts = 0; facts < MONTHS; facts++)
            if ((facts & facts_table[row].mask) == facts_table[row].wanted)
                count += counts[facts];
        PD_TRY(add_if_begun(t, facts_table[row].value, count));
    }
    t->by_count = field != PD_FIELD_RATING;
    return PD_OK;
}

static pd_status add_colours(tally *t, const int64_t *counts)
{
    for (unsigned name = 0; name < PD_SHADE_COUNT; name++) {
        int64_t count = 0;
        for (unsigned named = 0; named < MONTHS; named++)
            if (named >> name & 1)
                count += counts[named];
        PD_TRY(add_if_begun(t, pd_shade_word((pd_shade_name)name), count));
    }
    t->by_count = true;
    return PD_OK;
}

static pd_status count_16(const counting *c, pd_field field)
{
    const pd_fields *f = &c->columns->f;
    int64_t *counts = pd_mem_alloc(MONTHS, sizeof *counts);
    if (!counts)
        return PD_ERR_NOMEM;
    pd_status status;
    if (field == PD_FIELD_YEAR || field == PD_FIELD_MONTH) {
        count_small(c->slots, f->month, counts);
        status = field == PD_FIELD_YEAR ? add_years(c->tally, counts) : add_months(c->tally, counts);
    } else if (field == PD_FIELD_COLOR) {
        count_small(c->slots, f->named, counts);
        status = add_colours(c->tally, counts);
    } else {
        count_small(c->slots, field == PD_FIELD_GRAY ? f->named : f->facts, counts);
        status = add_facts(c->tally, field, counts);
    }
    pd_mem_free(counts);
    return status;
}

/* ---- texts of the catalogue */

typedef struct text_list {
    pd_buf bytes; /* each ends in a NUL */
    tally *tally;
    pd_status status;
} text_list;

/* The value is where it begins in `bytes`, which may move. */
static bool take_text(void *user, const char *text, int64_t n_photos)
{
    text_list *t = user;
    const size_t at = t->bytes.len;
    t->status = pd_buf_append(&t->bytes, text, strlen(text) + 1);
    if (t->status == PD_OK)
        t->status = add_value(t->tally, (const char *)(uintptr_t)(at + 1), n_photos);
    return t->status == PD_OK && t->tally->n < TEXT_VALUES_MAX;
}

typedef struct text_count {
    const counting *counting;
    int64_t n;
} text_count;

static bool count_photo(void *user, int64_t photo)
{
    text_count *t = user;
    const uint32_t slot = pd_columns_find(t->counting->columns, photo);
    t->n += slot != UINT32_MAX && slot < t->counting->slots->n && pd_slots_has(t->counting->slots, slot);
    return true;
}

/* In a set of some photos, each text is asked for. */
static pd_status count_texts_in_set(const counting *c, pd_store *store, pd_text_where where)
{
    tally *t = c->tally;
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        text_count count = { c, 0 };
        PD_TRY(pd_store_text_photos(store, where, t->values[i].value, count_photo, &count, c->err));
        t->values[i].count = count.n;
        if (count.n)
            t->values[n++] = t->values[i];
    }
    t->n = n;
    return PD_OK;
}

static pd_status count_texts(const counting *c, pd_store *store, pd_text_where where, const char *prefix,
                             text_list *ret_texts)
{
    text_list *t = ret_texts;
    tally *values = c->tally;
    t->tally = values;
    PD_TRY(pd_store_text_values(store, where, prefix, take_text, t, c->err));
    PD_TRY(t->status);
    for (size_t i = 0; i < values->n; i++)
        values->values[i].value = t->bytes.data + (uintptr_t)values->values[i].value - 1;
    values->by_count = true;
    return c->slots->count == c->columns->count ? PD_OK : count_texts_in_set(c, store, where);
}

/* ---- all */

static int compare_values(const void *a, const void *b)
{
    const pd_value_count *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->value, y->value);
}

static pd_status count_field(const counting *c, pd_store *store, pd_field field, const char *prefix, text_list *texts)
{
    const pd_fields *f = &c->columns->f;
    const pd_dict *dicts = c->columns->dicts;
    switch ((int)field) {
    case PD_FIELD_CAMERA: return count_dict(c, field, f->camera, &dicts[PD_DICT_CAMERA]);
    case PD_FIELD_LENS: return count_dict(c, field, f->lens, &dicts[PD_DICT_LENS]);
    case PD_FIELD_TYPE: return count_dict(c, field, f->type, &dicts[PD_DICT_TYPE]);
    case PD_FIELD_IN: return count_dict(c, field, f->folder, &dicts[PD_DICT_FOLDER]);
    case PD_FIELD_TAG: return count_texts(c, store, PD_WHERE_TAG, prefix, texts);
    case PD_FIELD_PERSON: return count_texts(c, store, PD_WHERE_PERSON, prefix, texts);
    case PD_FIELD_ALBUM: return count_texts(c, store, PD_WHERE_ALBUM, prefix, texts);
    default: return count_16(c, field);
    }
}

pd_status pd_columns_count_values(const pd_columns *columns, pd_store *store, const pd_slots *slots,
                                  const pd_value_question *question, pd_error *err)
{
    tally t = { 0 };
    text_list found = { 0 };
    const counting c = { columns, slots, &t, err };
    const char *prefix = question->prefix ? question->prefix : "";
    pd_buf_init(&t.prefix, FOLDED_BYTES_MAX);
    pd_buf_init(&found.bytes, SIZE_MAX / 2);
    pd_status status = pd_folded_set(&t.prefix, prefix);
    if (status == PD_OK)
        status = count_field(&c, store, question->field, prefix, &found);
    if (status == PD_OK && t.by_count && t.n)
        qsort(t.values, t.n, sizeof *t.values, compare_values);
    bool goes_on = status == PD_OK;
    for (size_t i = 0; goes_on && i < t.n && i < question->n_max; i++)
        goes_on = question->visit(question->user, &t.values[i]);
    pd_mem_free(t.values);
    pd_buf_done(&t.prefix);
    pd_buf_done(&found.bytes);
    return status == PD_ERR_NOMEM ? pd_error_set_nomem(err) : status;
}
