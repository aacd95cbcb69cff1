/* library_model_list.c: the models there are: those that could be fetched, those that are here, and those in use. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

/* One model on its way to the visitor; all strings of `model` but static ones are kept here. */
typedef struct row {
    pd_library_model model;
    char *key, *dir, *repository, *revision;
    char error[PD_ERROR_MESSAGE_BYTES];
} row;

typedef struct list {
    pd_library *library;
    row *rows; /* [n] */
    size_t n;
    pd_status status;
} list;

/* What is in use. */
typedef struct uses {
    pd_library_choice chosen, answering;
    char *captioner;
} uses;

static void free_list(list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        pd_mem_free(l->rows[i].key);
        pd_mem_free(l->rows[i].dir);
        pd_mem_free(l->rows[i].repository);
        pd_mem_free(l->rows[i].revision);
    }
    pd_mem_free(l->rows);
}

static row *find_row(const list *l, const char *key)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->rows[i].key, key) == 0)
            return &l->rows[i];
    return NULL;
}

/* The row of that key; NULL when out of memory. */
static row *need_row(list *l, const char *key)
{
    row *found = find_row(l, key);
    if (found)
        return found;
    row *rows = pd_mem_realloc(l->rows, l->n + 1, sizeof *rows);
    if (!rows)
        return NULL;
    l->rows = rows;
    rows[l->n] = (row){ .key = pd_mem_dup_string(key), .model = { .learned = -1 } };
    return rows[l->n].key ? &rows[l->n++] : NULL;
}

static pd_status add_catalogue(list *l)
{
    size_t n;
    const pd_hub_entry *entries = pd_hub_catalogue(&n);
    for (size_t i = 0; i < n; i++) {
        row *added = need_row(l, entries[i].key);
        if (!added)
            return PD_ERR_NOMEM;
        added->model.entry = &entries[i];
        added->model.kind = entries[i].kind;
    }
    return PD_OK;
}

/* The first complete one of a key counts, as it does for whoever opens it; else one that still arrives. */
static bool add_installed(void *user, const pd_hub_installed *installed)
{
    list *l = user;
    row *added = need_row(l, installed->key);
    if (added && (added->model.complete || (added->dir && !installed->complete)))
        return true;
    char *dir = pd_mem_dup_string(installed->dir);
    char *repository = pd_mem_dup_string(installed->repository), *revision = pd_mem_dup_string(installed->revision);
    if (!added || !dir || !repository || !revision) {
        pd_mem_free(dir);
        pd_mem_free(repository);
        pd_mem_free(revision);
        l->status = PD_ERR_NOMEM;
        return false;
    }
    pd_mem_free(added->dir);
    pd_mem_free(added->repository);
    pd_mem_free(added->revision);
    added->dir = dir;
    added->repository = repository;
    added->revision = revision;
    added->model.kind = installed->kind;
    added->model.complete = installed->complete;
    added->model.disk_bytes = installed->bytes;
    return true;
}

/* A model in use that lies elsewhere. */
static pd_status add_used(list *l, const char *name, const char *dir, pd_hub_kind kind)
{
    for (size_t i = 0; dir && i < l->n; i++)
        if (l->rows[i].dir && strcmp(l->rows[i].dir, dir) == 0)
            return PD_OK;
    if (!strchr(name, '/') || find_row(l, name))
        return PD_OK;
    row *added = need_row(l, name);
    if (!added)
        return PD_ERR_NOMEM;
    added->model.kind = kind;
    if (dir) {
        added->dir = pd_mem_dup_string(dir);
        added->model.complete = true;
        added->model.disk_bytes = pd_library_dir_bytes(dir);
    }
    return !dir || added->dir ? PD_OK : PD_ERR_NOMEM;
}

static pd_status add_all_used(list *l, const uses *used)
{
    const char *captioner = used->captioner;
    pd_status status = add_used(l, used->chosen.name, used->chosen.dir, PD_HUB_SEARCH);
    if (status == PD_OK)
        status = add_used(l, used->answering.name, used->answering.dir, PD_HUB_SEARCH);
    if (status == PD_OK)
        status = add_used(l, captioner, pd_dir_exists(captioner) ? captioner : NULL, PD_HUB_CAPTIONS);
    return status;
}

