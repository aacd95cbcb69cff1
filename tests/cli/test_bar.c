#include "cli/bar.h"

#include <string.h>

#include "answer/answer.h"
#include "base/json.h"
#include "base/str.h"
#include "test.h"

static pd_progress learning(void)
{
    return (pd_progress){ .seq = 7,
                          .phase = PD_PHASE_LEARN,
                          .running = true,
                          .found = 12345,
                          .todo = 12000,
                          .done = 3000,
                          .rate = 14.2,
                          .eta_s = 634,
                          .fraction = 0.25 };
}

/* The line, in a static space: one at a time. */
static const char *render(const pd_progress *progress, size_t columns, bool utf8)
{
    static char text[1024];
    const pd_bar_style style = { .columns = columns, .utf8 = utf8 };
    pd_buf buf;
    pd_buf_init(&buf, sizeof text - 1);
    pd_bar_render(&buf, progress, &style);
    (void)snprintf(text, sizeof text, "%s", buf.status == PD_OK && buf.data ? buf.data : "");
    pd_buf_done(&buf);
    return text;
}

static size_t width_of(const char *text)
{
    size_t width = 0;
    for (size_t i = 0, len = strlen(text); i < len; width++) {
        uint32_t code;
        i += pd_utf8_next(text + i, len - i, &code);
    }
    return width;
}

static void a_wide_terminal_shows_everything(void)
{
    const pd_progress progress = learning();
    CHECK(strcmp(render(&progress, 100, false),
                 "Learning  [#########.............................]   25%  3,000 of 12,000  14.2/s  "
                 "10 min 34 s left") == 0);
}

static void eighty_columns_show_a_shorter_bar(void)
{
    const pd_progress progress = learning();
    CHECK(strcmp(render(&progress, 80, false),
                 "Learning  [####..............]   25%  3,000 of 12,000  14.2/s  10 min 34 s left") == 0);
}

static void what_does_not_fit_is_left_out_in_order(void)
{
    const pd_progress progress = learning();
    CHECK(strcmp(render(&progress, 60, false), "Learning  [####............]   25%  3,000 of 12,000  14.2/s") == 0);
    CHECK(strcmp(render(&progress, 48, false), "Learning  [###.........]   25%  3,000 of 12,000") == 0);
    CHECK(strcmp(render(&progress, 40, false), "Learning   25%  3,000 of 12,000") == 0);
    CHECK(strcmp(render(&progress, 30, false), "Learning   25%") == 0);
    CHECK(strcmp(render(&progress, 12, false), "Learning") == 0);
    CHECK(strcmp(render(&progress, 5, false), "") == 0);
}

static void no_line_is_wider_than_the_terminal(void)
{
    pd_progress progress = learning();
    for (size_t columns = 0; columns < 250; columns++)
        for (int step = 0; step <= 16; step++) {
            progress.fraction = step / 16.0;
            CHECK(width_of(render(&progress, columns, step % 2)) <= (columns ? columns - 1 : 0));
        }
}

static void blocks_of_eighths_fill_the_bar(void)
{
    pd_progress progress = learning();
    progress.fraction = 0.53125; /* 21 and a quarter of 40 columns */
    const char *line = render(&progress, 120, true);
    const char *bar = strchr(line, '['), *end = strchr(line, ']');
    REQUIRE(bar && end);
    CHECK((size_t)(end - bar - 1) == 22 * 3 + 18); /* a block has 3 bytes, a blank 1 */
    CHECK(memcmp(bar + 1 + 21 * 3, "▎", 3) == 0);
    progress.fraction = 1;
    CHECK(strstr(render(&progress, 100, true), "█]") != NULL);
    progress.fraction = 0;
    CHECK(strstr(render(&progress, 100, true), "[ ") != NULL);
}

static void colours_come_only_when_asked_for(void)
{
    const pd_progress progress = learning();
    CHECK(strchr(render(&progress, 100, true), '\033') == NULL);
    pd_buf buf;
    pd_buf_init(&buf, 1024);
    pd_bar_render(&buf, &progress, &(pd_bar_style){ .columns = 100, .color = true });
    CHECK(buf.data && strstr(buf.data, "\033[36m") && strstr(buf.data, "\033[0m]"));
    pd_buf_done(&buf);
}

static void phases_speak_plainly(void)
{
    pd_progress progress = learning();
    progress.phase = PD_PHASE_SCAN;
    CHECK(strcmp(render(&progress, 80, false), "Finding pictures  12,345 found") == 0);
    progress.phase = PD_PHASE_PREPARE;
    CHECK(strcmp(render(&progress, 80, false), "Getting ready") == 0);
    progress.phase = PD_PHASE_LEARN;
    progress.eta_s = -1;
    CHECK(strstr(render(&progress, 80, false), "estimating") != NULL);
    progress.eta_s = 0;
    CHECK(strstr(render(&progress, 80, false), "1 s left") != NULL);
    progress.paused = true;
    CHECK(strncmp(render(&progress, 80, false), "Paused", 6) == 0);
    progress.cancelling = true;
    CHECK(strncmp(render(&progress, 80, false), "Stopping", 8) == 0);
}

static void json_is_one_line_with_every_count(void)
{
    static const char *const keys[] = { "seq",  "phase",   "running",  "paused",    "cancelling", "found",   "todo",
                                        "done", "learned", "moved",    "unchanged", "removed",    "skipped", "failed",
                                        "rate", "eta_s",   "fraction", "elapsed_s", "outcome" };
    pd_progress progress = learning();
    progress.eta_s = -1;
    pd_buf buf;
    pd_buf_init(&buf, 4096);
    pd_json *written = pd_answer_progress(&progress);
    REQUIRE(written && pd_json_write(written, false, &buf) == PD_OK);
    pd_json_free(&written);
    CHECK(strchr(buf.data, '\n') == NULL);
    pd_json *json = NULL;
    CHECK(pd_json_parse(&json, buf.data, buf.len, NULL) == PD_OK);
    for (size_t i = 0; i < PD_COUNT_OF(keys); i++)
        CHECK(pd_json_get(json, keys[i]) != NULL);
    int64_t done = 0;
    CHECK(pd_json_read_int(pd_json_get(json, "done"), &done) && done == 3000);
    CHECK(pd_json_is_null(pd_json_get(json, "eta_s")));
    CHECK(pd_json_is_null(pd_json_get(json, "outcome")));
    pd_json_free(&json);
    pd_buf_done(&buf);
}

int main(void)
{
    RUN(a_wide_terminal_shows_everything);
    RUN(eighty_columns_show_a_shorter_bar);
    RUN(what_does_not_fit_is_left_out_in_order);
    RUN(no_line_is_wider_than_the_terminal);
    RUN(blocks_of_eighths_fill_the_bar);
    RUN(colours_come_only_when_asked_for);
    RUN(phases_speak_plainly);
    RUN(json_is_one_line_with_every_count);
    return TEST_RESULT();
}
