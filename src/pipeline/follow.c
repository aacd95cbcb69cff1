#include <stdlib.h>

#include "base/mem.h"
#include "pipeline/plan.h"

/* Contents that left a path: their photo is missing, or its file holds another picture now. */
typedef struct left_contents {
    int64_t *contents; /* [n], ascending */
    size_t n;
} left_contents;

pd_status pd_plan_note_changed(pd_plan *plan, const pd_changed *changed, pd_error *err)
{
    pd_changed *list = pd_list_grow(plan->changed, &plan->changed_capacity, plan->n_changed, sizeof *list);
    if (!list)
        return pd_error_set_nomem(err);
    plan->changed = list;
    list[plan->n_changed++] = *changed;
    return PD_OK;
}

static int compare_contents(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_removed(const pd_plan *plan, const pd_missing *missing)
{
    return missing->content && !missing->moved && !plan->roots[missing->root].offline;
}

static bool list_left(const pd_plan *plan, left_contents *left)
{
    left->contents = pd_mem_alloc(plan->n_changed + plan->n_missing, sizeof *left->contents);
    if (!left->contents)
        return false;
    for (size_t i = 0; i < plan->n_changed; i++)
        left->contents[left->n++] = plan->changed[i].was;
    for (size_t i = 0; i < plan->n_missing; i++) {
        if (is_removed(plan, &plan->missing[i]))
            left->contents[left->n++] = plan->missing[i].content;
    }
    qsort(left->contents, left->n, sizeof *left->contents, compare_contents);
    return true;
}

/* Whether its picture came from another path. */
static bool came_along(const left_contents *left, const pd_changed *changed)
{
    return bsearch(&changed->is, left->contents, left->n, sizeof *left->contents, compare_contents) != NULL;
}

static pd_status follow_changed(const pd_plan *plan, const left_contents *left, pd_store *store, pd_error *err)
{
    for (size_t i = 0; i < plan->n_changed; i++)
        if (came_along(left, &plan->changed[i]))
            PD_TRY(pd_store_work_part(store, plan->changed[i].id, plan->changed[i].was, err));
    for (size_t i = 0; i < plan->n_changed; i++) {
        const pd_changed *changed = &plan->changed[i];
        if (!came_along(left, changed))
            continue;
        PD_TRY(pd_store_work_follow(store, changed->is, changed->id, err));
        PD_TRY(pd_store_work_follow(store, changed->was, 0, err));
    }
    return PD_OK;
}

/* Its picture may be elsewhere already, as one that an earlier run found: copied, or moved into another root. */
static pd_status follow_removed(const pd_plan *plan, pd_store *store, pd_error *err)
{
    for (size_t i = 0; i < plan->n_missing; i++)
        if (is_removed(plan, &plan->missing[i]))
            PD_TRY(pd_store_work_follow(store, plan->missing[i].content, 0, err));
    return PD_OK;
}

pd_status pd_plan_follow(const pd_plan *plan, pd_store *store, pd_error *err)
{
    left_contents left = { .n = 0 };
    pd_status status = PD_OK;
    if (plan->n_changed > 0)
        status = list_left(plan, &left) ? follow_changed(plan, &left, store, err) : pd_error_set_nomem(err);
    pd_mem_free(left.contents);
    return status == PD_OK ? follow_removed(plan, store, err) : status;
}
