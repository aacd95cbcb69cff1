#include "server/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* Digits to a number; beyond INT64_MAX it stays there, which is past every end. False: no digit. */
static bool read_digits(const char **text, int64_t *ret_value)
{
    const char *const begin = *text;
    int64_t value = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        const int digit = **text - '0';
        value = value > (INT64_MAX - digit) / 10 ? INT64_MAX : value * 10 + digit;
    }
    *ret_value = value;
    return *text != begin;
}

/* As it was written; -1 where nothing stands. */
typedef struct written {
    int64_t first, last;
} written;

/* "bytes=5-9", "bytes=5-" or "bytes=-9" and nothing else. */
static bool read_range(const char *header, written *ret_written)
{
    static const char unit[] = "bytes=";
    written w = { -1, -1 };
    if (strncasecmp(header, unit, sizeof unit - 1) != 0)
        return false;
    const char *text = skip_blanks(header + sizeof unit - 1);
    if (*text != '-' && !read_digits(&text, &w.first))
        return false;
    if (*text++ != '-')
        return false;
    const bool has_last = read_digits(&text, &w.last);
    if (!has_last)
        w.last = -1;
    *ret_written = w;
    return *skip_blanks(text) == '\0' && (w.first >= 0 || has_last) && (w.last < 0 || w.first <= w.last);
}

pd_range_kind pd_range_parse(const char *header, int64_t bytes, int64_t *ret_first, int64_t *ret_last)
{
    written w;
    if (!header || !read_range(header, &w))
        return PD_RANGE_WHOLE;
    const bool is_suffix = w.first < 0; /* the last so many bytes */
    if (is_suffix ? w.last == 0 || bytes == 0 : w.first >= bytes)
        return PD_RANGE_OUTSIDE;
    *ret_first = !is_suffix ? w.first : w.last < bytes ? bytes - w.last : 0;
    *ret_last = is_suffix || w.last < 0 || w.last >= bytes ? bytes - 1 : w.last;
    return PD_RANGE_PART;
}
