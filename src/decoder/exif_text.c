/* Texts and times as cameras write them. */
#include "decoder/ifd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { YEAR_MIN = 1826 }; /* the first photograph */

static bool is_blank(char c) { return c == ' ' || c == '\0'; }

void pd_text_clean(const uint8_t *text, size_t len, char *ret_text, size_t size)
{
    const char *chars = (const char *)text;
    len = strnlen(chars, len);
    while (len && (is_blank(chars[len - 1]) || (unsigned char)chars[len - 1] < 0x20))
        len--;
    while (len && (is_blank(chars[0]) || (unsigned char)chars[0] < 0x20)) {
        chars++;
        len--;
    }
    const bool is_utf8 = pd_utf8_valid(chars, len);
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        uint32_t code = (unsigned char)chars[i];
        i += is_utf8 ? pd_utf8_next(chars + i, len - i, &code) : 1;
        if (code < 0x20 || (code >= 0x7f && code < 0xa0))
            code = ' ';
        char bytes[4];
        const size_t n = pd_utf8_put(code, bytes);
        if (used + n >= size)
            break;
        memcpy(ret_text + used, bytes, n);
        used += n;
    }
    ret_text[used] = '\0';
}

/* Two digits at `text`; a space counts as 0, as some cameras write " 7". -1 for anything else. */
static int read_two(const char *text)
{
    const int high = text[0] == ' ' ? 0 : text[0] - '0', low = text[1] - '0';
    return high < 0 || high > 9 || low < 0 || low > 9 ? -1 : 10 * high + low;
}

static bool is_separator(char c) { return c == ':' || c == '-' || c == '/' || c == '.'; }

static int count_month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

/* "+01:00", "+0100", "Z"; anything else leaves the time without offset, as it was before cameras knew. */
static void append_offset(const char *offset, char text[32])
{
    if (offset[0] == 'Z' && offset[1] == '\0') {
        memcpy(text + 19, "+00:00", 7);
        return;
    }
    const size_t len = strlen(offset);
    if ((offset[0] != '+' && offset[0] != '-') || (len != 5 && len != 6) || (len == 6 && offset[3] != ':'))
        return;
    const int hours = read_two(offset + 1), minutes = read_two(offset + len - 2);
    if (hours >= 0 && hours <= 14 && minutes >= 0 && minutes <= 59)
        (void)snprintf(text + 19, 32 - 19, "%c%02d:%02d", offset[0], hours, minutes);
}

bool pd_exif_time_format(const char *time, const char *offset, char ret_text[32])
{
    ret_text[0] = '\0';
    if (strlen(time) < 19 || !is_separator(time[4]) || !is_separator(time[7]) || (time[10] != ' ' && time[10] != 'T') ||
        !is_separator(time[13]) || !is_separator(time[16]))
        return false;
    const int century = read_two(time), in_century = read_two(time + 2);
    const int month = read_two(time + 5), day = read_two(time + 8);
    const int hour = read_two(time + 11), minute = read_two(time + 14), second = read_two(time + 17);
    const int year = 100 * century + in_century;
    if (century < 0 || in_century < 0 || year < YEAR_MIN || month < 1 || month > 12 || day < 1 ||
        day > count_month_days(year, month))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    (void)snprintf(ret_text, 32, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute,
                   second == 60 ? 59 : second);
    if (offset)
        append_offset(offset, ret_text);
    return true;
}
