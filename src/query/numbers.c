#include <math.h>
#include <string.h>

#include "query/fields.h"
#include "query/values.h"

#define DIGITS_MAX 15 /* so many are exact in a double */

bool pd_number_read(const char **text, double *ret_number)
{
    const char *p = *text;
    double digits = 0, scale = 1;
    int n = 0;
    bool has_point = false;
    for (;; p++) {
        if (*p == '.' && !has_point && n && p[1] >= '0' && p[1] <= '9') {
            has_point = true;
            continue;
        }
        if (*p < '0' || *p > '9')
            break;
        digits = digits * 10 + (*p - '0');
        scale *= has_point ? 10 : 1;
        if (++n > DIGITS_MAX)
            return false;
    }
    if (!n)
        return false;
    *text = p;
    *ret_number = digits / scale; /* both exact: rounded once */
    return true;
}

pd_compare pd_compare_read(const char **text)
{
    static const struct {
        const char *sign;
        pd_compare compare;
    } signs[] = { { ">=", PD_COMPARE_FROM },
                  { "<=", PD_COMPARE_UP_TO },
                  { ">", PD_COMPARE_ABOVE },
                  { "<", PD_COMPARE_BELOW },
                  { "=", PD_COMPARE_IS } };
    for (size_t i = 0; i < PD_COUNT_OF(signs); i++) {
        const size_t len = strlen(signs[i].sign);
        if (strncmp(*text, signs[i].sign, len) == 0) {
            *text += len;
            return signs[i].compare;
        }
    }
    return PD_COMPARE_IS;
}

typedef struct end {
    double number, scale;
    bool has_unit;
} end;

static bool read_unit(const char **text, const pd_number_kind *kind, end *ret_end)
{
    size_t len = 0;
    while ((*text)[len] >= 'a' && (*text)[len] <= 'z')
        len++;
    for (size_t i = 0; i < kind->n_units; i++)
        if (strlen(kind->units[i].name) == len && memcmp(kind->units[i].name, *text, len) == 0) {
            ret_end->scale = kind->units[i].scale;
            ret_end->has_unit = len > 0;
            *text += len;
            return true;
        }
    return false;
}

/* "f/2.8" and "f2.8" */
static void skip_prefix(const char **text, const char *prefix)
{
    for (size_t i = 0; prefix && prefix[i] && **text == prefix[i]; i++)
        (*text)++;
}

static bool read_end(const char **text, const pd_number_kind *kind, end *ret_end)
{
    unsigned month;
    if (kind->is_whole && pd_month_read(text, &month)) {
        *ret_end = (end){ .number = month, .scale = 1 };
        return true;
    }
    skip_prefix(text, kind->prefix);
    double below = 1;
    if (!pd_number_read(text, &ret_end->number))
        return false;
    if (kind->has_fractions && **text == '/') {
        (*text)++;
        if (!pd_number_read(text, &below) || below == 0)
            return false;
    }
    ret_end->number /= below;
    return read_unit(text, kind, ret_end) && ret_end->number * ret_end->scale >= kind->low &&
           ret_end->number * ret_end->scale <= kind->high &&
           (!kind->is_whole || floor(ret_end->number) == ret_end->number);
}

/* Behind the first end: nothing, "..", "..70", or "-70". */
static bool read_second_end(const char *text, const pd_number_kind *kind, end *first, pd_query_value *value)
{
    value->low = value->high = first->number * first->scale;
    if (!*text)
        return true;
    if (strcmp(text, "..") == 0) {
        value->high = INFINITY;
        return true;
    }
    end second;
    text += *text == '-' ? 1 : strncmp(text, "..", 2) == 0 ? 2 : 0;
    if (!read_end(&text, kind, &second) || *text)
        return false;
    if (second.has_unit && !first->has_unit)
        first->scale = second.scale; /* 5..10mb */
    value->low = first->number * first->scale;
    value->high = second.number * second.scale;
    return true;
}

static bool read_range(const char *text, const pd_number_kind *kind, pd_query_value *ret_value)
{
    pd_query_value value = { .low = -INFINITY, .high = INFINITY };
    const char *start = text;
    const pd_compare compare = pd_compare_read(&text);
    const bool is_compared = text != start;
    const bool is_open_below = !is_compared && strncmp(text, "..", 2) == 0;
    end first;
    text += is_open_below ? 2 : 0;
    if (!read_end(&text, kind, &first) || ((is_compared || is_open_below) && *text))
        return false;
    const double number = first.number * first.scale;
    if (compare == PD_COMPARE_BELOW || compare == PD_COMPARE_UP_TO || is_open_below)
        value.high = number;
    else if (compare == PD_COMPARE_ABOVE || compare == PD_COMPARE_FROM)
        value.low = number;
    else if (!read_second_end(text, kind, &first, &value))
        return false;
    value.low_open = compare == PD_COMPARE_ABOVE;
    value.high_open = compare == PD_COMPARE_BELOW;
    *ret_value = value;
    return true;
}

bool pd_value_read_number(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    if (!read_range(text, row->numbers, ret_value))
        return false;
    if (ret_value->low > ret_value->high) {
        const double low = ret_value->low;
        ret_value->low = ret_value->high;
        ret_value->high = low;
    }
    return true;
}

/* Over the turn of the year it stays low > high: the parser makes two values of it. */
bool pd_value_read_month(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    return read_range(text, row->numbers, ret_value);
}
