#include "query/lex.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

size_t pd_blank_len(const char *text, size_t len)
{
    if (!len)
        return 0;
    const unsigned char first = (unsigned char)text[0];
    if (first < 0x80)
        return first <= ' ' || first == 0x7F;
    uint32_t code;
    const size_t used = pd_utf8_next(text, len, &code);
    const bool is_blank = code == 0xA0 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
                          code == 0x202F || code == 0x205F || code == 0x3000;
    return is_blank ? used : 0;
}

size_t pd_blank_behind(const char *text, size_t len)
{
    size_t end = len;
    for (size_t n = 1; n <= 3 && n <= end; n++) { /* a blank has one to three bytes */
        if (pd_blank_len(text + end - n, n) == n) {
            end -= n;
            n = 0;
        }
    }
    return len - end;
}

size_t pd_text_tidy(const char *text, size_t len, char *ret_bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        const size_t blank = pd_blank_len(text + i, len - i);
        if (!blank)
            ret_bytes[n++] = text[i++];
        else if (n && ret_bytes[n - 1] != ' ')
            ret_bytes[n++] = ' ';
        i += blank;
    }
    return n && ret_bytes[n - 1] == ' ' ? n - 1 : n;
}

/* Of a quotation mark at `at`: where the one lies that closes it; SIZE_MAX: nowhere. Two in a row are one written. */
static size_t quote_end(const char *text, size_t len, size_t at)
{
    for (size_t i = at + 1; i < len; i++) {
        if (text[i] != '"')
            continue;
        if (i + 1 == len || text[i + 1] != '"')
            return i;
        i++; /* a quotation mark that is written */
    }
    return SIZE_MAX;
}

int pd_name_at(const char *text, size_t len, size_t *ret_len)
{
    size_t n = 0;
    while (n < len && ((text[n] >= 'a' && text[n] <= 'z') || (text[n] >= 'A' && text[n] <= 'Z')))
        n++;
    if (!n || n == len || text[n] != ':')
        return -1;
    *ret_len = n + 1;
    pd_field field;
    if (pd_field_find(text, n, &field))
        return (int)field;
    if (n == 4 && strncasecmp(text, "like", 4) == 0)
        return PD_NAME_LIKE;
    return n == 4 && strncasecmp(text, "sort", 4) == 0 ? PD_NAME_SORT : -1;
}

/* The open ones are a list through `partner` itself until their partner is known: one pass, no memory. */
static void find_partners(pd_lex *lex)
{
    size_t open = SIZE_MAX;
    for (size_t i = 0; i < lex->len; i++) {
        if (lex->text[i] == '(') {
            lex->partner[i] = open == SIZE_MAX ? UINT16_MAX : (uint16_t)open;
            open = i;
        } else if (lex->text[i] == ')' && open != SIZE_MAX) {
            const uint16_t before = lex->partner[open];
            lex->partner[open] = (uint16_t)i;
            open = before == UINT16_MAX ? SIZE_MAX : before;
        }
    }
    while (open != SIZE_MAX) {
        const uint16_t before = lex->partner[open];
        lex->partner[open] = 0;
        open = before == UINT16_MAX ? SIZE_MAX : before;
    }
}

void pd_lex_init(pd_lex *lex, const char *text, size_t len)
{
    lex->text = len ? text : ""; /* of nothing there may be no pointer */
    lex->len = len;
    lex->at = 0;
    find_partners(lex);
}

static bool is_digit_at(const char *text, size_t len, size_t at)
{
    return at < len && text[at] >= '0' && text[at] <= '9';
}

