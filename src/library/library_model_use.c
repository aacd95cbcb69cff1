/* library_model_use.c: choosing a model for a library, and having it in memory or not. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

char *pd_library_model_key(const char *name)
{
    pd_hub_reference reference;
    if (strchr(name, '/') && pd_dir_exists(name))
        return pd_library_resolve(name);
    /* what is no name of the hub's may be that of a folder somebody put among the models */
    return pd_mem_dup_string(pd_hub_reference_parse(name, &reference, NULL) == PD_OK ? reference.key : name);
}

pd_status pd_library_find_named(const pd_library *library, const char *name, char **ret_dir, pd_error *err)
{
    char *settled = pd_library_model_key(name);
    if (!settled)
        return pd_error_set_nomem(err);
    const pd_status status = pd_library_find_model(&library->paths, settled, ret_dir, err);
    pd_mem_free(settled);
    return status;
}

typedef struct kind_finder {
    const char *name;
    bool is_captioner;
} kind_finder;

static bool compare_name(void *user, const pd_hub_installed *installed)
{
    kind_finder *finder = user;
    if (strcmp(installed->key, finder->name) != 0)
        return true;
    finder->is_captioner = installed->kind == PD_HUB_CAPTIONS;
    return false;
}

/* By what its folder says of itself. */
static pd_status find_kind(const char *dir, bool *ret_is_captioner, pd_error *err)
{
    const char *name = pd_path_name(dir);
    kind_finder finder = { .name = name };
    char *above = pd_mem_dup_text(dir, (size_t)(name - dir));
    if (!above)
        return pd_error_set_nomem(err);
    const pd_status status = pd_hub_installed_visit(above[0] ? above : ".", compare_name, &finder, err);
    pd_mem_free(above);
    *ret_is_captioner = finder.is_captioner;
    return status;
}

static pd_status open_search_parts(pd_library *library, pd_library_choice *choice, const atomic_bool *cancelled,
                                   pd_error *err)
{
    static const pd_model_part parts[] = { PD_PART_VISION, PD_PART_TEXT };
    const size_t n_parts = pd_library_is_arriving(choice->dir) ? 1 : PD_COUNT_OF(parts); /* the text tower comes last */
    for (size_t i = 0; i < n_parts; i++) {
        pd_lease lease = { 0 };
        PD_TRY(pd_library_borrow(library, choice, parts[i], cancelled, &lease, err));
        pd_residency_return(library->shelf.residency, &lease);
    }
    return PD_OK;
}

/* Opens every part that searching and learning need: what cannot be used says so here, and is not kept in memory. */
static pd_status open_search(pd_library *library, pd_library_choice *choice, const atomic_bool *cancelled,
                             pd_error *err)
{
    const pd_status status = open_search_parts(library, choice, cancelled, err);
    if (status != PD_OK && status != PD_ERR_CANCELLED)
        (void)!pd_residency_unload(library->shelf.residency, choice->dir, NULL);
    return status;
}

/* The same for a captioner, over its own image tower or another's. */
static pd_status open_captioner(pd_library *library, const char *dir, const atomic_bool *cancelled, pd_error *err)
{
    pd_residency *residency = library->shelf.residency;
    pd_lease captioner = { 0 }, encoder = { 0 };
    pd_caption_session *session = NULL;
    PD_TRY(pd_residency_borrow(residency, dir, PD_PART_CAPTIONER, cancelled, &captioner, err));
    const char *encoder_dir = pd_captioner_encoder_dir(captioner.captioner);
    pd_status status = PD_OK;
    if (encoder_dir)
        status = pd_residency_borrow(residency, encoder_dir, PD_PART_VISION, cancelled, &encoder, err);
    if (status == PD_OK)
        status = pd_caption_session_create(&session, captioner.captioner, encoder.model, err);
    pd_caption_session_free(&session);
    pd_residency_return(residency, &encoder);
    pd_residency_return(residency, &captioner);
    return status;
}

typedef struct use {
    const pd_library_choice *wanted, *answering;
    int64_t learned; /* photos that the wanted one knows */
    bool takes_over; /* at once */
} use;

