/* match.h: one value of one filter, added to a set. */
#ifndef PD_COLUMNS_MATCH_H
#define PD_COLUMNS_MATCH_H

#include "columns/columns_private.h"

/* What a filter is evaluated with. */
typedef struct pd_match {
    const pd_columns *columns;
    pd_store *store; /* for what only the catalogue knows */
    uint64_t *words; /* [(n + 63) / 64] the set; bits of empty slots and behind n may be set, too */
    pd_error *err;
} pd_match;

/* Sets the bits of all slots for which the value holds. */
PD_MUST_USE pd_status pd_match_add(const pd_match *match, pd_field field, const pd_query_value *value);
/* Words that must occur in some text. */
PD_MUST_USE pd_status pd_match_add_exact(const pd_match *match, const char *words);

#endif
