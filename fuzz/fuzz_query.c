/* What pd_query_parse makes of any text keeps its promises: printing and parsing gives the same, parts lie in the text
 * one behind the other, each can be taken out and explained, and at every cursor something is being typed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "query/query.h"

static void must(int holds)
{
    if (!holds)
        abort();
}

static pd_query *parse(const char *text, size_t len)
{
    pd_query *query = NULL;
    pd_error err;
    must(pd_query_parse(&query, text, len, &err) == PD_OK);
    return query;
}

static void check_values(const pd_query_part *part)
{
    must(part->n_values > 0 && part->field < PD_FIELD_COUNT);
    must(part->value_kind == pd_field_info_of(part->field)->kind);
    for (size_t i = 0; i < part->n_values; i++) {
        must(part->values[i].words && part->values[i].words[0]);
        must(part->value_kind != PD_VALUE_RANGE || part->values[i].low <= part->values[i].high);
    }
}

static void check_part(const pd_query_part *part)
{
    const int has_words = part->kind == PD_PART_MEANING || part->kind == PD_PART_LIKE || part->kind == PD_PART_EXACT;
    must(has_words ? part->words && part->words[0] : !part->words);
    must(part->weight > 0 && part->weight <= PD_QUERY_WEIGHT_MAX);
    must(part->kind == PD_PART_MEANING || !part->note);
    if (part->kind == PD_PART_FILTER)
        check_values(part);
    must((part->kind == PD_PART_SORT) == (part->order != PD_ORDER_NONE));
    pd_buf buf;
    pd_buf_init(&buf, 1 << 20);
    pd_query_explain(part, &buf);
    must(buf.status == PD_OK && buf.len > 0);
    pd_buf_done(&buf);
}

/* Such a one may find a partner when something between them goes. */
static int has_open_parenthesis(const char *text, size_t len)
{
    size_t n_closing = 0;
    for (size_t i = len; i-- > 0;) {
        if (text[i] == '(' && !n_closing)
            return 1;
        n_closing += text[i] == ')';
        n_closing -= text[i] == '(';
    }
    return 0;
}

/* One part less, or fewer where words come together; what was folded at the limit unfolds. */
static void check_without(const pd_query *query, const char *text, size_t n, size_t part)
{
    pd_buf buf;
    size_t n_left;
    pd_buf_init(&buf, 1 << 20);
    pd_query_without(query, text, part, &buf);
    must(buf.status == PD_OK && buf.len <= PD_QUERY_BYTES_MAX);
    pd_query *left = parse(buf.data, buf.len);
    (void)pd_query_parts(left, &n_left);
    must(n_left < n || n == PD_QUERY_PARTS_MAX || has_open_parenthesis(text, pd_query_parts(query, &n)[n - 1].end));
    pd_query_free(&left);
    pd_buf_done(&buf);
}

static void check_print(const pd_query *query, size_t len)
{
    pd_buf buf, again;
    pd_buf_init(&buf, 1 << 20);
    pd_buf_init(&again, 1 << 20);
    pd_query_print(query, &buf);
    must(buf.status == PD_OK && buf.len <= len);
    pd_query *printed = parse(buf.data, buf.len);
    must(pd_query_equal(query, printed));
    pd_query_print(printed, &again);
    must(again.len == buf.len && (!buf.len || memcmp(again.data, buf.data, buf.len) == 0));
    pd_query_free(&printed);
    pd_buf_done(&buf);
    pd_buf_done(&again);
}

static void check_typing(const char *text, size_t len, size_t cursor)
{
    pd_query_typing typing;
    pd_query_typing_at(text, len, cursor, &typing);
    must(typing.begin <= typing.end && typing.end <= len);
    must(typing.begin <= cursor && cursor <= typing.end);
    must(!typing.is_value || typing.field < PD_FIELD_COUNT);
    must(memchr(typing.prefix, '\0', sizeof typing.prefix) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    if (size > PD_QUERY_BYTES_MAX) {
        pd_query *query = NULL;
        must(pd_query_parse(&query, text, size, NULL) == PD_ERR_LIMIT && !query);
        return 0;
    }
    size_t n, end = 0;
    pd_query *query = parse(text, size);
    const pd_query_part *parts = pd_query_parts(query, &n);
    must(n <= PD_QUERY_PARTS_MAX);
    const size_t step = 1 + size / 64; /* the whole stays linear */
    for (size_t i = 0; i < n; i++) {
        must(parts[i].begin >= end && parts[i].end > parts[i].begin && parts[i].end <= size);
        end = parts[i].end;
        check_part(&parts[i]);
        if (i % step == 0)
            check_without(query, text, n, i);
    }
    check_print(query, size);
    for (size_t cursor = 0; cursor <= size; cursor += step)
        check_typing(text, size, cursor);
    pd_query_free(&query);
    return 0;
}
