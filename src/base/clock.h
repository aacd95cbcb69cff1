/* clock.h: time that only goes forward, and time for people. */
#ifndef PD_BASE_CLOCK_H
#define PD_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define PD_NS_PER_S INT64_C(1000000000)
#define PD_NS_PER_MS INT64_C(1000000)

int64_t pd_clock_ns(void);      /* CLOCK_MONOTONIC */
int64_t pd_clock_unix_ns(void); /* since 1970-01-01 UTC */

#define PD_TIME_TEXT_BYTES 32

/* "2026-11-24T04:06:10" in local time, from seconds since 1970. */
void pd_time_format_local(int64_t unix_s, char ret_text[PD_TIME_TEXT_BYTES]);
/* "2026-11-24T04:06:10Z". */
void pd_time_format_utc(int64_t unix_s, char ret_text[PD_TIME_TEXT_BYTES]);

#endif
