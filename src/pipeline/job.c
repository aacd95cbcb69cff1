/* job.c: a job's life: its thread runs the phases, starts the stages, and is itself the write stage. */
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "pipeline/folder.h"
#include "pipeline/stages.h"

#define THREADS_MAX 64u
#define WRITE_QUEUE_ITEMS PD_STAGE_BATCH_FILES

struct pd_job {
    pd_board board;
    pd_job_options options; /* strings are the job's own */
    char **folders;         /* [options.n_folders], absolute, resolved */
    pthread_t thread;

    pd_store *store;
    pd_lease model;
    pd_kernels kernels;
    pd_vectors_of vectors;
    char *vectors_path;
    pd_vindex *index;
    pd_plan plan;
    atomic_bool cancelled;

    pthread_mutex_t stop_lock; /* of the two below: what a cancel has to wake */
    pd_feed *feed;
    pd_media_pool *pool;
};

static pd_status copy_text(const char **text, pd_error *err)
{
    if (!*text)
        return PD_OK;
    *text = pd_mem_dup_string(*text);
    return *text ? PD_OK : pd_error_set_nomem(err);
}

/* On failure what was copied is freed by free_options: the rest is NULL. */
static pd_status copy_options(pd_job *job, const pd_job_options *options, pd_error *err)
{
    job->options = *options;
    const char **texts[] = { &job->options.catalogue_path, &job->options.vectors_dir, &job->options.thumbs_dir,
                             &job->options.decoder_path,   &job->options.model_dir,   &job->options.model_name };
    const char *given[PD_COUNT_OF(texts)];
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++) {
        given[i] = *texts[i];
        *texts[i] = NULL;
    }
    job->options.folders = NULL;
    job->options.n_folders = 0;
    for (size_t i = 0; i < PD_COUNT_OF(texts); i++) {
        *texts[i] = given[i];
        PD_TRY(copy_text(texts[i], err));
    }
    job->folders = pd_mem_alloc(options->n_folders, sizeof *job->folders);
    if (!job->folders)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < options->n_folders; i++) {
        PD_TRY(pd_folder_resolve(options->folders[i], &job->folders[i], err));
        job->options.n_folders++;
    }
    return PD_OK;
}

static void free_text(const char **text)
{
    pd_mem_free((void *)(uintptr_t)*text);
    *text = NULL;
}

static void free_job(pd_job *job)
{
    for (size_t i = 0; i < job->options.n_folders; i++)
        pd_mem_free(job->folders[i]);
    pd_mem_free(job->folders);
    free_text(&job->options.catalogue_path);
    free_text(&job->options.vectors_dir);
    free_text(&job->options.thumbs_dir);
    free_text(&job->options.decoder_path);
    free_text(&job->options.model_dir);
    free_text(&job->options.model_name);
    pthread_mutex_destroy(&job->stop_lock);
    pd_board_done(&job->board);
    pd_mem_free(job);
}

static pd_status prepare(pd_job *job, pd_error *err)
{
    const pd_job_options *options = &job->options;
    PD_TRY(pd_dir_make(options->vectors_dir, err));
    PD_TRY(pd_store_open(&job->store, options->catalogue_path, PD_STORE_WRITE, err));
    const int64_t start_ns = pd_clock_ns();
    PD_TRY(
        pd_residency_borrow(options->residency, options->model_dir, PD_PART_VISION, &job->cancelled, &job->model, err));
    pd_board_log(&job->board, PD_LOG_INFO, "model ready in %.0f ms",
                 (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS);
    pd_kernels_init(&job->kernels, options->cpu_mask);
    job->vectors = (pd_vectors_of){ .model_id = pd_model_id(job->model.model),
                                    .dim = pd_model_dim(job->model.model),
                                    .kernels = &job->kernels };
    PD_TRY(pd_store_model_add(job->store, job->vectors.model_id,
                              options->model_name ? options->model_name : pd_model_name(job->model.model),
                              job->vectors.dim, &job->vectors.model, err));
    job->vectors_path = pd_vectors_path(options->vectors_dir, job->vectors.model_id);
    if (!job->vectors_path)
        return pd_error_set_nomem(err);
    return pd_vectors_open(&job->index, job->vectors_path, job->store, &job->vectors, err);
}

static pd_status put_unreadable(pd_job *job, const pd_unreadable *folder, pd_error *err)
{
    pd_error reason = { 0 };
    (void)pd_error_set_errno(&reason, folder->sys_errno, "the folder cannot be read");
    const pd_photo_file row = { .root_id = job->plan.roots[folder->root].id, .path = folder->path };
    PD_TRY(pd_store_photo_fail(job->store, &row, reason.status, reason.message, err));
    pd_board_file_error(&job->board, folder->path, reason.message);
    return PD_OK;
}

/* A folder that cannot be read is one error, and is looked at again by every run. */
static pd_status write_unreadable(pd_job *job, pd_error *err)
{
    if (job->plan.n_unreadable == 0)
        return PD_OK;
    PD_TRY(pd_store_begin(job->store, err));
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < job->plan.n_unreadable; i++)
        status = put_unreadable(job, &job->plan.unreadable[i], err);
    if (status == PD_OK)
        status = pd_store_commit(job->store, err);
    if (status != PD_OK) {
        pd_store_rollback(job->store);
        return status;
    }
    const int64_t n = (int64_t)job->plan.n_unreadable;
    pd_board_add(&job->board, &(pd_board_counts){ .found = n, .failed = n });
    return PD_OK;
}

