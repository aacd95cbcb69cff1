#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * PD_NS_PER_S + ts.tv_nsec;
}

int64_t pd_clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }
int64_t pd_clock_unix_ns(void) { return read_clock(CLOCK_REALTIME); }

void pd_time_format_local(int64_t unix_s, char ret_text[PD_TIME_TEXT_BYTES])
{
    const time_t t = (time_t)unix_s;
    struct tm tm;
    if (!localtime_r(&t, &tm) || strftime(ret_text, PD_TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        ret_text[0] = '\0';
}

void pd_time_format_utc(int64_t unix_s, char ret_text[PD_TIME_TEXT_BYTES])
{
    const time_t t = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(ret_text, PD_TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        ret_text[0] = '\0';
}
