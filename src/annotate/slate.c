#include "annotate/slate.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

void pd_slate_init(pd_slate *slate, bool (*must_wait)(void *user), void *user)
{
    memset(slate, 0, sizeof *slate);
    pthread_mutex_init(&slate->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&slate->changed, &attr);
    pthread_condattr_destroy(&attr);
    atomic_init(&slate->cancelled, false);
    slate->must_wait = must_wait;
    slate->user = user;
    slate->now = (pd_annotation_state){ .seq = 1, .running = true, .eta_s = -1 };
}

void pd_slate_done(pd_slate *slate)
{
    pthread_cond_destroy(&slate->changed);
    pthread_mutex_destroy(&slate->lock);
}

/* With the lock held: every change ends here. */
static void publish(pd_slate *slate)
{
    slate->now.seq++;
    pthread_cond_broadcast(&slate->changed);
}

/* Waits for a change, with the lock held; false: the time is over. */
static bool wait_until(pd_slate *slate, int64_t due_ns)
{
    const struct timespec due = { .tv_sec = due_ns / PD_NS_PER_S, .tv_nsec = due_ns % PD_NS_PER_S };
    return pthread_cond_timedwait(&slate->changed, &slate->lock, &due) == 0;
}

static double seconds(int64_t ns) { return (double)ns / (double)PD_NS_PER_S; }

/* Forgets what was measured: a phase begins, or goes on after a rest. */
static void begin_measuring(pd_slate *slate)
{
    slate->first_sample = 0;
    slate->n_samples = 1;
    slate->samples[0] = (pd_slate_sample){ pd_clock_ns(), slate->now.done };
}

static void take_sample(pd_slate *slate, int64_t now_ns)
{
    if (slate->n_samples == 0)
        return;
    const int64_t step_ns = (int64_t)(PD_SLATE_WINDOW_S / PD_SLATE_SAMPLES * (double)PD_NS_PER_S);
    const size_t newest = (slate->first_sample + slate->n_samples - 1) % PD_SLATE_SAMPLES;
    if (now_ns - slate->samples[newest].ns < step_ns)
        return;
    if (slate->n_samples == PD_SLATE_SAMPLES) {
        slate->first_sample = (slate->first_sample + 1) % PD_SLATE_SAMPLES;
        slate->n_samples--;
    }
    slate->samples[(slate->first_sample + slate->n_samples) % PD_SLATE_SAMPLES] =
        (pd_slate_sample){ now_ns, slate->now.done };
    slate->n_samples++;
}

/* What depends on the time of looking is worked out for the copy. With the lock held. */
static void copy_now(const pd_slate *slate, pd_annotation_state *ret_state)
{
    *ret_state = slate->now;
    ret_state->rate = 0;
    ret_state->eta_s = slate->now.running ? -1 : 0;
    if (!slate->now.running || slate->now.paused || slate->now.waiting || slate->n_samples == 0)
        return;
    const pd_slate_sample *oldest = &slate->samples[slate->first_sample];
    const double time_s = seconds(pd_clock_ns() - oldest->ns);
    const int64_t done = slate->now.done - oldest->done;
    if (done <= 0 || time_s <= 0)
        return;
    ret_state->rate = (double)done / time_s;
    ret_state->eta_s = (double)(slate->now.todo - slate->now.done) / ret_state->rate;
}

void pd_slate_look(pd_slate *slate, pd_annotation_state *ret_state)
{
    pthread_mutex_lock(&slate->lock);
    copy_now(slate, ret_state);
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_wait(pd_slate *slate, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state)
{
    const int64_t due_ns = pd_clock_ns() + timeout_ms * PD_NS_PER_MS;
    pthread_mutex_lock(&slate->lock);
    while (slate->now.seq == seq && slate->now.running && wait_until(slate, due_ns))
        continue;
    copy_now(slate, ret_state);
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_pause(pd_slate *slate, bool paused)
{
    pthread_mutex_lock(&slate->lock);
    if (slate->now.paused != paused && slate->now.running) {
        slate->now.paused = paused;
        publish(slate);
    }
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_cancel(pd_slate *slate)
{
    pthread_mutex_lock(&slate->lock);
    atomic_store(&slate->cancelled, true);
    publish(slate);
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_first(pd_slate *slate, const int64_t *contents, size_t n)
{
    pthread_mutex_lock(&slate->lock);
    slate->n_first = n < PD_SLATE_FIRST_MAX ? n : PD_SLATE_FIRST_MAX;
    if (slate->n_first > 0)
        memcpy(slate->first, contents, slate->n_first * sizeof *contents);
    slate->first_number++;
    pthread_mutex_unlock(&slate->lock);
}

size_t pd_slate_copy_first(pd_slate *slate, uint64_t *number, int64_t ret_contents[PD_SLATE_FIRST_MAX])
{
    pthread_mutex_lock(&slate->lock);
    const size_t n = slate->first_number == *number ? 0 : slate->n_first;
    memcpy(ret_contents, slate->first, n * sizeof *ret_contents);
    *number = slate->first_number;
    pthread_mutex_unlock(&slate->lock);
    return n;
}

bool pd_slate_is_cancelled(pd_slate *slate) { return atomic_load(&slate->cancelled); }

static bool must_wait(const pd_slate *slate) { return slate->must_wait && slate->must_wait(slate->user); }

bool pd_slate_may_begin(pd_slate *slate)
{
    bool rested = false;
    for (;;) {
        const bool waits = must_wait(slate); /* it looks at a file: not under the lock */
        pthread_mutex_lock(&slate->lock);
        if (slate->now.waiting != waits) {
            slate->now.waiting = waits;
            publish(slate);
        }
        const bool cancelled = atomic_load(&slate->cancelled), rests = waits || slate->now.paused;
        if (!cancelled && rests)
            (void)wait_until(slate, pd_clock_ns() + PD_SLATE_WAIT_MS * PD_NS_PER_MS);
        else if (rested)
            begin_measuring(slate);
        pthread_mutex_unlock(&slate->lock);
        if (cancelled || !rests)
            return !cancelled;
        rested = true;
    }
}

bool pd_slate_going_on(pd_slate *slate)
{
    const bool waits = must_wait(slate);
    pthread_mutex_lock(&slate->lock);
    const bool going_on = !waits && !slate->now.paused && !atomic_load(&slate->cancelled);
    pthread_mutex_unlock(&slate->lock);
    return going_on;
}

void pd_slate_enter(pd_slate *slate, bool captioning, int64_t todo)
{
    pthread_mutex_lock(&slate->lock);
    slate->now.captioning = captioning;
    slate->now.todo = todo;
    slate->now.done = 0;
    begin_measuring(slate);
    publish(slate);
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_add(pd_slate *slate, const pd_slate_counts *counts)
{
    pthread_mutex_lock(&slate->lock);
    slate->now.done += counts->done;
    if (slate->now.done > slate->now.todo) /* more came meanwhile */
        slate->now.todo = slate->now.done;
    slate->now.tagged += counts->tagged;
    slate->now.captioned += counts->captioned;
    slate->now.doubtful += counts->doubtful;
    slate->now.failed += counts->failed;
    take_sample(slate, pd_clock_ns());
    publish(slate);
    pthread_mutex_unlock(&slate->lock);
}

void pd_slate_end(pd_slate *slate, pd_status outcome, const char *message)
{
    pthread_mutex_lock(&slate->lock);
    slate->now.running = slate->now.paused = slate->now.waiting = false;
    slate->now.outcome = outcome;
    (void)snprintf(slate->now.message, sizeof slate->now.message, "%s", message);
    publish(slate);
    pthread_mutex_unlock(&slate->lock);
}
