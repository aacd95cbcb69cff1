#include "decoder/exif_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { YEAR_MIN = 1826 }; /* the first photograph */

static bool is_outer(char c) { return (unsigned char)c <= ' ' || c == 0x7f; }

/* The code point that stands for `code`, 0 for one to be left out. */
static uint32_t clean_code(uint32_t code, bool keeps_lines, bool is_before_newline)
{
    if (keeps_lines && (code == '\n' || code == '\r'))
        return is_before_newline ? 0 : '\n'; /* of "\r\n" the second counts */
    return code < 0x20 || (code >= 0x7f && code < 0xa0) ? ' ' : code;
}

void pd_text_clean_lines(const uint8_t *text, size_t len, bool keeps_lines, char *ret_text, size_t size)
{
    const char *chars = (const char *)text;
    len = len ? strnlen(chars, len) : 0;
    while (len && is_outer(chars[len - 1]))
        len--;
    while (len && is_outer(chars[0])) {
        chars++;
        len--;
    }
    const bool is_utf8 = pd_utf8_valid(chars, len);
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        uint32_t code = (unsigned char)chars[i];
        i += is_utf8 ? pd_utf8_next(chars + i, len - i, &code) : 1;
        code = clean_code(code, keeps_lines, code == '\r' && i < len && chars[i] == '\n');
        if (!code)
            continue;
        char bytes[4];
        const size_t n = pd_utf8_put(code, bytes);
        if (used + n >= size)
            break;
        memcpy(ret_text + used, bytes, n);
        used += n;
    }
    while (used && is_outer(ret_text[used - 1])) /* C1 controls, and where it was cut */
        used--;
    ret_text[used] = '\0';
}

void pd_text_clean(const uint8_t *text, size_t len, char *ret_text, size_t size)
{
    pd_text_clean_lines(text, len, false, ret_text, size);
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

void pd_subsec_format(const char *text, char ret_subsec[PD_MEDIA_SUBSEC_BYTES])
{
    size_t n = 0;
    for (; n + 1 < PD_MEDIA_SUBSEC_BYTES && text[n] >= '0' && text[n] <= '9'; n++)
        ret_subsec[n] = text[n];
    ret_subsec[n] = '\0';
}

bool pd_xmp_time_format(const char *time, char ret_text[32], char ret_subsec[PD_MEDIA_SUBSEC_BYTES])
{
    char whole[20] = "0000-00-00T00:00:00";
    const size_t len = strlen(time);
    ret_text[0] = ret_subsec[0] = '\0';
    /* a day, a day with hours and minutes, or all of it */
    const size_t known = len >= 19 && time[16] == ':' ? 19 : len >= 16 && time[10] == 'T' ? 16 : 10;
    if (len < known || (known == 10 && len > 10))
        return false;
    memcpy(whole, time, known);
    time += known;
    char subsec[PD_MEDIA_SUBSEC_BYTES] = "";
    if (known == 19 && time[0] == '.') {
        pd_subsec_format(time + 1, subsec);
        time += 1 + strspn(time + 1, "0123456789");
    }
    if (!pd_exif_time_format(whole, time, ret_text))
        return false;
    memcpy(ret_subsec, subsec, sizeof subsec);
    return true;
}

static bool is_known(double value) { return value > 0 && value < 1e5; }

void pd_lens_format(const double lens[4], char *ret_text, size_t size)
{
    char far_end[32] = "", stop[32] = "", far_stop[32] = "";
    ret_text[0] = '\0';
    if (!is_known(lens[0]))
        return;
    if (is_known(lens[1]) && lens[1] > lens[0])
        (void)snprintf(far_end, sizeof far_end, "-%.4g", lens[1]);
    if (is_known(lens[2])) {
        (void)snprintf(stop, sizeof stop, " f/%.3g", lens[2]);
        if (is_known(lens[3]) && lens[3] > lens[2])
            (void)snprintf(far_stop, sizeof far_stop, "-%.3g", lens[3]);
    }
    (void)snprintf(ret_text, size, "%.4g%smm%s%s", lens[0], far_end, stop, far_stop);
}
