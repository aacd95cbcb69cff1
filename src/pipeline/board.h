/* board.h: the notice board of a job: one pd_progress under one lock.
 *
 * Private to the room. Workers write what happened, anybody reads copies; the board also is where workers ask whether
 * they may begin another file (pause, cancel, stop). Every call is internally locked. */
#ifndef PD_PIPELINE_BOARD_H
#define PD_PIPELINE_BOARD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/pipeline.h"

#define PD_BOARD_WINDOW_S 10.0   /* the rate is that of the last seconds */
#define PD_BOARD_SAMPLES 64      /* of the window; one is kept every WINDOW / SAMPLES */
#define PD_BOARD_KNOWN_S 2.0     /* a rate is told after this much time ... */
#define PD_BOARD_KNOWN_FILES 32  /* ... or after this many files */
#define PD_BOARD_SMOOTHING_S 8.0 /* time constant of the rate that the time left is told from */
#define PD_BOARD_TELL_S 10.0     /* between two lines of the log that say how many are learned */

/* When gentle, a thread rests this many times as long as it worked: a quarter of the time is work. */
#define PD_BOARD_GENTLE_REST 3

typedef struct pd_board_sample {
    int64_t ns;
    int64_t done;
} pd_board_sample;

typedef struct pd_board {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pd_progress now;
    pd_log_line lines[PD_JOB_LOG_LINES]; /* line number i at i % PD_JOB_LOG_LINES */
    uint64_t n_lines;                    /* ever written: the newest line's number */
    int64_t told_ns;                     /* when the log last said how many are learned */
    pd_error stop_error;                 /* what ended the job; status PD_OK: nothing did */
    int64_t started_ns, ended_ns;
    pd_board_sample samples[PD_BOARD_SAMPLES]; /* ring, oldest at first_sample */
    size_t first_sample, n_samples;
    bool lost;          /* the outcome is PARTIAL at best */
    double smooth_rate; /* 0: not known yet */
    int64_t smoothed_ns;
} pd_board;

/* What one batch adds to the counts. */
typedef struct pd_board_counts {
    int64_t done, learned, unchanged, moved, removed, skipped, failed, found;
    size_t n_newest;
    const pd_newest *newest; /* of the learned ones, newest last */
} pd_board_counts;

void pd_board_init(pd_board *board, pd_speed speed);
void pd_board_done(pd_board *board);

void pd_board_snapshot(pd_board *board, pd_progress *ret_progress);
void pd_board_wait(pd_board *board, uint64_t seq, int timeout_ms, pd_progress *ret_progress);

size_t pd_board_lines(pd_board *board, uint64_t after, pd_log_line *ret_lines, size_t n_max);

void pd_board_enter(pd_board *board, pd_phase phase); /* SCAN, LEARN, INDEX in this order; some may be left out */
void pd_board_plan(pd_board *board, int64_t todo);
void pd_board_add(pd_board *board, const pd_board_counts *counts);
void pd_board_log(pd_board *board, pd_log_level level, const char *format, ...) PD_PRINTF(3, 4);
/* Lists the file and logs it. `path` is any bytes. */
void pd_board_file_error(pd_board *board, const char *path, const char *reason);

void pd_board_pause(pd_board *board, bool paused);
void pd_board_speed(pd_board *board, pd_speed speed);
void pd_board_cancel(pd_board *board);
/* The job cannot go on: the first error that is put here becomes the outcome. */
void pd_board_stop(pd_board *board, const pd_error *error);
/* What the job says of itself at its end when nothing worse is to be said; the first note stays. partial: files that
 * were found could not be learned. */
void pd_board_note(pd_board *board, bool partial, const char *sentence);
/* Waits while paused. False: cancelled or stopped, begin nothing more. */
bool pd_board_may_begin(pd_board *board);
/* The same without waiting: false when cancelled or stopped. */
bool pd_board_going_on(pd_board *board);
bool pd_board_is_paused(pd_board *board);
pd_speed pd_board_speed_now(pd_board *board);
/* After `worked_ns` of work: rests as the speed asks; a change of speed, a pause or a stop ends the rest. */
void pd_board_rest(pd_board *board, int64_t worked_ns);
/* READY with the outcome that follows from what was put on the board. */
void pd_board_end(pd_board *board);

#define PD_BOARD_COUNT_BYTES 32
const char *pd_board_format_count(int64_t count, char ret_text[PD_BOARD_COUNT_BYTES]); /* "12,345" */

/* `path` made printable and cut at the front ("...") to fit. */
void pd_board_format_path(const char *path, char ret_text[PD_PROGRESS_TEXT_BYTES]);

#endif
