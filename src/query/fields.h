/* fields.h: private to query: what the parser knows of a field beyond what everybody may. */
#ifndef PD_QUERY_FIELDS_H
#define PD_QUERY_FIELDS_H

#include "query/query.h"
#include "query/values.h"

typedef struct pd_field_row {
    pd_field_info info;
    const char *label; /* in explanations */
    const char *note;  /* when the value says nothing that is understood */
    /* From a value that holds no blanks and no capitals, or from words as they were written. Texts that *ret_value
     * points to live for ever. */
    bool (*read)(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
    const pd_number_kind *numbers; /* of ranges */
} pd_field_row;

const pd_field_row *pd_field_row_of(pd_field field);

#endif
