#include <string.h>

#include "query/fields.h"
#include "query/lex.h"
#include "query/query_private.h"
#include "query/values.h"

/* "2*", and "1.5*": the digits that were read. */
static void print_weight(double weight, pd_buf *buf)
{
    const unsigned ticks = (unsigned)(weight * PD_WEIGHT_UNIT + 0.5);
    unsigned decimals = ticks % PD_WEIGHT_UNIT;
    (void)pd_buf_appendf(buf, "%u", ticks / PD_WEIGHT_UNIT);
    for (unsigned place = PD_WEIGHT_UNIT / 10; decimals; place /= 10) {
        (void)pd_buf_appendf(buf, "%s%u", place == PD_WEIGHT_UNIT / 10 ? "." : "", decimals / place);
        decimals %= place;
    }
    (void)pd_buf_append_string(buf, "*");
}

static bool has_any(const char *text, const char *bytes, bool or_blanks)
{
    const size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (strchr(bytes, text[i]) || (or_blanks && pd_blank_len(text + i, len - i)))
            return true;
    return false;
}

static void print_quoted(const char *text, pd_buf *buf)
{
    (void)pd_buf_append_string(buf, "\"");
    for (const char *mark; (mark = strchr(text, '"')); text = mark + 1) {
        (void)pd_buf_append(buf, text, (size_t)(mark - text));
        (void)pd_buf_append_string(buf, "\"\"");
    }
    (void)pd_buf_append_string(buf, text);
    (void)pd_buf_append_string(buf, "\"");
}

void pd_query_quote(const char *value, pd_buf *buf)
{
    if (!*value || has_any(value, "\",", true))
        print_quoted(value, buf);
    else
        (void)pd_buf_append_string(buf, value);
}

/* Whether what was printed from `begin` on is one marked word that says the same as this part in parentheses. */
static bool is_word(const pd_buf *buf, size_t begin, const pd_query_part *part)
{
    pd_lex lex;
    pd_unit unit;
    const size_t len = buf->len - begin, n_words = strlen(part->words);
    if (buf->status != PD_OK || len > PD_QUERY_BYTES_MAX)
        return false;
    pd_lex_init(&lex, buf->data + begin, len);
    return pd_lex_next(&lex, &unit) && unit.kind == PD_UNIT_WORD && unit.end == len && unit.marked == len - n_words;
}

static void print_meaning(const pd_query_part *part, bool is_raw, bool is_touched, pd_buf *buf)
{
    if (is_raw) {
        (void)pd_buf_append_string(buf, part->words);
        return;
    }
    const size_t begin = buf->len;
    if (part->negated)
        (void)pd_buf_append_string(buf, "-");
    if (part->weight != 1 || !part->negated)
        print_weight(part->weight, buf);
    const size_t marked = buf->len;
    (void)pd_buf_append_string(buf, part->words);
    if (!is_touched && !part->note && is_word(buf, begin, part))
        return;
    if (buf->status == PD_OK)
        buf->data[buf->len = marked] = '\0';
    (void)pd_buf_appendf(buf, "(%s)", part->words);
}

static void print_filter(const pd_query_part *part, pd_buf *buf)
{
    (void)pd_buf_appendf(buf, "%s%s:", part->negated ? "-" : "", pd_field_info_of(part->field)->name);
    for (size_t i = 0; i < part->n_values; i++) {
        const char *words = part->values[i].words;
        if (i && words == part->values[i - 1].words && part->value_kind != PD_VALUE_WORDS)
            continue; /* months over the turn of the year */
        if (i)
            (void)pd_buf_append_string(buf, ",");
        if (part->field == PD_FIELD_TYPE)
            (void)pd_buf_append_string(buf, pd_type_short(words));
        else if (part->value_kind == PD_VALUE_WORDS)
            pd_query_quote(words, buf);
        else
            (void)pd_buf_append_string(buf, words);
    }
}

static void print_like(const pd_query_part *part, pd_buf *buf)
{
    if (part->negated)
        (void)pd_buf_append_string(buf, "-");
    if (part->weight != 1)
        print_weight(part->weight, buf);
    (void)pd_buf_append_string(buf, "like:");
    if (has_any(part->words, "\"", true))
        print_quoted(part->words, buf);
    else
        (void)pd_buf_append_string(buf, part->words);
}

void pd_query_print(const pd_query *query, pd_buf *buf)
{
    for (size_t i = 0; i < query->n_parts; i++) {
        const pd_query_part *part = &query->parts[i];
        if (i && part->begin > part[-1].end)
            (void)pd_buf_append_string(buf, " ");
        switch (part->kind) {
        case PD_PART_MEANING: {
            const bool is_touched = i + 1 < query->n_parts && part[1].begin == part->end;
            print_meaning(part, query->are_raw[i], is_touched, buf);
            break;
        }
        case PD_PART_LIKE: print_like(part, buf); break;
        case PD_PART_EXACT:
            (void)pd_buf_append_string(buf, part->negated ? "-" : "");
            print_quoted(part->words, buf);
            break;
        case PD_PART_FILTER: print_filter(part, buf); break;
        case PD_PART_SORT: (void)pd_buf_appendf(buf, "sort:%s", pd_order_name(part->order)); break;
        }
    }
}

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_value(pd_value_kind kind, const pd_query_value *a, const pd_query_value *b)
{
    switch (kind) {
    case PD_VALUE_WORDS: return same_text(a->words, b->words);
    case PD_VALUE_RANGE:
        return a->low == b->low && a->high == b->high && a->low_open == b->low_open && a->high_open == b->high_open;
    case PD_VALUE_YES:
    case PD_VALUE_CODE: return a->code == b->code;
    case PD_VALUE_PLACE: return a->lat == b->lat && a->lon == b->lon && a->km == b->km;
    case PD_VALUE_COLOUR: return a->red == b->red && a->green == b->green && a->blue == b->blue;
    }
    return false;
}

static bool same_part(const pd_query_part *a, const pd_query_part *b)
{
    if (a->kind != b->kind || a->negated != b->negated || a->weight != b->weight || a->field != b->field ||
        a->value_kind != b->value_kind || a->order != b->order || a->n_values != b->n_values ||
        !same_text(a->words, b->words) || !same_text(a->note, b->note))
        return false;
    for (size_t i = 0; i < a->n_values; i++)
        if (!same_value(a->value_kind, &a->values[i], &b->values[i]))
            return false;
    return true;
}

bool pd_query_equal(const pd_query *a, const pd_query *b)
{
    if (a->n_parts != b->n_parts)
        return false;
    for (size_t i = 0; i < a->n_parts; i++)
        if (!same_part(&a->parts[i], &b->parts[i]))
            return false;
    return true;
}

static void append_trimmed(const char *text, size_t begin, size_t end, pd_buf *buf)
{
    for (size_t n; (n = pd_blank_len(text + begin, end - begin));)
        begin += n;
    end -= pd_blank_behind(text + begin, end - begin);
    (void)pd_buf_append(buf, text + begin, end - begin);
}

void pd_query_without(const pd_query *query, const char *text, size_t part, pd_buf *buf)
{
    const pd_query_part *gone = &query->parts[part];
    const pd_query_part *last = &query->parts[query->n_parts - 1];
    const size_t len = buf->len;
    append_trimmed(text, query->parts[0].begin, gone->begin, buf);
    if (buf->len > len && gone < last)
        (void)pd_buf_append_string(buf, " ");
    append_trimmed(text, gone->end, last->end, buf);
}
