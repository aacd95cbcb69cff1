/* slot_rows.c: from slots of the columns to rows of the vector file. */
#include <stdlib.h>

#include "base/mem.h"
#include "search/slot_rows.h"

typedef struct holder {
    int64_t content;
    uint32_t row;
} holder;

static int compare_contents(const void *left, const void *right)
{
    const holder *a = left, *b = right;
    if (a->content != b->content)
        return a->content < b->content ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

void pd_rows_free(pd_rows **rows)
{
    if (!*rows)
        return;
    pd_mem_free((*rows)->of_slot);
    pd_mem_free(*rows);
    *rows = NULL;
}

/* Every content that has a row, in order. Rows nearly are: whoever learns a content makes both at once. */
static pd_status list_holders(const pd_vindex *index, holder **ret_holders, pd_error *err)
{
    enum { AT_ONCE = 1024 };
    int64_t contents[AT_ONCE];
    const size_t n = pd_vindex_count(index);
    holder *holders = pd_mem_alloc(n, sizeof *holders);
    if (!holders)
        return pd_error_set_nomem(err);
    bool is_sorted = true;
    for (size_t first = 0; first < n; first += AT_ONCE) {
        const size_t now = n - first < AT_ONCE ? n - first : AT_ONCE;
        pd_vindex_contents(index, first, now, contents);
        for (size_t i = 0; i < now; i++) {
            holders[first + i] = (holder){ contents[i], (uint32_t)(first + i) };
            is_sorted &= first + i == 0 || holders[first + i - 1].content <= contents[i];
        }
    }
    if (!is_sorted)
        qsort(holders, n, sizeof *holders, compare_contents);
    *ret_holders = holders;
    return PD_OK;
}

/* The last holder of the content: newer rows replace older ones. `at` is where the one before was found, which is most
 * often one in front. */
static size_t find_holder(const holder *holders, size_t n, size_t at, int64_t content)
{
    if (at + 1 < n && holders[at + 1].content == content && (at + 2 >= n || holders[at + 2].content != content))
        return at + 1;
    size_t low = 0, high = n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (holders[middle].content <= content)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && holders[low - 1].content == content ? low - 1 : n;
}

pd_status pd_rows_refresh(pd_rows **rows, const pd_vindex *index, const pd_columns *columns, pd_error *err)
{
    const size_t n_rows = pd_vindex_count(index), n_slots = pd_columns_n(columns);
    const int64_t last_seq = pd_vindex_last_seq(index), version = pd_columns_version(columns);
    const pd_rows *old = *rows;
    if (old && old->n_rows == n_rows && old->last_seq == last_seq && old->n == n_slots && old->version == version)
        return PD_OK;
    holder *holders = NULL;
    pd_rows *fresh = pd_mem_alloc(1, sizeof *fresh);
    if (!fresh)
        return pd_error_set_nomem(err);
    *fresh = (pd_rows){ .n = n_slots, .n_rows = n_rows, .last_seq = last_seq, .version = version };
    fresh->of_slot = pd_mem_alloc(n_slots, sizeof *fresh->of_slot);
    pd_status status = fresh->of_slot ? list_holders(index, &holders, err) : pd_error_set_nomem(err);
    if (status != PD_OK) {
        pd_rows_free(&fresh);
        return status;
    }
    const int64_t *contents = pd_columns_contents(columns);
    size_t at = 0;
    for (size_t slot = 0; slot < n_slots; slot++) {
        const size_t found = contents[slot] ? find_holder(holders, n_rows, at, contents[slot]) : n_rows;
        fresh->of_slot[slot] = found < n_rows ? holders[found].row : PD_ROWS_NONE;
        at = found < n_rows ? found : at;
    }
    pd_mem_free(holders);
    pd_rows_free(rows);
    *rows = fresh;
    return PD_OK;
}
