#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "library/learner_lock.h"
#include "library/library_find.h"

#define DEFAULT_MODEL "tiny"

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
    pthread_mutex_init(&library->views.lock, NULL);
    library->views.bytes = -1;
    library->views.bytes_max = options->views_bytes_max ? options->views_bytes_max : PD_LIBRARY_VIEWS_BYTES_MAX;
    pd_library_decoders_init(&library->decoders);
    pthread_mutex_init(&library->learner.lock, NULL);
    pthread_cond_init(&library->learner.unused, NULL);
    library->learner.lock_fd = -1;
    library->cpu_mask = options->cpu_mask;
    library->precision = options->precision;
    library->n_threads = options->n_threads ? options->n_threads : pd_thread_cpu_count();
    pd_kernels_init(&library->kernels, library->cpu_mask);
    library->model_option = pd_mem_dup_string(options->model ? options->model : DEFAULT_MODEL);
    library->decoder_path = options->decoder_path ? pd_mem_dup_string(options->decoder_path) : NULL;
    pd_status status = PD_OK;
    if (!library->model_option || (options->decoder_path && !library->decoder_path))
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_library_paths_init(&library->paths, options, err);
    if (status == PD_OK)
        *ret_library = library;
    else
        pd_library_close(&library);
    return status;
}

static void close_searcher(pd_library_searcher *searcher)
{
    pd_vindex_close(&searcher->index);
    pd_session_free(&searcher->text);
    pd_session_free(&searcher->vision);
    pd_model_close(&searcher->model);
    pd_store_close(&searcher->store);
    for (size_t i = 0; i < PD_LIBRARY_TEXTS_MAX; i++) {
        pd_mem_free(searcher->texts[i].text);
        pd_mem_free(searcher->texts[i].embedding);
    }
    pd_mem_free(searcher->bank);
    pthread_mutex_destroy(&searcher->lock);
}

static void close_finder(pd_library_finder *finder)
{
    for (size_t i = 0; i < PD_LIBRARY_RESULTS_MAX; i++)
        pd_kept_done(&finder->kept[i]);
    pd_rows_free(&finder->rows);
    pd_columns_close(&finder->columns);
    pd_store_close(&finder->store);
    pthread_mutex_destroy(&finder->lock);
}

void pd_library_close(pd_library **library)
{
    pd_library *l = *library;
    if (!l)
        return;
    pd_library_job_cancel(l);
    pd_library_job_finish(l, NULL);
    pthread_cond_destroy(&l->learner.unused);
    pthread_mutex_destroy(&l->learner.lock);
    close_searcher(&l->searcher);
    close_finder(&l->finder);
    pd_library_decoders_done(&l->decoders);
    pd_store_close(&l->show_store);
    pthread_mutex_destroy(&l->show_lock);
    pd_store_close(&l->reader.store);
    pd_mem_free(l->reader.model_id);
    pthread_mutex_destroy(&l->reader.lock);
    pd_store_close(&l->writer.store);
    pthread_mutex_destroy(&l->writer.lock);
    pthread_mutex_destroy(&l->views.lock);
    pd_mem_free(l->learner.last_lines);
    pd_library_paths_done(&l->paths);
    pd_mem_free(l->model_option);
    pd_mem_free(l->decoder_path);
    pd_mem_free(l);
    *library = NULL;
}

const char *pd_library_dir(const pd_library *library) { return library->paths.dir; }

const char *pd_library_model_name(pd_library *library)
{
    const char *name = pd_path_name(library->model_option);
    return name[0] ? name : library->model_option;
}

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

/* For the reader, which must not wait for the searcher. */
static void remember_model(pd_library *library)
{
    pthread_mutex_lock(&library->reader.lock);
    if (!library->reader.model_id) /* out of memory: the next time */
        library->reader.model_id = pd_mem_dup_string(pd_model_id(library->searcher.model));
    pthread_mutex_unlock(&library->reader.lock);
}

pd_status pd_library_need_model(pd_library *library, unsigned towers, pd_error *err)
{
    pd_library_searcher *searcher = &library->searcher;
    if (searcher->model && (searcher->towers & towers) == towers)
        return PD_OK;
    if (!towers)
        towers = PD_MODEL_VISION; /* learning has prepared it, so opening it is only a map */
    char *dir = NULL;
    PD_TRY(pd_library_find_model(&dir, library->model_option, err));
    atomic_store(&library->is_model_ready, false);
    pd_session_free(&searcher->text);
    pd_session_free(&searcher->vision);
    pd_model_close(&searcher->model);
    const pd_model_options options = { .towers = searcher->towers | towers,
                                       .cpu_mask = library->cpu_mask,
                                       .precision = library->precision,
                                       .cache_dir = library->paths.prepared };
    const pd_status status = pd_model_open(&searcher->model, dir, &options, err);
    if (status == PD_OK) {
        searcher->towers = options.towers;
        remember_model(library);
    }
    pd_mem_free(dir);
    return status;
}
