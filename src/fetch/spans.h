/* spans.h: which bytes of a file are here: ascending, disjoint, none touching the next. One thread at a time. */
#ifndef PD_FETCH_SPANS_H
#define PD_FETCH_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pd_span {
    int64_t begin, end; /* end: behind the last byte */
} pd_span;

typedef struct pd_spans {
    pd_span *items; /* [n] */
    size_t n, capacity;
} pd_spans;

void pd_spans_done(pd_spans *spans); /* empties, too */
PD_MUST_USE pd_status pd_spans_add(pd_spans *spans, pd_span span, pd_error *err);
int64_t pd_spans_bytes(const pd_spans *spans);
/* The first run of bytes of `within` that is not here; false: all of it is. */
bool pd_spans_gap(const pd_spans *spans, pd_span within, pd_span *ret_gap);

#endif
