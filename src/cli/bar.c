#include "cli/bar.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/human.h"
#include "cli/output.h"

enum {
    COLUMNS_UNKNOWN = 80,
    BAR_MIN = 8, /* columns of a bar that says something */
    BAR_MAX = 40,
    PIECE_BYTES_MAX = 128,
    LINE_BYTES_MAX = 2048,
    EIGHTHS = 8,
};

static const int64_t redraw_ns = 100 * PD_NS_PER_MS;

/* The texts around the bar, in the order of the line; `keep` says how long each survives when the room is short. */
enum { PIECE_PHASE, PIECE_PERCENT, PIECE_COUNTS, PIECE_RATE, PIECE_LEFT, PIECE_N };
typedef struct line_plan {
    pd_buf pieces[PIECE_N]; /* empty: left out */
    size_t bar;             /* columns of the bar, without its frame; 0: none */
} line_plan;

static const char *phase_text(const pd_progress *progress)
{
    static const char *const texts[PD_PHASE_COUNT] = {
        [PD_PHASE_PREPARE] = "Getting ready",
        [PD_PHASE_SCAN] = "Finding pictures",
        [PD_PHASE_LEARN] = "Learning",
        [PD_PHASE_INDEX] = "Building the index",
        [PD_PHASE_READY] = "Done",
    };
    if (progress->cancelling)
        return "Stopping";
    if (progress->paused)
        return "Paused";
    return (unsigned)progress->phase < PD_PHASE_COUNT ? texts[progress->phase] : "Working";
}

static size_t text_columns(const pd_buf *buf)
{
    size_t columns = 0;
    for (size_t i = 0; i < buf->len; i++)
        columns += ((unsigned char)buf->data[i] & 0xC0) != 0x80;
    return columns;
}

static void write_pieces(line_plan *plan, const pd_progress *progress, const char *label)
{
    pd_buf *pieces = plan->pieces;
    (void)pd_buf_append_string(&pieces[PIECE_PHASE], label ? label : phase_text(progress));
    if (progress->phase == PD_PHASE_SCAN) {
        pd_human_count(&pieces[PIECE_COUNTS], progress->found);
        (void)pd_buf_append_string(&pieces[PIECE_COUNTS], " found");
    }
    if (progress->phase < PD_PHASE_LEARN)
        return;
    (void)pd_buf_appendf(&pieces[PIECE_PERCENT], "%3d%%", (int)(progress->fraction * 100));
    pd_human_count(&pieces[PIECE_COUNTS], progress->done);
    (void)pd_buf_append_string(&pieces[PIECE_COUNTS], " of ");
    pd_human_count(&pieces[PIECE_COUNTS], progress->todo);
    if (progress->phase != PD_PHASE_LEARN || progress->cancelling || progress->paused)
        return;
    if (progress->rate > 0)
        (void)pd_buf_appendf(&pieces[PIECE_RATE], progress->rate < 100 ? "%.1f/s" : "%.0f/s", progress->rate);
    if (progress->eta_s < 0) {
        (void)pd_buf_append_string(&pieces[PIECE_LEFT], "estimating");
        return;
    }
    if (progress->eta_s < 59)
        (void)pd_buf_appendf(&pieces[PIECE_LEFT], "%d s", (int)progress->eta_s + 1);
    else
        pd_human_duration(&pieces[PIECE_LEFT], progress->eta_s);
    (void)pd_buf_append_string(&pieces[PIECE_LEFT], " left");
}

/* Columns of everything but the bar: pieces with two spaces between them. */
static size_t pieces_columns(const line_plan *plan)
{
    size_t columns = 0;
    for (size_t i = 0; i < PIECE_N; i++)
        if (plan->pieces[i].len)
            columns += text_columns(&plan->pieces[i]) + (columns ? 2 : 0);
    return columns;
}

/* Decides what fits into `room` columns. */
static void fit(line_plan *plan, size_t room, bool wants_bar)
{
    enum { FRAME = 4 }; /* two spaces and the brackets */
    static const size_t expendable[] = { PIECE_LEFT, PIECE_RATE };
    for (size_t i = 0; wants_bar && i <= PD_COUNT_OF(expendable); i++) {
        const size_t used = pieces_columns(plan) + FRAME;
        if (used + BAR_MIN <= room) {
            plan->bar = room - used < BAR_MAX ? room - used : BAR_MAX;
            return;
        }
        if (i < PD_COUNT_OF(expendable))
            pd_buf_clear(&plan->pieces[expendable[i]]);
    }
    static const size_t rest[] = { PIECE_LEFT, PIECE_RATE, PIECE_COUNTS, PIECE_PERCENT, PIECE_PHASE };
    for (size_t i = 0; i < PD_COUNT_OF(rest) && pieces_columns(plan) > room; i++)
        pd_buf_clear(&plan->pieces[rest[i]]);
}

static void append_blocks(pd_buf *buf, size_t columns, double fraction)
{
    static const char *const partial[EIGHTHS] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    const size_t eighths = (size_t)(fraction * (double)(columns * EIGHTHS));
    size_t used = eighths / EIGHTHS;
    for (size_t i = 0; i < used; i++)
        (void)pd_buf_append_string(buf, "█");
    if (eighths % EIGHTHS) {
        (void)pd_buf_append_string(buf, partial[eighths % EIGHTHS]);
        used++;
    }
    (void)pd_buf_appendf(buf, "%*s", (int)(columns - used), "");
}

static void append_signs(pd_buf *buf, size_t columns, double fraction)
{
    const size_t used = (size_t)(fraction * (double)columns);
    for (size_t i = 0; i < columns; i++)
        (void)pd_buf_append(buf, i < used ? "#" : ".", 1);
}

