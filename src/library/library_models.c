/* library_models.c: which model answers and which learns, and what is known of them. What is in memory of them is the
 * residency's business. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

#define DEFAULT_MODEL "tiny"

static void tell_watcher(void *user)
{
    pd_library_shelf *shelf = user;
    pthread_mutex_lock(&shelf->watch_lock);
    if (shelf->changed)
        shelf->changed(shelf->changed_user);
    pthread_mutex_unlock(&shelf->watch_lock);
}

/* The entry of a name; NULL: out of memory, or of room. With the models' lock held. */
static pd_library_known *need_known(pd_library_shelf *shelf, const char *name)
{
    for (size_t i = 0; i < shelf->n; i++)
        if (strcmp(shelf->known[i].name, name) == 0)
            return &shelf->known[i];
    char *copy = shelf->n < PD_LIBRARY_KNOWN_MAX ? pd_mem_dup_string(name) : NULL;
    if (!copy)
        return NULL;
    shelf->known[shelf->n] = (pd_library_known){ .name = copy };
    return &shelf->known[shelf->n++];
}

/* A name without a '/' is a key, unless it is that of a folder here. */
static char *name_option(const char *name)
{
    return !strchr(name, '/') && pd_dir_exists(name) ? pd_path_join(".", name) : pd_mem_dup_string(name);
}

pd_status pd_library_shelf_init(pd_library *library, const pd_library_options *options, pd_error *err)
{
    pd_library_shelf *shelf = &library->shelf;
    const pd_residency_options residency = { .cpu_mask = library->cpu_mask,
                                             .precision = (int)library->precision,
                                             .cache_dir = library->paths.prepared,
                                             .idle_s = options->idle_s,
                                             .changed = tell_watcher,
                                             .changed_user = shelf };
    shelf->known = pd_mem_alloc(PD_LIBRARY_KNOWN_MAX, sizeof *shelf->known);
    char *name = name_option(options->model ? options->model : DEFAULT_MODEL);
    const pd_library_known *known = shelf->known && name ? need_known(shelf, name) : NULL;
    pd_mem_free(name);
    if (!known)
        return pd_error_set_nomem(err);
    shelf->option = options->model ? known->name : NULL;
    atomic_store(&shelf->answering, known->name);
    return pd_residency_create(&shelf->residency, &residency, err);
}

void pd_library_shelf_done(pd_library *library)
{
    pd_library_shelf *shelf = &library->shelf;
    pd_residency_free(&shelf->residency);
    for (size_t i = 0; i < shelf->n; i++) {
        pd_mem_free(shelf->known[i].name);
        pd_mem_free(shelf->known[i].dir);
    }
    pd_mem_free(shelf->known);
    pthread_mutex_destroy(&shelf->watch_lock);
    pthread_mutex_destroy(&shelf->lock);
}

pd_residency *pd_library_residency(pd_library *library) { return library->shelf.residency; }

void pd_library_stop_loading(pd_library *library) { pd_residency_stop(library->shelf.residency); }

void pd_library_watch_models(pd_library *library, void (*changed)(void *user), void *user)
{
    pd_library_shelf *shelf = &library->shelf;
    pthread_mutex_lock(&shelf->watch_lock);
    shelf->changed = changed;
    shelf->changed_user = user;
    pthread_mutex_unlock(&shelf->watch_lock);
}

const char *pd_library_short_name(const char *name)
{
    const char *last = pd_path_name(name);
    return last[0] ? last : name;
}

const char *pd_library_model_name(pd_library *library)
{
    return pd_library_short_name(atomic_load(&library->shelf.answering));
}

/* Fills in what is known of a name. */
static pd_status describe(pd_library *library, const char *name, pd_library_choice *ret_choice, pd_error *err)
{
    pd_library_shelf *shelf = &library->shelf;
    pd_library_choice choice = { 0 };
    pd_error finding;
    if (pd_library_find_model(&library->paths, name, &choice.dir, &finding) == PD_ERR_NOMEM)
        return pd_error_hand_on(err, &finding);
    pthread_mutex_lock(&shelf->lock);
    const pd_library_known *known = need_known(shelf, name);
    if (known) {
        choice.name = known->name;
        choice.is_known = choice.dir && known->dir && strcmp(choice.dir, known->dir) == 0;
        choice.dim = known->dim;
        choice.side = known->side;
        memcpy(choice.id, known->id, sizeof choice.id);
    }
    pthread_mutex_unlock(&shelf->lock);
    if (!known) {
        pd_library_choice_done(&choice);
        return pd_error_set_nomem(err);
    }
    *ret_choice = choice;
    return PD_OK;
}

