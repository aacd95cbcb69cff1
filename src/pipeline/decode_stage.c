/* decode_stage.c: reads a file once for its identity and, when that is new, has it decoded. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pipeline/stages.h"

#define READ_BYTES ((size_t)256 << 10)
#define SHORT_SIDE_FACTOR 2 /* pixels asked for, in model inputs: what the final resize needs to be faithful */

typedef struct reader {
    pd_stages *stages;
    uint8_t *buffer; /* [READ_BYTES] */
} reader;

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* What cannot be read may be readable tomorrow without looking any different; and what was learned from it stays. */
static void fail_for_now(pd_item *item, const pd_error *error)
{
    pd_item_fail(item, error);
    item->bytes = item->mtime_ns = 0;
    item->content = item->todo->content;
}

static void fail_with_errno(pd_item *item, int sys_errno, const char *what)
{
    if (sys_errno == ENOENT || sys_errno == ENOTDIR || sys_errno == ELOOP) {
        item->kind = PD_ITEM_GONE;
        return;
    }
    pd_error error = { 0 };
    (void)pd_error_set_errno(&error, sys_errno, "%s", what);
    fail_for_now(item, &error);
}

/* Opens what is still a regular file; -1: the item is done with. */
static int open_file(pd_item *item)
{
    const int fd = open(item->todo->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        fail_with_errno(item, errno, "the file cannot be opened");
        return -1;
    }
    pd_error error = { 0 };
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fail_with_errno(item, errno, "the file cannot be looked at");
    } else if (!S_ISREG(st.st_mode)) {
        item->kind = PD_ITEM_GONE;
    } else {
        item->bytes = (int64_t)st.st_size;
        item->mtime_ns = mtime_of(&st);
        if (st.st_size > 0 && (uint64_t)st.st_size <= PD_MEDIA_FILE_BYTES_MAX)
            return fd;
        if (st.st_size == 0)
            (void)pd_error_set(&error, PD_ERR_FORMAT, "the file is empty");
        else
            (void)pd_error_set(&error, PD_ERR_LIMIT, "the file has %lld bytes; %lld are allowed", (long long)st.st_size,
                               (long long)PD_MEDIA_FILE_BYTES_MAX);
        pd_item_fail(item, &error);
    }
    close(fd);
    return -1;
}

/* False: failed, or the job does not go on (the item is GONE then). */
static bool hash_file(reader *r, pd_item *item, int fd)
{
    pd_sha256 sha;
    pd_sha256_init(&sha);
    for (;;) {
        const ssize_t n = read(fd, r->buffer, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail_with_errno(item, errno, "the file cannot be read");
            return false;
        }
        if (n == 0)
            break;
        if (!pd_board_may_begin(r->stages->board)) { /* a pause holds a large file in its middle */
            item->kind = PD_ITEM_GONE;
            return false;
        }
        pd_sha256_update(&sha, r->buffer, (size_t)n);
    }
    pd_sha256_finish(&sha, item->sha256);
    return true;
}

static bool is_as_it_was(const pd_item *item, int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (int64_t)st.st_size == item->bytes && mtime_of(&st) == item->mtime_ns;
}

/* False: the catalogue could not be asked, which ends the job. */
static bool look_up(pd_stages *stages, pd_item *item, bool *ret_learned)
{
    pd_error error = { 0 };
    pthread_mutex_lock(&stages->lookup_lock);
    const pd_status status =
        pd_store_content_find(stages->lookup, item->sha256, stages->vectors.model, &item->content, ret_learned, &error);
    pthread_mutex_unlock(&stages->lookup_lock);
    if (status != PD_OK)
        pd_board_stop(stages->board, &error);
    return status == PD_OK;
}

static void keep_thumb(pd_stages *stages, pd_item *item)
{
    pd_error error = { 0 };
    if (!item->picture.thumb || pd_thumbs_write(stages->thumbs_dir, item->sha256, item->picture.thumb,
                                                item->picture.thumb_bytes, &error) == PD_OK)
        return;
    if (error.status == PD_ERR_FULL)
        pd_board_stop(stages->board, &error);
    else if (!atomic_exchange(&stages->thumbs_warned, true))
        pd_board_log(stages->board, PD_LOG_WARNING, "no thumbnails: %s", error.message);
}

/* Said once, when the first decoder runs: a person who reads the log knows what stands between a bad file and the rest.
 */
static void tell_walls(pd_stages *stages)
{
    const uint32_t walls = pd_media_walls(stages->pool);
    if (!walls || atomic_exchange(&stages->walls_told, true))
        return;
    char text[200];
    pd_media_walls_describe(walls, text, sizeof text);
    pd_board_log(stages->board, walls == PD_WALLS_ALL ? PD_LOG_INFO : PD_LOG_WARNING, "%s", text);
}

