#include "cli/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void pd_human_count(pd_buf *buf, int64_t count)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < n; i++) {
        if (i > (digits[0] == '-') && (n - i) % 3 == 0)
            (void)pd_buf_append(buf, ",", 1);
        (void)pd_buf_append(buf, digits + i, 1);
    }
}

void pd_human_bytes(pd_buf *buf, int64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
    if (bytes < 1000) {
        (void)pd_buf_appendf(buf, "%" PRId64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
        return;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < PD_COUNT_OF(units)) {
        value /= 1000;
        unit++;
    }
    (void)pd_buf_appendf(buf, value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void pd_human_duration(pd_buf *buf, double seconds)
{
    const int64_t s = seconds < INT32_MAX ? (int64_t)(seconds + 0.5) : INT32_MAX;
    if (seconds < 9.95)
        (void)pd_buf_appendf(buf, "%.1f s", seconds);
    else if (s < 60)
        (void)pd_buf_appendf(buf, "%" PRId64 " s", s);
    else if (s < 3600)
        (void)pd_buf_appendf(buf, "%" PRId64 " min %02" PRId64 " s", s / 60, s % 60);
    else
        (void)pd_buf_appendf(buf, "%" PRId64 " h %02" PRId64 " min", s / 3600, s % 3600 / 60);
}

void pd_human_time(pd_buf *buf, const char *iso_time)
{
    const size_t date_len = strcspn(iso_time, "T");
    (void)pd_buf_append(buf, iso_time, date_len);
    if (!iso_time[date_len])
        return;
    const char *clock = iso_time + date_len + 1;
    const size_t clock_len = strcspn(clock, "Z+-");
    (void)pd_buf_appendf(buf, " %.*s", (int)clock_len, clock);
    if (clock[clock_len])
        (void)pd_buf_appendf(buf, " %s", clock[clock_len] == 'Z' ? "UTC" : clock + clock_len);
}

void pd_human_shell_word(pd_buf *buf, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
    if (*word && strspn(word, safe) == strlen(word)) {
        (void)pd_buf_append_string(buf, word);
        return;
    }
    (void)pd_buf_append(buf, "'", 1);
    for (const char *p = word; *p; p++)
        (void)(*p == '\'' ? pd_buf_append(buf, "'\\''", 4) : pd_buf_append(buf, p, 1));
    (void)pd_buf_append(buf, "'", 1);
}