static void add_resident(void *user, const pd_resident *resident)
{
    list *l = user;
    for (size_t i = 0; i < l->n; i++) {
        row *r = &l->rows[i];
        pd_library_model *model = &r->model;
        if (!r->dir || strcmp(r->dir, resident->dir) != 0)
            continue;
        const bool is_first = model->load_ms == 0 && model->state == PD_RESIDENCE_COLD;
        model->memory_bytes += resident->bytes;
        model->load_ms += resident->load_ms;
        model->idle_s = is_first || resident->idle_s < model->idle_s ? resident->idle_s : model->idle_s;
        if (resident->state == PD_RESIDENCE_LOADING)
            model->fraction = resident->fraction;
        if (pd_residence_rank(resident->state) > pd_residence_rank(model->state))
            model->state = resident->state;
        if (resident->error) {
            (void)snprintf(r->error, sizeof r->error, "%s", resident->error);
            model->error = r->error;
        }
    }
}

static pd_status ask_learned(pd_store *store, void *user, pd_error *err)
{
    list *l = user;
    for (size_t i = 0; i < l->n; i++) {
        row *r = &l->rows[i];
        int64_t model = 0;
        pd_store_totals totals;
        if (r->model.kind != PD_HUB_SEARCH)
            continue;
        const pd_status found = pd_store_model_named(store, r->key, &model, err);
        if (found != PD_OK && found != PD_ERR_NO_MATCH)
            return found;
        r->model.learned = 0;
        if (found != PD_OK)
            continue;
        PD_TRY(pd_store_totals_get(store, model, &totals, err));
        r->model.learned = totals.learned;
    }
    return PD_OK;
}

static pd_status gather(list *l, const uses *used, pd_error *err)
{
    const pd_library_paths *paths = &l->library->paths;
    pd_status status = add_catalogue(l);
    for (size_t i = 0; status == PD_OK && i < PD_LIBRARY_MODEL_PLACES; i++) {
        char *dir = pd_library_models_dir(paths, i);
        status = dir ? pd_hub_installed_visit(dir, add_installed, l, err) : PD_ERR_NOMEM;
        pd_mem_free(dir);
        status = status == PD_OK ? l->status : status;
    }
    if (status == PD_OK)
        status = add_all_used(l, used);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    PD_TRY(status);
    pd_residency_visit(l->library->shelf.residency, add_resident, l);
    return pd_library_ask_store(l->library, ask_learned, l, err);
}

/* By its name, or by where it lies: a directory may be one of those that have a key. */
static bool is_named(const row *r, const char *name, const char *dir)
{
    return strcmp(r->key, name) == 0 || (r->dir && dir && strcmp(r->dir, dir) == 0);
}

static void complete_row(row *r, const uses *used)
{
    pd_library_model *model = &r->model;
    const pd_hub_entry *entry = model->entry;
    model->key = r->key;
    model->dir = r->dir;
    model->repository = r->repository && r->repository[0] ? r->repository
                        : entry && entry->repository      ? entry->repository
                                                          : "";
    model->revision = r->revision && r->revision[0] ? r->revision : entry && entry->revision ? entry->revision : "";
    model->built_in = entry && !entry->repository;
    if (model->kind == PD_HUB_CAPTIONS) {
        model->chosen = is_named(r, used->captioner, used->captioner);
        return;
    }
    model->chosen = is_named(r, used->chosen.name, used->chosen.dir);
    model->answering = is_named(r, used->answering.name, used->answering.dir);
}

pd_status pd_library_models(pd_library *library, bool (*visit)(void *user, const pd_library_model *model), void *user,
                            pd_error *err)
{
    uses used = { .captioner = NULL };
    list l = { .library = library };
    pd_status status = pd_library_choose(library, PD_LIBRARY_CHOSEN, &used.chosen, err);
    if (status == PD_OK)
        status = pd_library_choose(library, PD_LIBRARY_ANSWERING, &used.answering, err);
    if (status == PD_OK)
        status = pd_library_captioner(library, &used.captioner, err);
    if (status == PD_OK)
        status = gather(&l, &used, err);
    bool goes_on = true;
    for (size_t i = 0; status == PD_OK && goes_on && i < l.n; i++) {
        complete_row(&l.rows[i], &used);
        goes_on = visit(user, &l.rows[i].model);
    }
    free_list(&l);
    pd_library_choice_done(&used.answering);
    pd_library_choice_done(&used.chosen);
    pd_mem_free(used.captioner);
    return status;
}
