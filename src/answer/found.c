/* found.c: what was found. */
#include <math.h>

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
    failed |= pd_json_set_null(json, "match");
    failed |= pd_json_set_text(json, "taken", hit->taken[0] ? hit->taken : NULL);
    failed |= pd_json_set_int(json, "width", hit->width);
    failed |= pd_json_set_int(json, "height", hit->height);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_hits(const pd_hits_answer *answer)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *hits = pd_json_array();
    failed |= pd_json_set_text(json, "query", answer->query);
    failed |= pd_json_set_text(json, "model", answer->model);
    failed |= pd_json_set_number(json, "took_ms", rounded(answer->took_ms, 1e2));
    failed |= pd_json_set_int(json, "total", answer->hits->total);
    failed |= pd_json_set_null(json, "strong");
    for (size_t i = 0; i < answer->hits->n && !failed; i++)
        failed |= pd_json_append_take(hits, pd_answer_hit(&answer->hits->items[i]));
    failed |= pd_json_set_take(json, "hits", hits);
    if (failed)
        pd_json_free(&json);
    return json;
}