static void append_bar(pd_buf *buf, size_t columns, double fraction, const pd_bar_style *style)
{
    const double within = fraction < 0 ? 0 : fraction > 1 ? 1 : fraction;
    (void)pd_buf_append_string(buf, style->color ? "  [\033[36m" : "  [");
    if (style->utf8)
        append_blocks(buf, columns, within);
    else
        append_signs(buf, columns, within);
    (void)pd_buf_append_string(buf, style->color ? "\033[0m]" : "]");
}

void pd_bar_render(pd_buf *buf, const pd_progress *progress, const pd_bar_style *style)
{
    line_plan plan = { .bar = 0 };
    for (size_t i = 0; i < PIECE_N; i++)
        pd_buf_init(&plan.pieces[i], PIECE_BYTES_MAX);
    write_pieces(&plan, progress, style->label);
    fit(&plan, style->columns > 1 ? style->columns - 1 : 0, progress->phase >= PD_PHASE_LEARN);
    bool first = true;
    for (size_t i = 0; i < PIECE_N; i++) {
        const pd_buf *piece = &plan.pieces[i];
        if (piece->len)
            (void)pd_buf_appendf(buf, "%s%s", first ? "" : "  ", piece->data);
        first = first && !piece->len;
        if (i == PIECE_PHASE && plan.bar)
            append_bar(buf, plan.bar, progress->fraction, style);
    }
    for (size_t i = 0; i < PIECE_N; i++)
        pd_buf_done(&plan.pieces[i]);
}

/* Takes the document. */
static void render_json_take(pd_buf *buf, pd_json *json)
{
    if (json && pd_json_write(json, false, buf) == PD_OK)
        (void)pd_buf_append(buf, "\n", 1);
    pd_json_free(&json);
}

void pd_bar_init(pd_bar *bar, pd_bar_mode mode, int fd, bool utf8, bool color)
{
    *bar = (pd_bar){ .mode = mode, .fd = fd, .style = { .utf8 = utf8, .color = color } };
}

static size_t ask_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS_UNKNOWN;
}

/* Progress that cannot be written is no reason to stop working: failures to write are let go. */
static void write_line(const pd_bar *bar, const pd_buf *line)
{
    if (line->status == PD_OK && line->len)
        pd_write_or_leave(bar->fd, line->data, line->len);
}

void pd_bar_clear(pd_bar *bar)
{
    static const char wipe[] = "\r\033[K";
    if (bar->visible)
        pd_write_or_leave(bar->fd, wipe, sizeof wipe - 1);
    bar->visible = false;
}

/* Whether a snapshot is to be shown now. */
static bool is_due(const pd_bar *bar, uint64_t seq, bool last)
{
    const bool again = bar->shown_ns != 0;
    return !again || (bar->seq != seq && (last || pd_clock_ns() - bar->shown_ns >= redraw_ns));
}

static void draw(pd_bar *bar, const pd_progress *progress)
{
    pd_buf line;
    pd_buf_init(&line, LINE_BYTES_MAX);
    bar->style.columns = ask_columns(bar->fd);
    (void)pd_buf_append_string(&line, "\r");
    pd_bar_render(&line, progress, &bar->style);
    (void)pd_buf_append_string(&line, "\033[K");
    bar->visible = true;
    write_line(bar, &line);
    pd_buf_done(&line);
}

static void write_json_take(const pd_bar *bar, pd_json *json)
{
    pd_buf line;
    pd_buf_init(&line, LINE_BYTES_MAX);
    render_json_take(&line, json);
    write_line(bar, &line);
    pd_buf_done(&line);
}

void pd_bar_show(pd_bar *bar, const pd_progress *progress, bool last)
{
    if (bar->mode == PD_BAR_NONE)
        return;
    if (last && bar->mode == PD_BAR_DRAWN) {
        pd_bar_clear(bar);
        return;
    }
    if (!is_due(bar, progress->seq, last))
        return;
    if (bar->mode == PD_BAR_JSON)
        write_json_take(bar, pd_answer_progress(progress));
    else
        draw(bar, progress);
    bar->seq = progress->seq;
    bar->shown_ns = pd_clock_ns();
}

static const char *annotation_label(const pd_annotation_state *state)
{
    if (state->waiting)
        return "Waiting for the learner";
    return state->captioning ? "Writing captions" : "Tagging";
}

static void write_annotation_json(const pd_bar *bar, const pd_annotation_state *state)
{
    pd_json *json = pd_json_object();
    if (pd_json_set_take(json, "annotation", pd_answer_annotation(state)) != PD_OK)
        pd_json_free(&json);
    write_json_take(bar, json);
}

void pd_bar_show_annotation(pd_bar *bar, const pd_annotation_state *state)
{
    const bool last = !state->running;
    if (bar->mode == PD_BAR_NONE)
        return;
    if (last && bar->mode == PD_BAR_DRAWN) {
        pd_bar_clear(bar);
        return;
    }
    if (!is_due(bar, state->seq, last))
        return;
    const pd_progress as_learning = { .phase = PD_PHASE_LEARN,
                                      .fraction = state->todo > 0 ? (double)state->done / (double)state->todo : 0,
                                      .todo = state->todo,
                                      .done = state->done,
                                      .rate = state->rate,
                                      .eta_s = state->eta_s };
    bar->style.label = annotation_label(state);
    if (bar->mode == PD_BAR_JSON)
        write_annotation_json(bar, state);
    else
        draw(bar, &as_learning);
    bar->seq = state->seq;
    bar->shown_ns = pd_clock_ns();
}
