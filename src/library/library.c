#include <stdio.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "library/learner_lock.h"
#include "library/library_find.h"

void pd_library_options_init(pd_library_options *ret_options)
{
    *ret_options = (pd_library_options){ .cpu_mask = pd_cpu_detect(), .precision = PD_PRECISION_INT8 };
}

pd_status pd_library_open(pd_library **ret_library, const pd_library_options *options, pd_error *err)
{
    pd_library *library = pd_mem_alloc(1, sizeof *library);
    if (!library)
        return pd_error_set_nomem(err);
    pthread_mutex_init(&library->searcher.lock, NULL);
    pthread_mutex_init(&library->finder.lock, NULL);
    pthread_mutex_init(&library->show_lock, NULL);
    pthread_mutex_init(&library->reader.lock, NULL);
    pthread_mutex_init(&library->writer.lock, NULL);
    pthread_mutex_init(&library->shelf.lock, NULL);
    pthread_mutex_init(&library->shelf.watch_lock, NULL);
    pthread_mutex_init(&library->views.lock, NULL);
    pthread_mutex_init(&library->fetching.lock, NULL);
    pthread_cond_init(&library->fetching.changed, NULL);
    library->views.bytes = -1;
    library->views.bytes_max = options->views_bytes_max ? options->views_bytes_max : PD_LIBRARY_VIEWS_BYTES_MAX;
    pd_library_decoders_init(&library->decoders);
    pthread_mutex_init(&library->learner.lock, NULL);
    pthread_cond_init(&library->learner.unused, NULL);
    library->learner.lock_fd = -1;
    pthread_mutex_init(&library->annotator.lock, NULL);
    pthread_cond_init(&library->annotator.unused, NULL);
    library->annotator.lock_fd = -1;
    library->cpu_mask = options->cpu_mask;
    library->precision = options->precision;
    library->n_threads = options->n_threads ? options->n_threads : pd_thread_cpu_count();
    atomic_init(&library->n_workers, options->n_threads);
    pd_kernels_init(&library->kernels, library->cpu_mask);
    library->decoder_path = options->decoder_path ? pd_mem_dup_string(options->decoder_path) : NULL;
    pd_library_rest_init(&library->rest, options->idle_s);
    pd_status status = PD_OK;
    if (options->decoder_path && !library->decoder_path)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_library_paths_init(&library->paths, options, err);
    if (status == PD_OK)
        status = pd_library_shelf_init(library, options, err);
    if (status == PD_OK)
        status = pd_library_fetching_init(&library->fetching, options, err);
    if (status == PD_OK)
        *ret_library = library;
    else
        pd_library_close(&library);
    return status;
}

/* What belongs to a model. */
static void clear_meaning(pd_library_searcher *searcher)
{
    pd_vindex_close(&searcher->index);
    searcher->index_in_memory = false;
    for (size_t i = 0; i < PD_LIBRARY_TEXTS_MAX; i++) {
        pd_mem_free(searcher->texts[i].text);
        pd_mem_free(searcher->texts[i].embedding);
        searcher->texts[i] = (pd_library_text){ 0 };
    }
    pd_mem_free(searcher->bank);
    searcher->bank = NULL;
    searcher->n_bank = 0;
    searcher->model_id[0] = '\0';
}

void pd_library_searcher_clear(pd_library_searcher *searcher)
{
    clear_meaning(searcher);
    pd_store_close(&searcher->store);
}

void pd_library_turn_to(pd_library *library, const char *model_id)
{
    pd_library_searcher *searcher = &library->searcher;
    if (strcmp(searcher->model_id, model_id) == 0)
        return;
    clear_meaning(searcher);
    (void)snprintf(searcher->model_id, sizeof searcher->model_id, "%s", model_id);
}

void pd_library_close(pd_library **library)
{
    pd_library *l = *library;
    if (!l)
        return;
    pd_library_stop_loading(l);
    pd_library_fetching_done(l); /* before the job, which it may begin */
    pd_library_annotate_cancel(l);
    pd_library_annotate_finish(l, NULL);
    pd_library_job_cancel(l);
    pd_library_job_finish(l, NULL);
    pd_library_rest_done(l);
    pthread_cond_destroy(&l->annotator.unused);
    pthread_mutex_destroy(&l->annotator.lock);
    pthread_cond_destroy(&l->learner.unused);
    pthread_mutex_destroy(&l->learner.lock);
    pd_library_searcher_clear(&l->searcher);
    pthread_mutex_destroy(&l->searcher.lock);
    pd_library_finder_clear(&l->finder);
    pthread_mutex_destroy(&l->finder.lock);
    pd_library_decoders_done(&l->decoders);
    pd_store_close(&l->show_store);
    pthread_mutex_destroy(&l->show_lock);
    pd_store_close(&l->reader.store);
    pthread_mutex_destroy(&l->reader.lock);
    pd_store_close(&l->writer.store);
    pthread_mutex_destroy(&l->writer.lock);
    pthread_mutex_destroy(&l->views.lock);
    pd_mem_free(l->learner.last_lines);
    pd_library_shelf_done(l);
    pd_library_paths_done(&l->paths);
    pd_mem_free(l->decoder_path);
    pd_mem_free(l);
    *library = NULL;
}

const char *pd_library_dir(const pd_library *library) { return library->paths.dir; }

pd_status pd_library_explain_nothing(pd_error *err)
{
    return pd_error_set(err, PD_ERR_NO_MATCH,
                        "nothing has been learned yet: point 'pixel-detective index' at a folder");
}

/* False: not now. */
static bool bring_up_to_date(const pd_library *library)
{
    int lock_fd = -1;
    pd_store *store = NULL;
    if (pd_learner_lock_take(&lock_fd, library->paths.lock, NULL) != PD_OK)
        return false;
    const pd_status status = pd_store_open(&store, library->paths.catalogue, PD_STORE_WRITE, NULL);
    pd_store_close(&store);
    pd_learner_lock_release(&lock_fd);
    return status == PD_OK;
}

pd_status pd_library_open_store(const pd_library *library, pd_store **ret_store, pd_error *err)
{
    pd_store *store = NULL;
    PD_TRY(pd_store_open(&store, library->paths.catalogue, PD_STORE_READ, err));
    if (!pd_store_is_current(store) && bring_up_to_date(library)) {
        pd_store_close(&store);
        PD_TRY(pd_store_open(&store, library->paths.catalogue, PD_STORE_READ, err));
    }
    *ret_store = store;
    return PD_OK;
}

pd_status pd_library_need_store(pd_library *library, pd_error *err)
{
    if (library->searcher.store)
        return PD_OK;
    const pd_status status = pd_library_open_store(library, &library->searcher.store, err);
    return status == PD_ERR_NOT_FOUND ? pd_library_explain_nothing(err) : status;
}

pd_status pd_library_need_reader(pd_library *library, pd_error *err)
{
    return library->reader.store ? PD_OK : pd_library_open_store(library, &library->reader.store, err);
}
