/* library_work.c: what the user does and keeps. */
#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

void pd_step_done(pd_step *step)
{
    pd_mem_free(step->sentence);
    *step = (pd_step){ 0 };
}

pd_status pd_library_begin_writing(pd_library *library, pd_store **ret_store, pd_error *err)
{
    pd_library_writer *writer = &library->writer;
    pd_status status = PD_OK;
    pthread_mutex_lock(&writer->lock);
    if (!writer->store) {
        status = pd_dir_make(library->paths.dir, err);
        if (status == PD_OK)
            status = pd_store_open(&writer->store, library->paths.catalogue, PD_STORE_WRITE, err);
    }
    if (status == PD_OK)
        *ret_store = writer->store;
    else
        pthread_mutex_unlock(&writer->lock);
    return status;
}

void pd_library_end_writing(pd_library *library) { pthread_mutex_unlock(&library->writer.lock); }

/* With the writer's lock held. The sentence of a step that is still the newest: nobody else came in between. */
static pd_status read_sentence(pd_store *store, pd_step *step, pd_error *err)
{
    int64_t newest = 0;
    char *sentence = NULL;
    if (!step->number)
        return PD_OK;
    PD_TRY(pd_store_undo_next(store, &newest, &sentence, err));
    if (newest == step->number)
        step->sentence = sentence;
    else
        pd_mem_free(sentence);
    return PD_OK;
}

/* One change by name: an edit, or of an album. */
typedef struct change {
    pd_status (*make)(pd_store *store, const struct change *change, pd_step *step, pd_error *err);
    const pd_edit *edit;
    const char *name, *to;
} change;

static pd_status make_change(pd_library *library, const change *c, pd_step *ret_step, pd_error *err)
{
    pd_store *store;
    pd_step step = { 0 };
    PD_TRY(pd_library_begin_writing(library, &store, err));
    pd_status status = c->make(store, c, &step, err);
    if (status == PD_OK)
        status = read_sentence(store, &step, err);
    pd_library_end_writing(library);
    if (status == PD_OK)
        *ret_step = step;
    return status;
}

static pd_status make_edit(pd_store *store, const change *c, pd_step *step, pd_error *err)
{
    return pd_store_edit(store, c->edit, &step->photos, &step->number, err);
}

static pd_status make_album(pd_store *store, const change *c, pd_step *step, pd_error *err)
{
    return pd_store_album_make(store, c->name, &step->number, err);
}

static pd_status rename_album(pd_store *store, const change *c, pd_step *step, pd_error *err)
{
    return pd_store_album_rename(store, c->name, c->to, &step->number, err);
}

static pd_status remove_album(pd_store *store, const change *c, pd_step *step, pd_error *err)
{
    return pd_store_album_remove(store, c->name, &step->number, err);
}

pd_status pd_library_edit(pd_library *library, const pd_edit *edit, pd_step *ret_step, pd_error *err)
{
    return make_change(library, &(change){ .make = make_edit, .edit = edit }, ret_step, err);
}

pd_status pd_library_album_make(pd_library *library, const char *name, pd_step *ret_step, pd_error *err)
{
    return make_change(library, &(change){ .make = make_album, .name = name }, ret_step, err);
}

pd_status pd_library_album_rename(pd_library *library, const char *name, const char *to, pd_step *ret_step,
                                  pd_error *err)
{
    return make_change(library, &(change){ .make = rename_album, .name = name, .to = to }, ret_step, err);
}

pd_status pd_library_album_remove(pd_library *library, const char *name, pd_step *ret_step, pd_error *err)
{
    return make_change(library, &(change){ .make = remove_album, .name = name }, ret_step, err);
}

pd_status pd_library_undo(pd_library *library, int64_t number, pd_step *ret_step, pd_error *err)
{
    pd_store *store;
    pd_step step = { 0 };
    char *newest = NULL;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    pd_status status = pd_store_undo_next(store, &step.number, &newest, err);
    pd_mem_free(newest);
    if (status == PD_OK)
        status = pd_store_undo(store, number ? number : step.number, &step.sentence, err);
    if (status == PD_OK && number)
        step.number = number;
    pd_library_end_writing(library);
    if (status == PD_OK)
        *ret_step = step;
    return status;
}

pd_status pd_library_saved_put(pd_library *library, const char *name, const char *query, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_saved_put(store, name, query, err);
    pd_library_end_writing(library);
    return status;
}

pd_status pd_library_saved_remove(pd_library *library, const char *name, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_saved_remove(store, name, err);
    pd_library_end_writing(library);
    return status;
}

pd_status pd_library_history_add(pd_library *library, const char *query, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_history_add(store, query, err);
    pd_library_end_writing(library);
    return status;
}

pd_status pd_library_history_clear(pd_library *library, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_history_clear(store, err);
    pd_library_end_writing(library);
    return status;
}

static pd_status ask_undo_next(pd_store *store, void *user, pd_error *err)
{
    pd_step *step = user;
    PD_TRY(pd_store_undo_next(store, &step->number, &step->sentence, err));
    if (step->number == 0)
        pd_step_done(step);
    return PD_OK;
}

pd_status pd_library_undo_next(pd_library *library, pd_step *ret_step, pd_error *err)
{
    pd_step step = { 0 };
    PD_TRY(pd_library_ask_store(library, ask_undo_next, &step, err));
    *ret_step = step;
    return PD_OK;
}

typedef struct album_visit {
    bool (*visit)(void *user, const pd_album *album);
    void *user;
} album_visit;

static pd_status ask_albums(pd_store *store, void *user, pd_error *err)
{
    const album_visit *v = user;
    return pd_store_albums(store, v->visit, v->user, err);
}

pd_status pd_library_albums(pd_library *library, bool (*visit)(void *user, const pd_album *album), void *user,
                            pd_error *err)
{
    album_visit v = { visit, user };
    return pd_library_ask_store(library, ask_albums, &v, err);
}

typedef struct saved_visit {
    pd_saved_visit visit;
    void *user;
    size_t n_max; /* of the history */
} saved_visit;

static pd_status ask_saved(pd_store *store, void *user, pd_error *err)
{
    const saved_visit *v = user;
    return pd_store_saved(store, v->visit, v->user, err);
}

static pd_status ask_history(pd_store *store, void *user, pd_error *err)
{
    const saved_visit *v = user;
    return pd_store_history(store, v->n_max, v->visit, v->user, err);
}

pd_status pd_library_saved(pd_library *library, pd_saved_visit visit, void *user, pd_error *err)
{
    saved_visit v = { .visit = visit, .user = user };
    return pd_library_ask_store(library, ask_saved, &v, err);
}

pd_status pd_library_history(pd_library *library, size_t n_max, pd_saved_visit visit, void *user, pd_error *err)
{
    saved_visit v = { .visit = visit, .user = user, .n_max = n_max };
    return pd_library_ask_store(library, ask_history, &v, err);
}
