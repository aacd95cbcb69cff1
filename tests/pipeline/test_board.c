#include "test.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "pipeline/board.h"

static pd_board board;
static pd_progress now;
static pd_log_line lines[PD_JOB_LOG_LINES];

static int64_t begun_ns;

static void begin(void)
{
    begun_ns = pd_clock_ns();
    pd_board_init(&board, PD_SPEED_NORMAL);
}

/* How much longer than `seconds` the test took for what it calls so: it may have been kept from the CPU in between. */
static double stretch(double seconds) { return 1 + (double)(pd_clock_ns() - begun_ns) / (double)PD_NS_PER_S / seconds; }

/* Lets the board believe that the phase began `seconds` ago. */
static void shift_past(double seconds)
{
    for (size_t i = 0; i < PD_BOARD_SAMPLES; i++)
        board.samples[i].ns -= (int64_t)(seconds * (double)PD_NS_PER_S);
    board.smoothed_ns -= (int64_t)(seconds * (double)PD_NS_PER_S);
}

static void time_left_is_unknown_until_a_rate_is_known(void)
{
    begin();
    pd_board_snapshot(&board, &now);
    CHECK(now.running && now.eta_s < 0 && now.rate == 0 && now.fraction == 0);
    pd_board_enter(&board, PD_PHASE_LEARN);
    pd_board_plan(&board, 1000);
    pd_board_add(&board, &(pd_board_counts){ .found = 1000 });
    shift_past(0.5);
    pd_board_add(&board, &(pd_board_counts){ .done = 5, .learned = 5 });
    pd_board_snapshot(&board, &now);
    CHECK(now.eta_s == -1 || stretch(0.5) > 2); /* 5 files in half a second tell nothing yet */
    shift_past(4.5);
    pd_board_add(&board, &(pd_board_counts){ .done = 95, .learned = 95 });
    pd_board_snapshot(&board, &now);
    CHECK(now.rate > 15 / stretch(5) && now.rate < 21); /* 100 files in 5 s */
    CHECK(now.eta_s > 900 / 21.0 && now.eta_s < 900 / 15.0 * stretch(5));
    pd_board_done(&board);
}

static void many_files_tell_a_rate_at_once(void)
{
    begin();
    pd_board_enter(&board, PD_PHASE_LEARN);
    pd_board_plan(&board, 128);
    shift_past(0.5);
    pd_board_add(&board, &(pd_board_counts){ .done = 64 });
    pd_board_snapshot(&board, &now);
    CHECK(now.rate > 100 / stretch(0.5) && now.eta_s >= 0 && now.eta_s < 1 * stretch(0.5));
    pd_board_done(&board);
}

static void rate_is_that_of_the_last_seconds(void)
{
    begin();
    pd_board_enter(&board, PD_PHASE_LEARN);
    pd_board_plan(&board, 100000);
    for (int i = 0; i < 100; i++) { /* 100 s at 10 a second, then 20 s at 100 a second */
        shift_past(1);
        pd_board_add(&board, &(pd_board_counts){ .done = 10 });
    }
    pd_board_snapshot(&board, &now);
    CHECK(now.rate > 9 / stretch(PD_BOARD_WINDOW_S) && now.rate < 11.5);
    for (int i = 0; i < 20; i++) {
        shift_past(1);
        pd_board_add(&board, &(pd_board_counts){ .done = 100 });
    }
    pd_board_snapshot(&board, &now);
    CHECK(now.rate > 90 / stretch(PD_BOARD_WINDOW_S) && now.rate < 115);
    CHECK(now.eta_s > (100000 - 3000) / 115.0 && now.eta_s < (100000 - 3000) / 60.0 * stretch(PD_BOARD_WINDOW_S));
    pd_board_done(&board);
}

static void fraction_never_goes_back(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    double last = 0;
    pd_board_enter(&board, PD_PHASE_SCAN);
    pd_board_plan(&board, 10);
    pd_board_enter(&board, PD_PHASE_LEARN);
    for (int i = 0; i < 10; i++) {
        pd_board_add(&board, &(pd_board_counts){ .done = 1 });
        pd_board_snapshot(&board, &now);
        CHECK(now.fraction >= last && now.fraction <= 1);
        last = now.fraction;
    }
    pd_board_enter(&board, PD_PHASE_INDEX);
    pd_board_snapshot(&board, &now);
    CHECK(now.fraction >= last && now.fraction < 1);
    pd_board_end(&board);
    pd_board_snapshot(&board, &now);
    CHECK(now.fraction == 1 && now.outcome == PD_OK && now.phase == PD_PHASE_READY && now.eta_s == 0);
    pd_board_done(&board);
}

