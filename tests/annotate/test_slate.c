/* What an annotation says of itself, and how it is asked to rest. */
#include "annotate/slate.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "test.h"

static atomic_bool learning;

static bool somebody_learns(void *user)
{
    (void)user;
    return atomic_load(&learning);
}

static void counts_add_up_and_every_change_is_told(void)
{
    pd_slate slate;
    pd_annotation_state state, later;
    pd_slate_init(&slate, NULL, NULL);
    pd_slate_look(&slate, &state);
    CHECK(state.running && !state.paused && !state.waiting && state.seq > 0 && state.eta_s == -1);
    pd_slate_enter(&slate, true, 3);
    pd_slate_add(&slate, &(pd_slate_counts){ .done = 2, .captioned = 1, .doubtful = 1, .failed = 1 });
    pd_slate_wait(&slate, state.seq, 1000, &later);
    CHECK(later.seq > state.seq && later.captioning && later.todo == 3 && later.done == 2);
    CHECK(later.captioned == 1 && later.doubtful == 1 && later.failed == 1);
    CHECK(later.rate > 0 && later.eta_s >= 0);
    pd_slate_add(&slate, &(pd_slate_counts){ .done = 5, .captioned = 5 }); /* more came than were counted */
    pd_slate_look(&slate, &state);
    CHECK(state.done == 7 && state.todo == 7);
    pd_slate_end(&slate, PD_ERR_FULL, "the disk is full");
    pd_slate_wait(&slate, state.seq, 0, &state);
    CHECK(!state.running && state.outcome == PD_ERR_FULL && strcmp(state.message, "the disk is full") == 0);
    CHECK(state.eta_s == 0 && state.rate == 0);
    pd_slate_wait(&slate, state.seq, INT32_MAX, &state); /* nothing changes any more: it does not wait */
    pd_slate_done(&slate);
}

static void a_wait_without_a_change_ends_in_time(void)
{
    pd_slate slate;
    pd_annotation_state state;
    pd_slate_init(&slate, NULL, NULL);
    pd_slate_look(&slate, &state);
    const int64_t before_ns = pd_clock_ns();
    pd_slate_wait(&slate, state.seq, 30, &state);
    const int64_t waited_ns = pd_clock_ns() - before_ns;
    CHECK(waited_ns >= 29 * PD_NS_PER_MS);
    pd_slate_done(&slate);
}

static void *begin_something(void *user) { return pd_slate_may_begin(user) ? user : NULL; }

static void rest_of(pd_slate *slate, pthread_t *ret_thread)
{
    pd_annotation_state state;
    REQUIRE(pd_thread_start(ret_thread, "begins", begin_something, slate, NULL) == PD_OK);
    pd_slate_look(slate, &state);
    while (atomic_load(&learning) && !state.waiting)
        pd_slate_wait(slate, state.seq, 1000, &state);
}

static void a_pause_holds_until_it_ends_or_all_does(void)
{
    pd_slate slate;
    pthread_t thread;
    void *begun = NULL;
    pd_slate_init(&slate, NULL, NULL);
    CHECK(pd_slate_going_on(&slate) && pd_slate_may_begin(&slate));
    pd_slate_pause(&slate, true);
    CHECK(!pd_slate_going_on(&slate));
    rest_of(&slate, &thread);
    pd_slate_pause(&slate, false);
    pthread_join(thread, &begun);
    CHECK(begun == &slate);
    pd_slate_pause(&slate, true);
    rest_of(&slate, &thread);
    pd_slate_cancel(&slate);
    pthread_join(thread, &begun);
    CHECK(begun == NULL && pd_slate_is_cancelled(&slate) && !pd_slate_may_begin(&slate));
    pd_slate_done(&slate);
}

static void who_learns_goes_first(void)
{
    pd_slate slate;
    pthread_t thread;
    void *begun = NULL;
    pd_annotation_state state;
    pd_slate_init(&slate, somebody_learns, NULL);
    atomic_store(&learning, true);
    CHECK(!pd_slate_going_on(&slate));
    rest_of(&slate, &thread);
    pd_slate_look(&slate, &state);
    CHECK(state.waiting && !state.paused);
    atomic_store(&learning, false);
    pthread_join(thread, &begun);
    pd_slate_look(&slate, &state);
    CHECK(begun == &slate && !state.waiting);
    pd_slate_done(&slate);
}

static void what_is_asked_for_is_told_once_to_each_who_asks(void)
{
    pd_slate slate;
    int64_t many[PD_SLATE_FIRST_MAX + 5], found[PD_SLATE_FIRST_MAX];
    uint64_t one = 0, other = 0;
    for (size_t i = 0; i < PD_SLATE_FIRST_MAX + 5; i++)
        many[i] = (int64_t)i + 100;
    pd_slate_init(&slate, NULL, NULL);
    CHECK(pd_slate_copy_first(&slate, &one, found) == 0);
    pd_slate_first(&slate, (int64_t[]){ 7, 9 }, 2);
    CHECK(pd_slate_copy_first(&slate, &one, found) == 2 && found[0] == 7 && found[1] == 9);
    CHECK(pd_slate_copy_first(&slate, &one, found) == 0);
    CHECK(pd_slate_copy_first(&slate, &other, found) == 2);
    pd_slate_first(&slate, many, PD_SLATE_FIRST_MAX + 5);
    CHECK(pd_slate_copy_first(&slate, &one, found) == PD_SLATE_FIRST_MAX && found[0] == 100);
    pd_slate_done(&slate);
}

int main(void)
{
    RUN(counts_add_up_and_every_change_is_told);
    RUN(a_wait_without_a_change_ends_in_time);
    RUN(a_pause_holds_until_it_ends_or_all_does);
    RUN(who_learns_goes_first);
    RUN(what_is_asked_for_is_told_once_to_each_who_asks);
    return TEST_RESULT();
}
