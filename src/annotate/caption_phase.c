/* caption_phase.c: captions for all contents that lack one, in rounds: a round has its threads, models and decoders,
 * and ends when all is done, or when nothing may be begun for a while; so that who rests holds nothing. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "annotate/doubt.h"
#include "annotate/originals.h"
#include "annotate/phases.h"
#include "annotate/worklist.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/queue.h"
#include "base/thread.h"

#define THREADS_MAX 64u

typedef struct task {
    int64_t content;
    pd_originals originals;
    pd_status status; /* of what follows */
    pd_written written;
} task;

typedef struct captioning {
    pd_phase_parts *parts;
    char source[PD_WRITTEN_SOURCE_BYTES];
    pd_worklist *list;
    bool done; /* nothing is left to be handed out */
    pd_root_paths roots;
    unsigned n_threads;
    pd_queue *to_write, *written;
    atomic_uint n_writing; /* threads; the last to leave closes `written` */
    size_t n_out;          /* tasks that are with the threads */
    task *batch[PD_PHASE_CAPTIONS_BATCH];
    size_t n_batch;
    int64_t batch_ns; /* when its first came */
    int64_t n_written;

    pthread_mutex_t stop_lock; /* of what ends the annotation: the first that happened */
    atomic_bool stopped;
    pd_error stop;
} captioning;

static void free_task(task **t)
{
    pd_originals_done(&(*t)->originals);
    pd_mem_free(*t);
    *t = NULL;
}

static void stop(captioning *c, pd_status status, const pd_error *error)
{
    pthread_mutex_lock(&c->stop_lock);
    if (!atomic_exchange(&c->stopped, true)) {
        c->stop = *error;
        c->stop.status = status;
    }
    pthread_mutex_unlock(&c->stop_lock);
}

static pd_status write_picture(pd_writer *writer, const pd_picture *picture, pd_written *ret_written, pd_error *err)
{
    if (!picture->has_pixels)
        return pd_error_set(err, PD_ERR_FORMAT, "%s", picture->pixels_error);
    const pd_pixels pixels = { .data = picture->pixels,
                               .width = picture->pixel_width,
                               .height = picture->pixel_height,
                               .row_bytes = (size_t)picture->pixel_width * 3 };
    return pd_writer_write(writer, &pixels, ret_written, err);
}

/* What is wrong with one picture stays in the task; what ends the annotation is noted for all. */
static void write_task(captioning *c, pd_writer *writer, task *t)
{
    pd_error error = { 0 };
    pd_picture picture = { 0 };
    const pd_media_request request = { .short_side_min = pd_writer_side(writer), .timeout_ms = PD_PHASE_FILE_MS };
    int fd = -1;
    if (!pd_slate_going_on(c->parts->slate)) {
        t->status = PD_ERR_CANCELLED;
        return;
    }
    t->status = pd_originals_open(&t->originals, &fd, &error);
    if (t->status != PD_OK)
        return;
    t->status = pd_media_decode(c->parts->pool, fd, &request, &picture, &error);
    close(fd);
    const bool no_decoder = t->status == PD_ERR_NOT_FOUND || t->status == PD_ERR_INTERNAL;
    if (t->status == PD_OK)
        t->status = write_picture(writer, &picture, &t->written, &error);
    pd_picture_release(&picture);
    if (no_decoder || t->status == PD_ERR_NOMEM)
        stop(c, t->status, &error);
}

static void *run_writer(void *user)
{
    captioning *c = user;
    const pd_annotation_options *options = c->parts->options;
    const pd_writer_options writer_options = { .residency = options->residency,
                                               .model_dir = options->model_dir,
                                               .captioner_dir = options->captioner_dir,
                                               .cache_dir = options->cache_dir,
                                               .cancelled = &c->parts->slate->cancelled };
    pd_writer *writer = NULL;
    pd_error error = { 0 };
    (void)setpriority(PRIO_PROCESS, 0, PD_PHASE_NICE); /* of this thread, and of the decoders that it starts */
    const pd_status status = pd_writer_create(&writer, &writer_options, &error);
    if (status != PD_OK)
        stop(c, status, &error);
    task *t;
    while (!atomic_load(&c->stopped) && (t = pd_queue_pop(c->to_write, INT64_MAX, NULL)) != NULL) {
        write_task(c, writer, t);
        if (!pd_queue_push(c->written, t)) /* nobody closes it before the last of us has left */
            free_task(&t);
    }
    pd_writer_free(&writer);
    if (atomic_fetch_sub(&c->n_writing, 1) == 1)
        pd_queue_close(c->written);
    return NULL;
}

