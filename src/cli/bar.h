/* bar.h: a job's progress on stderr: a bar that redraws itself, or JSON lines.
 *
 * What is drawn is a pure function of a snapshot and a style. One thread at a time. */
#ifndef PD_CLI_BAR_H
#define PD_CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "annotate/annotate.h"
#include "pipeline/pipeline.h"

typedef struct pd_bar_style {
    size_t columns;
    bool utf8;         /* blocks instead of '#' */
    bool color;        /* escape sequences for colours */
    const char *label; /* in place of the phase's name; NULL: none */
} pd_bar_style;

/* One line without a line end, at most style->columns - 1 wide. What does not fit is left out: first the bar shrinks,
 * then the time left, the rate, the bar and the counts go; phase and percent stay longest. */
void pd_bar_render(pd_buf *buf, const pd_progress *progress, const pd_bar_style *style);

typedef enum pd_bar_mode { PD_BAR_NONE, PD_BAR_DRAWN, PD_BAR_JSON } pd_bar_mode;

typedef struct pd_bar {
    pd_bar_mode mode;
    pd_bar_style style; /* columns are asked of the terminal at every redraw */
    int fd;
    bool visible;
    uint64_t seq; /* of the last snapshot shown */
    int64_t shown_ns;
} pd_bar;

void pd_bar_init(pd_bar *bar, pd_bar_mode mode, int fd, bool utf8, bool color);
/* Shows the snapshot, unless one was shown less than 100 ms ago; `last` is always shown (as JSON) or ends the bar. */
void pd_bar_show(pd_bar *bar, const pd_progress *progress, bool last);
/* The same for what machines write about pictures. */
void pd_bar_show_annotation(pd_bar *bar, const pd_annotation_state *state);
void pd_bar_clear(pd_bar *bar); /* takes the bar off the screen, so that something else can be written */

#endif
