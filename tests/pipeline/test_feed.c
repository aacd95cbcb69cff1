#include "test.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "pipeline/feed.h"

static pd_board board;
static pd_feed feed;
static pd_todo todos[3] = { { .path = "/a" }, { .path = "/b" }, { .path = "/c" } };
static pd_plan plan;
static const uint8_t one[PD_SHA256_BYTES] = { 1 }, two[PD_SHA256_BYTES] = { 2 };

static void begin(size_t n_todo)
{
    plan = (pd_plan){ .todo = todos, .n_todo = n_todo };
    pd_board_init(&board, PD_SPEED_NORMAL);
    pd_feed_init(&feed, &plan, &board);
}

static void end(void)
{
    pd_feed_done(&feed);
    pd_board_done(&board);
}

static void files_come_in_order_and_end(void)
{
    begin(3);
    for (size_t i = 0; i < 3; i++)
        CHECK(pd_feed_next(&feed) == &todos[i]);
    CHECK(pd_feed_next(&feed) == NULL);
    end();
}

static void a_twin_comes_again_when_its_content_is_released(void)
{
    begin(2);
    CHECK(pd_feed_next(&feed) == &todos[0]);
    CHECK(pd_feed_claim(&feed, &todos[0], one));
    CHECK(pd_feed_next(&feed) == &todos[1]);
    CHECK(!pd_feed_claim(&feed, &todos[1], one)); /* deferred */
    pd_feed_release(&feed, one);
    CHECK(pd_feed_next(&feed) == &todos[1]);
    CHECK(pd_feed_claim(&feed, &todos[1], one));
    CHECK(pd_feed_next(&feed) == NULL);
    pd_feed_release(&feed, one);
    end();
}

static void different_contents_do_not_wait_for_each_other(void)
{
    begin(2);
    CHECK(pd_feed_claim(&feed, &todos[0], one));
    CHECK(pd_feed_claim(&feed, &todos[1], two));
    pd_feed_release(&feed, one);
    pd_feed_release(&feed, two);
    CHECK(feed.n_claims == 0 && feed.n_deferred == 0);
    end();
}

static void *take_next(void *user)
{
    *(const pd_todo **)user = pd_feed_next(&feed);
    return NULL;
}

static void waiting_for_a_twin_ends_with_release_or_cancel(void)
{
    for (int cancel = 0; cancel < 2; cancel++) {
        begin(2);
        (void)pd_feed_next(&feed);
        (void)pd_feed_next(&feed);
        CHECK(pd_feed_claim(&feed, &todos[0], one) && !pd_feed_claim(&feed, &todos[1], one));
        const pd_todo *taken = &todos[2];
        pthread_t thread;
        REQUIRE(pthread_create(&thread, NULL, take_next, &taken) == 0);
        usleep(20000);
        if (cancel) {
            pd_board_cancel(&board);
            pd_feed_wake(&feed);
        } else {
            pd_feed_release(&feed, one);
        }
        pthread_join(thread, NULL);
        CHECK(taken == (cancel ? NULL : &todos[1]));
        end();
    }
}

static void out_of_memory_stops_the_job(void)
{
    begin(1);
    const size_t live = pd_mem_live();
    pd_mem_fail_at(1);
    CHECK(!pd_feed_claim(&feed, &todos[0], one));
    pd_mem_fail_at(0);
    CHECK(board.stop_error.status == PD_ERR_NOMEM && pd_mem_live() == live);
    CHECK(pd_feed_next(&feed) == NULL);
    end();
}

int main(void)
{
    RUN(files_come_in_order_and_end);
    RUN(a_twin_comes_again_when_its_content_is_released);
    RUN(different_contents_do_not_wait_for_each_other);
    RUN(waiting_for_a_twin_ends_with_release_or_cancel);
    RUN(out_of_memory_stops_the_job);
    return TEST_RESULT();
}