/* "2*", "0.25*": at most three digits and four decimals. Returns its bytes; 0: there is none. */
static size_t read_weight(const char *text, size_t len, uint32_t *ret_weight)
{
    size_t i = 0;
    uint32_t weight = 0;
    for (; i < 3 && is_digit_at(text, len, i); i++)
        weight = weight * 10 + (uint32_t)(text[i] - '0');
    if (!i)
        return 0;
    weight *= PD_WEIGHT_UNIT;
    if (i < len && text[i] == '.' && is_digit_at(text, len, i + 1)) {
        uint32_t place = PD_WEIGHT_UNIT;
        for (i++; place > 1 && is_digit_at(text, len, i); i++) {
            place /= 10;
            weight += place * (uint32_t)(text[i] - '0');
        }
    }
    if (i == len || text[i] != '*' || !weight || weight > (uint32_t)PD_QUERY_WEIGHT_MAX * PD_WEIGHT_UNIT)
        return 0;
    *ret_weight = weight;
    return i + 1;
}

static size_t word_end(const pd_lex *lex, size_t at)
{
    while (at < lex->len && !pd_blank_len(lex->text + at, lex->len - at))
        at++;
    return at;
}

static bool is_all_blank(const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n)
        if (!(n = pd_blank_len(text + i, len - i)))
            return false;
    return true;
}

/* Up to the first blank outside of quotation marks. */
static void read_value(const pd_lex *lex, pd_unit *unit)
{
    size_t at = unit->body;
    while (at < lex->len && !pd_blank_len(lex->text + at, lex->len - at)) {
        if (lex->text[at] == '"' && !unit->is_unclosed) {
            const size_t close = quote_end(lex->text, lex->len, at);
            unit->is_unclosed = close == SIZE_MAX;
            at = unit->is_unclosed ? at : close;
        }
        at++;
    }
    unit->body_end = unit->end = at;
}

/* "(" or a quotation mark, `close` its partner. One with nothing inside is bare, as a whole. */
static void take_enclosed(const pd_lex *lex, size_t close, pd_unit_kind kind, pd_unit *unit)
{
    unit->body = unit->marked + 1;
    unit->body_end = close;
    unit->end = close + 1;
    if (!is_all_blank(lex->text + unit->body, unit->body_end - unit->body))
        unit->kind = kind;
}

static void take_word(const pd_lex *lex, pd_unit *unit)
{
    const char first = unit->marked < lex->len ? lex->text[unit->marked] : ' ';
    unit->body = unit->marked;
    unit->body_end = unit->end = word_end(lex, unit->begin);
    const bool is_marked = unit->negated || unit->weight;
    if (is_marked && unit->marked < unit->end && first != '-' && first != '(' && first != '"')
        unit->kind = PD_UNIT_WORD;
}

bool pd_lex_next(pd_lex *lex, pd_unit *ret_unit)
{
    const char *text = lex->text;
    for (size_t n; (n = pd_blank_len(text + lex->at, lex->len - lex->at));)
        lex->at += n;
    if (lex->at == lex->len)
        return false;
    pd_unit unit = { .kind = PD_UNIT_BARE, .begin = lex->at, .name = -1 };
    size_t at = lex->at;
    if (text[at] == '-') {
        unit.negated = true;
        at++;
    }
    at += read_weight(text + at, lex->len - at, &unit.weight);
    unit.marked = at;
    const char first = at < lex->len ? text[at] : ' ';
    size_t close = SIZE_MAX, name_len;
    if (first == '"' && !unit.weight)
        close = quote_end(text, lex->len, at);
    if (close != SIZE_MAX) {
        take_enclosed(lex, close, PD_UNIT_QUOTED, &unit);
    } else if (first == '(' && (unit.negated || unit.weight) && lex->partner[at]) {
        take_enclosed(lex, lex->partner[at], PD_UNIT_GROUP, &unit);
    } else if ((unit.name = pd_name_at(text + at, lex->len - at, &name_len)) >= 0) {
        unit.kind = PD_UNIT_FIELD;
        unit.body = at + name_len;
        read_value(lex, &unit);
    } else {
        take_word(lex, &unit);
    }
    lex->at = unit.end;
    *ret_unit = unit;
    return true;
}
