/* relink.c: a root whose folder is gone, and that is here again elsewhere: renamed, or a drive with another mount
 * point.
 *
 * It is known by its pictures: most of some of them, from all over it, lie at the same places in the new folder and
 * have the same sizes, and those that are read are the same bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "pipeline/plan.h"

enum {
    LOOKED_AT_MAX = 32,     /* photos of a root */
    ALIKE_PERCENT_MIN = 75, /* of these; others may have gone, or changed, since */
    READ_MAX = 3,           /* of those that look alike */
    READ_BYTES = 16 << 10,  /* at once */
    LOT = 500,              /* photos moved in one transaction */
};

typedef struct relinking {
    pd_plan *plan;
    pd_store *store;
    pd_board *board;
} relinking;

typedef struct root_photo {
    int64_t id;
    pd_photo_file file; /* its path is what follows the root's, with the slash */
} root_photo;

typedef struct root_photos {
    pd_text_pool texts;
    root_photo *items;
    size_t n, capacity;
    int64_t root;
    const char *root_path;
    pd_status status;
} root_photos;

/* A photo that is not below its root is one of an earlier move that was stopped: the walk finds it. */
static bool keep_photo(void *user, const pd_photo_state *state)
{
    root_photos *photos = user;
    if (!pd_path_is_within(state->path, photos->root_path))
        return true;
    root_photo *items = pd_list_grow(photos->items, &photos->capacity, photos->n, sizeof *items);
    if (items)
        photos->items = items;
    const char *path = items ? pd_text_pool_keep(&photos->texts, state->path + strlen(photos->root_path)) : NULL;
    if (path)
        items[photos->n++] = (root_photo){ .id = state->id,
                                           .file = { .root_id = photos->root,
                                                     .path = path,
                                                     .bytes = state->bytes,
                                                     .mtime_ns = state->mtime_ns,
                                                     .content = state->content,
                                                     .sidecar_ns = state->sidecar_ns } };
    else
        photos->status = PD_ERR_NOMEM;
    return path != NULL;
}

static bool join(char ret_path[PD_STORE_PATH_BYTES_MAX], const char *folder, const char *rest)
{
    const int len = snprintf(ret_path, PD_STORE_PATH_BYTES_MAX, "%s%s", strcmp(folder, "/") == 0 ? "" : folder, rest);
    return len > 0 && len < PD_STORE_PATH_BYTES_MAX;
}

static bool hash_file(pd_board *board, const char *path, uint8_t ret_digest[PD_SHA256_BYTES])
{
    uint8_t block[READ_BYTES];
    pd_sha256 sha;
    pd_sha256_init(&sha);
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t n = -1;
    do {
        n = fd >= 0 && pd_board_going_on(board) ? read(fd, block, sizeof block) : -1;
        if (n > 0)
            pd_sha256_update(&sha, block, (size_t)n);
    } while (n > 0);
    if (fd >= 0)
        close(fd);
    pd_sha256_finish(&sha, ret_digest);
    return n == 0;
}

static bool is_alike(const char *path, const root_photo *photo)
{
    struct stat st;
    return photo->file.content && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == photo->file.bytes;
}

static bool is_same(const relinking *r, const char *path, const root_photo *photo)
{
    uint8_t digest[PD_SHA256_BYTES];
    int64_t content = 0;
    bool learned;
    return hash_file(r->board, path, digest) &&
           pd_store_content_find(r->store, digest, 0, &content, &learned, NULL) == PD_OK &&
           content == photo->file.content;
}

static bool is_here(const relinking *r, const root_photos *photos, const char *folder)
{
    const size_t step = (photos->n + LOOKED_AT_MAX - 1) / LOOKED_AT_MAX;
    size_t n_looked = 0, n_alike = 0, n_read = 0;
    for (size_t i = 0; i < photos->n; i += step) {
        char path[PD_STORE_PATH_BYTES_MAX];
        n_looked++;
        if (!join(path, folder, photos->items[i].file.path) || !is_alike(path, &photos->items[i]))
            continue;
        n_alike++;
        if (n_read < READ_MAX && !is_same(r, path, &photos->items[i]))
            return false;
        n_read++;
    }
    return n_read > 0 && 100 * n_alike >= ALIKE_PERCENT_MIN * n_looked;
}

