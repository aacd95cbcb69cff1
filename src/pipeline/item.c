#include "base/check.h"
#include "base/mem.h"
#include "pipeline/stages.h"

pd_item *pd_item_create(const pd_todo *todo)
{
    pd_item *item = pd_mem_alloc(1, sizeof *item);
    if (!item)
        return NULL;
    item->todo = todo;
    item->bytes = todo->bytes;
    item->mtime_ns = todo->mtime_ns;
    return item;
}

void pd_item_free(pd_item **item)
{
    if (!*item)
        return;
    pd_picture_release(&(*item)->picture);
    pd_picture_release(&(*item)->facts); /* no slot, but texts */
    pd_mem_free((*item)->half);
    pd_mem_free(*item);
    *item = NULL;
}

void pd_item_push(pd_queue *queue, pd_item *item)
{
    const bool accepted = pd_queue_push(queue, item);
    PD_CHECK(accepted);
}

void pd_item_fail(pd_item *item, const pd_error *error)
{
    pd_picture_release(&item->picture);
    item->kind = PD_ITEM_FAILED;
    item->why = error->status;
    item->sentence = *error;
}