/* ---- the annotation's own thread */

static pd_status make_task(captioning *c, int64_t content, task **ret_task, pd_error *err)
{
    task *t = pd_mem_alloc(1, sizeof *t);
    if (!t)
        return pd_error_set_nomem(err);
    t->content = content;
    const pd_status status = pd_originals_find(&t->originals, c->parts->store, &c->roots, content, err);
    if (status == PD_OK)
        *ret_task = t;
    else
        free_task(&t);
    return status;
}

/* Hands out work as long as something may be begun; two tasks a thread, so that what is to come first comes soon. */
static pd_status hand_out(captioning *c, pd_error *err)
{
    while (c->n_out < 2 * (size_t)c->n_threads && !atomic_load(&c->stopped) && pd_slate_going_on(c->parts->slate)) {
        int64_t content;
        bool any = false;
        task *t = NULL;
        PD_TRY(pd_worklist_next(c->list, c->parts->slate, &content, &any, err));
        c->done = !any;
        if (!any)
            break;
        PD_TRY(make_task(c, content, &t, err));
        if (!pd_queue_push(c->to_write, t)) {
            free_task(&t);
            break;
        }
        c->n_out++;
    }
    return PD_OK;
}

/* Not the picture's fault, or not for ever: the next run tries again. */
static bool is_for_now(pd_status status)
{
    return status == PD_ERR_NOT_FOUND || status == PD_ERR_IO || status == PD_ERR_NOMEM || status == PD_ERR_INTERNAL;
}

