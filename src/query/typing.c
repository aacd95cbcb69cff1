#include <string.h>

#include "query/lex.h"
#include "query/query_private.h"

/* What is there already between begin and the cursor, unquoted. */
static void set_prefix(const char *text, size_t begin, size_t cursor, bool is_value, pd_query_typing *typing)
{
    char prefix[PD_QUERY_BYTES_MAX];
    size_t n = cursor - begin, at = begin;
    if (is_value)
        n = pd_piece_read(text, cursor, &at, false, prefix);
    else
        memcpy(prefix, text + begin, n);
    typing->prefix[0] = '\0';
    if (n < sizeof typing->prefix) {
        memcpy(typing->prefix, prefix, n);
        typing->prefix[n] = '\0';
    }
}

/* The value of several in which the cursor stands: between commas outside of quotation marks. */
static void take_value(const char *text, const pd_unit *unit, size_t cursor, pd_query_typing *typing)
{
    typing->is_value = true;
    typing->field = (pd_field)unit->name;
    typing->begin = unit->body;
    typing->end = unit->body_end;
    bool is_quoted = false;
    for (size_t i = unit->body; i < unit->body_end; i++) {
        if (text[i] == '"')
            is_quoted = !is_quoted; /* one that is written twice changes nothing */
        if (text[i] != ',' || is_quoted || unit->name == PD_FIELD_NEAR)
            continue;
        if (i >= cursor) {
            typing->end = i;
            break;
        }
        typing->begin = i + 1;
    }
    set_prefix(text, typing->begin, cursor, true, typing);
}

/* A quotation mark behind a field that is still open when the cursor comes: what was typed since is the value. */
static bool is_open_value(const char *text, const pd_unit *unit, size_t cursor)
{
    return unit->is_unclosed && unit->name < PD_FIELD_COUNT && cursor > unit->body &&
           memchr(text + unit->body, '"', cursor - unit->body);
}

static void take_unit(const char *text, size_t len, const pd_unit *unit, size_t cursor, pd_query_typing *typing)
{
    const bool is_field = unit->kind == PD_UNIT_FIELD;
    if (is_field && unit->name < PD_FIELD_COUNT && cursor >= unit->body) {
        take_value(text, unit, cursor, typing);
        return;
    }
    /* a name, with the colon that is there already; the minus stays; what is enclosed is no name */
    typing->begin = cursor > unit->marked ? unit->marked : cursor;
    typing->end = is_field && unit->name < PD_FIELD_COUNT ? unit->body : unit->end;
    if (unit->kind == PD_UNIT_BARE || unit->kind == PD_UNIT_WORD)
        typing->begin = cursor > unit->marked && unit->marked < len ? unit->marked : unit->begin;
    if (typing->begin > cursor)
        typing->begin = cursor;
    set_prefix(text, typing->begin, cursor, false, typing);
}

void pd_query_typing_at(const char *text, size_t len, size_t cursor, pd_query_typing *ret_typing)
{
    if (cursor > len)
        cursor = len;
    *ret_typing = (pd_query_typing){ .begin = cursor, .end = cursor };
    if (len > PD_QUERY_BYTES_MAX)
        return;
    pd_lex lex;
    pd_unit unit, open = { .kind = PD_UNIT_BARE };
    bool has_open = false, has_unit = false;
    pd_lex_init(&lex, text, len);
    while (!has_unit && pd_lex_next(&lex, &unit) && unit.begin < cursor) {
        if (is_open_value(text, &unit, cursor)) {
            open = unit;
            has_open = true;
        }
        has_unit = cursor <= unit.end;
    }
    if (has_open) {
        open.body_end = cursor;
        take_value(text, &open, cursor, ret_typing);
    } else if (has_unit) {
        take_unit(text, len, &unit, cursor, ret_typing);
    }
}
