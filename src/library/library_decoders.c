/* library_decoders.c: decoder processes for single pictures: a view, a thumbnail, an example. */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/thread.h"
#include "library/library_parts.h"

void pd_library_decoders_init(pd_library_decoders *decoders)
{
    pthread_mutex_init(&decoders->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&decoders->changed, &attr);
    pthread_condattr_destroy(&attr);
}

void pd_library_decoders_done(pd_library_decoders *decoders)
{
    pthread_mutex_lock(&decoders->lock);
    decoders->closing = true;
    pthread_cond_broadcast(&decoders->changed);
    pthread_mutex_unlock(&decoders->lock);
    if (decoders->has_reaper)
        pthread_join(decoders->reaper, NULL);
    pd_media_pool_free(&decoders->pool);
    pthread_cond_destroy(&decoders->changed);
    pthread_mutex_destroy(&decoders->lock);
}

void pd_library_stop_decoding(pd_library *library)
{
    pd_library_decoders *d = &library->decoders;
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    if (d->pool)
        pd_media_pool_cancel(d->pool);
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* Waits until the decoders have been idle, ends them, and waits for the next ones. */
static void *reap(void *user)
{
    pd_library_decoders *d = user;
    pthread_mutex_lock(&d->lock);
    while (!d->closing) {
        if (!d->pool || d->n_users > 0) {
            pthread_cond_wait(&d->changed, &d->lock);
            continue;
        }
        const int64_t due_ns = d->idle_since_ns + PD_LIBRARY_DECODER_IDLE_S * PD_NS_PER_S;
        if (pd_clock_ns() >= due_ns) {
            pd_media_pool_free(&d->pool);
            continue;
        }
        const struct timespec due = { .tv_sec = due_ns / PD_NS_PER_S, .tv_nsec = due_ns % PD_NS_PER_S };
        pthread_cond_timedwait(&d->changed, &d->lock, &due);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* With decoders.lock held. */
static pd_status need_pool(pd_library *library, pd_error *err)
{
    pd_library_decoders *d = &library->decoders;
    if (d->closing)
        return pd_error_set(err, PD_ERR_CANCELLED, "the program is ending");
    if (!d->pool) {
        pd_media_options options;
        pd_media_options_init(&options);
        options.decoder_path = library->decoder_path;
        PD_TRY(pd_media_pool_create(&d->pool, &options, err));
        d->idle_since_ns = pd_clock_ns();
    }
    if (!d->has_reaper)
        PD_TRY(pd_thread_start(&d->reaper, "reaper", reap, d, err));
    d->has_reaper = true;
    return PD_OK;
}

static pd_status enter_pool(pd_library *library, pd_error *err)
{
    pd_library_decoders *d = &library->decoders;
    pthread_mutex_lock(&d->lock);
    const pd_status status = need_pool(library, err);
    d->n_users += status == PD_OK;
    pthread_mutex_unlock(&d->lock);
    return status;
}

static void leave_pool(pd_library_decoders *d)
{
    pthread_mutex_lock(&d->lock);
    if (--d->n_users == 0) {
        d->idle_since_ns = pd_clock_ns();
        pthread_cond_broadcast(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
}

pd_status pd_library_decode(pd_library *library, int fd, const pd_media_request *request, pd_picture *ret_picture,
                            pd_error *err)
{
    pd_library_decoders *d = &library->decoders;
    PD_TRY(enter_pool(library, err));
    const pd_status status = pd_media_decode(d->pool, fd, request, ret_picture, err);
    if (status != PD_OK)
        leave_pool(d);
    return status;
}

void pd_library_picture_done(pd_library *library, pd_picture *picture)
{
    if (!picture->slot)
        return;
    pd_picture_release(picture);
    leave_pool(&library->decoders);
}

pd_status pd_library_merge_sidecar(pd_library *library, int fd, const pd_sidecar_words *words, char **ret_xmp,
                                   size_t *ret_bytes, pd_error *err)
{
    pd_library_decoders *d = &library->decoders;
    PD_TRY(enter_pool(library, err));
    const pd_status status = pd_media_merge_sidecar(d->pool, fd, words, ret_xmp, ret_bytes, err);
    leave_pool(d);
    return status;
}
