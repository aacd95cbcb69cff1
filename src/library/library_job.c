/* library_job.c: the one job of a library, shared by many callers. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/learner_lock.h"
#include "library/library_parts.h"

/* The job for use outside the lock; give_job when done. NULL: none. */
static pd_job *borrow_job(pd_library_learner *learner)
{
    pthread_mutex_lock(&learner->lock);
    pd_job *job = learner->job;
    if (job)
        learner->n_users++;
    pthread_mutex_unlock(&learner->lock);
    return job;
}

static void give_job(pd_library_learner *learner)
{
    pthread_mutex_lock(&learner->lock);
    if (--learner->n_users == 0)
        pthread_cond_broadcast(&learner->unused);
    pthread_mutex_unlock(&learner->lock);
}

static bool count_root(void *user, const pd_root *root)
{
    (void)root;
    *(bool *)user = true;
    return false;
}

static pd_status check_roots(const pd_library *library, pd_error *err)
{
    pd_store *store = NULL;
    bool any = false;
    pd_status status = pd_store_open(&store, library->paths.catalogue, PD_STORE_READ, err);
    if (status == PD_OK)
        status = pd_store_roots(store, count_root, &any, err);
    pd_store_close(&store);
    if (status == PD_ERR_NOT_FOUND || (status == PD_OK && !any))
        return pd_error_set(err, PD_ERR_USAGE, "the library knows no folder yet: name one");
    return status;
}

/* What the chosen model learned already is what it would learn now. */
static pd_status judge_early(pd_library *library, pd_error *err)
{
    pd_library_choice model;
    pd_status status = pd_library_choose(library, PD_LIBRARY_CHOSEN, &model, err);
    if (status == PD_OK)
        status = pd_library_early_judge(library, model.name, model.dir, err);
    pd_library_choice_done(&model);
    return status;
}

/* With learner.lock held and no job there. */
static pd_status start_job(pd_library *library, const pd_index_options *options, pd_error *err)
{
    pd_library_learner *learner = &library->learner;
    pd_library_choice model;
    char *model_dir = NULL; /* for a sentence, where it is not here */
    pd_job *job = NULL;
    if (options->n_folders == 0)
        PD_TRY(check_roots(library, err));
    PD_TRY(pd_dir_make(library->paths.dir, err));
    PD_TRY(judge_early(library, err));
    PD_TRY(pd_learner_lock_take(&learner->lock_fd, library->paths.lock, err));
    pd_status status = pd_library_choose(library, PD_LIBRARY_CHOSEN, &model, err);
    if (status == PD_OK && !model.dir)
        status = pd_library_find_model(&library->paths, model.name, &model_dir, err);
    if (status == PD_OK) {
        const pd_job_options job_options = { .folders = options->folders,
                                             .n_folders = options->n_folders,
                                             .catalogue_path = library->paths.catalogue,
                                             .vectors_dir = library->paths.vectors,
                                             .thumbs_dir = library->paths.thumbs,
                                             .decoder_path = library->decoder_path,
                                             .residency = library->shelf.residency,
                                             .model_dir = model.dir ? model.dir : model_dir,
                                             .model_name = model.name,
                                             .cpu_mask = library->cpu_mask,
                                             .n_threads = pd_library_workers(library),
                                             .recheck = options->recheck,
                                             .retry = options->retry,
                                             .speed = options->speed };
        status = pd_job_start(&job, &job_options, err);
    }
    pd_mem_free(model_dir);
    pd_library_choice_done(&model);
    if (status == PD_OK)
        learner->job = job;
    else
        pd_learner_lock_release(&learner->lock_fd);
    return status;
}

pd_status pd_library_index(pd_library *library, const pd_index_options *options, pd_error *err)
{
    pd_progress now;
    if (pd_library_job_snapshot(library, &now) && !now.running)
        pd_library_job_finish(library, NULL);
    pthread_mutex_lock(&library->learner.lock);
    pd_status status;
    if (library->learner.job)
        status = pd_error_set(err, PD_ERR_BUSY, "this library is being taught already, by this process");
    else
        status = start_job(library, options, err);
    pthread_mutex_unlock(&library->learner.lock);
    return status;
}

