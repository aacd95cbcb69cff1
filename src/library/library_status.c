/* library_status.c: what the library knows, without opening anything heavy. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "library/learner_lock.h"
#include "library/library_parts.h"

static pd_status find_photo(pd_store *store, const char *path_or_id, pd_photo *ret_photo, pd_error *err)
{
    uint64_t id;
    if (pd_parse_u64(path_or_id, INT64_MAX, &id))
        return pd_store_photo_by_id(store, (int64_t)id, ret_photo, err);
    char *path = pd_library_resolve(path_or_id);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status = pd_store_photo_by_path(store, path, ret_photo, err);
    pd_mem_free(path);
    return status;
}

/* What the work says outlives further calls; what the photo says does not. */
static pd_status find_shown(pd_store *store, const char *path_or_id, pd_photo *ret_photo, pd_work *ret_work,
                            pd_error *err)
{
    PD_TRY(find_photo(store, path_or_id, ret_photo, err));
    if (!ret_work)
        return PD_OK;
    const int64_t id = ret_photo->id;
    PD_TRY(pd_store_work(store, id, ret_work, err));
    return pd_store_photo_by_id(store, id, ret_photo, err);
}

pd_status pd_library_show(pd_library *library, const char *path_or_id, pd_photo *ret_photo, pd_work *ret_work,
                          pd_error *err)
{
    pthread_mutex_lock(&library->show_lock);
    pd_status status = library->show_store ? PD_OK : pd_library_open_store(library, &library->show_store, err);
    if (status == PD_OK)
        status = find_shown(library->show_store, path_or_id, ret_photo, ret_work, err);
    if (status == PD_ERR_NO_MATCH || status == PD_ERR_NOT_FOUND)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "the library does not know '%s'", path_or_id);
    pthread_mutex_unlock(&library->show_lock);
    return status;
}

typedef struct filter {
    char **folders; /* resolved */
    size_t n_folders;
    bool (*visit)(void *user, const char *path, pd_status why, const char *sentence);
    void *user;
} filter;

static bool visit_error(void *user, const char *path, pd_status why, const char *sentence)
{
    const filter *f = user;
    bool inside = f->n_folders == 0;
    for (size_t i = 0; !inside && i < f->n_folders; i++)
        inside = pd_path_is_within(path, f->folders[i]);
    return inside ? f->visit(f->user, path, why, sentence) : true;
}

pd_status pd_library_ask_store(pd_library *library, pd_status (*ask)(pd_store *store, void *user, pd_error *err),
                               void *user, pd_error *err)
{
    pthread_mutex_lock(&library->reader.lock);
    pd_error opening;
    pd_status status = pd_library_need_reader(library, &opening);
    if (status == PD_OK)
        status = ask(library->reader.store, user, err);
    else
        status = status == PD_ERR_NOT_FOUND ? PD_OK : pd_error_hand_on(err, &opening);
    pthread_mutex_unlock(&library->reader.lock);
    return status;
}

static pd_status ask_errors(pd_store *store, void *user, pd_error *err)
{
    return pd_store_errors(store, 0, visit_error, user, err);
}

pd_status pd_library_errors(pd_library *library, const char *const *folders, size_t n_folders,
                            bool (*visit)(void *user, const char *path, pd_status why, const char *sentence),
                            void *user, pd_error *err)
{
    filter f = { .visit = visit, .user = user };
    pd_status status = PD_OK;
    f.folders = pd_mem_alloc(n_folders, sizeof *f.folders);
    if (!f.folders)
        return pd_error_set_nomem(err);
    for (; status == PD_OK && f.n_folders < n_folders; f.n_folders += status == PD_OK) {
        f.folders[f.n_folders] = pd_library_resolve(folders[f.n_folders]);
        if (!f.folders[f.n_folders])
            status = pd_error_set_nomem(err);
    }
    if (status == PD_OK)
        status = pd_library_ask_store(library, ask_errors, &f, err);
    for (size_t i = 0; i < f.n_folders; i++)
        pd_mem_free(f.folders[i]);
    pd_mem_free(f.folders);
    return status;
}

typedef struct root_visit {
    bool (*visit)(void *user, const pd_root *root);
    void *user;
} root_visit;

static pd_status ask_roots(pd_store *store, void *user, pd_error *err)
{
    const root_visit *v = user;
    return pd_store_roots(store, v->visit, v->user, err);
}

pd_status pd_library_roots(pd_library *library, bool (*visit)(void *user, const pd_root *root), void *user,
                           pd_error *err)
{
    root_visit v = { visit, user };
    return pd_library_ask_store(library, ask_roots, &v, err);
}

