#include <string.h>

#include "pipeline/plan.h"
#include "pipeline/walk.h"

typedef struct root_list {
    pd_plan *plan;
    pd_status status;
} root_list;

static pd_status append_root(pd_plan *plan, const pd_root *root)
{
    pd_plan_root *roots = pd_list_grow(plan->roots, &plan->roots_capacity, plan->n_roots, sizeof *roots);
    if (!roots)
        return PD_ERR_NOMEM;
    plan->roots = roots;
    const char *path = pd_text_pool_keep(&plan->texts, root->path);
    if (!path)
        return PD_ERR_NOMEM;
    roots[plan->n_roots++] =
        (pd_plan_root){ .id = root->id, .path = path, .offline = root->offline, .photos = root->n_photos };
    return PD_OK;
}

static bool visit_root(void *user, const pd_root *root)
{
    root_list *list = user;
    list->status = append_root(list->plan, root);
    return list->status == PD_OK;
}

static pd_status append_target(pd_plan *plan, const char *path, size_t root)
{
    pd_plan_target *targets = pd_list_grow(plan->targets, &plan->targets_capacity, plan->n_targets, sizeof *targets);
    if (!targets)
        return PD_ERR_NOMEM;
    plan->targets = targets;
    const char *copy = pd_text_pool_keep(&plan->texts, path);
    if (!copy)
        return PD_ERR_NOMEM;
    targets[plan->n_targets++] = (pd_plan_target){ copy, root };
    return PD_OK;
}

/* The innermost root that a walk to `folder` starts from; n_roots: none. */
static size_t find_root(const pd_plan *plan, const char *folder)
{
    size_t best = plan->n_roots, best_len = 0;
    for (size_t i = 0; i < plan->n_roots; i++) {
        const size_t len = strlen(plan->roots[i].path);
        if (len > best_len && pd_walk_reaches(plan->roots[i].path, folder)) {
            best = i;
            best_len = len;
        }
    }
    return best;
}

static pd_status add_folder(pd_plan *plan, pd_store *store, pd_board *board, const char *folder, pd_error *err)
{
    size_t root = find_root(plan, folder);
    if (root == plan->n_roots)
        PD_TRY(pd_plan_relink(plan, store, board, folder, &root, err));
    if (root == plan->n_roots) {
        pd_root added = { .path = folder };
        PD_TRY(pd_store_root_add(store, folder, &added.id, err));
        if (append_root(plan, &added) != PD_OK)
            return pd_error_set_nomem(err);
    }
    return append_target(plan, folder, root) == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

/* Whether the walk of another folder of the list comes by this one. Of equal ones the first stays. */
static bool is_covered(const char *const *folders, size_t n_folders, size_t index)
{
    for (size_t i = 0; i < n_folders; i++) {
        const bool same = strcmp(folders[i], folders[index]) == 0;
        if (same ? i < index : pd_walk_reaches(folders[i], folders[index]))
            return true;
    }
    return false;
}

static bool is_covered_root(const pd_plan *plan, size_t index)
{
    for (size_t i = 0; i < plan->n_roots; i++) {
        if (i != index && pd_walk_reaches(plan->roots[i].path, plan->roots[index].path))
            return true;
    }
    return false;
}

static void mark_scanned(pd_plan *plan)
{
    for (size_t i = 0; i < plan->n_targets; i++) {
        const pd_plan_target *target = &plan->targets[i];
        plan->roots[target->root].scanned = true;
        for (size_t r = 0; r < plan->n_roots; r++) {
            if (pd_walk_reaches(target->path, plan->roots[r].path))
                plan->roots[r].scanned = plan->roots[r].whole = true;
        }
    }
}

pd_status pd_plan_add_roots(pd_plan *plan, pd_store *store, const pd_plan_options *options, pd_board *board,
                            pd_error *err)
{
    root_list list = { .plan = plan };
    PD_TRY(pd_store_roots(store, visit_root, &list, err));
    if (list.status != PD_OK)
        return pd_error_set_nomem(err);
    if (options->n_folders == 0) {
        for (size_t i = 0; i < plan->n_roots; i++) {
            if (!is_covered_root(plan, i) && append_target(plan, plan->roots[i].path, i) != PD_OK)
                return pd_error_set_nomem(err);
        }
    }
    for (size_t i = 0; i < options->n_folders; i++) {
        if (!is_covered(options->folders, options->n_folders, i))
            PD_TRY(add_folder(plan, store, board, options->folders[i], err));
    }
    mark_scanned(plan);
    return PD_OK;
}
