/* bar.h: progress on stderr: a bar that redraws itself, or JSON lines.
 *
 * What is drawn is a pure function of a snapshot and a style. One thread at a time. */
#ifndef PD_CLI_BAR_H
#define PD_CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "annotate/annotate.h"
#include "base/buf.h"
#include "base/json.h"
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

/* The texts around a bar, in the order of the line; empty: left out. pd_bar_compose takes them. */
enum {
    PD_BAR_PIECE_PHASE,
    PD_BAR_PIECE_PERCENT,
    PD_BAR_PIECE_COUNTS,
    PD_BAR_PIECE_RATE,
    PD_BAR_PIECE_LEFT,
    PD_BAR_PIECES
};
typedef pd_buf pd_bar_pieces[PD_BAR_PIECES];
void pd_bar_pieces_init(pd_bar_pieces pieces);
void pd_bar_append_left(pd_buf *buf, double eta_s);
/* As pd_bar_render; fraction < 0: no bar. */
void pd_bar_compose(pd_buf *buf, pd_bar_pieces pieces, double fraction, const pd_bar_style *style);

typedef enum pd_bar_mode { PD_BAR_NONE, PD_BAR_DRAWN, PD_BAR_JSON } pd_bar_mode;

typedef struct pd_bar {
    pd_bar_mode mode;
    pd_bar_style style; /* columns are asked of the terminal at every redraw */
    int fd;
    bool visible;
    uint64_t seq; /* of the last snapshot shown */
    int64_t shown_ns;
} pd_bar;

/* Whatever has progress. */
typedef struct pd_bar_subject {
    uint64_t seq;
    const void *state;
    void (*render)(pd_buf *buf, const void *state, const pd_bar_style *style);
    pd_json *(*answer)(const void *state);
} pd_bar_subject;

/* What the options and the terminal ask for. */
pd_bar_mode pd_bar_choose(const char *how, bool terminal, int fd);
void pd_bar_init(pd_bar *bar, pd_bar_mode mode, int fd, bool utf8, bool color);
/* Shows the snapshot, unless one was shown less than 100 ms ago; `last` is always shown (as JSON) or ends the bar. */
void pd_bar_show(pd_bar *bar, const pd_progress *progress, bool last);
/* The same for what machines write about pictures. */
void pd_bar_show_annotation(pd_bar *bar, const pd_annotation_state *state);
void pd_bar_draw(pd_bar *bar, const pd_bar_subject *subject, bool last); /* the same of anything */
void pd_bar_clear(pd_bar *bar); /* takes the bar off the screen, so that something else can be written */

#endif
