/* library_index.c: the vector file as searching needs it: there, whole and up to date. */
#include "base/file.h"
#include "base/mem.h"
#include "library/learner_lock.h"
#include "library/library_parts.h"

static pd_vectors_of describe_vectors(const pd_library *library, const pd_library_choice *model, int64_t number)
{
    return (pd_vectors_of){ .model = number, .model_id = model->id, .dim = model->dim, .kernels = &library->kernels };
}

static pd_status open_for_reading(pd_library *library, const char *path, const pd_vectors_of *of, pd_error *err)
{
    pd_library_searcher *searcher = &library->searcher;
    pd_vindex_close(&searcher->index);
    searcher->index_in_memory = false;
    return pd_vindex_open(&searcher->index, path, PD_VINDEX_READ, of->model_id, of->dim, of->kernels, err);
}

/* Whether the index that is open can be used: it agrees with the catalogue, or a learner is just bringing it there. */
static pd_status judge_index(pd_library *library, const pd_vectors_of *of, bool *ret_good, pd_error *err)
{
    PD_TRY(pd_vectors_agree(library->searcher.index, library->searcher.store, of->model, ret_good, err));
    if (!*ret_good && pd_vindex_count(library->searcher.index) > 0)
        *ret_good = pd_learner_lock_holder(library->paths.lock) != 0;
    return PD_OK;
}

/* Brings the file up to date under the learner's lock; any failure means: not now. */
static bool mend_file(pd_library *library, const char *path, const pd_vectors_of *of)
{
    int lock_fd = -1;
    pd_vindex *index = NULL;
    if (pd_dir_make(library->paths.vectors, NULL) != PD_OK ||
        pd_learner_lock_take(&lock_fd, library->paths.lock, NULL) != PD_OK)
        return false;
    const pd_status status = pd_vectors_open(&index, path, library->searcher.store, of, NULL);
    pd_vindex_close(&index);
    pd_learner_lock_release(&lock_fd);
    return status == PD_OK;
}

static pd_status use_file(pd_library *library, const char *path, const pd_vectors_of *of, bool *ret_good)
{
    const pd_status status = open_for_reading(library, path, of, NULL);
    return status == PD_OK ? judge_index(library, of, ret_good, NULL) : status;
}

pd_status pd_library_need_index(pd_library *library, const pd_library_choice *model, int64_t number, pd_error *err)
{
    pd_library_searcher *searcher = &library->searcher;
    const pd_vectors_of of = describe_vectors(library, model, number);
    bool good = false;
    pd_library_turn_to(library, model->id);
    if (searcher->index && !searcher->index_in_memory && pd_vindex_refresh(searcher->index, NULL) == PD_OK)
        PD_TRY(judge_index(library, &of, &good, err));
    if (good)
        return PD_OK;

    char *path = pd_vectors_path(library->paths.vectors, of.model_id);
    if (!path)
        return pd_error_set_nomem(err);
    pd_status status = use_file(library, path, &of, &good);
    if (!good && mend_file(library, path, &of))
        status = use_file(library, path, &of, &good);
    pd_mem_free(path);
    if (status == PD_OK && good)
        return PD_OK;

    /* The file is missing or damaged while somebody else learns, or cannot be written: memory does for now. */
    pd_vindex_close(&searcher->index);
    searcher->index_in_memory = true;
    return pd_vectors_open(&searcher->index, NULL, searcher->store, &of, err);
}