static pd_status scan_folders(pd_job *job, pd_error *err)
{
    const pd_plan_options options = { .folders = (const char *const *)job->folders,
                                      .n_folders = job->options.n_folders,
                                      .model = job->vectors.model,
                                      .recheck = job->options.recheck,
                                      .retry = job->options.retry };
    const int64_t start_ns = pd_clock_ns();
    PD_TRY(pd_plan_make(&job->plan, job->store, &options, &job->board, err));
    PD_TRY(write_unreadable(job, err));
    pd_board_plan(&job->board, (int64_t)job->plan.n_todo);
    pd_progress now;
    pd_board_snapshot(&job->board, &now);
    char found[PD_BOARD_COUNT_BYTES], todo[PD_BOARD_COUNT_BYTES];
    pd_board_log(&job->board, PD_LOG_INFO, "found %s pictures in %.1f s, %s of them to be read",
                 pd_board_format_count(now.found, found), (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_S,
                 pd_board_format_count(now.todo, todo));
    return PD_OK;
}

static void set_wakeable(pd_job *job, pd_feed *feed, pd_media_pool *pool)
{
    pthread_mutex_lock(&job->stop_lock);
    job->feed = feed;
    job->pool = pool;
    pthread_mutex_unlock(&job->stop_lock);
}

/* Starts n threads; those that do not start leave at once, so that the queues end all the same. */
static size_t start_threads(pd_stages *stages, pthread_t *threads, size_t n, const char *name)
{
    const bool decode = strcmp(name, "decode") == 0;
    size_t started = 0;
    pd_error error = { 0 };
    for (size_t i = 0; i < n; i++) {
        if (pd_thread_start(&threads[started], name, decode ? pd_stage_decode : pd_stage_embed, stages, &error) ==
            PD_OK) {
            started++;
            continue;
        }
        if (decode)
            pd_stage_leave_decode(stages);
        else
            pd_stage_leave_embed(stages);
    }
    if (started == 0)
        pd_board_stop(stages->board, &error);
    return started;
}

static void run_stages(pd_stages *stages, size_t n_threads)
{
    pthread_t decoders[THREADS_MAX], embedders[THREADS_MAX];
    atomic_init(&stages->n_decoding, (unsigned)n_threads);
    atomic_init(&stages->n_embedding, (unsigned)n_threads);
    const size_t n_embedders = start_threads(stages, embedders, n_threads, "embed");
    size_t n_decoders = 0;
    if (n_embedders > 0) {
        n_decoders = start_threads(stages, decoders, n_threads, "decode");
        pd_stage_write(stages);
    }
    for (size_t i = 0; i < n_decoders; i++)
        pthread_join(decoders[i], NULL);
    for (size_t i = 0; i < n_embedders; i++)
        pthread_join(embedders[i], NULL);
}

void pd_stage_set_priority(const pd_stages *stages)
{
    static const int nice_of[PD_SPEED_COUNT] = {
        [PD_SPEED_NORMAL] = PD_STAGE_NORMAL_NICE, [PD_SPEED_GENTLE] = PD_STAGE_GENTLE_NICE
    };
    const int now = getpriority(PRIO_PROCESS, 0); /* of this thread, on Linux */
    if (nice_of[stages->speed] > now)
        (void)setpriority(PRIO_PROCESS, 0, nice_of[stages->speed]); /* going down is always allowed */
}

/* One set of threads and decoders, until every file is done, or until the speed changes. */
static pd_status run_round(pd_job *job, pd_stages *stages, size_t n_threads, pd_error *err)
{
    pd_media_options media;
    pd_media_options_init(&media);
    media.decoder_path = job->options.decoder_path;
    media.n_processes = (unsigned)n_threads;
    media.n_slots = (unsigned)(3 * n_threads); /* being decoded, waiting, being embedded */
    stages->speed = pd_board_speed_now(&job->board);
    pd_feed_begin_round(stages->feed, stages->speed);
    pd_status status = pd_media_pool_create(&stages->pool, &media, err);
    if (status == PD_OK && (pd_queue_create(&stages->to_embed, n_threads) != PD_OK ||
                            pd_queue_create(&stages->to_write, WRITE_QUEUE_ITEMS) != PD_OK))
        status = pd_error_set_nomem(err);
    if (status == PD_OK) {
        set_wakeable(job, stages->feed, stages->pool);
        run_stages(stages, n_threads);
        set_wakeable(job, NULL, NULL);
    }
    pd_queue_free(&stages->to_write);
    pd_queue_free(&stages->to_embed);
    pd_media_pool_free(&stages->pool);
    return status;
}

static pd_status learn(pd_job *job, pd_error *err)
{
    const unsigned wanted = job->options.n_threads ? job->options.n_threads : pd_thread_cpu_count();
    size_t n_threads = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    if (n_threads > job->plan.n_todo)
        n_threads = job->plan.n_todo;
    pd_feed feed;
    pd_feed_init(&feed, &job->plan, &job->board);
    pd_stages stages = { .board = &job->board,
                         .feed = &feed,
                         .plan = &job->plan,
                         .thumbs_dir = job->options.thumbs_dir,
                         .model = job->model.model,
                         .kernels = &job->kernels,
                         .vectors = job->vectors,
                         .store = job->store,
                         .index = job->index };
    pthread_mutex_init(&stages.lookup_lock, NULL);
    pd_status status = pd_store_open(&stages.lookup, job->options.catalogue_path, PD_STORE_READ, err);
    while (status == PD_OK && !pd_feed_is_empty(&feed) && pd_board_may_begin(&job->board))
        status = run_round(job, &stages, n_threads, err);
    pd_store_close(&stages.lookup);
    pthread_mutex_destroy(&stages.lookup_lock);
    pd_feed_done(&feed);
    return status;
}

static pd_status build_index(pd_job *job, pd_error *err)
{
    pd_vindex_close(&job->index);
    return pd_vectors_open(&job->index, job->vectors_path, job->store, &job->vectors, err);
}

static pd_status run_phases(pd_job *job, pd_error *err)
{
    pd_board *board = &job->board;
    PD_TRY(prepare(job, err));
    if (!pd_board_may_begin(board))
        return PD_OK;
    pd_board_enter(board, PD_PHASE_SCAN);
    PD_TRY(scan_folders(job, err));
    if (job->plan.n_todo > 0 && pd_board_may_begin(board)) {
        pd_board_enter(board, PD_PHASE_LEARN);
        PD_TRY(learn(job, err));
    }
    if (!pd_board_going_on(board))
        return PD_OK;
    pd_board_enter(board, PD_PHASE_INDEX);
    PD_TRY(pd_plan_settle(&job->plan, job->store, board, err));
    return build_index(job, err);
}

static void *run_job(void *user)
{
    pd_job *job = user;
    pd_error error = { 0 };
    const pd_status status = run_phases(job, &error);
    if (status != PD_OK && status != PD_ERR_CANCELLED) {
        error.status = status;
        pd_board_stop(&job->board, &error);
    }
    pd_vindex_close(&job->index);
    pd_plan_done(&job->plan);
    pd_mem_free(job->vectors_path);
    pd_residency_return(job->options.residency, &job->model);
    pd_store_close(&job->store);
    pd_board_end(&job->board);
    return NULL;
}

pd_status pd_job_start(pd_job **ret_job, const pd_job_options *options, pd_error *err)
{
    pd_job *job = pd_mem_alloc(1, sizeof *job);
    if (!job)
        return pd_error_set_nomem(err);
    pd_board_init(&job->board, options->speed);
    pthread_mutex_init(&job->stop_lock, NULL);
    pd_status status = copy_options(job, options, err);
    if (status == PD_OK)
        status = pd_thread_start(&job->thread, "job", run_job, job, err);
    if (status == PD_OK)
        *ret_job = job;
    else
        free_job(job);
    return status;
}

void pd_job_snapshot(pd_job *job, pd_progress *ret_progress) { pd_board_snapshot(&job->board, ret_progress); }

void pd_job_wait_change(pd_job *job, uint64_t seq, int timeout_ms, pd_progress *ret_progress)
{
    pd_board_wait(&job->board, seq, timeout_ms, ret_progress);
}

void pd_job_pause(pd_job *job, bool paused) { pd_board_pause(&job->board, paused); }

/* Who waits for a file is to notice that its round is over. */
void pd_job_speed(pd_job *job, pd_speed speed)
{
    pd_board_speed(&job->board, speed);
    pthread_mutex_lock(&job->stop_lock);
    if (job->feed)
        pd_feed_wake(job->feed);
    pthread_mutex_unlock(&job->stop_lock);
}

size_t pd_job_log(pd_job *job, uint64_t after, pd_log_line *ret_lines, size_t n_max)
{
    return pd_board_lines(&job->board, after, ret_lines, n_max);
}

void pd_job_cancel(pd_job *job)
{
    atomic_store(&job->cancelled, true);
    pd_board_cancel(&job->board);
    pthread_mutex_lock(&job->stop_lock);
    if (job->feed)
        pd_feed_wake(job->feed);
    if (job->pool)
        pd_media_pool_cancel(job->pool);
    pthread_mutex_unlock(&job->stop_lock);
}

void pd_job_finish(pd_job **job)
{
    if (!*job)
        return;
    pthread_join((*job)->thread, NULL);
    free_job(*job);
    *job = NULL;
}