static int64_t file_bytes(const char *path, const char *suffix)
{
    char name[4096];
    struct stat st;
    const int n = snprintf(name, sizeof name, "%s%s", path, suffix);
    return n > 0 && (size_t)n < sizeof name && stat(name, &st) == 0 ? (int64_t)st.st_size : 0;
}

static const char *name_state(pd_library *library, const pd_library_choice *choice)
{
    const char *state = choice->dir ? pd_library_state_of(library, choice->dir) : "missing";
    return state ? state : pd_residence_name(PD_RESIDENCE_COLD);
}

typedef struct asked_totals {
    const pd_library_choice *choice;
    pd_store_totals totals;
} asked_totals;

static pd_status ask_totals(pd_store *store, void *user, pd_error *err)
{
    asked_totals *asked = user;
    const pd_library_choice *choice = asked->choice;
    int64_t model = 0;
    const pd_status found = choice->is_known ? pd_store_model_find(store, choice->id, &model, err)
                                             : pd_store_model_named(store, choice->name, &model, err);
    if (found != PD_OK && found != PD_ERR_NO_MATCH)
        return found;
    return pd_store_totals_get(store, model, &asked->totals, err);
}

pd_status pd_library_totals_get(pd_library *library, pd_library_totals *ret_totals, pd_error *err)
{
    pd_library_choice choice;
    asked_totals asked = { .choice = &choice };
    pd_status status = pd_library_choose(library, PD_LIBRARY_ANSWERING, &choice, err);
    if (status == PD_OK)
        status = pd_library_ask_store(library, ask_totals, &asked, err);
    if (status == PD_OK)
        *ret_totals = (pd_library_totals){ .files = asked.totals.files,
                                           .learned = asked.totals.learned,
                                           .errors = asked.totals.errors,
                                           .offline = asked.totals.offline,
                                           .model_name = pd_library_short_name(choice.name),
                                           .model_state = name_state(library, &choice) };
    pd_library_choice_done(&choice);
    return status;
}

/* The number by which the catalogue knows a model, which is open once to be known itself. 0: it knows nothing of it. */
static void make_known(pd_library *library, pd_library_choice *choice, pd_library_status *status)
{
    pd_lease lease = { 0 };
    if (!choice->is_known && pd_library_borrow(library, choice, PD_PART_VISION, NULL, &lease, NULL) != PD_OK)
        status->model_state = choice->dir ? pd_residence_name(PD_RESIDENCE_FAILED) : "missing";
    pd_residency_return(library->shelf.residency, &lease);
}

static pd_status ask_learned(pd_store *store, void *user, pd_error *err)
{
    asked_totals *asked = user;
    int64_t model = 0;
    const pd_status found =
        asked->choice->is_known ? pd_store_model_find(store, asked->choice->id, &model, err) : PD_OK;
    if (found != PD_OK && found != PD_ERR_NO_MATCH)
        return found;
    return pd_store_totals_get(store, model, &asked->totals, err);
}

static pd_status count_photos(pd_library *library, pd_library_status *status, pd_error *err)
{
    pd_library_choice choice;
    asked_totals asked = { .choice = &choice };
    pd_status counted = pd_library_choose(library, PD_LIBRARY_ANSWERING, &choice, err);
    if (counted == PD_OK) {
        status->model_name = pd_library_short_name(choice.name);
        status->model_state = name_state(library, &choice);
        if (pd_file_exists(library->paths.catalogue)) {
            make_known(library, &choice, status);
            counted = pd_library_ask_store(library, ask_learned, &asked, err);
        }
    }
    pd_library_choice_done(&choice);
    status->files = asked.totals.files;
    status->learned = asked.totals.learned;
    status->errors = asked.totals.errors;
    status->offline = asked.totals.offline;
    return counted;
}

pd_status pd_library_status_get(pd_library *library, pd_library_status *ret_status, pd_error *err)
{
    const pd_library_paths *paths = &library->paths;
    pd_library_status status = { 0 };
    PD_TRY(count_photos(library, &status, err));
    status.catalogue_bytes =
        file_bytes(paths->catalogue, "") + file_bytes(paths->catalogue, "-wal") + file_bytes(paths->catalogue, "-shm");
    status.vectors_bytes = pd_library_dir_bytes(paths->vectors);
    status.thumbs_bytes = pd_library_dir_bytes(paths->thumbs);
    status.prepared_bytes = pd_library_dir_bytes(paths->prepared);
    status.learner_pid = pd_learner_lock_holder(paths->lock);
    *ret_status = status;
    return PD_OK;
}
