/* values.h: private to query: from what stands behind the colon to a value. */
#ifndef PD_QUERY_VALUES_H
#define PD_QUERY_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "query/query.h"

typedef struct pd_number_unit {
    const char *name;
    double scale;
} pd_number_unit;

typedef struct pd_number_kind {
    const pd_number_unit *units;
    size_t n_units;
    double low, high; /* what makes sense */
    bool is_whole, has_fractions;
    const char *prefix; /* NULL, or may stand before a number: "f/" */
} pd_number_kind;

/* What a comparison or two dots make of one or two ends; the same for numbers and for dates. */
typedef enum pd_compare {
    PD_COMPARE_IS, /* also: from .. to */
    PD_COMPARE_BELOW,
    PD_COMPARE_UP_TO,
    PD_COMPARE_ABOVE,
    PD_COMPARE_FROM,
} pd_compare;
/* Steps over ">=" and its like. */
pd_compare pd_compare_read(const char **text);
/* Digits and decimals, at most 15 of them. */
bool pd_number_read(const char **text, double *ret_number);
/* 1..12 from the beginning of an English name, at least three letters. */
bool pd_month_read(const char **text, unsigned *ret_month);

struct pd_field_row;
bool pd_value_read_words(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_type(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_number(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_month(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_date(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_yes(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_shape(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_has(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_place(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);
bool pd_value_read_colour(const struct pd_field_row *row, const char *text, pd_query_value *ret_value);

/* The shortest spelling of one of the types: "jpg". */
const char *pd_type_short(const char *type);

#endif
