#include <string.h>

#include "base/mem.h"
#include "query/fields.h"
#include "query/lex.h"
#include "query/query_private.h"
#include "query/values.h"

#define NOTE_EMPTY "nothing stands behind the colon yet"
#define NOTE_UNCLOSED "a quotation mark is not closed"
#define NOTE_WEIGHT "only words and like: have a weight"
#define NOTE_LIKE "like: is the path of a picture or the id of a photo, as in like:12"
#define NOTE_SORT "sort: is one of score, date, -date, name, -name, size and -size"
#define NOTE_SORT_NEGATED "an order is turned around with sort:-date"
#define NOTE_GROUP "inside of parentheses everything is words"

typedef struct builder {
    pd_lex lex;
    pd_query *query;
    size_t n_values, n_chars;
} builder;

size_t pd_piece_read(const char *text, size_t end, size_t *at, bool has_commas, char *ret_bytes)
{
    size_t n = 0, i = *at;
    bool is_quoted = false;
    for (; i < end && (is_quoted || !has_commas || text[i] != ','); i++) {
        const char c = text[i];
        if (c != '"') {
            ret_bytes[n++] = (unsigned char)c < ' ' || c == 0x7F ? ' ' : c;
        } else if (is_quoted && i + 1 < end && text[i + 1] == '"') {
            ret_bytes[n++] = c;
            i++;
        } else {
            is_quoted = !is_quoted;
        }
    }
    *at = i < end ? i + 1 : end;
    return n;
}

/* Ends the text of n bytes that stands at the free end of `chars`, without blanks at its ends. NULL: nothing is left.
 */
static const char *end_text(builder *b, size_t n)
{
    char *text = b->query->chars + b->n_chars;
    n -= pd_blank_behind(text, n);
    size_t skip = 0;
    for (size_t blank; (blank = pd_blank_len(text + skip, n - skip));)
        skip += blank;
    n -= skip;
    if (!n)
        return NULL;
    memmove(text, text + skip, n);
    text[n] = '\0';
    b->n_chars += n + 1;
    return text;
}

static const char *add_tidy(builder *b, size_t begin, size_t end)
{
    return end_text(b, pd_text_tidy(b->lex.text + begin, end - begin, b->query->chars + b->n_chars));
}

/* Numbers and their like: what a value holds without blanks and capitals. */
static void make_plain(char *text)
{
    const size_t len = strlen(text);
    size_t n = 0;
    for (size_t i = 0, blank; i < len;) {
        if ((blank = pd_blank_len(text + i, len - i)) == 0) {
            text[n++] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
            i++;
        }
        i += blank;
    }
    text[n] = '\0';
}

static pd_query_value *add_value(builder *b, const pd_query_value *value)
{
    pd_query_value *added = &b->query->values[b->n_values++];
    *added = *value;
    return added;
}

/* November to February is two values; they have one text, so that it is printed once. */
static void add_range(builder *b, pd_field field, const pd_query_value *value)
{
    pd_query_value *first = add_value(b, value);
    if (field != PD_FIELD_MONTH || value->low <= value->high)
        return;
    pd_query_value *second = add_value(b, value);
    first->high = 12;
    second->low = 1;
}

/* Returns NULL, or the note that says why these are no values. */
static const char *add_values(builder *b, const pd_unit *unit, pd_query_part *part)
{
    const pd_field_row *row = pd_field_row_of(part->field);
    const bool is_place = row->info.kind == PD_VALUE_PLACE;
    const size_t first = b->n_values;
    for (size_t at = unit->body; at < unit->body_end;) {
        char *text = b->query->chars + b->n_chars;
        if (!end_text(b, pd_piece_read(b->lex.text, unit->body_end, &at, !is_place, text)))
            continue;
        if (row->info.kind != PD_VALUE_WORDS)
            make_plain(text);
        pd_query_value value = { .words = text };
        if (!row->read(row, text, &value))
            return row->note;
        value.words = row->info.kind == PD_VALUE_WORDS ? value.words : text;
        add_range(b, part->field, &value);
    }
    part->values = b->query->values + first;
    part->n_values = b->n_values - first;
    part->value_kind = row->info.kind;
    return part->n_values ? NULL : NOTE_EMPTY;
}

