/* library_examples.c: pictures as questions: known photos, files, open pictures. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/mem.h"
#include "base/str.h"
#include "library/library_find.h"
#include "media/media.h"

static pd_status embed_decoded(pd_asked *a, const pd_picture *picture, pd_error *err)
{
    if (!picture->has_pixels)
        return pd_error_set(err, PD_ERR_FORMAT, "%s", picture->pixels_error);
    const pd_pixels pixels = { .data = picture->pixels,
                               .width = picture->pixel_width,
                               .height = picture->pixel_height,
                               .row_bytes = (size_t)picture->pixel_width * 3 };
    PD_TRY(pd_asked_borrow(a, PD_PART_VISION, err));
    return pd_session_embed_pixels(a->vision.session, &pixels, a->one, err);
}

/* A picture that the library does not know, or knows otherwise: decoded for this question, and never stored. Others
 * search while it is decoded. */
static pd_status embed_file(pd_asked *a, int fd, pd_error *err)
{
    pd_library *library = a->library;
    const pd_media_request request = { .short_side_min = (uint32_t)(2 * a->choice.side) };
    pd_picture picture = { 0 };
    pthread_mutex_unlock(&library->searcher.lock);
    pd_status status = pd_library_decode(library, fd, &request, &picture, err);
    pthread_mutex_lock(&library->searcher.lock);
    if (status == PD_OK)
        status = embed_decoded(a, &picture, err);
    pd_library_picture_done(library, &picture);
    return status;
}

static pd_status embed_path(pd_asked *a, const char *path, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    const pd_status status = embed_file(a, fd, err);
    close(fd);
    if (status != PD_OK)
        pd_error_prefix(err, "'%s'", path);
    return status;
}

static pd_status find_example(pd_asked *a, const char *example, pd_photo *ret_photo, bool *ret_known, pd_error *err)
{
    PD_TRY(pd_library_need_store(a->library, err)); /* the lock was given up for the example before */
    pd_store *store = a->library->searcher.store;
    uint64_t id;
    if (pd_parse_u64(example, INT64_MAX, &id)) {
        const pd_status status = pd_store_photo_by_id(store, (int64_t)id, ret_photo, err);
        *ret_known = status == PD_OK;
        return status == PD_ERR_NO_MATCH ? pd_error_set(err, status, "the library has no photo %s", example) : status;
    }
    char *path = pd_library_resolve(example);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status = pd_store_photo_by_path(store, path, ret_photo, err);
    pd_mem_free(path);
    *ret_known = status == PD_OK;
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

/* A photo of the library that this model has not learned. Its path is taken. */
static pd_status embed_known_take(pd_asked *a, char *path, pd_error *err)
{
    char *root = NULL;
    int fd = -1;
    pd_status status =
        path ? pd_library_root_of(a->library->searcher.store, path, &root, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_file_open_beneath(root, path, &fd, err);
    if (status == PD_OK) {
        status = embed_file(a, fd, err);
        close(fd);
        if (status != PD_OK)
            pd_error_prefix(err, "'%s'", path);
    }
    pd_mem_free(root);
    pd_mem_free(path);
    return status;
}

static pd_status embed_named(pd_asked *a, const char *example, pd_error *err)
{
    pd_photo photo = { 0 };
    bool known = false;
    PD_TRY(find_example(a, example, &photo, &known, err));
    if (!known)
        return embed_path(a, example, err);
    pd_store *store = a->library->searcher.store;
    const int64_t id = photo.id, content = photo.content;
    const pd_status status =
        content ? pd_store_embedding_get(store, content, a->model, a->half, a->dim, err) : PD_ERR_NO_MATCH;
    if (status == PD_ERR_NO_MATCH) {
        PD_TRY(pd_store_photo_by_id(store, id, &photo, err)); /* its strings were borrowed */
        return embed_known_take(a, pd_mem_dup_string(photo.path), err);
    }
    PD_TRY(status);
    a->library->kernels.float_of_half(a->half, a->dim, a->one);
    a->without[a->n_without++] = content;
    return PD_OK;
}

pd_status pd_asked_example(pd_asked *asked, const pd_example *example, pd_error *err)
{
    PD_TRY(pd_asked_check_cancelled(asked, err));
    return example->text ? embed_named(asked, example->text, err) : embed_file(asked, example->fd, err);
}