static pd_status find_number(pd_store *store, const pd_library_choice *choice, int64_t *ret_model, pd_error *err)
{
    const pd_status status = choice->is_known ? pd_store_model_find(store, choice->id, ret_model, err)
                                              : pd_store_model_named(store, choice->name, ret_model, err);
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

static pd_status put_choice(pd_store *store, use *u, pd_error *err)
{
    int64_t wanted = 0, answering = 0, n_known = 0, last_seq;
    pd_store_totals totals;
    u->takes_over = strcmp(u->wanted->name, u->answering->name) == 0;
    if (u->wanted->is_known) /* it may be a model that learned by another name */
        PD_TRY(pd_store_model_call(store, u->wanted->id, u->wanted->name, err));
    PD_TRY(find_number(store, u->wanted, &wanted, err));
    PD_TRY(find_number(store, u->answering, &answering, err));
    PD_TRY(pd_store_totals_get(store, wanted, &totals, err));
    u->learned = totals.learned;
    if (answering)
        PD_TRY(pd_store_embedding_extent(store, answering, &n_known, &last_seq, err));
    if (n_known == 0 || !u->answering->dir) /* what is not here answers nothing */
        u->takes_over = true;
    else if (!u->takes_over && wanted)
        PD_TRY(pd_store_model_covers(store, wanted, answering, &u->takes_over, err));
    if (pd_library_is_arriving(u->wanted->dir)) /* it knows no words yet */
        u->takes_over = false;
    /* in this order: a process that ends in between has chosen nothing yet */
    PD_TRY(pd_store_setting_put(store, "answering", u->takes_over ? u->wanted->name : u->answering->name, err));
    return pd_store_setting_put(store, "model", u->wanted->name, err);
}

static pd_status use_search(pd_library *library, pd_library_choice *wanted, int64_t *ret_learned, pd_error *err)
{
    pd_library_choice answering = { 0 };
    use u = { .wanted = wanted, .answering = &answering };
    pd_store *store = NULL;
    pd_status status = pd_library_choose(library, PD_LIBRARY_ANSWERING, &answering, err);
    if (status == PD_OK)
        status = pd_library_begin_writing(library, &store, err);
    if (status == PD_OK) {
        status = put_choice(store, &u, err);
        pd_library_end_writing(library);
        pd_library_forget_takeover(library); /* of a model that was chosen before */
    }
    if (status == PD_OK && ret_learned)
        *ret_learned = u.learned;
    pd_library_choice_done(&answering);
    return status;
}

static pd_status use_captioner(pd_library *library, const pd_library_choice *wanted, int64_t *ret_learned,
                               pd_error *err)
{
    pd_store *store = NULL;
    PD_TRY(pd_library_begin_writing(library, &store, err));
    const pd_status status = pd_store_setting_put(store, "captioner", wanted->name, err);
    pd_library_end_writing(library);
    if (status == PD_OK && ret_learned)
        *ret_learned = -1;
    return status;
}

/* How a model comes into use. */
typedef struct entrance {
    bool is_opened; /* first, to see whether it can be used */
    const atomic_bool *cancelled;
} entrance;

static pd_status use_named(pd_library *library, const char *name, const entrance *how, int64_t *ret_learned,
                           pd_error *err)
{
    pd_library_choice wanted = { 0 };
    bool is_captioner = false;
    char *settled = pd_library_model_key(name);
    pd_status status = settled ? pd_library_choose_named(library, settled, &wanted, err) : pd_error_set_nomem(err);
    if (status == PD_OK && !wanted.dir)
        status = pd_library_find_model(&library->paths, settled, &wanted.dir, err); /* says where it is not */
    if (status == PD_OK)
        status = find_kind(wanted.dir, &is_captioner, err);
    if (status == PD_OK && how->is_opened)
        status = is_captioner ? open_captioner(library, wanted.dir, how->cancelled, err)
                              : open_search(library, &wanted, how->cancelled, err);
    if (status == PD_OK)
        status = is_captioner ? use_captioner(library, &wanted, ret_learned, err)
                              : use_search(library, &wanted, ret_learned, err);
    pd_library_choice_done(&wanted);
    pd_mem_free(settled);
    return status;
}

pd_status pd_library_model_use(pd_library *library, const char *name, const atomic_bool *cancelled,
                               int64_t *ret_learned, pd_error *err)
{
    const entrance how = { .is_opened = true, .cancelled = cancelled };
    return use_named(library, name, &how, ret_learned, err);
}

pd_status pd_library_model_use_again(pd_library *library, const char *name, pd_error *err)
{
    const entrance how = { .is_opened = false };
    return use_named(library, name, &how, NULL, err);
}

pd_status pd_library_model_load(pd_library *library, const char *name, pd_error *err)
{
    pd_residency *residency = library->shelf.residency;
    char *dir = NULL;
    bool is_captioner = false;
    PD_TRY(pd_library_find_named(library, name, &dir, err));
    const pd_status status = find_kind(dir, &is_captioner, err);
    if (status == PD_OK && is_captioner) {
        pd_residency_prefetch(residency, dir, PD_PART_CAPTIONER);
    } else if (status == PD_OK) {
        pd_residency_prefetch(residency, dir, PD_PART_TEXT);
        pd_residency_prefetch(residency, dir, PD_PART_VISION);
    }
    pd_mem_free(dir);
    return status;
}

pd_status pd_library_model_unload(pd_library *library, const char *name, pd_error *err)
{
    char *dir = NULL;
    if (!name)
        return pd_residency_unload(library->shelf.residency, NULL, err);
    PD_TRY(pd_library_find_named(library, name, &dir, err));
    const pd_status status = pd_residency_unload(library->shelf.residency, dir, err);
    pd_mem_free(dir);
    return status;
}
