/* library_remove.c: a model goes, and what is left of it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
    char *captioner = NULL;
    PD_TRY(pd_library_captioner(library, &captioner, err));
    const bool writes = strcmp(captioner, key) == 0;
    pd_mem_free(captioner);
    return writes ? pd_error_set(err, PD_ERR_BUSY, "%s writes captions: choose another first ('model use %s')", key,
                                 PD_LIBRARY_CAPTIONER)
                  : PD_OK;
}

/* What is to go, and by what it is known. */
typedef struct removing {
    const char *key;
    char dir[PATH_MAX], id[PD_SHA256_TEXT_BYTES]; /* id "": it prepared nothing and learned nothing */
    bool whole;
    int64_t photos, vectors_bytes;
} removing;

/* The same bytes may be here by two names: what the one learned is what the other did. */
static pd_status check_unshared(pd_library *library, const removing *r, pd_error *err)
{
    static const pd_library_which uses[] = { PD_LIBRARY_CHOSEN, PD_LIBRARY_ANSWERING };
    for (size_t i = 0; i < PD_COUNT_OF(uses) && r->id[0]; i++) {
        pd_library_choice choice;
        char id[PD_SHA256_TEXT_BYTES] = "";
        pd_status status = pd_library_choose(library, uses[i], &choice, err);
        if (status == PD_OK && choice.dir && pd_model_find_id(choice.dir, library->paths.prepared, id, NULL) == PD_OK &&
            strcmp(id, r->id) == 0)
            status = pd_error_set(err, PD_ERR_BUSY,
                                  "%s is %s by another name, and that is in use: what they learned stays. Without "
                                  "--embeddings %s can go",
                                  r->key, choice.name, r->key);
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

/* By its files; of those that cannot be read, or are not here, by the name of what learned last. */
static pd_status ask_learned(pd_store *store, void *user, pd_error *err)
{
    removing *r = user;
    pd_model_row row;
    pd_store_totals totals;
    int64_t model = 0;
    pd_status status =
        r->id[0] ? pd_store_model_find(store, r->id, &model, err) : pd_store_model_named(store, r->key, &model, err);
    if (status == PD_OK)
        status = pd_store_model_get(store, model, &row, err);
    if (status == PD_OK)
        status = pd_store_totals_get(store, model, &totals, err);
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    memcpy(r->id, row.id, sizeof r->id);
    r->photos = totals.learned;
    r->vectors_bytes = row.vectors_bytes;
    return PD_OK;
}

/* A newer revision may be arriving beside it. */
static int64_t folder_bytes(const removing *r)
{
    char part[PATH_MAX];
    const int n = snprintf(part, sizeof part, "%s" PD_LIBRARY_PART_SUFFIX, r->dir);
    const bool has_part = r->whole && n > 0 && (size_t)n < sizeof part;
    return pd_library_dir_bytes(r->dir) + (has_part ? pd_library_dir_bytes(part) : 0);
}

static int64_t vectors_file_bytes(const pd_library *library, const char *id)
{
    struct stat info;
    char *path = pd_vectors_path(library->paths.vectors, id);
    const int64_t bytes = path && stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
    pd_mem_free(path);
    return bytes;
}

static pd_status find_learned(pd_library *library, removing *r, pd_removal *ret_removal, pd_error *err)
{
    if (r->whole && pd_model_find_id(r->dir, library->paths.prepared, r->id, NULL) != PD_OK)
        r->id[0] = '\0';
    PD_TRY(pd_library_ask_store(library, ask_learned, r, err));
    *ret_removal = (pd_removal){ .files_bytes = folder_bytes(r), .photos = r->photos };
    if (!r->id[0])
        return PD_OK;
    ret_removal->prepared_bytes = pd_model_forget(library->paths.prepared, r->id, true);
    ret_removal->embeddings_bytes = r->vectors_bytes + vectors_file_bytes(library, r->id);
    return PD_OK;
}

/* The folder goes last: as long as it is there, the rest can be tried again. */
static pd_status remove_all(pd_library *library, const removing *r, bool embeddings, pd_error *err)
{
    PD_TRY(pd_residency_unload(library->shelf.residency, r->dir, err));
    if (embeddings && r->id[0])
        PD_TRY(pd_library_forget_learned(library, r->id, err));
    if (embeddings)
        PD_TRY(pd_library_early_revoke(library, r->key, err));
    if (r->id[0])
        (void)pd_model_forget(library->paths.prepared, r->id, false);
    return pd_hub_remove(library->paths.models, r->key, err);
}

static pd_status remove_model(pd_library *library, removing *r, const pd_remove_options *options,
                              pd_removal *ret_removal, pd_error *err)
{
    PD_TRY(pd_library_check_model_name(r->key, err));
    PD_TRY(find_folder(library, r->key, r->dir, &r->whole, err));
    PD_TRY(check_unused(library, r->key, err));
    PD_TRY(find_learned(library, r, ret_removal, err));
    if (options->embeddings)
        PD_TRY(check_unshared(library, r, err));
    return options->dry_run ? PD_OK : remove_all(library, r, options->embeddings, err);
}

pd_status pd_library_model_remove(pd_library *library, const char *name, const pd_remove_options *options,
                                  pd_removal *ret_removal, pd_error *err)
{
    char *key = pd_library_model_key(name);
    if (!key)
        return pd_error_set_nomem(err);
    removing r = { .key = key };
    pd_removal removal = { 0 };
    const pd_status status = remove_model(library, &r, options, &removal, err);
    pd_mem_free(key);
    if (status == PD_OK)
        *ret_removal = removal;
    return status;
}
