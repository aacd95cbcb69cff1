#include "token/unicode.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/attr.h"

typedef struct code_range {
    uint32_t first, last;
} code_range;

typedef struct lower_run {
    uint32_t first, last, stride;
    int32_t delta;
} lower_run;

typedef struct decomposition {
    uint32_t code, first, second;
} decomposition;

typedef struct composition {
    uint32_t first, second, code;
} composition;

typedef struct combining_run {
    uint32_t first, last, combining;
} combining_run;

#include "token/unicode_tables.h"

/* Hangul syllables are composed by arithmetic: The Unicode Standard, 3.12. */
enum {
    SYLLABLE_BASE = 0xAC00,
    LEADING_BASE = 0x1100,
    VOWEL_BASE = 0x1161,
    TRAILING_BASE = 0x11A7, /* one before the first trailing consonant */
    N_LEADING = 19,
    N_VOWELS = 21,
    N_TRAILING = 28,
    N_SYLLABLES = N_LEADING * N_VOWELS * N_TRAILING
};

enum { CAPITAL_SIGMA = 0x3A3, SMALL_SIGMA = 0x3C3, FINAL_SIGMA = 0x3C2, CAPITAL_I_DOT = 0x130 };

/* Every row type of the tables begins with first and last code. */
static int compare_range(const void *key, const void *row)
{
    const uint32_t code = *(const uint32_t *)key;
    const uint32_t *range = row;
    return code < range[0] ? -1 : code > range[1];
}

static int compare_code(const void *key, const void *row)
{
    const uint32_t code = *(const uint32_t *)key, other = *(const uint32_t *)row;
    return code < other ? -1 : code > other;
}

static int compare_pair(const void *key, const void *row)
{
    const composition *a = key, *b = row;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return a->second < b->second ? -1 : a->second > b->second;
}

#define FIND(table, key, compare) bsearch(key, table, PD_COUNT_OF(table), sizeof *(table), compare)

bool pd_unicode_is_letter(uint32_t code)
{
    if (code < 0x80)
        return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
    return FIND(letters, &code, compare_range) != NULL;
}

bool pd_unicode_is_number(uint32_t code)
{
    if (code < 0x80)
        return code >= '0' && code <= '9';
    return FIND(numbers, &code, compare_range) != NULL;
}

bool pd_unicode_is_space(uint32_t code)
{
    switch (code) {
    case ' ':
    case 0x85:
    case 0xA0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202F:
    case 0x205F:
    case 0x3000: return true;
    default: return (code >= '\t' && code <= '\r') || (code >= 0x2000 && code <= 0x200A);
    }
}

static bool is_case_ignorable(uint32_t code) { return FIND(case_ignorable, &code, compare_range) != NULL; }
static bool is_cased(uint32_t code) { return FIND(cased, &code, compare_range) != NULL; }

/* The Unicode Standard, 3.13, Final_Sigma: a cased letter before it and none behind it, ignorable ones apart. */
static bool is_final_sigma(const pd_codes *text, size_t at)
{
    size_t before = at, behind = at + 1;
    while (before > 0 && is_case_ignorable(text->data[before - 1]))
        before--;
    if (before == 0 || !is_cased(text->data[before - 1]))
        return false;
    while (behind < text->len && is_case_ignorable(text->data[behind]))
        behind++;
    return behind == text->len || !is_cased(text->data[behind]);
}

static uint32_t lower_of(uint32_t code)
{
    if (code < 0x80)
        return code >= 'A' && code <= 'Z' ? code + 0x20 : code;
    const lower_run *run = FIND(lower_runs, &code, compare_range);
    return run && (code - run->first) % run->stride == 0 ? code + (uint32_t)run->delta : code;
}

void pd_unicode_lower(const pd_codes *text, pd_codes *ret_lower)
{
    for (size_t i = 0; i < text->len; i++) {
        const uint32_t code = text->data[i];
        if (code == CAPITAL_SIGMA) {
            pd_codes_push(ret_lower, is_final_sigma(text, i) ? FINAL_SIGMA : SMALL_SIGMA);
        } else if (code == CAPITAL_I_DOT) {
            pd_codes_push(ret_lower, 'i');
            pd_codes_push(ret_lower, 0x307);
        } else {
            pd_codes_push(ret_lower, lower_of(code));
        }
    }
}

