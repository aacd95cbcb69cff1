/* annotation.c: the queue's life: its thread runs the phases until nothing is lacking. */
#include <sys/resource.h>

#include "annotate/phases.h"
#include "base/mem.h"
#include "base/thread.h"

#define QUEUE_NICE 5 /* of the thread that writes: it must not sleep in the middle of a transaction */

struct pd_annotation {
    pd_slate slate;
    pd_annotation_options options; /* strings are its own */
    pd_phase_parts parts;
    pthread_t thread;
};

static void free_text(const char **text)
{
    pd_mem_free((void *)(uintptr_t)*text);
    *text = NULL;
}

static void free_annotation(pd_annotation *a)
{
    free_text(&a->options.catalogue_path);
    free_text(&a->options.decoder_path);
    free_text(&a->options.cache_dir);
    free_text(&a->options.model_dir);
    free_text(&a->options.captioner_dir);
    pthread_mutex_destroy(&a->parts.stop_lock);
    pd_slate_done(&a->slate);
    pd_mem_free(a);
}

static pd_status copy_text(const char **ret_copy, const char *text, pd_error *err)
{
    if (!text)
        return PD_OK;
    *ret_copy = pd_mem_dup_string(text);
    return *ret_copy ? PD_OK : pd_error_set_nomem(err);
}

static pd_status copy_options(pd_annotation *a, const pd_annotation_options *from, pd_error *err)
{
    a->options = (pd_annotation_options){ .residency = from->residency,
                                          .tags = from->tags,
                                          .captions = from->captions && from->captioner_dir,
                                          .n_threads = from->n_threads };
    PD_TRY(copy_text(&a->options.catalogue_path, from->catalogue_path, err));
    PD_TRY(copy_text(&a->options.decoder_path, from->decoder_path, err));
    PD_TRY(copy_text(&a->options.cache_dir, from->cache_dir, err));
    PD_TRY(copy_text(&a->options.model_dir, from->model_dir, err));
    return copy_text(&a->options.captioner_dir, from->captioner_dir, err);
}

pd_status pd_phase_begin(const pd_phase_parts *parts, pd_error *err)
{
    for (;;) {
        pd_error busy = { 0 };
        const pd_status status = pd_store_begin(parts->store, &busy);
        if (status == PD_OK)
            return PD_OK;
        if (status != PD_ERR_BUSY)
            return pd_error_hand_on(err, &busy);
        if (pd_slate_is_cancelled(parts->slate))
            return pd_error_set(err, PD_ERR_CANCELLED, "cancelled");
    }
}

/* Learning goes on meanwhile, here or elsewhere: the phases take turns until neither finds anything to write. */
static pd_status run_phases(pd_annotation *a, pd_error *err)
{
    PD_TRY(pd_store_open(&a->parts.store, a->options.catalogue_path, PD_STORE_WRITE, err));
    int64_t n = 1;
    while (n > 0 && pd_slate_may_begin(&a->slate)) {
        n = 0;
        if (a->options.tags)
            PD_TRY(pd_phase_tags(&a->parts, &n, err));
        if (a->options.captions && pd_slate_may_begin(&a->slate))
            PD_TRY(pd_phase_captions(&a->parts, &n, err));
    }
    return PD_OK;
}

static void *run_annotation(void *user)
{
    pd_annotation *a = user;
    pd_error error = { 0 };
    (void)setpriority(PRIO_PROCESS, 0, QUEUE_NICE); /* of this thread */
    pd_status status = run_phases(a, &error);
    pd_store_close(&a->parts.store);
    if (pd_slate_is_cancelled(&a->slate) && (status == PD_OK || status == PD_ERR_CANCELLED))
        pd_slate_end(&a->slate, PD_ERR_CANCELLED, "");
    else
        pd_slate_end(&a->slate, status, error.message);
    return NULL;
}

pd_status pd_annotation_start(pd_annotation **ret_annotation, const pd_annotation_options *options, pd_error *err)
{
    pd_annotation *a = pd_mem_alloc(1, sizeof *a);
    if (!a)
        return pd_error_set_nomem(err);
    pd_slate_init(&a->slate, options->must_wait, options->must_wait_user);
    pthread_mutex_init(&a->parts.stop_lock, NULL);
    a->parts.slate = &a->slate;
    a->parts.options = &a->options;
    pd_status status = copy_options(a, options, err);
    if (status == PD_OK)
        status = pd_thread_start(&a->thread, "annotate", run_annotation, a, err);
    if (status == PD_OK)
        *ret_annotation = a;
    else
        free_annotation(a);
    return status;
}

void pd_annotation_look(pd_annotation *annotation, pd_annotation_state *ret_state)
{
    pd_slate_look(&annotation->slate, ret_state);
}

void pd_annotation_wait(pd_annotation *annotation, uint64_t seq, int timeout_ms, pd_annotation_state *ret_state)
{
    pd_slate_wait(&annotation->slate, seq, timeout_ms, ret_state);
}

void pd_annotation_pause(pd_annotation *annotation, bool paused) { pd_slate_pause(&annotation->slate, paused); }

void pd_annotation_first(pd_annotation *annotation, const int64_t *contents, size_t n)
{
    pd_slate_first(&annotation->slate, contents, n);
}

void pd_annotation_cancel(pd_annotation *annotation)
{
    pd_slate_cancel(&annotation->slate);
    pthread_mutex_lock(&annotation->parts.stop_lock);
    if (annotation->parts.pool)
        pd_media_pool_cancel(annotation->parts.pool);
    pthread_mutex_unlock(&annotation->parts.stop_lock);
}

void pd_annotation_finish(pd_annotation **annotation)
{
    if (!*annotation)
        return;
    pthread_join((*annotation)->thread, NULL);
    free_annotation(*annotation);
    *annotation = NULL;
}