static pd_status move_photo(pd_store *store, const root_photo *photo, const char *folder, pd_error *err)
{
    char path[PD_STORE_PATH_BYTES_MAX];
    pd_photo_file file = photo->file;
    if (!join(path, folder, file.path)) /* too long there: the walk does not find it either */
        return pd_store_photo_remove(store, photo->id, err);
    file.path = path;
    const pd_status status = pd_store_photo_move(store, photo->id, &file, err);
    return status == PD_ERR_NO_MATCH ? PD_OK : status; /* removed meanwhile */
}

static pd_status move_lot(const relinking *r, const root_photos *photos, const char *folder, size_t from, pd_error *err)
{
    const size_t to = photos->n - from < LOT ? photos->n : from + LOT;
    PD_TRY(pd_store_begin(r->store, err));
    pd_status status = from == 0 ? pd_store_root_move(r->store, photos->root, folder, err) : PD_OK;
    for (size_t i = from; i < to && status == PD_OK; i++)
        status = move_photo(r->store, &photos->items[i], folder, err);
    if (status == PD_OK)
        status = pd_store_commit(r->store, err);
    if (status != PD_OK)
        pd_store_rollback(r->store);
    return status;
}

/* In lots, between which others may write. Who is stopped in between has moved the root: the rest of its photos are
 * found to have moved by the walk. */
static pd_status move_root(const relinking *r, const root_photos *photos, const char *folder, pd_error *err)
{
    for (size_t from = 0; from < photos->n; from += LOT) {
        if (!pd_board_going_on(r->board))
            return pd_error_set(err, PD_ERR_CANCELLED, "cancelled");
        PD_TRY(move_lot(r, photos, folder, from, err));
    }
    return PD_OK;
}

static bool is_gone(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static pd_status try_root(const relinking *r, pd_plan_root *root, const char *folder, bool *ret_moved, pd_error *err)
{
    root_photos photos = { .root = root->id, .root_path = root->path };
    const char *path = pd_text_pool_keep(&r->plan->texts, folder);
    pd_status status = path ? pd_store_photo_states(r->store, root->id, 0, keep_photo, &photos, err) : PD_ERR_NOMEM;
    if (!path || (status == PD_OK && photos.status != PD_OK))
        status = pd_error_set_nomem(err);
    *ret_moved = status == PD_OK && is_here(r, &photos, folder);
    if (*ret_moved)
        status = move_root(r, &photos, folder, err);
    if (*ret_moved && status == PD_OK) {
        root->was = root->path;
        root->path = path;
        root->offline = false;
    }
    pd_mem_free(photos.items);
    pd_text_pool_done(&photos.texts);
    return status;
}

/* Roots in the folder that has moved have moved with it. */
static pd_status move_inner(const relinking *r, const pd_plan_root *outer, pd_error *err)
{
    for (size_t i = 0; i < r->plan->n_roots; i++) {
        pd_plan_root *root = &r->plan->roots[i];
        char path[PD_STORE_PATH_BYTES_MAX];
        bool is_moved;
        if (pd_path_is_within(root->path, outer->was) && join(path, outer->path, root->path + strlen(outer->was)))
            PD_TRY(try_root(r, root, path, &is_moved, err));
    }
    return PD_OK;
}

/* A folder around roots is no other place of one: photos in it are known, some with work that must not be overwritten.
 */
static bool holds_roots(const pd_plan *plan, const char *folder)
{
    for (size_t i = 0; i < plan->n_roots; i++)
        if (pd_path_is_within(plan->roots[i].path, folder))
            return true;
    return false;
}

pd_status pd_plan_relink(pd_plan *plan, pd_store *store, pd_board *board, const char *folder, size_t *ret_root,
                         pd_error *err)
{
    const relinking r = { .plan = plan, .store = store, .board = board };
    *ret_root = plan->n_roots;
    if (holds_roots(plan, folder))
        return PD_OK;
    for (size_t i = 0; i < plan->n_roots; i++) {
        bool is_moved = false;
        if (plan->roots[i].photos > 0 && is_gone(plan->roots[i].path))
            PD_TRY(try_root(&r, &plan->roots[i], folder, &is_moved, err));
        if (is_moved) {
            *ret_root = i;
            return move_inner(&r, &plan->roots[i], err);
        }
    }
    /* what was not looked at to its end is not told to be another */
    return pd_board_going_on(board) ? PD_OK : pd_error_set(err, PD_ERR_CANCELLED, "cancelled");
}
