#include "pipeline/feed.h"

#include <string.h>

#include "base/mem.h"

void pd_feed_init(pd_feed *feed, const pd_plan *plan, pd_board *board)
{
    *feed = (pd_feed){ .plan = plan, .board = board };
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->released, NULL);
}

void pd_feed_done(pd_feed *feed)
{
    pd_mem_free(feed->claims);
    pd_mem_free(feed->deferred);
    pthread_cond_destroy(&feed->released);
    pthread_mutex_destroy(&feed->lock);
}

static size_t find_claim(const pd_feed *feed, const uint8_t sha256[PD_SHA256_BYTES])
{
    size_t i = 0;
    while (i < feed->n_claims && memcmp(feed->claims[i].sha256, sha256, PD_SHA256_BYTES) != 0)
        i++;
    return i;
}

/* A deferred file whose content is no longer claimed; NULL: none. */
static const pd_todo *take_deferred(pd_feed *feed)
{
    for (size_t i = 0; i < feed->n_deferred; i++) {
        if (find_claim(feed, feed->deferred[i].content.sha256) < feed->n_claims)
            continue;
        const pd_todo *todo = feed->deferred[i].todo;
        feed->deferred[i] = feed->deferred[--feed->n_deferred];
        return todo;
    }
    return NULL;
}

void pd_feed_begin_round(pd_feed *feed, pd_speed speed)
{
    pthread_mutex_lock(&feed->lock);
    feed->speed = speed;
    pthread_mutex_unlock(&feed->lock);
}

bool pd_feed_is_empty(pd_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    const bool is_empty = feed->next >= feed->plan->n_todo && feed->n_deferred == 0;
    pthread_mutex_unlock(&feed->lock);
    return is_empty;
}

/* Without waiting. */
static bool is_round_over(pd_feed *feed)
{
    return !pd_board_going_on(feed->board) || pd_board_speed_now(feed->board) != feed->speed;
}

const pd_todo *pd_feed_next(pd_feed *feed)
{
    const pd_todo *todo = NULL;
    while (!todo && pd_board_may_begin(feed->board) && !is_round_over(feed)) {
        pthread_mutex_lock(&feed->lock);
        if (feed->next < feed->plan->n_todo)
            todo = &feed->plan->todo[feed->next++];
        else
            todo = take_deferred(feed);
        const bool wait = !todo && feed->n_deferred > 0;
        if (wait && !is_round_over(feed))
            pthread_cond_wait(&feed->released, &feed->lock);
        pthread_mutex_unlock(&feed->lock);
        if (!todo && !wait)
            break;
    }
    return todo;
}

bool pd_feed_claim(pd_feed *feed, const pd_todo *todo, const uint8_t sha256[PD_SHA256_BYTES])
{
    pd_error error = { 0 };
    pthread_mutex_lock(&feed->lock);
    const bool is_free = find_claim(feed, sha256) == feed->n_claims;
    if (is_free) {
        pd_claim *claims = pd_list_grow(feed->claims, &feed->claims_capacity, feed->n_claims, sizeof *claims);
        if (claims) {
            feed->claims = claims;
            memcpy(claims[feed->n_claims++].sha256, sha256, PD_SHA256_BYTES);
        } else {
            (void)pd_error_set_nomem(&error);
        }
    } else {
        pd_deferred *deferred =
            pd_list_grow(feed->deferred, &feed->deferred_capacity, feed->n_deferred, sizeof *deferred);
        if (deferred) {
            feed->deferred = deferred;
            deferred[feed->n_deferred].todo = todo;
            memcpy(deferred[feed->n_deferred++].content.sha256, sha256, PD_SHA256_BYTES);
        } else {
            (void)pd_error_set_nomem(&error);
        }
    }
    pthread_mutex_unlock(&feed->lock);
    if (error.status != PD_OK)
        pd_board_stop(feed->board, &error);
    return is_free && error.status == PD_OK;
}

void pd_feed_release(pd_feed *feed, const uint8_t sha256[PD_SHA256_BYTES])
{
    pthread_mutex_lock(&feed->lock);
    const size_t i = find_claim(feed, sha256);
    if (i < feed->n_claims)
        feed->claims[i] = feed->claims[--feed->n_claims];
    pthread_cond_broadcast(&feed->released);
    pthread_mutex_unlock(&feed->lock);
}

void pd_feed_wake(pd_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    pthread_cond_broadcast(&feed->released);
    pthread_mutex_unlock(&feed->lock);
}
