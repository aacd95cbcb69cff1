#include "pipeline/board.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

/* Shares of the overall bar. Finding and indexing take seconds where learning takes minutes. */
static const double share_found = 0.02, share_learned = 0.98;

const char *pd_phase_name(pd_phase phase)
{
    static const char *const names[PD_PHASE_COUNT] = { "prepare", "scan", "learn", "index", "ready" };
    return (unsigned)phase < PD_PHASE_COUNT ? names[phase] : "unknown";
}

const char *pd_speed_name(pd_speed speed)
{
    static const char *const names[PD_SPEED_COUNT] = { "normal", "full", "gentle" };
    return (unsigned)speed < PD_SPEED_COUNT ? names[speed] : "unknown";
}

void pd_board_init(pd_board *board, pd_speed speed)
{
    memset(board, 0, sizeof *board);
    pthread_mutex_init(&board->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&board->changed, &attr);
    pthread_condattr_destroy(&attr);
    board->started_ns = pd_clock_ns();
    board->now.running = true;
    board->now.speed = speed;
    board->now.eta_s = -1;
    board->now.seq = 1;
}

void pd_board_done(pd_board *board)
{
    pthread_cond_destroy(&board->changed);
    pthread_mutex_destroy(&board->lock);
}

static double seconds(int64_t ns) { return (double)ns / (double)PD_NS_PER_S; }

/* Files a second between the oldest sample of the window and now; 0: too early to tell. */
static double measure_rate(const pd_board *board, int64_t now_ns)
{
    if (board->n_samples == 0)
        return 0;
    const pd_board_sample *oldest = &board->samples[board->first_sample];
    const double time_s = seconds(now_ns - oldest->ns);
    const int64_t files = board->now.done - oldest->done;
    if (files <= 0 || time_s <= 0 || (time_s < PD_BOARD_KNOWN_S && files < PD_BOARD_KNOWN_FILES))
        return 0;
    return (double)files / time_s;
}

static void forget_rate(pd_board *board, int64_t now_ns)
{
    board->first_sample = 0;
    board->n_samples = 1;
    board->samples[0] = (pd_board_sample){ now_ns, board->now.done };
    board->smooth_rate = 0;
    board->smoothed_ns = now_ns;
}

static void take_sample(pd_board *board, int64_t now_ns)
{
    if (board->n_samples == 0)
        return;
    const int64_t step_ns = (int64_t)(PD_BOARD_WINDOW_S / PD_BOARD_SAMPLES * (double)PD_NS_PER_S);
    const size_t newest = (board->first_sample + board->n_samples - 1) % PD_BOARD_SAMPLES;
    if (now_ns - board->samples[newest].ns >= step_ns) {
        if (board->n_samples == PD_BOARD_SAMPLES) {
            board->first_sample = (board->first_sample + 1) % PD_BOARD_SAMPLES;
            board->n_samples--;
        }
        board->samples[(newest + 1) % PD_BOARD_SAMPLES] = (pd_board_sample){ now_ns, board->now.done };
        board->n_samples++;
    }
    while (board->n_samples > 1 && seconds(now_ns - board->samples[board->first_sample].ns) > PD_BOARD_WINDOW_S) {
        board->first_sample = (board->first_sample + 1) % PD_BOARD_SAMPLES;
        board->n_samples--;
    }
    const double rate = measure_rate(board, now_ns);
    if (rate <= 0)
        return;
    const double keep = board->smooth_rate > 0 ? exp(-seconds(now_ns - board->smoothed_ns) / PD_BOARD_SMOOTHING_S) : 0;
    board->smooth_rate = keep * board->smooth_rate + (1 - keep) * rate;
    board->smoothed_ns = now_ns;
}

static double fraction_of(const pd_progress *now)
{
    switch (now->phase) {
    case PD_PHASE_LEARN:
        return share_found +
               (share_learned - share_found) * (now->todo > 0 ? (double)now->done / (double)now->todo : 1);
    case PD_PHASE_INDEX: return share_learned;
    case PD_PHASE_READY: return now->outcome == PD_OK || now->outcome == PD_ERR_PARTIAL ? 1 : 0;
    case PD_PHASE_PREPARE:
    case PD_PHASE_SCAN:
    case PD_PHASE_COUNT: break;
    }
    return 0;
}

/* Every change ends here, with the lock held. */
static void publish(pd_board *board)
{
    const double fraction = fraction_of(&board->now);
    if (fraction > board->now.fraction)
        board->now.fraction = fraction;
    board->now.seq++;
    pthread_cond_broadcast(&board->changed);
}

