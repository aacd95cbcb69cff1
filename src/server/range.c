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

pd_range_kind pd_range_parse(const char *header, int64_t bytes, int64_t *ret_first, int64_t *ret_last)
{
    static const char unit[] = "bytes=";
    if (!header || strncasecmp(header, unit, sizeof unit - 1) != 0)
        return PD_RANGE_WHOLE;
    const char *text = skip_blanks(header + sizeof unit - 1);
    int64_t first, last;
    const bool has_first = read_digits(&text, &first);
    if (*text != '-')
        return PD_RANGE_WHOLE;
    text++;
    const bool has_last = read_digits(&text, &last);
    if (*skip_blanks(text) != '\0' || (!has_first && !has_last) || (has_first && has_last && last < first))
        return PD_RANGE_WHOLE;
    if (!has_first) { /* the last so many bytes */
        if (last == 0 || bytes == 0)
            return PD_RANGE_OUTSIDE;
        first = last < bytes ? bytes - last : 0;
        last = bytes - 1;
    } else if (first >= bytes) {
        return PD_RANGE_OUTSIDE;
    }
    *ret_first = first;
    *ret_last = has_last && last < bytes ? last : bytes - 1;
    return PD_RANGE_PART;
}
