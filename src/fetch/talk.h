/* talk.h: this program's end of the two pipes (hub/pipe.h). One thread. */
#ifndef PD_FETCH_TALK_H
#define PD_FETCH_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "hub/pipe.h"

typedef struct pd_talk {
    int in_fd, out_fd;
    bool is_cancelled;
    int64_t told_ns; /* when the last report was made */
} pd_talk;

typedef struct pd_report {
    pd_pull_phase phase;
    int64_t done, total; /* total -1: not known yet */
    const char *revision, *sha256;
    bool vision_ready;
    int64_t vision_bytes;
    bool is_last; /* what follows counts */
    pd_status outcome;
    const char *message, *dir;
} pd_report;

/* The first line. */
PD_MUST_USE pd_status pd_talk_hear(const pd_talk *talk, pd_buf *line, pd_error *err);
/* The other side said stop, or is gone. */
bool pd_talk_is_cancelled(pd_talk *talk);
/* False: cancelled meanwhile. */
bool pd_talk_wait(pd_talk *talk, int64_t ms);
/* `now` false: unless there was a report in the last tenth of a second. A report that nobody takes is a cancel. */
void pd_talk_tell(pd_talk *talk, const pd_report *report, bool now);

#endif