static const char *add_like(builder *b, const pd_unit *unit, pd_query_part *part)
{
    size_t at = unit->body;
    part->kind = PD_PART_LIKE;
    part->words = end_text(b, pd_piece_read(b->lex.text, unit->body_end, &at, false, b->query->chars + b->n_chars));
    return part->words ? NULL : NOTE_LIKE;
}

static const char *read_order(builder *b, const pd_unit *unit, pd_query_part *part)
{
    size_t at = unit->body;
    const size_t kept = b->n_chars;
    char *text = b->query->chars + b->n_chars;
    if (!end_text(b, pd_piece_read(b->lex.text, unit->body_end, &at, false, text)))
        return NOTE_EMPTY;
    make_plain(text);
    b->n_chars = kept;
    part->kind = PD_PART_SORT;
    if (!pd_order_find(text, &part->order))
        return NOTE_SORT;
    return part->negated ? NOTE_SORT_NEGATED : NULL;
}

static const char *read_field(builder *b, const pd_unit *unit, pd_query_part *part)
{
    if (unit->is_unclosed)
        return NOTE_UNCLOSED;
    if (unit->name == PD_NAME_LIKE)
        return add_like(b, unit, part);
    if (unit->weight)
        return NOTE_WEIGHT;
    if (unit->name == PD_NAME_SORT)
        return read_order(b, unit, part);
    part->kind = PD_PART_FILTER;
    part->field = (pd_field)unit->name;
    return add_values(b, unit, part);
}

static bool has_filter(const char *words)
{
    const size_t len = strlen(words);
    size_t name_len;
    for (size_t i = 0; i < len; i++) {
        const bool is_start = i == 0 || words[i - 1] == ' ' || words[i - 1] == '-' || words[i - 1] == '(';
        if (is_start && pd_name_at(words + i, len - i, &name_len) >= 0 && i + name_len < len &&
            words[i + name_len] != ' ')
            return true;
    }
    return false;
}

static void add_part(builder *b, const pd_unit *unit)
{
    const size_t n = b->query->n_parts++;
    const size_t n_chars = b->n_chars;
    pd_query_part part = { .kind = PD_PART_MEANING, .negated = unit->negated, .weight = 1 };
    if (unit->weight)
        part.weight = (double)unit->weight / PD_WEIGHT_UNIT;
    const char *note = NULL;
    if (unit->kind == PD_UNIT_FIELD)
        note = read_field(b, unit, &part);
    else if (unit->kind == PD_UNIT_QUOTED)
        part.kind = PD_PART_EXACT;
    if (note || unit->kind == PD_UNIT_BARE) { /* words as they were written, whatever else was begun */
        part = (pd_query_part){ .kind = PD_PART_MEANING, .weight = 1, .note = note };
        b->n_chars = n_chars;
        part.words = add_tidy(b, unit->begin, unit->end);
        b->query->are_raw[n] = true;
    } else if (unit->kind == PD_UNIT_QUOTED) {
        size_t at = unit->marked;
        part.words = end_text(b, pd_piece_read(b->lex.text, unit->end, &at, false, b->query->chars + b->n_chars));
    } else if (unit->kind != PD_UNIT_FIELD) {
        part.words = add_tidy(b, unit->body, unit->body_end);
        part.note = unit->kind == PD_UNIT_GROUP && has_filter(part.words) ? NOTE_GROUP : NULL;
    }
    part.begin = unit->begin;
    part.end = unit->end;
    b->query->parts[n] = part;
}

/* Words without a mark stay together: the text of the last part, which they are, is made anew. */
static bool goes_on(builder *b, const pd_unit *unit)
{
    const size_t n = b->query->n_parts;
    if (unit->kind != PD_UNIT_BARE || !n || !b->query->are_raw[n - 1] || b->query->parts[n - 1].note)
        return false;
    b->query->parts[n - 1].end = unit->end;
    return true;
}

