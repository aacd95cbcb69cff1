/* library_model_use.c: choosing a model for a library, and having it in memory or not. */
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

/* As settings tell of it to every process, wherever that is: a key, or an absolute directory. On the heap. */
static char *settle_name(const char *name)
{
    return strchr(name, '/') || pd_dir_exists(name) ? pd_library_resolve(name) : pd_mem_dup_string(name);
}

/* Opens every part that searching and learning need: what cannot be used says so here. */
static pd_status open_all(pd_library *library, pd_library_choice *choice, pd_error *err)
{
    static const pd_model_part parts[] = { PD_PART_VISION, PD_PART_TEXT };
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        pd_lease lease = { 0 };
        PD_TRY(pd_library_borrow(library, choice, parts[i], NULL, &lease, err));
        pd_residency_return(library->shelf.residency, &lease);
    }
    return PD_OK;
}

typedef struct use {
    const pd_library_choice *wanted, *answering;
    int64_t learned; /* photos that the wanted one knows */
    bool takes_over; /* at once */
} use;

static pd_status find_number(pd_store *store, const pd_library_choice *choice, int64_t *ret_model, pd_error *err)
{
    const pd_status status = choice->is_known
                                 ? pd_store_model_find(store, choice->id, ret_model, err)
                                 : pd_store_model_named(store, pd_library_short_name(choice->name), ret_model, err);
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

static pd_status put_choice(pd_store *store, use *u, pd_error *err)
{
    int64_t wanted = 0, answering = 0, n_known = 0, last_seq;
    pd_store_totals totals;
    u->takes_over = strcmp(u->wanted->name, u->answering->name) == 0;
    PD_TRY(find_number(store, u->wanted, &wanted, err));
    PD_TRY(find_number(store, u->answering, &answering, err));
    PD_TRY(pd_store_totals_get(store, wanted, &totals, err));
    u->learned = totals.learned;
    if (answering)
        PD_TRY(pd_store_embedding_extent(store, answering, &n_known, &last_seq, err));
    if (n_known == 0)
        u->takes_over = true;
    else if (!u->takes_over && wanted)
        PD_TRY(pd_store_model_covers(store, wanted, answering, &u->takes_over, err));
    /* in this order: a process that ends in between has chosen nothing yet */
    PD_TRY(pd_store_setting_put(store, "answering", u->takes_over ? u->wanted->name : u->answering->name, err));
    return pd_store_setting_put(store, "model", u->wanted->name, err);
}

pd_status pd_library_model_use(pd_library *library, const char *name, int64_t *ret_learned, pd_error *err)
{
    pd_library_choice wanted = { 0 }, answering = { 0 };
    use u = { .wanted = &wanted, .answering = &answering };
    pd_store *store = NULL;
    char *settled = settle_name(name);
    pd_status status = settled ? pd_library_choose_named(library, settled, &wanted, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = open_all(library, &wanted, err);
    if (status == PD_OK)
        status = pd_library_choose(library, PD_LIBRARY_ANSWERING, &answering, err);
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
    pd_library_choice_done(&wanted);
    pd_mem_free(settled);
    return status;
}

pd_status pd_library_model_load(pd_library *library, const char *name, pd_error *err)
{
    char *dir = NULL;
    PD_TRY(pd_library_find_model(&library->paths, name, &dir, err));
    pd_residency_prefetch(library->shelf.residency, dir, PD_PART_TEXT);
    pd_residency_prefetch(library->shelf.residency, dir, PD_PART_VISION);
    pd_mem_free(dir);
    return PD_OK;
}

pd_status pd_library_model_unload(pd_library *library, const char *name, pd_error *err)
{
    char *dir = NULL;
    if (!name)
        return pd_residency_unload(library->shelf.residency, NULL, err);
    PD_TRY(pd_library_find_model(&library->paths, name, &dir, err));
    const pd_status status = pd_residency_unload(library->shelf.residency, dir, err);
    pd_mem_free(dir);
    return status;
}
