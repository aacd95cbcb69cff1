#include "base/queue.h"

#include <pthread.h>
#include <time.h>

#include "base/mem.h"

struct pd_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t capacity, first, count;
    bool closed;
    void *items[]; /* ring: count items from `first` */
};

static void cond_init_monotonic(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

pd_status pd_queue_create(pd_queue **ret_queue, size_t capacity)
{
    size_t bytes;
    if (__builtin_mul_overflow(capacity, sizeof(void *), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(pd_queue), &bytes))
        return PD_ERR_NOMEM;
    pd_queue *queue = pd_mem_alloc(1, bytes);
    if (!queue)
        return PD_ERR_NOMEM;
    pthread_mutex_init(&queue->lock, NULL);
    cond_init_monotonic(&queue->not_empty);
    cond_init_monotonic(&queue->not_full);
    queue->capacity = capacity;
    *ret_queue = queue;
    return PD_OK;
}

void pd_queue_free(pd_queue **queue)
{
    if (!*queue)
        return;
    pthread_cond_destroy(&(*queue)->not_full);
    pthread_cond_destroy(&(*queue)->not_empty);
    pthread_mutex_destroy(&(*queue)->lock);
    pd_mem_free(*queue);
    *queue = NULL;
}

bool pd_queue_push(pd_queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->count == queue->capacity && !queue->closed)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    const bool accepted = !queue->closed;
    if (accepted) {
        queue->items[(queue->first + queue->count++) % queue->capacity] = item;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->lock);
    return accepted;
}

void *pd_queue_pop(pd_queue *queue, int64_t deadline_ns, bool *ret_closed)
{
    const struct timespec deadline = { .tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000 };
    pthread_mutex_lock(&queue->lock);
    int timed_out = 0;
    while (queue->count == 0 && !queue->closed && !timed_out) {
        if (deadline_ns == INT64_MAX)
            pthread_cond_wait(&queue->not_empty, &queue->lock);
        else
            timed_out = pthread_cond_timedwait(&queue->not_empty, &queue->lock, &deadline);
    }
    void *item = NULL;
    if (queue->count > 0) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    if (ret_closed)
        *ret_closed = !item && queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void pd_queue_close(pd_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
}

size_t pd_queue_count(pd_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
