/* write_stage.c: the hand that changes the catalogue while a job learns: one transaction a batch. Items are gathered
 * first and written at once, so that the catalogue is locked for milliseconds: the user edits beside it. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "pipeline/stages.h"

#define TURN_MS 3         /* between two batches, so that whoever waits for the catalogue gets it */
#define PAUSE_LOOK_MS 100 /* an open batch looks this often whether the job was paused */

typedef struct batch {
    pd_stages *stages;
    pd_item *items[PD_STAGE_BATCH_FILES]; /* [n], owned */
    size_t n;
    size_t n_max; /* items after which they are written: grows */
    int64_t wait_ms, deadline_ns;
    pd_board_counts counts;
    pd_newest newest[PD_STAGE_BATCH_FILES]; /* counts.n_newest of them */
    pd_claim claims[PD_STAGE_BATCH_FILES];  /* given back once the batch is committed */
    size_t n_claims;
    bool failed; /* nothing more is written; items only come to their end */
} batch;

static void release_claims(batch *b)
{
    for (size_t i = 0; i < b->n_claims; i++)
        pd_feed_release(b->stages->feed, b->claims[i].sha256);
    b->n_claims = 0;
}

static void free_items(batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        pd_item_free(&b->items[i]);
    b->n = 0;
}

static void give_up(batch *b, const pd_error *error)
{
    pd_store_rollback(b->stages->store);
    pd_board_stop(b->stages->board, error);
    pd_media_pool_cancel(b->stages->pool);
    b->failed = true;
    free_items(b);
    release_claims(b);
}

static int32_t store_whole(int32_t value) { return value == PD_MEDIA_ABSENT ? PD_STORE_ABSENT : value; }

static pd_status put_facts(pd_stages *stages, pd_item *item, pd_error *err)
{
    const pd_picture *facts = &item->facts;
    const pd_photo_meta *meta = &facts->meta;
    pd_content content = {
        .type = facts->type,
        .width = facts->width,
        .height = facts->height,
        .pages = facts->pages,
        .orientation = meta->orientation,
        .taken = meta->taken,
        .taken_source = meta->taken_source,
        .make = meta->make,
        .camera = meta->model,
        .lens = meta->lens,
        .iso = meta->iso,
        .exposure_s = meta->exposure_s,
        .fnumber = meta->fnumber,
        .focal_mm = meta->focal_mm,
        .gps_lat = meta->gps_lat,
        .gps_lon = meta->gps_lon,
        .gps_alt = meta->gps_alt,
        .has_phash = facts->has_pixels,
        .phash = facts->phash,
        .look = facts->look,
        .shot = { meta->focal35_mm, store_whole(meta->flash), store_whole(meta->white_balance), meta->subsec },
        .rating = store_whole(meta->rating),
        .texts = facts->texts,
        .reader = PD_MEDIA_READER_VERSION,
    };
    memcpy(content.sha256, item->sha256, sizeof content.sha256);
    return pd_store_content_put(stages->store, &content, &item->content, err);
}

/* A new path whose content a missing photo had is that photo, moved. */
static pd_status put_photo(pd_stages *stages, const pd_item *item, const pd_photo_file *file, int64_t *ret_id,
                           bool *ret_moved, pd_error *err)
{
    const pd_todo *todo = item->todo;
    pd_missing *missing = todo->known ? NULL : pd_plan_find_missing(stages->plan, item->content);
    *ret_moved = missing != NULL;
    if (!missing) {
        PD_TRY(pd_store_photo_put(stages->store, file, ret_id, err));
        if (!todo->content || todo->content == item->content)
            return PD_OK;
        return pd_plan_note_changed(stages->plan, &(pd_changed){ *ret_id, todo->content, item->content }, err);
    }
    PD_TRY(pd_store_photo_move(stages->store, missing->id, file, err));
    missing->moved = true;
    *ret_id = missing->id;
    return PD_OK;
}

