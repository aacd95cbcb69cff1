/* reading.c: how a query is read, part by part. */
#include <math.h>
#include <string.h>

#include "answer/answer.h"
#include "base/str.h"

enum { TEXT_BYTES_MAX = 4 * PD_QUERY_BYTES_MAX }; /* of an explanation, or of a query printed with quotes */

bool pd_part_filters(const pd_query_part *part) { return part->kind == PD_PART_FILTER || part->kind == PD_PART_EXACT; }

void pd_filters_of(const pd_query *query, const char *text, size_t but, pd_buf *buf)
{
    size_t n;
    const pd_query_part *parts = pd_query_parts(query, &n);
    for (size_t i = 0; i < n; i++)
        if (i != but && pd_part_filters(&parts[i]))
            (void)pd_buf_appendf(buf, "%s%.*s", buf->len ? " " : "", (int)(parts[i].end - parts[i].begin),
                                 text + parts[i].begin);
}

size_t pd_utf16_units(const char *text, size_t bytes)
{
    size_t units = 0;
    for (size_t at = 0; at < bytes;) {
        uint32_t code;
        at += pd_utf8_next(text + at, bytes - at, &code);
        units += code > 0xFFFF ? 2 : 1;
    }
    return units;
}

size_t pd_utf16_bytes(const char *text, size_t len, size_t units)
{
    size_t at = 0;
    for (size_t seen = 0; at < len && seen < units;) {
        uint32_t code;
        at += pd_utf8_next(text + at, len - at, &code);
        seen += code > 0xFFFF ? 2 : 1;
    }
    return at;
}

/* Sets what was collected, and empties the buffer. */
static pd_status set_collected(pd_json *json, const char *key, pd_buf *buf)
{
    const pd_status status = buf->status != PD_OK
                                 ? PD_ERR_NOMEM
                                 : pd_json_set_take(json, key, pd_json_string(buf->len ? buf->data : "", buf->len));
    pd_buf_clear(buf);
    return status;
}

static pd_json *part_json(const pd_query *query, const char *text, size_t number, pd_buf *buf)
{
    static const char *const kinds[] = { [PD_PART_MEANING] = "meaning",
                                         [PD_PART_LIKE] = "like",
                                         [PD_PART_EXACT] = "exact",
                                         [PD_PART_FILTER] = "filter",
                                         [PD_PART_SORT] = "sort" };
    size_t n;
    const pd_query_part *part = pd_query_parts(query, &n) + number;
    const bool whole = part->weight == trunc(part->weight);
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "kind", kinds[part->kind]);
    failed |=
        pd_json_set_text(json, "field", part->kind == PD_PART_FILTER ? pd_field_info_of(part->field)->name : NULL);
    failed |= pd_json_set_bool(json, "negated", part->negated);
    failed |=
        pd_json_set_take(json, "weight", whole ? pd_json_int((int64_t)part->weight) : pd_json_number(part->weight));
    pd_query_explain(part, buf);
    failed |= set_collected(json, "text", buf) != PD_OK;
    failed |= pd_json_set_text(json, "note", part->note);
    failed |= pd_json_set_int(json, "begin", (int64_t)pd_utf16_units(text, part->begin));
    failed |= pd_json_set_int(json, "end", (int64_t)pd_utf16_units(text, part->end));
    pd_query_without(query, text, number, buf);
    failed |= set_collected(json, "without", buf) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_parts(const pd_query *query, const char *text)
{
    size_t n;
    bool failed = false;
    pd_buf buf;
    pd_json *json = pd_json_array();
    (void)pd_query_parts(query, &n);
    pd_buf_init(&buf, TEXT_BYTES_MAX);
    for (size_t i = 0; i < n && !failed; i++)
        failed |= pd_json_append_take(json, part_json(query, text, i, &buf)) != PD_OK;
    pd_buf_done(&buf);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_reading(const pd_query *query, const char *text)
{
    bool failed = false;
    pd_buf buf;
    pd_json *json = pd_json_object();
    pd_buf_init(&buf, TEXT_BYTES_MAX);
    failed |= pd_json_set_take(json, "parts", pd_answer_parts(query, text)) != PD_OK;
    pd_query_print(query, &buf);
    failed |= set_collected(json, "print", &buf) != PD_OK;
    pd_buf_done(&buf);
    if (failed)
        pd_json_free(&json);
    return json;
}