static uint32_t combining_of(uint32_t code)
{
    const combining_run *run = code < 0x300 ? NULL : FIND(combining_runs, &code, compare_range);
    return run ? run->combining : 0;
}

static void decompose_code(uint32_t code, pd_codes *ret_parts)
{
    if (code >= SYLLABLE_BASE && code < SYLLABLE_BASE + N_SYLLABLES) {
        const uint32_t index = code - SYLLABLE_BASE;
        pd_codes_push(ret_parts, LEADING_BASE + index / (N_VOWELS * N_TRAILING));
        pd_codes_push(ret_parts, VOWEL_BASE + index / N_TRAILING % N_VOWELS);
        if (index % N_TRAILING)
            pd_codes_push(ret_parts, TRAILING_BASE + index % N_TRAILING);
        return;
    }
    const decomposition *row = code < 0xC0 ? NULL : FIND(decompositions, &code, compare_code);
    if (!row) {
        pd_codes_push(ret_parts, code);
        return;
    }
    decompose_code(row->first, ret_parts); /* at most four deep: only first parts decompose again */
    if (row->second)
        pd_codes_push(ret_parts, row->second);
}

/* Marks on one letter are put in the order of their classes; equal ones keep theirs. */
static void sort_marks(pd_codes *parts)
{
    for (size_t i = 1; i < parts->len; i++) {
        const uint32_t code = parts->data[i], combining = combining_of(code);
        size_t at = i;
        while (combining && at > 0 && combining_of(parts->data[at - 1]) > combining) {
            parts->data[at] = parts->data[at - 1];
            at--;
        }
        parts->data[at] = code;
    }
}

static uint32_t compose_pair(uint32_t first, uint32_t second)
{
    if (first - LEADING_BASE < N_LEADING && second - VOWEL_BASE < N_VOWELS)
        return SYLLABLE_BASE + ((first - LEADING_BASE) * N_VOWELS + second - VOWEL_BASE) * N_TRAILING;
    if (first - SYLLABLE_BASE < N_SYLLABLES && (first - SYLLABLE_BASE) % N_TRAILING == 0 && second > TRAILING_BASE &&
        second < TRAILING_BASE + N_TRAILING)
        return first + second - TRAILING_BASE;
    const composition pair = { first, second, 0 };
    const composition *row = FIND(compositions, &pair, compare_pair);
    return row ? row->code : 0;
}

static void compose_parts(pd_codes *parts)
{
    size_t starter = SIZE_MAX, n = 0;
    uint32_t last_combining = 0;
    for (size_t i = 0; i < parts->len; i++) {
        const uint32_t code = parts->data[i], combining = combining_of(code);
        const bool blocked = n > starter + 1 && (last_combining == 0 || last_combining >= combining);
        const uint32_t composed = starter == SIZE_MAX || blocked ? 0 : compose_pair(parts->data[starter], code);
        if (composed) {
            parts->data[starter] = composed;
            continue;
        }
        if (combining == 0)
            starter = n;
        last_combining = combining;
        parts->data[n++] = code;
    }
    parts->len = n;
}

static bool is_composed_already(const pd_codes *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] >= 0x300)
            return false;
    return true;
}

void pd_unicode_compose(const pd_codes *text, pd_codes *ret_composed)
{
    if (is_composed_already(text)) {
        pd_codes_append(ret_composed, text->data, text->len);
        return;
    }
    for (size_t i = 0; i < text->len; i++)
        decompose_code(text->data[i], ret_composed);
    sort_marks(ret_composed);
    compose_parts(ret_composed);
}

void pd_unicode_strip_marks(const pd_codes *text, pd_codes *ret_plain)
{
    for (size_t i = 0; i < text->len; i++) {
        const size_t first = ret_plain->len;
        size_t n = first;
        decompose_code(text->data[i], ret_plain);
        for (size_t at = first; at < ret_plain->len; at++)
            if (combining_of(ret_plain->data[at]) == 0)
                ret_plain->data[n++] = ret_plain->data[at];
        ret_plain->len = n;
    }
}

uint32_t pd_unicode_standard_width(uint32_t code)
{
    if (code < 0xFF01 || code >= 0xFF01 + PD_COUNT_OF(standard_width) || standard_width[code - 0xFF01] == 0)
        return code;
    return standard_width[code - 0xFF01];
}
