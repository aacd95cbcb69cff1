/* library_remove.c: a model goes, and what is left of it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/learner_lock.h"
#include "library/library_parts.h"

pd_status pd_library_forget_learned(pd_library *library, const char *model_id, pd_error *err)
{
    pd_store *store = NULL;
    int lock_fd = -1;
    if (!pd_file_exists(library->paths.catalogue))
        return PD_OK;
    PD_TRY(pd_learner_lock_take(&lock_fd, library->paths.lock, err));
    pd_status status = pd_library_begin_writing(library, &store, err);
    if (status == PD_OK) {
        status = pd_store_model_forget(store, model_id, err);
        pd_library_end_writing(library);
    }
    char *vectors = status == PD_OK ? pd_vectors_path(library->paths.vectors, model_id) : NULL;
    if (vectors)
        (void)unlink(vectors); /* one that stays is found to be wrong by its reader */
    pd_mem_free(vectors);
    pd_learner_lock_release(&lock_fd);
    return status;
}

static pd_status check_unused(pd_library *library, const char *key, pd_error *err)
{
    static const pd_library_which uses[] = { PD_LIBRARY_CHOSEN, PD_LIBRARY_ANSWERING };
    for (size_t i = 0; i < PD_COUNT_OF(uses); i++) {
        pd_library_choice choice;
        pd_status status = pd_library_choose(library, uses[i], &choice, err);
        if (status == PD_OK && strcmp(choice.name, key) == 0)
            status = pd_error_set(err, PD_ERR_BUSY, "%s is in use: choose another model first ('model use tiny')", key);
        pd_library_choice_done(&choice);
        PD_TRY(status);
    }
    return PD_OK;
}

/* Where it lies, when that is among the models that were fetched. */
static pd_status find_folder(const pd_library *library, const char *key, char ret_dir[PATH_MAX], bool *ret_whole,
                             pd_error *err)
{
    const char *models = library->paths.models;
    const int n = snprintf(ret_dir, PATH_MAX, "%s/%s", models, key);
    if (strchr(key, '/') || n < 0 || n >= PATH_MAX)
        return pd_error_set(err, PD_ERR_USAGE, "'%.200s' is a folder of yours: remove it yourself", key);
    *ret_whole = pd_dir_exists(ret_dir);
    const int m = *ret_whole ? n : snprintf(ret_dir, PATH_MAX, "%s/%s" PD_LIBRARY_PART_SUFFIX, models, key);
    if (m > 0 && m < PATH_MAX && pd_dir_exists(ret_dir))
        return PD_OK;
    char *elsewhere = NULL;
    PD_TRY(pd_library_find_model(&library->paths, key, &elsewhere, err));
    pd_mem_free(elsewhere);
    return pd_error_set(err, PD_ERR_USAGE, "%s came with the program: it stays", key);
}

static pd_status remove_model(pd_library *library, const char *key, bool embeddings, pd_error *err)
{
    char dir[PATH_MAX], id[PD_SHA256_TEXT_BYTES] = "";
    bool whole = false;
    PD_TRY(find_folder(library, key, dir, &whole, err));
    PD_TRY(check_unused(library, key, err));
    PD_TRY(pd_residency_unload(library->shelf.residency, dir, err));
    /* One that cannot be opened has prepared nothing and learned nothing. */
    if (whole && pd_model_forget(dir, library->paths.prepared, id, NULL) == PD_OK && embeddings)
        PD_TRY(pd_library_forget_learned(library, id, err));
    if (embeddings)
        PD_TRY(pd_library_early_revoke(library, key, err));
    return pd_hub_remove(library->paths.models, key, err);
}

pd_status pd_library_model_remove(pd_library *library, const char *name, bool embeddings, pd_error *err)
{
    char *key = pd_library_model_key(name);
    if (!key)
        return pd_error_set_nomem(err);
    const pd_status status = remove_model(library, key, embeddings, err);
    pd_mem_free(key);
    return status;
}
