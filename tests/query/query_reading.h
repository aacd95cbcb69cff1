/* query_reading.h: how a query is read, as one line: its parts as they are explained, between " | ". */
#ifndef PD_TEST_QUERY_READING_H
#define PD_TEST_QUERY_READING_H

#include <string.h>

#include "base/buf.h"
#include "query/query.h"

static inline pd_query *parse(const char *text)
{
    pd_query *query = NULL;
    return pd_query_parse(&query, text, strlen(text), NULL) == PD_OK ? query : NULL;
}

/* Appends; a note stands in braces. */
static inline void read_query(const pd_query *query, pd_buf *buf)
{
    size_t n;
    const pd_query_part *parts = pd_query_parts(query, &n);
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_append_string(buf, i ? " | " : "");
        pd_query_explain(&parts[i], buf);
        if (parts[i].note)
            (void)pd_buf_appendf(buf, " {%s}", parts[i].note);
    }
}

/* Whether `text` is read as `expected`; says what else when it is not. */
static inline bool reads_as(const char *text, const char *expected)
{
    pd_buf buf;
    pd_buf_init(&buf, 65536);
    pd_query *query = parse(text);
    if (query)
        read_query(query, &buf);
    const bool is_same = query && strcmp(buf.data ? buf.data : "", expected) == 0;
    if (!is_same)
        fprintf(stderr, "%s\n  is read as %s\n    and not %s\n", text, buf.data ? buf.data : "nothing", expected);
    pd_query_free(&query);
    pd_buf_done(&buf);
    return is_same;
}

#endif
