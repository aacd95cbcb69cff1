/* report.h: what pixel-detective-fetch tells, read with distrust. Private to hub. Pure. */
#ifndef PD_HUB_REPORT_H
#define PD_HUB_REPORT_H

#include "hub/pipe.h"

typedef struct pd_fetch_report {
    pd_pull_phase phase;
    int64_t done, total; /* 0 <= done; total 0: not known; done <= total else */
    bool vision_ready;
    int64_t vision_bytes; /* 0 (not known) .. total */
    char revision[PD_HUB_KEY_BYTES], sha256[65];
    bool is_last;
    pd_status outcome;
    char message[512], dir[4096];
} pd_fetch_report;

/* FORMAT: it is none. */
PD_MUST_USE pd_status pd_fetch_report_parse(pd_fetch_report *ret_report, const char *line, size_t len, pd_error *err);

#endif