/* With the lock held. */
static size_t copy_lines(const pd_board *board, uint64_t after, pd_log_line *ret_lines, size_t n_max)
{
    const uint64_t kept = board->n_lines < PD_JOB_LOG_LINES ? board->n_lines : PD_JOB_LOG_LINES;
    uint64_t n = after < board->n_lines ? board->n_lines - after : 0;
    n = n < kept ? n : kept;
    n = n < n_max ? n : n_max;
    for (uint64_t i = 0; i < n; i++)
        ret_lines[i] = board->lines[(board->n_lines - n + 1 + i) % PD_JOB_LOG_LINES];
    return (size_t)n;
}

/* What depends on the time of looking is worked out for the copy. */
static void copy_now(pd_board *board, pd_progress *ret_progress)
{
    const int64_t now_ns = board->ended_ns ? board->ended_ns : pd_clock_ns();
    *ret_progress = board->now;
    ret_progress->elapsed_s = seconds(now_ns - board->started_ns);
    ret_progress->rate = 0;
    ret_progress->eta_s = -1;
    if (board->now.phase == PD_PHASE_READY) {
        ret_progress->eta_s = 0;
    } else if (board->now.phase == PD_PHASE_LEARN && !board->now.paused) {
        ret_progress->rate = measure_rate(board, now_ns);
        if (board->smooth_rate > 0)
            ret_progress->eta_s = (double)(board->now.todo - board->now.done) / board->smooth_rate;
    }
}

void pd_board_snapshot(pd_board *board, pd_progress *ret_progress)
{
    pthread_mutex_lock(&board->lock);
    copy_now(board, ret_progress);
    pthread_mutex_unlock(&board->lock);
}

void pd_board_wait(pd_board *board, uint64_t seq, int timeout_ms, pd_progress *ret_progress)
{
    const int64_t deadline_ns = pd_clock_ns() + (int64_t)timeout_ms * PD_NS_PER_MS;
    const struct timespec deadline = { .tv_sec = deadline_ns / PD_NS_PER_S, .tv_nsec = deadline_ns % PD_NS_PER_S };
    pthread_mutex_lock(&board->lock);
    int timed_out = 0;
    while (board->now.seq == seq && !timed_out)
        timed_out = pthread_cond_timedwait(&board->changed, &board->lock, &deadline);
    copy_now(board, ret_progress);
    pthread_mutex_unlock(&board->lock);
}

size_t pd_board_lines(pd_board *board, uint64_t after, pd_log_line *ret_lines, size_t n_max)
{
    pthread_mutex_lock(&board->lock);
    const size_t n = copy_lines(board, after, ret_lines, n_max);
    pthread_mutex_unlock(&board->lock);
    return n;
}

void pd_board_enter(pd_board *board, pd_phase phase)
{
    pthread_mutex_lock(&board->lock);
    board->now.phase = phase;
    if (phase == PD_PHASE_LEARN)
        forget_rate(board, board->told_ns = pd_clock_ns());
    publish(board);
    pthread_mutex_unlock(&board->lock);
}

void pd_board_plan(pd_board *board, int64_t todo)
{
    pthread_mutex_lock(&board->lock);
    board->now.todo = todo;
    publish(board);
    pthread_mutex_unlock(&board->lock);
}

/* Ends `text` at a whole character when `len` bytes did not fit into it. */
static void end_whole(char text[PD_PROGRESS_TEXT_BYTES], size_t len)
{
    if (len < PD_PROGRESS_TEXT_BYTES)
        return;
    size_t end = PD_PROGRESS_TEXT_BYTES - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xC0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

static void append_log_args(pd_board *board, pd_log_level level, const char *format, va_list args)
{
    pd_log_line *line = &board->lines[++board->n_lines % PD_JOB_LOG_LINES];
    *line = (pd_log_line){ .number = board->n_lines, .unix_ns = pd_clock_unix_ns(), .level = level };
    const int n = vsnprintf(line->text, sizeof line->text, format, args);
    end_whole(line->text, n > 0 ? (size_t)n : 0);
}

static void append_log(pd_board *board, pd_log_level level, const char *format, ...) PD_PRINTF(3, 4);
static void append_log(pd_board *board, pd_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    append_log_args(board, level, format, args);
    va_end(args);
}

void pd_board_log(pd_board *board, pd_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&board->lock);
    append_log_args(board, level, format, args);
    publish(board);
    pthread_mutex_unlock(&board->lock);
    va_end(args);
}

