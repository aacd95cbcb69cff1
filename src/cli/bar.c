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

typedef struct line_plan {
    pd_bar_pieces pieces;
    size_t bar; /* columns of the bar, without its frame; 0: none */
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

void pd_bar_append_left(pd_buf *buf, double eta_s)
{
    if (eta_s < 0) {
        (void)pd_buf_append_string(buf, "estimating");
        return;
    }
    if (eta_s < 59)
        (void)pd_buf_appendf(buf, "%d s", (int)eta_s + 1);
    else
        pd_human_duration(buf, eta_s);
    (void)pd_buf_append_string(buf, " left");
}

static void write_pieces(pd_buf *pieces, const pd_progress *progress, const char *label)
{
    (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_PHASE], label ? label : phase_text(progress));
    if (progress->phase == PD_PHASE_SCAN) {
        pd_human_count(&pieces[PD_BAR_PIECE_COUNTS], progress->found);
        (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_COUNTS], " found");
    }
    if (progress->phase < PD_PHASE_LEARN)
        return;
    (void)pd_buf_appendf(&pieces[PD_BAR_PIECE_PERCENT], "%3d%%", (int)(progress->fraction * 100));
    pd_human_count(&pieces[PD_BAR_PIECE_COUNTS], progress->done);
    (void)pd_buf_append_string(&pieces[PD_BAR_PIECE_COUNTS], " of ");
    pd_human_count(&pieces[PD_BAR_PIECE_COUNTS], progress->todo);
    if (progress->phase != PD_PHASE_LEARN || progress->cancelling || progress->paused)
        return;
    if (progress->rate > 0)
        (void)pd_buf_appendf(&pieces[PD_BAR_PIECE_RATE], progress->rate < 100 ? "%.1f/s" : "%.0f/s", progress->rate);
    pd_bar_append_left(&pieces[PD_BAR_PIECE_LEFT], progress->eta_s);
}

/* Columns of everything but the bar: pieces with two spaces between them. */
static size_t pieces_columns(const line_plan *plan)
{
    size_t columns = 0;
    for (size_t i = 0; i < PD_BAR_PIECES; i++)
        if (plan->pieces[i].len)
            columns += text_columns(&plan->pieces[i]) + (columns ? 2 : 0);
    return columns;
}

