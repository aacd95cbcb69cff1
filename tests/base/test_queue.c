/* queue.h, thread.h */
#include "test.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/queue.h"
#include "base/thread.h"

enum { N_THREADS = 4, N_ITEMS = 5000 };

typedef struct team {
    pd_queue *queue;
    _Atomic uint64_t sum;
    _Atomic size_t n;
    _Atomic size_t next_producer;
} team;

static void *produce(void *arg)
{
    team *t = arg;
    const size_t first = atomic_fetch_add(&t->next_producer, 1) * N_ITEMS;
    for (size_t i = first + 1; i <= first + N_ITEMS; i++)
        if (!pd_queue_push(t->queue, (void *)(uintptr_t)i))
            break;
    return NULL;
}

static void *consume(void *arg)
{
    team *t = arg;
    bool closed = false;
    for (void *item; (item = pd_queue_pop(t->queue, INT64_MAX, &closed));) {
        atomic_fetch_add(&t->sum, (uintptr_t)item);
        atomic_fetch_add(&t->n, 1);
    }
    return closed ? NULL : arg;
}

static void every_item_arrives_once(void)
{
    team t = { 0 };
    pthread_t producers[N_THREADS], consumers[N_THREADS];
    pd_error err;
    REQUIRE(pd_queue_create(&t.queue, 7) == PD_OK);
    for (int i = 0; i < N_THREADS; i++) {
        REQUIRE(pd_thread_start(&consumers[i], "consumer", consume, &t, &err) == PD_OK);
        REQUIRE(pd_thread_start(&producers[i], "producer", produce, &t, &err) == PD_OK);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(producers[i], NULL);
    pd_queue_close(t.queue);
    for (int i = 0; i < N_THREADS; i++) {
        void *not_closed = NULL;
        pthread_join(consumers[i], &not_closed);
        CHECK(not_closed == NULL);
    }
    const uint64_t n = (uint64_t)N_THREADS * N_ITEMS;
    CHECK(t.n == n && t.sum == n * (n + 1) / 2 && pd_queue_count(t.queue) == 0);
    pd_queue_free(&t.queue);
    CHECK(t.queue == NULL);
    pd_queue_free(&t.queue);
}

static void items_come_out_in_order(void)
{
    pd_queue *queue = NULL;
    int items[10];
    REQUIRE(pd_queue_create(&queue, 3) == PD_OK);
    for (int i = 0; i < 9; i += 3) { /* around the ring */
        for (int k = 0; k < 3; k++)
            CHECK(pd_queue_push(queue, &items[i + k]));
        CHECK(pd_queue_count(queue) == 3);
        for (int k = 0; k < 3; k++)
            CHECK(pd_queue_pop(queue, INT64_MAX, NULL) == &items[i + k]);
    }
    pd_queue_free(&queue);
}

static void a_pop_gives_up_at_its_deadline(void)
{
    pd_queue *queue = NULL;
    bool closed = true;
    int item;
    REQUIRE(pd_queue_create(&queue, 1) == PD_OK);
    const int64_t start = pd_clock_ns();
    CHECK(pd_queue_pop(queue, start + 20 * PD_NS_PER_MS, &closed) == NULL && !closed);
    CHECK(pd_clock_ns() - start >= 20 * PD_NS_PER_MS);
    CHECK(pd_queue_pop(queue, 0, &closed) == NULL && !closed);
    CHECK(pd_queue_pop(queue, -5, &closed) == NULL && !closed);
    CHECK(pd_queue_push(queue, &item));
    CHECK(pd_queue_pop(queue, 0, &closed) == &item && !closed); /* what is there comes, late or not */
    pd_queue_free(&queue);
}

static void a_closed_queue_gives_what_it_has_and_takes_nothing(void)
{
    pd_queue *queue = NULL;
    int item;
    bool closed = true;
    REQUIRE(pd_queue_create(&queue, 2) == PD_OK);
    CHECK(pd_queue_push(queue, &item));
    pd_queue_close(queue);
    pd_queue_close(queue);
    CHECK(!pd_queue_push(queue, &item));
    CHECK(pd_queue_pop(queue, INT64_MAX, &closed) == &item && !closed);
    CHECK(pd_queue_pop(queue, INT64_MAX, &closed) == NULL && closed);
    CHECK(pd_queue_pop(queue, 0, &closed) == NULL && closed);
    pd_queue_free(&queue);
}

static void *push_one(void *arg) { return pd_queue_push(arg, arg) ? arg : NULL; }

static void closing_wakes_who_waits_for_room(void)
{
    pd_queue *queue = NULL;
    pthread_t pusher;
    pd_error err;
    void *accepted = &err;
    REQUIRE(pd_queue_create(&queue, 1) == PD_OK);
    CHECK(pd_queue_push(queue, queue));
    REQUIRE(pd_thread_start(&pusher, "pusher", push_one, queue, &err) == PD_OK);
    pd_queue_close(queue);
    pthread_join(pusher, &accepted);
    CHECK(accepted == NULL && pd_queue_count(queue) == 1);
    pd_queue_free(&queue);
}

static void a_queue_needs_memory(void)
{
    pd_queue *queue = NULL;
    (void)pd_mem_fail_at(1);
    CHECK(pd_queue_create(&queue, 4) == PD_ERR_NOMEM && queue == NULL);
    (void)pd_mem_fail_at(0);
    volatile size_t endless = SIZE_MAX / 4;
    CHECK(pd_queue_create(&queue, endless) == PD_ERR_NOMEM && queue == NULL);
}

static void *look_at_myself(void *arg)
{
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_getname_np(pthread_self(), arg, 16);
    return sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) ? arg : NULL;
}

static void threads_leave_signals_to_the_main_thread(void)
{
    char name[16] = "";
    pthread_t thread;
    pd_error err;
    void *blocked = NULL;
    sigset_t mine;
    REQUIRE(pd_thread_start(&thread, "looker", look_at_myself, name, &err) == PD_OK);
    pthread_join(thread, &blocked);
    CHECK(blocked != NULL);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    CHECK(!sigismember(&mine, SIGINT));
    CHECK(pd_thread_cpu_count() >= 1);
}

int main(void)
{
    RUN(every_item_arrives_once);
    RUN(items_come_out_in_order);
    RUN(a_pop_gives_up_at_its_deadline);
    RUN(a_closed_queue_gives_what_it_has_and_takes_nothing);
    RUN(closing_wakes_who_waits_for_room);
    RUN(a_queue_needs_memory);
    RUN(threads_leave_signals_to_the_main_thread);
    return TEST_RESULT();
}
