#include "cli/pull_bar.h"

#include "answer/answer.h"
#include "cli/human.h"

static const char *phase_text(pd_pull_phase phase)
{
    static const char *const texts[PD_PULL_PHASE_COUNT] = {
        [PD_PULL_LIST] = "Asking the hub",   [PD_PULL_SMALL] = "Fetching", [PD_PULL_VISION] = "Fetching (pictures)",
        [PD_PULL_REST] = "Fetching (words)", [PD_PULL_CHECK] = "Checking", [PD_PULL_READY] = "Done",
    };
    return (unsigned)phase < PD_PULL_PHASE_COUNT ? texts[phase] : "Fetching";
}

void pd_pull_bar_render(pd_buf *buf, const pd_pull_state *state, const pd_bar_style *style)
{
    pd_bar_pieces pieces;
    pd_bar_pieces_init(pieces);
    (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_PHASE], phase_text(state->phase));
    double fraction = -1;
    if (state->total_bytes > 0 && state->phase > PD_PULL_LIST) {
        fraction = (double)state->done_bytes / (double)state->total_bytes;
        (void)pd_buf_appendf(&pieces[PD_BAR_PIECE_PERCENT], "%3d%%", (int)(fraction * 100));
        pd_human_bytes(&pieces[PD_BAR_PIECE_COUNTS], state->done_bytes);
        (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_COUNTS], " of ");
        pd_human_bytes(&pieces[PD_BAR_PIECE_COUNTS], state->total_bytes);
        if (state->phase <= PD_PULL_REST) {
            if (state->rate > 0) {
                pd_human_bytes(&pieces[PD_BAR_PIECE_RATE], (int64_t)state->rate);
                (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_RATE], "/s");
            }
            pd_bar_append_left(&pieces[PD_BAR_PIECE_LEFT], state->eta_s);
        }
    }
    pd_bar_compose(buf, pieces, fraction, style);
}

static void render(pd_buf *buf, const void *state, const pd_bar_style *style) { pd_pull_bar_render(buf, state, style); }

static pd_json *answer(const void *state) { return pd_answer_pull(state); }

void pd_pull_bar_show(pd_bar *bar, const pd_pull_state *state, bool last)
{
    const pd_bar_subject subject = { .seq = state->seq, .state = state, .render = render, .answer = answer };
    pd_bar_draw(bar, &subject, last);
}
