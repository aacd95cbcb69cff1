/* query_private.h: private to query: what a query is made of. */
#ifndef PD_QUERY_QUERY_PRIVATE_H
#define PD_QUERY_QUERY_PRIVATE_H

#include "query/query.h"

struct pd_query {
    pd_query_part *parts;
    size_t n_parts;
    bool *are_raw; /* [n_parts] printed as they are: words without a mark, and what has a note */
    pd_query_value *values;
    char *chars; /* every text that parts and values point to */
};

/* From a part of the text that stands behind "field:" to its text without quotation marks: pieces between commas, or
 * all of it. Steps *at over the piece and its comma; returns the bytes written to ret_bytes, which are never more than
 * those read. */
size_t pd_piece_read(const char *text, size_t end, size_t *at, bool has_commas, char *ret_bytes);

#endif