/* The words of a run once it is known how far it goes, so that no byte is copied twice. */
static void end_run(builder *b)
{
    const size_t n = b->query->n_parts;
    if (!n || !b->query->are_raw[n - 1] || b->query->parts[n - 1].note)
        return;
    pd_query_part *run = &b->query->parts[n - 1];
    b->n_chars = (size_t)(run->words - b->query->chars);
    run->words = add_tidy(b, run->begin, run->end);
}

static void fold_rest(builder *b)
{
    pd_query *query = b->query;
    if (query->n_parts <= PD_QUERY_PARTS_MAX)
        return;
    query->n_parts = PD_QUERY_PARTS_MAX;
    const size_t begin = query->parts[PD_QUERY_PARTS_MAX - 1].begin;
    size_t end = query->parts[PD_QUERY_PARTS_MAX - 1].end;
    pd_unit unit;
    pd_lex_init(&b->lex, b->lex.text, b->lex.len);
    while (pd_lex_next(&b->lex, &unit))
        end = unit.end;
    query->parts[PD_QUERY_PARTS_MAX - 1] = (pd_query_part){
        .kind = PD_PART_MEANING, .weight = 1, .words = add_tidy(b, begin, end), .begin = begin, .end = end
    };
    query->are_raw[PD_QUERY_PARTS_MAX - 1] = true;
}

/* Room for everything there can be: a unit is a part at most, a comma one more value, a range of months two, and each
 * text stands once with its NUL, the rest behind the last part once more. */
static pd_status make_room(builder *b)
{
    pd_query *query = b->query;
    size_t n_units = 0, n_commas = 0;
    pd_unit unit;
    while (pd_lex_next(&b->lex, &unit))
        n_units++;
    for (size_t i = 0; i < b->lex.len; i++)
        n_commas += b->lex.text[i] == ',';
    b->lex.at = 0;
    query->parts = pd_mem_alloc(n_units, sizeof *query->parts);
    query->are_raw = pd_mem_alloc(n_units, sizeof *query->are_raw);
    query->values = pd_mem_alloc(2 * (n_units + n_commas), sizeof *query->values);
    query->chars = pd_mem_alloc(2 * (b->lex.len + n_units + n_commas) + 2, 1);
    return query->parts && query->are_raw && query->values && query->chars ? PD_OK : PD_ERR_NOMEM;
}

pd_status pd_query_parse(pd_query **ret_query, const char *text, size_t len, pd_error *err)
{
    if (len > PD_QUERY_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the query has %zu bytes; %d are allowed", len, PD_QUERY_BYTES_MAX);
    builder b;
    pd_lex_init(&b.lex, text, len);
    b.n_values = b.n_chars = 0;
    b.query = pd_mem_alloc(1, sizeof *b.query);
    if (!b.query || make_room(&b) != PD_OK) {
        pd_query_free(&b.query);
        return pd_error_set_nomem(err);
    }
    pd_unit unit;
    while (pd_lex_next(&b.lex, &unit)) {
        if (goes_on(&b, &unit))
            continue;
        end_run(&b);
        add_part(&b, &unit);
    }
    end_run(&b);
    fold_rest(&b);
    *ret_query = b.query;
    return PD_OK;
}

void pd_query_free(pd_query **query)
{
    if (!*query)
        return;
    pd_mem_free((*query)->parts);
    pd_mem_free((*query)->are_raw);
    pd_mem_free((*query)->values);
    pd_mem_free((*query)->chars);
    pd_mem_free(*query);
    *query = NULL;
}

const pd_query_part *pd_query_parts(const pd_query *query, size_t *ret_n)
{
    *ret_n = query->n_parts;
    return query->parts;
}

pd_order pd_query_order(const pd_query *query)
{
    pd_order order = PD_ORDER_NONE;
    for (size_t i = 0; i < query->n_parts; i++)
        if (query->parts[i].kind == PD_PART_SORT)
            order = query->parts[i].order;
    return order;
}