static bool copy_last(pd_library_learner *learner, pd_progress *ret_progress)
{
    pthread_mutex_lock(&learner->lock);
    const bool has_last = learner->has_last;
    if (has_last && ret_progress)
        *ret_progress = learner->last;
    pthread_mutex_unlock(&learner->lock);
    return has_last;
}

bool pd_library_job_snapshot(pd_library *library, pd_progress *ret_progress)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return copy_last(&library->learner, ret_progress);
    pd_job_snapshot(job, ret_progress);
    give_job(&library->learner);
    return true;
}

bool pd_library_job_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_progress *ret_progress)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return copy_last(&library->learner, ret_progress);
    pd_job_wait_change(job, seq, timeout_ms, ret_progress);
    give_job(&library->learner);
    return true;
}

void pd_library_job_pause(pd_library *library, bool paused)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return;
    pd_job_pause(job, paused);
    give_job(&library->learner);
}

void pd_library_job_speed(pd_library *library, pd_speed speed)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return;
    pd_job_speed(job, speed);
    give_job(&library->learner);
}

static size_t copy_last_lines(pd_library_learner *learner, uint64_t after, pd_log_line *ret_lines, size_t n_max)
{
    pthread_mutex_lock(&learner->lock);
    size_t first = 0;
    while (first < learner->n_last_lines && learner->last_lines[first].number <= after)
        first++;
    if (learner->n_last_lines - first > n_max)
        first = learner->n_last_lines - n_max;
    const size_t n = learner->n_last_lines - first;
    if (n > 0)
        memcpy(ret_lines, learner->last_lines + first, n * sizeof *ret_lines);
    pthread_mutex_unlock(&learner->lock);
    return n;
}

size_t pd_library_job_log(pd_library *library, uint64_t after, pd_log_line *ret_lines, size_t n_max)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return copy_last_lines(&library->learner, after, ret_lines, n_max);
    const size_t n = pd_job_log(job, after, ret_lines, n_max);
    give_job(&library->learner);
    return n;
}

/* With learner.lock held. Without memory there is no log any more. */
static void keep_lines(pd_library_learner *learner, pd_job *job)
{
    pd_mem_free(learner->last_lines);
    learner->last_lines = pd_mem_alloc(PD_JOB_LOG_LINES, sizeof *learner->last_lines);
    learner->n_last_lines = learner->last_lines ? pd_job_log(job, 0, learner->last_lines, PD_JOB_LOG_LINES) : 0;
}

void pd_library_job_cancel(pd_library *library)
{
    pd_job *job = borrow_job(&library->learner);
    if (!job)
        return;
    pd_job_cancel(job);
    give_job(&library->learner);
}

/* Others may look at the job and stop it until it has ended; then it is put away, by whoever comes first. */
void pd_library_job_finish(pd_library *library, pd_progress *ret_progress)
{
    pd_library_learner *learner = &library->learner;
    enum { WAIT_MS = 60000 };
    pd_progress now = { 0 };
    while (pd_library_job_wait(library, now.seq, now.seq ? WAIT_MS : 0, &now) && now.running)
        continue;
    pthread_mutex_lock(&learner->lock);
    pd_job *job = learner->job;
    const bool is_ended = job != NULL;
    if (job) {
        pd_job_snapshot(job, &learner->last);
        keep_lines(learner, job);
        learner->has_last = true;
        learner->job = NULL; /* from here on callers get the last snapshot */
        while (learner->n_users > 0)
            pthread_cond_wait(&learner->unused, &learner->lock);
        pd_job_finish(&job);
        pd_learner_lock_release(&learner->lock_fd);
    }
    if (ret_progress)
        *ret_progress = learner->last;
    pthread_mutex_unlock(&learner->lock);
    if (is_ended)
        pd_library_settle_models(library);
}