static void rings_keep_the_newest_last(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    for (int i = 0; i < 100; i++)
        pd_board_log(&board, PD_LOG_INFO, "line %d", i);
    CHECK(pd_board_lines(&board, 0, lines, 24) == 24);
    CHECK(strcmp(lines[23].text, "line 99") == 0 && lines[23].number == 100);
    CHECK(strcmp(lines[0].text, "line 76") == 0 && lines[0].number == 77);
    CHECK(pd_board_lines(&board, 97, lines, PD_JOB_LOG_LINES) == 3 && lines[0].number == 98);
    CHECK(pd_board_lines(&board, 100, lines, PD_JOB_LOG_LINES) == 0);
    CHECK(pd_board_lines(&board, 1000, lines, PD_JOB_LOG_LINES) == 0);
    for (int i = 100; i < 2500; i++)
        pd_board_log(&board, PD_LOG_INFO, "line %d", i);
    CHECK(pd_board_lines(&board, 0, lines, PD_JOB_LOG_LINES) == PD_JOB_LOG_LINES);
    for (size_t i = 0; i < PD_JOB_LOG_LINES; i++)
        CHECK(lines[i].number == 1501 + i);
    CHECK(strcmp(lines[PD_JOB_LOG_LINES - 1].text, "line 2499") == 0);
    for (int i = 0; i < 40; i++) {
        char path[32];
        snprintf(path, sizeof path, "/p/%d.jpg", i);
        pd_board_file_error(&board, path, "broken");
    }
    pd_board_snapshot(&board, &now);
    CHECK(now.n_errors == PD_PROGRESS_ERRORS);
    CHECK(strcmp(now.errors[now.n_errors - 1].path, "/p/39.jpg") == 0);
    CHECK(pd_board_lines(&board, 0, lines, 1) == 1 && strcmp(lines[0].text, "39.jpg: broken") == 0);
    pd_board_done(&board);
}

static void long_and_odd_paths_are_cut_at_the_front_and_stay_printable(void)
{
    char path[2000], text[PD_PROGRESS_TEXT_BYTES];
    for (size_t i = 0; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "\xC3\xA4", 2); /* ä */
    memcpy(path + 1990, "/b\nc.jpg", 9);
    pd_board_format_path(path, text);
    CHECK(strlen(text) < PD_PROGRESS_TEXT_BYTES && strncmp(text, "...", 3) == 0);
    CHECK(strcmp(text + strlen(text) - 8, "b\\nc.jpg") == 0);
    CHECK(pd_utf8_valid(text, strlen(text)));
    pd_board_format_path("/a\xFF.jpg", text);
    CHECK(strcmp(text, "/a\\xFF.jpg") == 0 || strcmp(text, "/a\\xff.jpg") == 0);
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_board_log(&board, PD_LOG_WARNING, "%s", path);
    CHECK(pd_board_lines(&board, 0, lines, 1) == 1);
    const size_t len = strlen(lines[0].text);
    CHECK(len == PD_PROGRESS_TEXT_BYTES - 1 || len == PD_PROGRESS_TEXT_BYTES - 2);
    CHECK(strcmp(lines[0].text + len - 3, "...") == 0);
    pd_board_done(&board);
}

static void first_error_of_the_job_is_the_outcome(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_error first = { 0 }, second = { 0 };
    (void)pd_error_set(&first, PD_ERR_FULL, "the disk is full");
    (void)pd_error_set(&second, PD_ERR_IO, "and then some");
    CHECK(pd_board_may_begin(&board));
    pd_board_stop(&board, &first);
    pd_board_stop(&board, &second);
    CHECK(!pd_board_may_begin(&board) && !pd_board_going_on(&board));
    pd_board_end(&board);
    pd_board_snapshot(&board, &now);
    CHECK(now.outcome == PD_ERR_FULL && strcmp(now.message, "the disk is full") == 0 && !now.running);
    pd_board_done(&board);
}

