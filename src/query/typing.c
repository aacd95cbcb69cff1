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

/* A quotation mark that is still open when the cursor comes: what was typed since belongs to it. */
static bool is_open(const char *text, const pd_unit *unit, size_t cursor)
{
    if (cursor <= unit->marked || cursor < unit->body)
        return false;
    if (unit->kind == PD_UNIT_BARE) /* one that is closed, but empty, has a body behind it */
        return text[unit->marked] == '"' && unit->body == unit->marked && !unit->weight;
    return unit->is_unclosed && unit->name < PD_FIELD_COUNT && memchr(text + unit->body, '"', cursor - unit->body);
}

static void take_unit(const char *text, const pd_unit *unit, size_t cursor, pd_query_typing *typing)
{
    const bool is_filter = unit->kind == PD_UNIT_FIELD && unit->name < PD_FIELD_COUNT;
    if (is_filter && cursor >= unit->body) {
        take_value(text, unit, cursor, typing);
        return;
    }
    /* a name, and the colon that is there already; the minus stays */
    typing->begin = cursor >= unit->marked ? unit->marked : unit->begin;
    typing->end = is_filter ? unit->body : unit->end;
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
        if (!has_open && is_open(text, &unit, cursor)) {
            open = unit;
            open.body_end = open.end = cursor;
            has_open = true;
        }
        has_unit = cursor <= unit.end;
    }
    if (has_open)
        take_unit(text, &open, cursor, ret_typing);
    else if (has_unit)
        take_unit(text, &unit, cursor, ret_typing);
}