const char *pd_board_format_count(int64_t count, char ret_text[PD_BOARD_COUNT_BYTES])
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%lld", (long long)count);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (i > (digits[0] == '-') && (n - i) % 3 == 0)
            ret_text[at++] = ',';
        ret_text[at++] = digits[i];
    }
    ret_text[at] = '\0';
    return ret_text;
}

/* Now and then: "10,000 learned, 209 a second". */
static void tell_learned(pd_board *board, int64_t now_ns)
{
    if (board->now.learned == 0 || seconds(now_ns - board->told_ns) < PD_BOARD_TELL_S)
        return;
    char count[PD_BOARD_COUNT_BYTES];
    const double rate = measure_rate(board, now_ns);
    pd_board_format_count(board->now.learned, count);
    board->told_ns = now_ns;
    if (rate > 0)
        append_log(board, PD_LOG_INFO, rate < 10 ? "%s learned, %.1f a second" : "%s learned, %.0f a second", count,
                   rate);
    else
        append_log(board, PD_LOG_INFO, "%s learned", count);
}

static void put_newest(pd_progress *now, const pd_newest *newest, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (now->n_newest < PD_PROGRESS_NEWEST)
            now->n_newest++;
        memmove(now->newest + 1, now->newest, (now->n_newest - 1) * sizeof now->newest[0]);
        now->newest[0] = newest[i];
    }
}

void pd_board_add(pd_board *board, const pd_board_counts *counts)
{
    pthread_mutex_lock(&board->lock);
    pd_progress *now = &board->now;
    now->found += counts->found;
    now->done += counts->done;
    now->learned += counts->learned;
    now->unchanged += counts->unchanged;
    now->moved += counts->moved;
    now->removed += counts->removed;
    now->skipped += counts->skipped;
    now->failed += counts->failed;
    put_newest(now, counts->newest, counts->n_newest);
    if (counts->done) {
        const int64_t now_ns = pd_clock_ns();
        take_sample(board, now_ns);
        tell_learned(board, now_ns);
    }
    publish(board);
    pthread_mutex_unlock(&board->lock);
}

void pd_board_format_path(const char *path, char ret_text[PD_PROGRESS_TEXT_BYTES])
{
    pd_buf buf;
    pd_buf_init(&buf, 4 * strlen(path) + 1); /* the longest escape is \xNN */
    memset(ret_text, 0, PD_PROGRESS_TEXT_BYTES);
    if (pd_text_append_printable(&buf, path, strlen(path)) != PD_OK || buf.len == 0) {
        snprintf(ret_text, PD_PROGRESS_TEXT_BYTES, "?");
    } else if (buf.len < PD_PROGRESS_TEXT_BYTES) {
        memcpy(ret_text, buf.data, buf.len);
    } else {
        size_t first = buf.len - (PD_PROGRESS_TEXT_BYTES - 4);
        while (first < buf.len && ((unsigned char)buf.data[first] & 0xC0) == 0x80)
            first++;
        snprintf(ret_text, PD_PROGRESS_TEXT_BYTES, "...%s", buf.data + first);
    }
    pd_buf_done(&buf);
}

void pd_board_file_error(pd_board *board, const char *path, const char *reason)
{
    pd_file_error error = { 0 };
    pd_board_format_path(path, error.path);
    const int n = snprintf(error.reason, sizeof error.reason, "%s", reason);
    end_whole(error.reason, n > 0 ? (size_t)n : 0);

    pthread_mutex_lock(&board->lock);
    pd_progress *now = &board->now;
    if (now->n_errors == PD_PROGRESS_ERRORS)
        memmove(now->errors, now->errors + 1, sizeof now->errors[0] * --now->n_errors);
    now->errors[now->n_errors++] = error;
    append_log(board, PD_LOG_WARNING, "%s: %s", pd_path_name(error.path), error.reason);
    publish(board);
    pthread_mutex_unlock(&board->lock);
}

void pd_board_pause(pd_board *board, bool paused)
{
    pthread_mutex_lock(&board->lock);
    if (board->now.paused != paused && board->now.phase != PD_PHASE_READY) {
        board->now.paused = paused;
        if (!paused && board->now.phase == PD_PHASE_LEARN)
            forget_rate(board, pd_clock_ns());
        append_log(board, PD_LOG_INFO, "%s", paused ? "paused" : "resumed");
        publish(board);
    }
    pthread_mutex_unlock(&board->lock);
}

void pd_board_speed(pd_board *board, pd_speed speed)
{
    pthread_mutex_lock(&board->lock);
    if (board->now.speed != speed && board->now.phase != PD_PHASE_READY) {
        board->now.speed = speed;
        if (board->now.phase == PD_PHASE_LEARN)
            forget_rate(board, pd_clock_ns());
        append_log(board, PD_LOG_INFO, "speed: %s", pd_speed_name(speed));
        publish(board);
    }
    pthread_mutex_unlock(&board->lock);
}