/* Decides what fits into `room` columns. */
static void fit(line_plan *plan, size_t room, bool wants_bar)
{
    enum { FRAME = 4 }; /* two spaces and the brackets */
    static const size_t expendable[] = { PD_BAR_PIECE_LEFT, PD_BAR_PIECE_RATE };
    for (size_t i = 0; wants_bar && i <= PD_COUNT_OF(expendable); i++) {
        const size_t used = pieces_columns(plan) + FRAME;
        if (used + BAR_MIN <= room) {
            plan->bar = room - used < BAR_MAX ? room - used : BAR_MAX;
            return;
        }
        if (i < PD_COUNT_OF(expendable))
            pd_buf_clear(&plan->pieces[expendable[i]]);
    }
    static const size_t rest[] = { PD_BAR_PIECE_LEFT, PD_BAR_PIECE_RATE, PD_BAR_PIECE_COUNTS, PD_BAR_PIECE_PERCENT,
                                   PD_BAR_PIECE_PHASE };
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

void pd_bar_pieces_init(pd_bar_pieces pieces)
{
    for (size_t i = 0; i < PD_BAR_PIECES; i++)
        pd_buf_init(&pieces[i], PIECE_BYTES_MAX);
}

void pd_bar_compose(pd_buf *buf, pd_bar_pieces pieces, double fraction, const pd_bar_style *style)
{
    line_plan plan = { .bar = 0 };
    memcpy(plan.pieces, pieces, sizeof plan.pieces);
    fit(&plan, style->columns > 1 ? style->columns - 1 : 0, fraction >= 0);
    bool first = true;
    for (size_t i = 0; i < PD_BAR_PIECES; i++) {
        const pd_buf *piece = &plan.pieces[i];
        if (piece->len)
            (void)pd_buf_appendf(buf, "%s%s", first ? "" : "  ", piece->data);
        first = first && !piece->len;
        if (i == PD_BAR_PIECE_PHASE && plan.bar)
            append_bar(buf, plan.bar, fraction, style);
    }
    for (size_t i = 0; i < PD_BAR_PIECES; i++)
        pd_buf_done(&plan.pieces[i]);
}

void pd_bar_render(pd_buf *buf, const pd_progress *progress, const pd_bar_style *style)
{
    pd_bar_pieces pieces;
    pd_bar_pieces_init(pieces);
    write_pieces(pieces, progress, style->label);
    pd_bar_compose(buf, pieces, progress->phase >= PD_PHASE_LEARN ? progress->fraction : -1, style);
}

static void render(pd_buf *buf, const void *progress, const pd_bar_style *style)
{
    pd_bar_render(buf, progress, style);
}

static pd_json *answer(const void *progress) { return pd_answer_progress(progress); }

/* Takes the document. */
static void render_json_take(pd_buf *buf, pd_json *json)
{
    if (json && pd_json_write(json, false, buf) == PD_OK)
        (void)pd_buf_append(buf, "\n", 1);
    pd_json_free(&json);
}

pd_bar_mode pd_bar_choose(const char *how, bool terminal, int fd)
{
    if (strcmp(how, "json") == 0)
        return PD_BAR_JSON;
    if (strcmp(how, "bar") == 0)
        return PD_BAR_DRAWN;
    return strcmp(how, "auto") == 0 && terminal && isatty(fd) == 1 ? PD_BAR_DRAWN : PD_BAR_NONE;
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

static void draw(pd_bar *bar, const pd_bar_subject *subject)
{
    pd_buf line;
    pd_buf_init(&line, LINE_BYTES_MAX);
    bar->style.columns = ask_columns(bar->fd);
    (void)pd_buf_append_string(&line, "\r");
    subject->render(&line, subject->state, &bar->style);
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

void pd_bar_draw(pd_bar *bar, const pd_bar_subject *subject, bool last)
{
    if (bar->mode == PD_BAR_NONE)
        return;
    if (last && bar->mode == PD_BAR_DRAWN) {
        pd_bar_clear(bar);
        return;
    }
    if (!is_due(bar, subject->seq, last))
        return;
    if (bar->mode == PD_BAR_JSON)
        write_json_take(bar, subject->answer(subject->state));
    else
        draw(bar, subject);
    bar->seq = subject->seq;
    bar->shown_ns = pd_clock_ns();
}

void pd_bar_show(pd_bar *bar, const pd_progress *progress, bool last)
{
    const pd_bar_subject subject = { .seq = progress->seq, .state = progress, .render = render, .answer = answer };
    pd_bar_draw(bar, &subject, last);
}

static const char *annotation_label(const pd_annotation_state *state)
{
    if (state->waiting)
        return "Waiting for the learner";
    return state->captioning ? "Writing captions" : "Tagging";
}

static void render_annotation(pd_buf *buf, const void *user, const pd_bar_style *style)
{
    const pd_annotation_state *state = user;
    const pd_progress as_learning = { .phase = PD_PHASE_LEARN,
                                      .fraction = state->todo > 0 ? (double)state->done / (double)state->todo : 0,
                                      .todo = state->todo,
                                      .done = state->done,
                                      .rate = state->rate,
                                      .eta_s = state->eta_s };
    pd_bar_style labelled = *style;
    labelled.label = annotation_label(state);
    pd_bar_render(buf, &as_learning, &labelled);
}

static pd_json *answer_annotation(const void *state)
{
    pd_json *json = pd_json_object();
    if (pd_json_set_take(json, "annotation", pd_answer_annotation(state)) != PD_OK)
        pd_json_free(&json);
    return json;
}

void pd_bar_show_annotation(pd_bar *bar, const pd_annotation_state *state)
{
    const pd_bar_subject subject = {
        .seq = state->seq, .state = state, .render = render_annotation, .answer = answer_annotation
    };
    pd_bar_draw(bar, &subject, !state->running);
}
