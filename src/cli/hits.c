#include "cli/hits.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/human.h"

enum { TIME_COLUMNS = 16 }; /* "2003-05-24 15:01" */

/* Further digits are noise of the arithmetic. */
static double rounded(double value, double steps) { return round(value * steps) / steps; }

static pd_json *hit_json(const pd_hit *hit)
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

static pd_json *answer_json(const pd_hits_answer *answer)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *hits = pd_json_array();
    failed |= pd_json_set_text(json, "query", answer->query);
    failed |= pd_json_set_text(json, "model", answer->model);
    failed |= pd_json_set_number(json, "took_ms", rounded(answer->took_ms, 1e2));
    failed |= pd_json_set_int(json, "total", answer->hits->total);
    failed |= pd_json_set_null(json, "strong");
    for (size_t i = 0; i < answer->hits->n && !failed; i++)
        failed |= pd_json_append_take(hits, hit_json(&answer->hits->items[i]));
    failed |= pd_json_set_take(json, "hits", hits);
    if (failed)
        pd_json_free(&json);
    return json;
}

static void write_csv(pd_out *out, const pd_hits *hits)
{
    pd_out_text(out, "id,path,score,match,taken,width,height\n");
    for (size_t i = 0; i < hits->n; i++) {
        const pd_hit *hit = &hits->items[i];
        pd_outf(out, "%" PRId64 ",", hit->id);
        pd_out_csv_field(out, hit->path);
        pd_outf(out, ",%.6f,,%s,%" PRIu32 ",%" PRIu32 "\n", hit->score, hit->taken, hit->width, hit->height);
    }
}

static void write_text(pd_out *out, const pd_hits *hits)
{
    int rank_columns = 1;
    for (size_t n = hits->n; n >= 10; n /= 10)
        rank_columns++;
    for (size_t i = 0; i < hits->n; i++) {
        const pd_hit *hit = &hits->items[i];
        pd_buf time;
        pd_buf_init(&time, sizeof hit->taken + 8);
        pd_human_time(&time, hit->taken);
        pd_outf(out, "%*zu  %6.3f  %-*.*s  ", rank_columns, i + 1, hit->score, TIME_COLUMNS, TIME_COLUMNS,
                time.len ? time.data : "-");
        pd_buf_done(&time);
        pd_out_printable(out, hit->path);
        pd_out_text(out, "\n");
    }
}

void pd_hits_write(pd_out *out, const pd_hits_answer *answer, pd_hits_form form)
{
    const pd_hits *hits = answer->hits;
    switch (form) {
    case PD_HITS_TEXT: write_text(out, hits); return;
    case PD_HITS_JSON: pd_out_json_take(out, answer_json(answer), true); return;
    case PD_HITS_CSV: write_csv(out, hits); return;
    case PD_HITS_JSONL:
        for (size_t i = 0; i < hits->n; i++)
            pd_out_json_take(out, hit_json(&hits->items[i]), false);
        return;
    case PD_HITS_NUL:
        for (size_t i = 0; i < hits->n; i++)
            pd_out_bytes(out, hits->items[i].path, strlen(hits->items[i].path) + 1);
        return;
    }
}

static int compare_scores(const void *left, const void *right)
{
    const pd_hit *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* The camera's wall clock as it is written: an offset behind it does not count. */
static int compare_times(const pd_hit *a, const pd_hit *b, int direction)
{
    enum { CLOCK_BYTES = 19 }; /* "YYYY-MM-DDTHH:MM:SS" */
    if (!a->taken[0] || !b->taken[0])
        return !a->taken[0] - !b->taken[0];
    return direction * strncmp(a->taken, b->taken, CLOCK_BYTES);
}

static int compare_oldest_first(const void *left, const void *right)
{
    const int order = compare_times(left, right, 1);
    return order ? order : compare_scores(left, right);
}

static int compare_newest_first(const void *left, const void *right)
{
    const int order = compare_times(left, right, -1);
    return order ? order : compare_scores(left, right);
}

static int compare_names(const void *left, const void *right)
{
    const pd_hit *a = left, *b = right;
    const int order = strcmp(pd_path_name(a->path), pd_path_name(b->path));
    return order ? order : compare_scores(left, right);
}

void pd_hits_sort(pd_hits *hits, const char *order)
{
    static const struct {
        const char *name;
        int (*compare)(const void *left, const void *right);
    } orders[] = {
        { "score", compare_scores },
        { "date", compare_oldest_first },
        { "-date", compare_newest_first },
        { "name", compare_names },
    };
    for (size_t i = 0; i < PD_COUNT_OF(orders); i++)
        if (strcmp(orders[i].name, order) == 0 && hits->n)
            qsort(hits->items, hits->n, sizeof *hits->items, orders[i].compare);
}
