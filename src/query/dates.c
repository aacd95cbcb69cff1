#include <math.h>
#include <string.h>

#include "query/fields.h"
#include "query/values.h"

#define MONTH_NAME_BYTES_MIN 3

bool pd_month_read(const char **text, unsigned *ret_month)
{
    static const char *const names[] = { "january", "february", "march",     "april",   "may",      "june",
                                         "july",    "august",   "september", "october", "november", "december" };
    size_t len = 0;
    while ((*text)[len] >= 'a' && (*text)[len] <= 'z')
        len++;
    for (unsigned i = 0; len >= MONTH_NAME_BYTES_MIN && i < PD_COUNT_OF(names); i++)
        if (strncmp(names[i], *text, len) == 0) {
            *text += len;
            *ret_month = i + 1;
            return true;
        }
    return false;
}

/* A span of time: seconds since 1970, [start, end). */
typedef struct period {
    double start, end;
} period;

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the leap day is the last. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const int64_t era = year / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool read_digits(const char **text, size_t n_min, size_t n_max, unsigned *ret_number)
{
    size_t n = 0;
    unsigned number = 0;
    for (; n < n_max && **text >= '0' && **text <= '9'; n++)
        number = number * 10 + (unsigned)(*(*text)++ - '0');
    *ret_number = number;
    return n >= n_min;
}

/* Behind the day: "t14", "t14:30" or "t14:30:05". */
static bool read_time(const char **text, period *span)
{
    static const unsigned below[] = { 24, 60, 60 };
    static const unsigned seconds[] = { 3600, 60, 1 };
    for (size_t i = 0; i < 3 && **text == (i ? ':' : 't'); i++) {
        unsigned number;
        (*text)++;
        if (!read_digits(text, 2, 2, &number) || number >= below[i])
            return false;
        span->start += (double)(number * seconds[i]);
        span->end = span->start + seconds[i];
    }
    return true;
}

/* "2019", "2019-06", "2019-jun", "2019-06-03" and a time behind that. */
static bool read_period(const char **text, period *ret_span)
{
    unsigned year, month = 1, day = 1;
    if (!read_digits(text, 4, 4, &year) || !year)
        return false;
    int64_t first = days_of(year, 1, 1), behind = days_of((int64_t)year + 1, 1, 1);
    bool has_day = false;
    if (**text == '-') {
        (*text)++;
        if (!pd_month_read(text, &month) && !read_digits(text, 1, 2, &month))
            return false;
        if (month < 1 || month > 12)
            return false;
        first = days_of(year, month, 1);
        behind = month == 12 ? behind : days_of(year, month + 1, 1);
        has_day = **text == '-';
    }
    if (has_day) {
        (*text)++;
        if (!read_digits(text, 1, 2, &day) || day < 1 || first + day > behind)
            return false;
        first += day - 1;
        behind = first + 1;
    }
    *ret_span = (period){ (double)(first * 86400), (double)(behind * 86400) };
    return !has_day || read_time(text, ret_span);
}

/* Behind the first: nothing, "..", or ".." and another. */
static bool read_last(const char *text, period *span)
{
    period last;
    if (!*text)
        return true;
    if (strncmp(text, "..", 2) != 0)
        return false;
    text += 2;
    if (!*text) {
        span->end = INFINITY;
        return true;
    }
    if (!read_period(&text, &last) || *text)
        return false;
    span->start = fmin(span->start, last.start);
    span->end = fmax(span->end, last.end);
    return true;
}

bool pd_value_read_date(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    (void)row;
    const char *start = text;
    pd_compare compare = pd_compare_read(&text);
    const bool is_compared = text != start;
    if (!is_compared && strncmp(text, "..", 2) == 0) {
        compare = PD_COMPARE_UP_TO;
        text += 2;
    }
    period span;
    if (!read_period(&text, &span) || (compare != PD_COMPARE_IS && *text) || !read_last(text, &span))
        return false;
    pd_query_value value = { .low = span.start, .high = span.end, .high_open = true };
    if (compare == PD_COMPARE_ABOVE)
        value.low = span.end;
    if (compare == PD_COMPARE_BELOW)
        value.high = span.start;
    if (compare == PD_COMPARE_ABOVE || compare == PD_COMPARE_FROM)
        value.high = INFINITY;
    if (compare == PD_COMPARE_BELOW || compare == PD_COMPARE_UP_TO)
        value.low = -INFINITY;
    *ret_value = value;
    return true;
}