static void failed_files_make_the_outcome_partial(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_board_add(&board, &(pd_board_counts){ .found = 2, .failed = 1, .unchanged = 1 });
    pd_board_end(&board);
    pd_board_snapshot(&board, &now);
    CHECK(now.outcome == PD_ERR_PARTIAL && now.fraction == 1);
    pd_board_done(&board);
}

static void *ask_to_begin(void *begun)
{
    *(bool *)begun = pd_board_may_begin(&board);
    return NULL;
}

static void pause_holds_and_cancel_lets_go(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_board_pause(&board, true);
    bool begun = true;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, ask_to_begin, &begun) == 0);
    usleep(20000);
    pd_board_snapshot(&board, &now);
    CHECK(now.paused && now.eta_s == -1);
    pd_board_cancel(&board);
    pthread_join(thread, NULL);
    CHECK(!begun);
    pd_board_end(&board);
    pd_board_snapshot(&board, &now);
    CHECK(now.outcome == PD_ERR_CANCELLED && now.message[0] && !now.paused && !now.cancelling);
    pd_board_done(&board);
}

enum { AN_HOUR_S = 3600 };

static void *rest_for_hours(void *rested)
{
    pd_board_rest(&board, AN_HOUR_S * PD_NS_PER_S);
    *(bool *)rested = true;
    return NULL;
}

/* A rest of three hours that does not end with the change would never end here. */
static void a_gentle_thread_rests_until_something_changes(void)
{
    pd_board_init(&board, PD_SPEED_GENTLE);
    const int64_t start = pd_clock_ns();
    pd_board_rest(&board, 10 * PD_NS_PER_MS);
    CHECK(pd_clock_ns() - start >= PD_BOARD_GENTLE_REST * 10 * PD_NS_PER_MS);
    for (int change = 0; change < 4; change++) {
        bool rested = false;
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, rest_for_hours, &rested) == 0);
        usleep(20000);
        if (change == 0)
            pd_board_speed(&board, PD_SPEED_FULL);
        else if (change == 1)
            pd_board_pause(&board, true);
        else if (change == 2)
            pd_board_cancel(&board);
        else
            pd_board_stop(&board, &(pd_error){ .status = PD_ERR_FULL });
        pthread_join(thread, NULL);
        CHECK(rested);
        pd_board_done(&board);
        pd_board_init(&board, PD_SPEED_GENTLE);
    }
    pd_board_speed(&board, PD_SPEED_NORMAL);
    pd_board_rest(&board, AN_HOUR_S * PD_NS_PER_S); /* nobody else rests */
    pd_board_done(&board);
}

static void waiting_ends_with_a_change_or_in_time(void)
{
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_board_snapshot(&board, &now);
    const int64_t start = pd_clock_ns();
    pd_board_wait(&board, now.seq, 30, &now);
    CHECK(pd_clock_ns() - start >= 29 * PD_NS_PER_MS);
    const uint64_t seq = now.seq;
    pd_board_log(&board, PD_LOG_INFO, "news");
    pd_board_wait(&board, seq, INT32_MAX, &now); /* or else this test never ends */
    CHECK(now.seq != seq);
    pd_board_done(&board);
}

static void every_phase_has_a_name(void)
{
    for (int phase = 0; phase < PD_PHASE_COUNT; phase++)
        CHECK(strcmp(pd_phase_name((pd_phase)phase), "unknown") != 0);
    CHECK(strcmp(pd_phase_name(PD_PHASE_COUNT), "unknown") == 0);
}

int main(void)
{
    RUN(time_left_is_unknown_until_a_rate_is_known);
    RUN(many_files_tell_a_rate_at_once);
    RUN(rate_is_that_of_the_last_seconds);
    RUN(fraction_never_goes_back);
    RUN(rings_keep_the_newest_last);
    RUN(long_and_odd_paths_are_cut_at_the_front_and_stay_printable);
    RUN(first_error_of_the_job_is_the_outcome);
    RUN(failed_files_make_the_outcome_partial);
    RUN(pause_holds_and_cancel_lets_go);
    RUN(a_gentle_thread_rests_until_something_changes);
    RUN(waiting_ends_with_a_change_or_in_time);
    RUN(every_phase_has_a_name);
    return TEST_RESULT();
}
