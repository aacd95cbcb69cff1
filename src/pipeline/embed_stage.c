/* embed_stage.c: pixels to embeddings, straight from the picture's slot, which is free again right after. */
#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/stages.h"

typedef struct embedder {
    pd_stages *stages;
    pd_session *session;
    float *vector; /* [dim] */
} embedder;

static pd_status embed_picture(embedder *e, pd_item *item, pd_error *err)
{
    const size_t dim = pd_model_dim(e->stages->model);
    const pd_pixels pixels = { .data = item->picture.pixels,
                               .width = item->picture.pixel_width,
                               .height = item->picture.pixel_height,
                               .row_bytes = (size_t)item->picture.pixel_width * 3 };
    const int64_t start_ns = pd_clock_ns();
    PD_TRY(pd_session_embed_pixels(e->session, &pixels, e->vector, err));
    const int64_t took_ns = pd_clock_ns() - start_ns, before_ns = atomic_load(&e->stages->embed_ns);
    atomic_store(&e->stages->embed_ns, before_ns ? (7 * before_ns + took_ns) / 8 : took_ns);
    pd_picture_release(&item->picture);
    item->half = pd_mem_alloc(dim, sizeof *item->half);
    if (!item->half)
        return pd_error_set_nomem(err);
    e->stages->kernels->half_of_float(e->vector, dim, item->half);
    item->kind = PD_ITEM_LEARNED;
    return PD_OK;
}

void pd_stage_leave_embed(pd_stages *stages)
{
    if (atomic_fetch_sub(&stages->n_embedding, 1) == 1)
        pd_queue_close(stages->to_write);
}

/* Embeds until the queue ends. A thread without a session still takes its share of the items, to end them. */
static void embed_items(embedder *e, bool ready)
{
    pd_item *item;
    while ((item = pd_queue_pop(e->stages->to_embed, INT64_MAX, NULL)) != NULL) {
        pd_error error = { 0 };
        if (!ready || !pd_board_going_on(e->stages->board))
            item->kind = PD_ITEM_GONE;
        else if (embed_picture(e, item, &error) != PD_OK)
            pd_item_fail(item, &error);
        if (error.status == PD_ERR_NOMEM)
            pd_board_stop(e->stages->board, &error);
        pd_picture_release(&item->picture);
        pd_item_push(e->stages->to_write, item);
    }
}

void *pd_stage_embed(void *user)
{
    embedder e = { .stages = user };
    const pd_session_options options = { .towers = PD_MODEL_VISION };
    pd_error error = { 0 };
    pd_stage_set_priority(e.stages);
    e.vector = pd_mem_alloc(pd_model_dim(e.stages->model), sizeof *e.vector);
    pd_status status = e.vector ? PD_OK : pd_error_set_nomem(&error);
    if (status == PD_OK)
        status = pd_session_create(&e.session, e.stages->model, &options, &error);
    if (status != PD_OK)
        pd_board_stop(e.stages->board, &error);
    embed_items(&e, status == PD_OK);
    pd_session_free(&e.session);
    pd_mem_free(e.vector);
    pd_stage_leave_embed(e.stages);
    return NULL;
}
