#include "annotate/worklist.h"

#include <string.h>

pd_status pd_worklist_begin(pd_worklist *list, pd_store *store, const pd_machine_query *query, int64_t *ret_todo,
                            pd_error *err)
{
    memset(list, 0, sizeof *list);
    list->store = store;
    list->query = *query;
    return pd_store_machine_count(store, query, ret_todo, err);
}

/* The place of a content among those aside, or where it belongs. */
static size_t find(const pd_worklist *list, int64_t content)
{
    size_t low = 0, high = list->n_aside;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (list->aside[middle] < content)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_aside(const pd_worklist *list, int64_t content)
{
    const size_t at = find(list, content);
    return at < list->n_aside && list->aside[at] == content;
}

static void put_aside(pd_worklist *list, int64_t content)
{
    const size_t at = find(list, content);
    memmove(list->aside + at + 1, list->aside + at, (list->n_aside - at) * sizeof *list->aside);
    list->aside[at] = content;
    list->n_aside++;
}

void pd_worklist_done(pd_worklist *list, int64_t content)
{
    const size_t at = find(list, content);
    if (at == list->n_aside || list->aside[at] != content)
        return;
    list->n_aside--;
    memmove(list->aside + at, list->aside + at + 1, (list->n_aside - at) * sizeof *list->aside);
}

void pd_worklist_return(pd_worklist *list, int64_t content)
{
    pd_worklist_done(list, content);
    if (list->next > 0)
        list->window[--list->next] = content;
}

/* The next of those that were asked for and that the catalogue still lacks. */
static pd_status next_urgent(pd_worklist *list, pd_slate *slate, int64_t *ret_content, bool *ret_any, pd_error *err)
{
    const uint64_t before = list->urgent_number;
    const size_t n = pd_slate_copy_first(slate, &list->urgent_number, list->urgent);
    if (list->urgent_number != before) {
        list->n_urgent = n;
        list->next_urgent = 0;
    }
    *ret_any = false;
    while (!*ret_any && list->next_urgent < list->n_urgent) {
        *ret_content = list->urgent[list->next_urgent++];
        if (!is_aside(list, *ret_content))
            PD_TRY(pd_store_machine_lacks(list->store, *ret_content, &list->query, ret_any, err));
    }
    return PD_OK;
}

static pd_status refill(pd_worklist *list, pd_error *err)
{
    int64_t found[PD_MACHINE_TODO_MAX];
    size_t n = 0;
    PD_TRY(pd_store_machine_todo(list->store, &list->query, PD_WORKLIST_WINDOW + list->n_aside, found, &n, err));
    list->n = list->next = 0;
    for (size_t i = 0; i < n && list->n < PD_WORKLIST_WINDOW; i++)
        if (!is_aside(list, found[i]))
            list->window[list->n++] = found[i];
    return PD_OK;
}

/* Passes over what was written about since the window was filled: asked for first, or by another program. */
static pd_status next_of_window(pd_worklist *list, int64_t *ret_content, bool *ret_any, pd_error *err)
{
    *ret_any = false;
    while (!*ret_any) {
        if (list->next == list->n)
            PD_TRY(refill(list, err));
        if (list->n == 0)
            return PD_OK;
        *ret_content = list->window[list->next++];
        if (!is_aside(list, *ret_content))
            PD_TRY(pd_store_machine_lacks(list->store, *ret_content, &list->query, ret_any, err));
    }
    return PD_OK;
}

pd_status pd_worklist_next(pd_worklist *list, pd_slate *slate, int64_t *ret_content, bool *ret_any, pd_error *err)
{
    *ret_any = false;
    if (list->n_aside == PD_WORKLIST_ASIDE_MAX)
        return PD_OK;
    PD_TRY(next_urgent(list, slate, ret_content, ret_any, err));
    if (!*ret_any)
        PD_TRY(next_of_window(list, ret_content, ret_any, err));
    if (*ret_any)
        put_aside(list, *ret_content);
    return PD_OK;
}