void pd_board_cancel(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    if (board->now.phase != PD_PHASE_READY && !board->now.cancelling) {
        board->now.cancelling = true;
        append_log(board, PD_LOG_INFO, "stopping");
        publish(board);
    }
    pthread_mutex_unlock(&board->lock);
}

void pd_board_stop(pd_board *board, const pd_error *error)
{
    pthread_mutex_lock(&board->lock);
    if (board->stop_error.status == PD_OK) {
        board->stop_error = *error;
        publish(board);
    }
    pthread_mutex_unlock(&board->lock);
}

static bool goes_on(const pd_board *board) { return !board->now.cancelling && board->stop_error.status == PD_OK; }

bool pd_board_may_begin(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    while (board->now.paused && goes_on(board))
        pthread_cond_wait(&board->changed, &board->lock);
    const bool may = goes_on(board);
    pthread_mutex_unlock(&board->lock);
    return may;
}

bool pd_board_going_on(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    const bool on = goes_on(board);
    pthread_mutex_unlock(&board->lock);
    return on;
}

bool pd_board_is_paused(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    const bool paused = board->now.paused;
    pthread_mutex_unlock(&board->lock);
    return paused;
}

pd_speed pd_board_speed_now(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    const pd_speed speed = board->now.speed;
    pthread_mutex_unlock(&board->lock);
    return speed;
}

void pd_board_rest(pd_board *board, int64_t worked_ns)
{
    const int64_t deadline_ns = pd_clock_ns() + worked_ns * PD_BOARD_GENTLE_REST;
    const struct timespec deadline = { .tv_sec = deadline_ns / PD_NS_PER_S, .tv_nsec = deadline_ns % PD_NS_PER_S };
    pthread_mutex_lock(&board->lock);
    int timed_out = 0;
    while (board->now.speed == PD_SPEED_GENTLE && !board->now.paused && goes_on(board) && !timed_out)
        timed_out = pthread_cond_timedwait(&board->changed, &board->lock, &deadline);
    pthread_mutex_unlock(&board->lock);
}

void pd_board_note(pd_board *board, bool partial, const char *sentence)
{
    pd_progress *now = &board->now;
    pthread_mutex_lock(&board->lock);
    board->lost |= partial;
    if (!now->message[0]) {
        const int n = snprintf(now->message, sizeof now->message, "%s", sentence);
        end_whole(now->message, n > 0 ? (size_t)n : 0);
    }
    pthread_mutex_unlock(&board->lock);
}

/* The last line: what came of it. */
static void tell_end(pd_board *board)
{
    const pd_progress *now = &board->now;
    char learned[PD_BOARD_COUNT_BYTES], failed[PD_BOARD_COUNT_BYTES];
    pd_board_format_count(now->learned, learned);
    pd_board_format_count(now->failed, failed);
    const double took_s = seconds(board->ended_ns - board->started_ns);
    if (now->outcome != PD_OK && now->outcome != PD_ERR_PARTIAL && now->outcome != PD_ERR_CANCELLED)
        append_log(board, PD_LOG_ERROR, "%s", now->message);
    else if (now->outcome == PD_ERR_CANCELLED)
        append_log(board, PD_LOG_INFO, "stopped: %s learned in %.1f s, saved", learned, took_s);
    else if (now->failed > 0)
        append_log(board, PD_LOG_INFO, "finished: %s learned in %.1f s, %s could not be read", learned, took_s, failed);
    else
        append_log(board, PD_LOG_INFO, "finished: %s learned in %.1f s", learned, took_s);
}

void pd_board_end(pd_board *board)
{
    pthread_mutex_lock(&board->lock);
    pd_progress *now = &board->now;
    now->outcome = now->failed > 0 || board->lost ? PD_ERR_PARTIAL : PD_OK;
    if (board->stop_error.status != PD_OK) {
        now->outcome = board->stop_error.status;
        const int n = snprintf(now->message, sizeof now->message, "%s", board->stop_error.message);
        end_whole(now->message, n > 0 ? (size_t)n : 0);
    } else if (now->cancelling) {
        now->outcome = PD_ERR_CANCELLED;
        snprintf(now->message, sizeof now->message, "stopped; what was learned so far is kept");
    }
    now->phase = PD_PHASE_READY;
    now->running = now->paused = now->cancelling = false;
    board->ended_ns = pd_clock_ns();
    tell_end(board);
    publish(board);
    pthread_mutex_unlock(&board->lock);
}
