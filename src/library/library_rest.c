/* library_rest.c: what nobody has asked for a while is put away: vectors, embedded words, columns, kept results and
 * connections. It all comes back from the catalogue and its caches with the next question; a kept result does not, and
 * is asked for again. Models rest by themselves (model/residency.h), decoders too. */
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "library/library_find.h"

void pd_library_rest_init(pd_library_rest *rest, double idle_s)
{
    rest->idle_s = idle_s != 0 ? idle_s : PD_RESIDENCY_IDLE_S;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&rest->lock, NULL);
    pthread_cond_init(&rest->changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pd_library_rest_done(pd_library *library)
{
    pd_library_rest *rest = &library->rest;
    pthread_mutex_lock(&rest->lock);
    rest->closing = true;
    pthread_cond_broadcast(&rest->changed);
    const bool has_thread = rest->has_thread;
    pthread_mutex_unlock(&rest->lock);
    if (has_thread)
        pthread_join(rest->thread, NULL);
    pthread_cond_destroy(&rest->changed);
    pthread_mutex_destroy(&rest->lock);
}

/* Each part under its own lock: whoever comes in between opens it again. */
static void put_away(pd_library *library)
{
    pthread_mutex_lock(&library->searcher.lock);
    pd_library_searcher_clear(&library->searcher);
    pthread_mutex_unlock(&library->searcher.lock);
    pthread_mutex_lock(&library->finder.lock);
    pd_library_finder_clear(&library->finder);
    pthread_mutex_unlock(&library->finder.lock);
    pthread_mutex_lock(&library->reader.lock);
    pd_store_close(&library->reader.store);
    pthread_mutex_unlock(&library->reader.lock);
    pthread_mutex_lock(&library->writer.lock);
    pd_store_close(&library->writer.store);
    pthread_mutex_unlock(&library->writer.lock);
    pd_mem_trim();
}

/* When what is open has rested long enough; INT64_MAX: not as things are. With rest.lock held. */
static int64_t due_of(const pd_library_rest *rest)
{
    if (rest->used_ns == 0 || rest->idle_s < 0 || rest->idle_s > 1e9)
        return INT64_MAX;
    return rest->used_ns + (int64_t)(rest->idle_s * (double)PD_NS_PER_S);
}

static void *run(void *user)
{
    pd_library *library = user;
    pd_library_rest *rest = &library->rest;
    pthread_mutex_lock(&rest->lock);
    while (!rest->closing) {
        const int64_t due_ns = due_of(rest);
        if (due_ns == INT64_MAX) {
            pthread_cond_wait(&rest->changed, &rest->lock);
        } else if (pd_clock_ns() < due_ns) {
            const struct timespec when = { .tv_sec = due_ns / PD_NS_PER_S, .tv_nsec = due_ns % PD_NS_PER_S };
            (void)pthread_cond_timedwait(&rest->changed, &rest->lock, &when);
        } else {
            rest->used_ns = 0;
            pthread_mutex_unlock(&rest->lock);
            put_away(library);
            pthread_mutex_lock(&rest->lock);
        }
    }
    pthread_mutex_unlock(&rest->lock);
    return NULL;
}

/* Without the thread nothing is ever put away, and nothing else is amiss: the next question tries again. */
void pd_library_touch(pd_library *library)
{
    pd_library_rest *rest = &library->rest;
    pthread_mutex_lock(&rest->lock);
    const bool wakes = rest->used_ns == 0; /* else the thread looks again when it is due */
    rest->used_ns = pd_clock_ns();
    if (!rest->has_thread && !rest->closing)
        rest->has_thread = pd_thread_start(&rest->thread, "pd-rest", run, library, NULL) == PD_OK;
    else if (wakes)
        pthread_cond_signal(&rest->changed);
    pthread_mutex_unlock(&rest->lock);
}

double pd_library_idle(pd_library *library)
{
    pthread_mutex_lock(&library->rest.lock);
    const double idle_s = library->rest.idle_s;
    pthread_mutex_unlock(&library->rest.lock);
    return idle_s;
}

void pd_library_set_idle(pd_library *library, const char *name, double idle_s)
{
    pd_library_rest *rest = &library->rest;
    if (name) {
        pd_library_set_model_idle(library, name, idle_s);
        return;
    }
    pd_residency_set_idle(library->shelf.residency, NULL, idle_s);
    pthread_mutex_lock(&rest->lock);
    rest->idle_s = idle_s != 0 ? idle_s : PD_RESIDENCY_IDLE_S;
    pthread_cond_signal(&rest->changed);
    pthread_mutex_unlock(&rest->lock);
}