pd_status pd_library_choose_named(pd_library *library, const char *name, pd_library_choice *ret_choice, pd_error *err)
{
    *ret_choice = (pd_library_choice){ 0 };
    return describe(library, name, ret_choice, err);
}

/* What the library's settings say; both on the heap, or NULL. */
typedef struct settings {
    char *chosen, *answering;
    pd_library *library;
    bool compares; /* look whether the chosen one has taken over */
} settings;

/* The catalogue's number of a model; NO_MATCH: it knows nothing of it. */
static pd_status find_number(settings *s, pd_store *store, const char *name, int64_t *ret_model, pd_error *err)
{
    pd_library_shelf *shelf = &s->library->shelf;
    char id[PD_SHA256_TEXT_BYTES] = "";
    pthread_mutex_lock(&shelf->lock);
    const pd_library_known *known = need_known(shelf, name);
    if (known && known->dir)
        memcpy(id, known->id, sizeof id);
    pthread_mutex_unlock(&shelf->lock);
    return id[0] ? pd_store_model_find(store, id, ret_model, err) : pd_store_model_named(store, name, ret_model, err);
}

static bool is_arriving(const settings *s)
{
    char *dir = NULL;
    const bool is =
        pd_library_find_model(&s->library->paths, s->chosen, &dir, NULL) == PD_OK && pd_library_is_arriving(dir);
    pd_mem_free(dir);
    return is;
}

/* Whether the chosen model knows all that the answering one knows, and words. */
static pd_status compare_models(settings *s, pd_store *store, bool *ret_covers, pd_error *err)
{
    int64_t chosen = 0, answering = 0;
    bool is_early = false;
    *ret_covers = false;
    PD_TRY(pd_library_early_look(store, s->chosen, &is_early, err));
    if (is_early || is_arriving(s))
        return PD_OK;
    pd_status status = find_number(s, store, s->answering, &answering, err);
    if (status == PD_ERR_NO_MATCH) {
        *ret_covers = true;
        return PD_OK;
    }
    if (status == PD_OK)
        status = find_number(s, store, s->chosen, &chosen, err);
    if (status != PD_OK)
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    return pd_store_model_covers(store, chosen, answering, ret_covers, err);
}

/* Compares at most this often while the answering model is on its way out. */
enum { COMPARE_AGAIN_MS = 1000 };

static pd_status read_settings(pd_store *store, void *user, pd_error *err)
{
    settings *s = user;
    pd_library_shelf *shelf = &s->library->shelf;
    PD_TRY(pd_store_setting_get(store, "model", &s->chosen, err));
    PD_TRY(pd_store_setting_get(store, "answering", &s->answering, err));
    if (!s->chosen || !s->answering || strcmp(s->chosen, s->answering) == 0)
        return PD_OK;
    bool has_taken_over = false;
    pthread_mutex_lock(&shelf->lock);
    const pd_library_known *known = need_known(shelf, s->chosen);
    const int64_t now_ns = pd_clock_ns();
    has_taken_over = known && shelf->taken_over == known->name;
    const bool compares =
        known && !has_taken_over && (s->compares || now_ns - shelf->compared_ns >= COMPARE_AGAIN_MS * PD_NS_PER_MS);
    if (compares)
        shelf->compared_ns = now_ns;
    pthread_mutex_unlock(&shelf->lock);
    if (compares) {
        PD_TRY(compare_models(s, store, &has_taken_over, err));
        pthread_mutex_lock(&shelf->lock);
        shelf->taken_over = has_taken_over ? known->name : NULL;
        pthread_mutex_unlock(&shelf->lock);
    }
    if (has_taken_over) {
        pd_mem_free(s->answering);
        s->answering = NULL;
    }
    return PD_OK;
}

static void done_settings(settings *s)
{
    pd_mem_free(s->chosen);
    pd_mem_free(s->answering);
}

pd_status pd_library_choose(pd_library *library, pd_library_which which, pd_library_choice *ret_choice, pd_error *err)
{
    const char *option = library->shelf.option;
    settings s = { .library = library };
    *ret_choice = (pd_library_choice){ 0 };
    pd_status status = option ? PD_OK : pd_library_ask_store(library, read_settings, &s, err);
    const char *name = option ? option : s.chosen ? s.chosen : DEFAULT_MODEL;
    if (which == PD_LIBRARY_ANSWERING && !option && s.answering)
        name = s.answering;
    if (status == PD_OK)
        status = describe(library, name, ret_choice, err);
    if (status == PD_OK && which == PD_LIBRARY_ANSWERING)
        atomic_store(&library->shelf.answering, ret_choice->name);
    done_settings(&s);
    return status;
}

