#include <stdlib.h>

#include "base/mem.h"
#include "pipeline/plan.h"

/* Contents that left a path: their photo was removed, or its file holds another picture now; and those that came to the
 * path of another. */
typedef struct wandered {
    int64_t *left, *came; /* ascending */
    size_t n_left, n_came;
} wandered;

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

static int64_t *sort_contents(int64_t *contents, size_t n)
{
    qsort(contents, n, sizeof *contents, compare_contents);
    return contents;
}

static bool list_wandered(const pd_plan *plan, wandered *w)
{
    w->left = pd_mem_alloc(plan->n_changed + plan->n_missing, sizeof *w->left);
    w->came = pd_mem_alloc(plan->n_changed, sizeof *w->came);
    if (!w->left || !w->came)
        return false;
    for (size_t i = 0; i < plan->n_changed; i++) {
        w->left[w->n_left++] = plan->changed[i].was;
        w->came[w->n_came++] = plan->changed[i].is;
    }
    for (size_t i = 0; i < plan->n_missing; i++)
        if (plan->missing[i].removed && plan->missing[i].content)
            w->left[w->n_left++] = plan->missing[i].content;
    sort_contents(w->left, w->n_left);
    sort_contents(w->came, w->n_came);
    return true;
}

static bool is_among(int64_t content, const int64_t *contents, size_t n)
{
    return bsearch(&content, contents, n, sizeof content, compare_contents) != NULL;
}

/* Whether its picture came from another path, or the one before went to one that was known. */
static bool has_wandered(const wandered *w, const pd_changed *changed)
{
    return is_among(changed->is, w->left, w->n_left) || is_among(changed->was, w->came, w->n_came);
}

/* All are parted before any is followed, and those that lie at a path that was known come before copies. */
static pd_status follow_changed(const pd_plan *plan, const wandered *w, pd_store *store, pd_error *err)
{
    for (size_t i = 0; i < plan->n_changed; i++)
        if (has_wandered(w, &plan->changed[i]))
            PD_TRY(pd_store_work_part(store, plan->changed[i].id, plan->changed[i].was, err));
    for (size_t i = 0; i < plan->n_changed; i++)
        if (has_wandered(w, &plan->changed[i]))
            PD_TRY(pd_store_work_follow(store, plan->changed[i].is, plan->changed[i].id, err));
    for (size_t i = 0; i < plan->n_changed; i++)
        if (has_wandered(w, &plan->changed[i]))
            PD_TRY(pd_store_work_follow(store, plan->changed[i].was, 0, err));
    return PD_OK;
}

/* Its picture may be elsewhere already, as one that an earlier run found: copied, or moved into another root. */
static pd_status follow_removed(const pd_plan *plan, pd_store *store, pd_error *err)
{
    for (size_t i = 0; i < plan->n_missing; i++)
        if (plan->missing[i].removed && plan->missing[i].content)
            PD_TRY(pd_store_work_follow(store, plan->missing[i].content, 0, err));
    return PD_OK;
}

pd_status pd_plan_follow(const pd_plan *plan, pd_store *store, pd_error *err)
{
    wandered w = { .n_left = 0 };
    pd_status status = PD_OK;
    if (plan->n_changed > 0)
        status = list_wandered(plan, &w) ? follow_changed(plan, &w, store, err) : pd_error_set_nomem(err);
    pd_mem_free(w.left);
    pd_mem_free(w.came);
    return status == PD_OK ? follow_removed(plan, store, err) : status;
}
