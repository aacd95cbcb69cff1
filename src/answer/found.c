/* found.c: what was found. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "answer/answer.h"

/* Further digits are noise of the arithmetic. */
static double rounded(double value, double steps) { return round(value * steps) / steps; }

pd_json *pd_answer_hit(const pd_hit *hit)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "id", hit->id);
    failed |= pd_json_set_text(json, "path", hit->path);
    failed |= pd_json_set_number(json, "score", rounded(hit->score, 1e6));
    failed |= pd_json_set_take(json, "match", hit->match < 0 ? pd_json_null() : pd_json_int(hit->match));
    failed |= pd_json_set_text(json, "taken", hit->taken[0] ? hit->taken : NULL);
    failed |= pd_json_set_int(json, "width", hit->width);
    failed |= pd_json_set_int(json, "height", hit->height);
    failed |= pd_json_set_int(json, "rating", hit->rating);
    failed |= pd_json_set_bool(json, "favorite", hit->favorite);
    failed |= pd_json_set_text(json, "caption", hit->caption);
    failed |= pd_json_set_text(json, "caption_by", pd_answer_said_by(hit->caption_by));
    failed |= pd_json_set_bool(json, "caption_doubtful", hit->caption_doubtful);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_hits(const pd_hits_answer *answer)
{
    const pd_hits *found = answer->hits;
    bool failed = false;
    pd_json *json = pd_json_object(), *hits = pd_json_array();
    failed |= pd_json_set_text(json, "query", answer->query);
    failed |= pd_json_set_text(json, "model", found->model);
    failed |= pd_json_set_number(json, "took_ms", rounded(answer->took_ms, 1e2));
    failed |= pd_json_set_int(json, "total", found->total);
    failed |= pd_json_set_take(json, "strong", found->strong < 0 ? pd_json_null() : pd_json_int(found->strong));
    failed |= pd_json_set_text(json, "sort", pd_order_name(found->order));
    for (size_t i = 0; i < found->n && !failed; i++)
        failed |= pd_json_append_take(hits, pd_answer_hit(&found->items[i]));
    failed |= pd_json_set_take(json, "hits", hits);
    if (failed)
        pd_json_free(&json);
    return json;
}

static void append_csv_field(pd_buf *buf, const char *text)
{
    const size_t len = strlen(text);
    const bool edge_space = len && (text[0] == ' ' || text[len - 1] == ' ');
    if (!edge_space && !strpbrk(text, ",\"\r\n")) {
        (void)pd_buf_append(buf, text, len);
        return;
    }
    (void)pd_buf_append(buf, "\"", 1);
    for (const char *rest = text; *rest;) {
        const size_t plain = strcspn(rest, "\"");
        (void)pd_buf_append(buf, rest, plain);
        rest += plain;
        if (*rest == '"') {
            (void)pd_buf_append(buf, "\"\"", 2);
            rest++;
        }
    }
    (void)pd_buf_append(buf, "\"", 1);
}

void pd_answer_csv_head(pd_buf *buf)
{
    (void)pd_buf_append_string(
        buf, "id,path,score,match,taken,width,height,rating,favorite,caption,caption_by,caption_doubtful\n");
}

void pd_answer_csv_hit(pd_buf *buf, const pd_hit *hit)
{
    (void)pd_buf_appendf(buf, "%" PRId64 ",", hit->id);
    append_csv_field(buf, hit->path);
    (void)pd_buf_append(buf, ",", 1);
    if (isfinite(hit->score))
        (void)pd_buf_appendf(buf, "%.6f", (double)hit->score);
    (void)pd_buf_append(buf, ",", 1);
    if (hit->match >= 0)
        (void)pd_buf_appendf(buf, "%d", hit->match);
    (void)pd_buf_appendf(buf, ",%s,%" PRIu32 ",%" PRIu32 ",%d,%d,", hit->taken, hit->width, hit->height, hit->rating,
                         hit->favorite);
    append_csv_field(buf, hit->caption ? hit->caption : "");
    const char *by = pd_answer_said_by(hit->caption_by);
    (void)pd_buf_appendf(buf, ",%s,%d\n", by ? by : "", hit->caption_doubtful);
}