/* The sidecar, open; -1: there is none, or it went. */
static int open_sidecar(const pd_todo *todo)
{
    return todo->sidecar ? open(todo->sidecar, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
}

/* Fills item->picture. False: the item has come to its end. */
static bool ask_decoder(pd_stages *stages, pd_item *item, int fd, pd_media_request request)
{
    pd_error error = { 0 };
    request.timeout_ms = stages->speed == PD_SPEED_GENTLE ? PD_STAGE_GENTLE_FILE_MS : 0;
    request.sidecar_fd = open_sidecar(item->todo);
    request.has_sidecar = request.sidecar_fd >= 0;
    const pd_status status = pd_media_decode(stages->pool, fd, &request, &item->picture, &error);
    if (request.has_sidecar)
        close(request.sidecar_fd);
    tell_walls(stages);
    if (status == PD_ERR_CANCELLED) {
        item->kind = PD_ITEM_GONE;
        return false;
    }
    if (status == PD_ERR_NOT_FOUND || status == PD_ERR_INTERNAL) { /* no decoder: no file can be learned */
        pd_board_stop(stages->board, &error);
        item->kind = PD_ITEM_GONE;
        return false;
    }
    if (!is_as_it_was(item, fd)) {
        (void)pd_error_set(&error, PD_ERR_IO, "the file was changed while it was read");
        fail_for_now(item, &error);
        return false;
    }
    if (status == PD_ERR_IO)
        fail_for_now(item, &error);
    else if (status != PD_OK)
        pd_item_fail(item, &error);
    return status == PD_OK;
}

static void keep_facts(pd_item *item)
{
    item->facts = item->picture;
    item->facts.slot = NULL;
    item->facts.pixels = item->facts.thumb = NULL;
    item->picture.texts = (pd_texts){ 0 };
    item->has_facts = true;
}

static void decode_file(pd_stages *stages, pd_item *item, int fd)
{
    const pd_media_request request = {
        .short_side_min = (uint32_t)(SHORT_SIDE_FACTOR * pd_model_image_side(stages->model)),
        .thumb = stages->thumbs_dir != NULL,
    };
    if (!ask_decoder(stages, item, fd, request))
        return;
    keep_facts(item);
    item->kind = PD_ITEM_PICTURE;
    keep_thumb(stages, item);
    if (!item->picture.has_pixels) {
        pd_error error = { 0 };
        (void)pd_error_set(&error, PD_ERR_FORMAT, "%s", item->facts.pixels_error);
        pd_item_fail(item, &error);
    }
}

/* What is known stays known, with the words that the file and its sidecar have now. */
static void keep_known(pd_stages *stages, pd_item *item, int fd)
{
    const pd_media_request request = { .meta_only = true };
    item->kind = PD_ITEM_KNOWN;
    if (!item->todo->refresh || !ask_decoder(stages, item, fd, request))
        return;
    keep_facts(item);
    pd_picture_release(&item->picture);
}

/* Only what will be learned is worth waiting for: copies of what is known, or cannot be learned, need not wait until
 * this file's batch is committed. Each of them would, for a second. */
static void release_early(pd_stages *stages, pd_item *item)
{
    if (!item->claimed || item->kind == PD_ITEM_PICTURE)
        return;
    pd_feed_release(stages->feed, item->sha256);
    item->claimed = false;
}

/* False: the content is another's just now, and the file comes again later. */
static bool read_file(reader *r, pd_item *item)
{
    pd_stages *stages = r->stages;
    const int fd = open_file(item);
    if (fd < 0)
        return true;
    bool mine = true, learned = false;
    if (hash_file(r, item, fd)) {
        mine = item->claimed = pd_feed_claim(stages->feed, item->todo, item->sha256);
        if (mine && !look_up(stages, item, &learned))
            item->kind = PD_ITEM_GONE;
        else if (mine && learned)
            keep_known(stages, item, fd);
        else if (mine)
            decode_file(stages, item, fd);
        release_early(stages, item);
    }
    close(fd);
    return mine;
}

void pd_stage_leave_decode(pd_stages *stages)
{
    if (atomic_fetch_sub(&stages->n_decoding, 1) == 1)
        pd_queue_close(stages->to_embed);
}

void *pd_stage_decode(void *user)
{
    reader r = { .stages = user, .buffer = pd_mem_alloc(READ_BYTES, 1) };
    pd_error error = { 0 };
    const pd_todo *todo;
    pd_stage_set_priority(r.stages);
    while (r.buffer && (todo = pd_feed_next(r.stages->feed)) != NULL) {
        pd_item *item = pd_item_create(todo);
        if (!item) {
            (void)pd_error_set_nomem(&error);
            pd_board_stop(r.stages->board, &error);
            break;
        }
        const int64_t start_ns = pd_clock_ns();
        const bool read = read_file(&r, item);
        int64_t worked_ns = pd_clock_ns() - start_ns;
        if (read && item->kind == PD_ITEM_PICTURE) {
            worked_ns += atomic_load(&r.stages->embed_ns); /* the work that this file is to the embed threads */
            pd_item_push(r.stages->to_embed, item);
        } else if (read) {
            pd_item_push(r.stages->to_write, item);
        } else {
            pd_item_free(&item);
        }
        pd_board_rest(r.stages->board, worked_ns);
    }
    if (!r.buffer) {
        (void)pd_error_set_nomem(&error);
        pd_board_stop(r.stages->board, &error);
    }
    pd_mem_free(r.buffer);
    pd_stage_leave_decode(r.stages);
    return NULL;
}
