/* human.h: numbers, times and words as people read and type them. Pure: text into a buffer. */
#ifndef PD_CLI_HUMAN_H
#define PD_CLI_HUMAN_H

#include <stdint.h>

#include "base/buf.h"

void pd_human_count(pd_buf *buf, int64_t count);         /* "12,345" */
void pd_human_bytes(pd_buf *buf, int64_t bytes);         /* "512 bytes", "4.2 MB" (1 MB is 1,000,000 bytes) */
void pd_human_duration(pd_buf *buf, double seconds);     /* "0.4 s", "12 s", "3 min 05 s", "2 h 10 min" */
void pd_human_time(pd_buf *buf, const char *iso_time);   /* "2003-05-24T15:01:33Z" -> "2003-05-24 15:01:33 UTC" */
void pd_human_shell_word(pd_buf *buf, const char *word); /* quoted for a shell when it must be */

#endif