static pd_status put_task(captioning *c, const task *t, pd_slate_counts *counts, pd_error *err)
{
    pd_store *store = c->parts->store;
    const pd_machine_about about = { .content = t->content, .kind = PD_MACHINE_CAPTION, .source = c->source };
    pd_status status;
    counts->done++;
    if (t->status != PD_OK) {
        counts->failed++;
        if (is_for_now(t->status))
            return PD_OK;
        status = pd_store_machine_fail(store, &about, err);
        return status == PD_ERR_NO_MATCH ? PD_OK : status; /* its last photo went, and it too */
    }
    const pd_machine_text text = { .text = t->written.caption,
                                   .score = t->written.caption_score,
                                   .doubtful = t->written.caption_doubtful };
    status = pd_store_machine_put(store, &about, &text, 1, err);
    counts->captioned += status == PD_OK;
    counts->doubtful += status == PD_OK && t->written.caption_doubtful;
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

static void empty_batch(captioning *c)
{
    while (c->n_batch > 0)
        free_task(&c->batch[--c->n_batch]);
}

/* One transaction. */
static pd_status commit_batch(captioning *c, pd_error *err)
{
    if (c->n_batch == 0)
        return PD_OK;
    pd_slate_counts counts = { 0 };
    pd_status status = pd_phase_begin(c->parts, err);
    if (status == PD_OK) {
        for (size_t i = 0; status == PD_OK && i < c->n_batch; i++)
            status = put_task(c, c->batch[i], &counts, err);
        if (status == PD_OK)
            status = pd_store_commit(c->parts->store, err);
        if (status != PD_OK)
            pd_store_rollback(c->parts->store);
    }
    for (size_t i = 0; status == PD_OK && i < c->n_batch; i++)
        if (!is_for_now(c->batch[i]->status))
            pd_worklist_done(c->list, c->batch[i]->content);
    empty_batch(c);
    if (status == PD_OK) {
        c->n_written += counts.captioned;
        pd_slate_add(c->parts->slate, &counts);
    }
    return status;
}

/* Waits for the next picture, or until the batch is due. */
static pd_status take_back(captioning *c, bool *ret_closed, pd_error *err)
{
    const int64_t due_ns = c->n_batch > 0 ? c->batch_ns + PD_PHASE_CAPTIONS_BATCH_MS * PD_NS_PER_MS : INT64_MAX;
    task *t = pd_queue_pop(c->written, due_ns, ret_closed);
    if (t) {
        c->n_out--;
        if (t->status == PD_ERR_CANCELLED) {
            pd_worklist_return(c->list, t->content);
            c->done = false;
            free_task(&t);
        } else {
            if (c->n_batch == 0)
                c->batch_ns = pd_clock_ns();
            c->batch[c->n_batch++] = t;
        }
    }
    const bool is_due = c->n_batch == PD_PHASE_CAPTIONS_BATCH || pd_clock_ns() >= due_ns;
    return is_due ? commit_batch(c, err) : PD_OK;
}

static pd_status drive(captioning *c, pd_error *err)
{
    bool closed = false;
    pd_status status = PD_OK;
    while (status == PD_OK && !closed) {
        status = hand_out(c, err);
        if (c->n_out == 0)
            break;
        if (status == PD_OK)
            status = take_back(c, &closed, err);
    }
    return status == PD_OK ? commit_batch(c, err) : status;
}

/* Ends the round's threads; what they did not get to is dropped: the catalogue still lacks it. */
static void end_threads(captioning *c, const pthread_t *threads, size_t n)
{
    task *t;
    pd_queue_close(c->to_write);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    pd_queue_close(c->written);
    while ((t = pd_queue_pop(c->to_write, 0, NULL)) != NULL || (t = pd_queue_pop(c->written, 0, NULL)) != NULL)
        free_task(&t);
    c->n_out = 0;
}

static pd_status run_threads(captioning *c, pd_error *err)
{
    pthread_t threads[THREADS_MAX];
    size_t n = 0;
    pd_status status = PD_OK;
    atomic_init(&c->n_writing, c->n_threads);
    while (status == PD_OK && n < c->n_threads) {
        status = pd_thread_start(&threads[n], "caption", run_writer, c, err);
        n += status == PD_OK;
    }
    if (status == PD_OK)
        status = drive(c, err);
    end_threads(c, threads, n);
    return status;
}

static void set_pool(pd_phase_parts *parts, pd_media_pool *pool)
{
    pthread_mutex_lock(&parts->stop_lock);
    parts->pool = pool;
    if (pool && pd_slate_is_cancelled(parts->slate))
        pd_media_pool_cancel(pool);
    pthread_mutex_unlock(&parts->stop_lock);
}

static pd_status run_round(captioning *c, pd_error *err)
{
    pd_media_pool *pool = NULL;
    const pd_media_options media = { .decoder_path = c->parts->options->decoder_path,
                                     .n_processes = c->n_threads,
                                     .n_slots = c->n_threads };
    const size_t capacity = 2 * (size_t)c->n_threads;
    pd_status status = pd_media_pool_create(&pool, &media, err);
    if (status == PD_OK &&
        (pd_queue_create(&c->to_write, capacity) != PD_OK || pd_queue_create(&c->written, capacity) != PD_OK))
        status = pd_error_set_nomem(err);
    if (status == PD_OK) {
        set_pool(c->parts, pool);
        status = run_threads(c, err);
        set_pool(c->parts, NULL);
    }
    empty_batch(c);
    pd_queue_free(&c->to_write);
    pd_queue_free(&c->written);
    pd_media_pool_free(&pool);
    if (status == PD_OK && atomic_load(&c->stopped))
        status = pd_error_hand_on(err, &c->stop);
    return status;
}

static pd_status find_source(captioning *c, pd_error *err)
{
    const pd_annotation_options *options = c->parts->options;
    pd_lease lease = { 0 };
    PD_TRY(pd_residency_borrow(options->residency, options->captioner_dir, PD_PART_CAPTIONER,
                               &c->parts->slate->cancelled, &lease, err));
    pd_caption_source(lease.captioner, c->source);
    pd_residency_return(options->residency, &lease);
    return PD_OK;
}

static pd_status caption_all(captioning *c, pd_error *err)
{
    PD_TRY(find_source(c, err));
    const pd_machine_query query = { .kind = PD_MACHINE_CAPTION, .source = c->source };
    int64_t todo = 0;
    PD_TRY(pd_worklist_begin(c->list, c->parts->store, &query, &todo, err));
    if (todo == 0)
        return PD_OK;
    PD_TRY(pd_root_paths_read(&c->roots, c->parts->store, err));
    const unsigned wanted = c->parts->options->n_threads ? c->parts->options->n_threads : pd_thread_cpu_count();
    c->n_threads = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    pd_slate_enter(c->parts->slate, true, todo);
    pd_status status = PD_OK;
    while (status == PD_OK && !c->done && pd_slate_may_begin(c->parts->slate))
        status = run_round(c, err);
    return status;
}

pd_status pd_phase_captions(pd_phase_parts *parts, int64_t *ret_n, pd_error *err)
{
    captioning c = { .parts = parts, .list = pd_mem_alloc(1, sizeof *c.list) };
    pthread_mutex_init(&c.stop_lock, NULL);
    const pd_status status = c.list ? caption_all(&c, err) : pd_error_set_nomem(err);
    *ret_n += c.n_written;
    pd_root_paths_done(&c.roots);
    pd_mem_free(c.list);
    pthread_mutex_destroy(&c.stop_lock);
    return status;
}
