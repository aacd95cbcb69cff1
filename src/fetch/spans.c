#include "fetch/spans.h"

#include <string.h>

#include "base/mem.h"

void pd_spans_done(pd_spans *spans)
{
    pd_mem_free(spans->items);
    *spans = (pd_spans){ 0 };
}

static pd_status reserve(pd_spans *spans, pd_error *err)
{
    if (spans->n < spans->capacity)
        return PD_OK;
    const size_t capacity = spans->capacity ? 2 * spans->capacity : 8;
    pd_span *items = pd_mem_realloc(spans->items, capacity, sizeof *items);
    if (!items)
        return pd_error_set_nomem(err);
    spans->items = items;
    spans->capacity = capacity;
    return PD_OK;
}

pd_status pd_spans_add(pd_spans *spans, pd_span span, pd_error *err)
{
    if (span.begin >= span.end)
        return PD_OK;
    PD_TRY(reserve(spans, err));
    size_t first = 0;
    while (first < spans->n && spans->items[first].end < span.begin)
        first++;
    size_t last = first; /* behind the last one that it touches */
    for (; last < spans->n && spans->items[last].begin <= span.end; last++) {
        span.begin = spans->items[last].begin < span.begin ? spans->items[last].begin : span.begin;
        span.end = spans->items[last].end > span.end ? spans->items[last].end : span.end;
    }
    memmove(&spans->items[first + 1], &spans->items[last], (spans->n - last) * sizeof *spans->items);
    spans->items[first] = span;
    spans->n = spans->n - (last - first) + 1;
    return PD_OK;
}

int64_t pd_spans_bytes(const pd_spans *spans)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < spans->n; i++)
        bytes += spans->items[i].end - spans->items[i].begin;
    return bytes;
}

bool pd_spans_gap(const pd_spans *spans, pd_span within, pd_span *ret_gap)
{
    pd_span gap = within;
    for (size_t i = 0; i < spans->n; i++) {
        const pd_span *item = &spans->items[i];
        if (item->end <= gap.begin)
            continue;
        if (item->begin > gap.begin) {
            gap.end = item->begin < gap.end ? item->begin : gap.end;
            break;
        }
        gap.begin = item->end;
    }
    if (gap.begin >= gap.end)
        return false;
    *ret_gap = gap;
    return true;
}
