/* The write stage alone: what it commits, and when. */
#include "test.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "pipeline/stages.h"
#include "scene.h"

static pd_board board;
static pd_progress now;
static pd_stages stages;
static const pd_todo todo = { .path = "/photos/gone.jpg" };

static void *write_all(void *user)
{
    pd_stage_write(user);
    return NULL;
}

/* Files that vanished: they are counted, and nothing else is done with them. */
static bool push(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pd_item *item = pd_item_create(&todo);
        if (!item)
            return false;
        item->kind = PD_ITEM_GONE;
        pd_item_push(stages.to_write, item);
    }
    return true;
}

static void wait_for_done(int64_t n)
{
    pd_board_snapshot(&board, &now);
    while (now.done < n)
        pd_board_wait(&board, now.seq, 1000, &now);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* A batch of one file stays open for PD_STAGE_BATCH_MS; who pauses does not wait for that. */
static void a_pause_commits_the_open_batch(void)
{
    enum { GROWN = PD_STAGE_FIRST_BATCH_FILES * 15, ROUNDS = 20, TAKEN_MS = 20 };
    pthread_t thread;
    REQUIRE(scene_begin());
    pd_board_init(&board, PD_SPEED_FULL);
    pd_board_plan(&board, GROWN + 2 * ROUNDS);
    stages = (pd_stages){ .board = &board };
    REQUIRE(pd_store_open(&stages.store, scene_path("catalogue.sqlite"), PD_STORE_WRITE, NULL) == PD_OK);
    REQUIRE(pd_queue_create(&stages.to_write, GROWN) == PD_OK);
    REQUIRE(pthread_create(&thread, NULL, write_all, &stages) == 0);
    REQUIRE(push(GROWN)); /* batches of 4, 8, 16, 32: from now on they stay open for the whole second */
    wait_for_done(GROWN);
    int64_t open_ns = INT64_MAX, paused_ns = INT64_MAX;
    /* the best of several where others keep it from the CPU or the disk: one is enough to tell the two apart */
    for (int64_t done = GROWN; done < GROWN + 2 * ROUNDS && paused_ns >= open_ns / 2; done += 2) {
        const int64_t pushed_ns = pd_clock_ns();
        REQUIRE(push(1));
        wait_for_done(done + 1);
        open_ns = least(open_ns, pd_clock_ns() - pushed_ns);
        REQUIRE(push(1));
        usleep(TAKEN_MS * 1000); /* the stage has it, and its batch is open */
        const int64_t start_ns = pd_clock_ns();
        pd_board_pause(&board, true);
        wait_for_done(done + 2);
        paused_ns = least(paused_ns, pd_clock_ns() - start_ns);
        pd_board_pause(&board, false);
    }
    printf("# a batch of one file is committed after %.0f ms, when paused after %.0f ms\n", (double)open_ns / 1e6,
           (double)paused_ns / 1e6);
    CHECK(open_ns >= PD_STAGE_BATCH_MS * PD_NS_PER_MS); /* or the next line would say nothing */
    CHECK(paused_ns < open_ns / 2);                     /* measured 100 ms and less */
    pd_queue_close(stages.to_write);
    pthread_join(thread, NULL);
    pd_queue_free(&stages.to_write);
    pd_store_close(&stages.store);
    pd_board_done(&board);
    scene_end();
}

int main(void)
{
    RUN(a_pause_commits_the_open_batch);
    return TEST_RESULT();
}