void pd_library_forget_takeover(pd_library *library)
{
    pthread_mutex_lock(&library->shelf.lock);
    library->shelf.taken_over = NULL;
    library->shelf.compared_ns = 0;
    pthread_mutex_unlock(&library->shelf.lock);
}

static pd_status put_answering(pd_library *library, const char *name, pd_error *err)
{
    pd_store *store;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_setting_put(store, "answering", name, err);
    pd_library_end_writing(library);
    return status;
}

void pd_library_settle_models(pd_library *library)
{
    settings s = { .library = library, .compares = true };
    const bool is_read = !library->shelf.option && pd_library_ask_store(library, read_settings, &s, NULL) == PD_OK;
    if (is_read && s.chosen && !s.answering)
        (void)put_answering(library, s.chosen, NULL); /* failed, it is found out anew by whoever asks */
    done_settings(&s);
}

void pd_library_choice_done(pd_library_choice *choice)
{
    pd_mem_free(choice->dir);
    choice->dir = NULL;
}

/* Writes down what was open. False: out of memory. */
static bool note(pd_library *library, const pd_library_choice *choice, const pd_model *model)
{
    pd_library_shelf *shelf = &library->shelf;
    pthread_mutex_lock(&shelf->lock);
    pd_library_known *known = need_known(shelf, choice->name);
    char *dir = known ? pd_mem_dup_string(choice->dir) : NULL;
    if (dir) {
        pd_mem_free(known->dir);
        known->dir = dir;
        known->dim = pd_model_dim(model);
        known->side = pd_model_image_side(model);
        (void)snprintf(known->id, sizeof known->id, "%s", pd_model_id(model));
    }
    pthread_mutex_unlock(&shelf->lock);
    return dir != NULL;
}

pd_status pd_library_borrow(pd_library *library, pd_library_choice *choice, pd_model_part part,
                            const atomic_bool *cancelled, pd_lease *ret_lease, pd_error *err)
{
    pd_residency *residency = library->shelf.residency;
    pd_lease lease = { 0 };
    if (!choice->dir)
        PD_TRY(pd_library_find_model(&library->paths, choice->name, &choice->dir, err)); /* or says where it is not */
    if (!choice->is_known)
        PD_TRY(pd_library_early_judge(library, choice->name, choice->dir, err));
    PD_TRY(pd_residency_borrow(residency, choice->dir, part, cancelled, &lease, err));
    const bool is_same = choice->is_known && strcmp(choice->id, pd_model_id(lease.model)) == 0;
    const bool is_exchanged = choice->is_known && !is_same;
    pd_status status = PD_OK;
    if (!is_same && !note(library, choice, lease.model))
        status = pd_error_set_nomem(err);
    else if (is_exchanged)
        status = pd_error_set(err, PD_ERR_BUSY, "the model '%s' was exchanged just now: ask again",
                              pd_library_short_name(choice->name));
    if (status != PD_OK) {
        pd_residency_return(residency, &lease);
        if (is_exchanged) /* by another process: other parts in memory may still be those of the old one */
            pd_residency_renew(residency, choice->dir);
        return status;
    }
    choice->is_known = true;
    choice->dim = pd_model_dim(lease.model);
    choice->side = pd_model_image_side(lease.model);
    (void)snprintf(choice->id, sizeof choice->id, "%s", pd_model_id(lease.model));
    *ret_lease = lease;
    return PD_OK;
}

typedef struct state_finder {
    const char *dir;
    bool found;
    pd_residence busiest;
} state_finder;

static void compare_state(void *user, const pd_resident *resident)
{
    state_finder *finder = user;
    if (strcmp(resident->dir, finder->dir) != 0)
        return;
    if (!finder->found || pd_residence_rank(resident->state) > pd_residence_rank(finder->busiest))
        finder->busiest = resident->state;
    finder->found = true;
}

const char *pd_library_state_of(pd_library *library, const char *dir)
{
    state_finder finder = { .dir = dir };
    pd_residency_visit(library->shelf.residency, compare_state, &finder);
    return finder.found ? pd_residence_name(finder.busiest) : NULL;
}

void pd_library_set_model_idle(pd_library *library, const char *name, double idle_s)
{
    char *dir = NULL;
    if (pd_library_find_named(library, name, &dir, NULL) == PD_OK) /* else there is nothing to put away */
        pd_residency_set_idle(library->shelf.residency, dir, idle_s);
    pd_mem_free(dir);
}
