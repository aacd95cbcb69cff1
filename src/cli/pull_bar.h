/* pull_bar.h: a model on its way, as a bar or as JSON lines on stderr. */
#ifndef PD_CLI_PULL_BAR_H
#define PD_CLI_PULL_BAR_H

#include "cli/bar.h"
#include "hub/hub.h"

/* One line, as pd_bar_render. */
void pd_pull_bar_render(pd_buf *buf, const pd_pull_state *state, const pd_bar_style *style);
/* As pd_bar_show. */
void pd_pull_bar_show(pd_bar *bar, const pd_pull_state *state, bool last);

#endif