static pd_status put_item(batch *b, pd_item *item, pd_error *err)
{
    pd_stages *stages = b->stages;
    if (item->kind == PD_ITEM_GONE)
        return PD_OK;
    if (item->has_facts)
        PD_TRY(put_facts(stages, item, err));
    const pd_photo_file file = { .root_id = stages->plan->roots[item->todo->root].id,
                                 .path = item->todo->path,
                                 .bytes = item->bytes,
                                 .mtime_ns = item->mtime_ns,
                                 .content = item->content,
                                 .sidecar_ns = item->todo->sidecar_ns };
    if (item->kind == PD_ITEM_FAILED) {
        b->counts.failed++;
        return pd_store_photo_fail(stages->store, &file, item->why, item->sentence.message, err);
    }
    if (item->kind == PD_ITEM_LEARNED)
        PD_TRY(pd_store_embedding_put(stages->store, item->content, stages->vectors.model, item->half,
                                      stages->vectors.dim, &(int64_t){ 0 }, err));
    bool moved = false;
    int64_t id = 0;
    PD_TRY(put_photo(stages, item, &file, &id, &moved, err));
    if (item->kind == PD_ITEM_LEARNED) {
        b->counts.learned++;
        b->newest[b->counts.n_newest++] = (pd_newest){ id, item->facts.width, item->facts.height };
    } else if (moved) {
        b->counts.moved++;
    } else {
        b->counts.unchanged++;
    }
    return PD_OK;
}

static pd_status write_items(batch *b, pd_error *err)
{
    PD_TRY(pd_store_begin(b->stages->store, err));
    for (size_t i = 0; i < b->n; i++) {
        b->counts.done++;
        PD_TRY(put_item(b, b->items[i], err));
    }
    return pd_store_commit(b->stages->store, err);
}

static void write_batch(batch *b)
{
    pd_error error = { 0 };
    if (b->n == 0)
        return;
    error.status = write_items(b, &error);
    if (error.status != PD_OK) {
        give_up(b, &error);
        return;
    }
    if (b->counts.learned > 0 &&
        pd_vectors_catch_up(b->stages->index, b->stages->store, &b->stages->vectors, &error) != PD_OK)
        give_up(b, &error);
    b->counts.newest = b->newest;
    if (b->failed) /* committed, but searching does not find them yet */
        b->counts.n_newest = 0;
    pd_board_add(b->stages->board, &b->counts);
    b->counts = (pd_board_counts){ 0 };
    free_items(b);
    (void)nanosleep(&(struct timespec){ .tv_nsec = TURN_MS * PD_NS_PER_MS }, NULL);
    b->n_max = 2 * b->n_max < PD_STAGE_BATCH_FILES ? 2 * b->n_max : PD_STAGE_BATCH_FILES;
    b->wait_ms = 2 * b->wait_ms < PD_STAGE_BATCH_MS ? 2 * b->wait_ms : PD_STAGE_BATCH_MS;
    release_claims(b);
}

/* Takes over the item. */
static void take_item(batch *b, pd_item *item)
{
    if (item->claimed)
        memcpy(b->claims[b->n_claims++].sha256, item->sha256, PD_SHA256_BYTES);
    if (b->failed) {
        release_claims(b);
        pd_item_free(&item);
        return;
    }
    if (b->n == 0)
        b->deadline_ns = pd_clock_ns() + b->wait_ms * PD_NS_PER_MS;
    if (item->kind == PD_ITEM_FAILED)
        pd_board_file_error(b->stages->board, item->todo->path, item->sentence.message);
    b->items[b->n++] = item;
}

static int64_t next_look(const batch *b)
{
    const int64_t look_ns = pd_clock_ns() + PAUSE_LOOK_MS * PD_NS_PER_MS;
    return look_ns < b->deadline_ns ? look_ns : b->deadline_ns;
}

/* A job that is paused saves what has come, and what still comes, at once. */
static bool is_due(const batch *b) { return pd_clock_ns() >= b->deadline_ns || pd_board_is_paused(b->stages->board); }

void pd_stage_write(pd_stages *stages)
{
    batch b = { .stages = stages, .n_max = PD_STAGE_FIRST_BATCH_FILES, .wait_ms = PD_STAGE_FIRST_BATCH_MS };
    bool closed = false;
    while (!closed) {
        pd_item *item = pd_queue_pop(stages->to_write, b.n > 0 ? next_look(&b) : INT64_MAX, &closed);
        if (item)
            take_item(&b, item);
        if (b.n >= b.n_max || closed || (b.n > 0 && is_due(&b)))
            write_batch(&b);
    }
}
