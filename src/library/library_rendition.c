/* library_rendition.c: pictures of photos as files: from the cache, or made and put there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

#define READ_BYTES ((size_t)256 << 10)
#define USED_AGAIN_S 3600 /* a view's time is renewed when it is older: it says what was used lately */

/* A photo as a picture of it needs it. */
typedef struct subject {
    char *path, *root; /* root NULL: none holds it any more */
    int64_t bytes, mtime_ns;
    uint8_t sha256[PD_SHA256_BYTES];
} subject;

static void subject_done(subject *s)
{
    pd_mem_free(s->path);
    pd_mem_free(s->root);
}

/* With reader.lock held. */
static pd_status read_subject(pd_store *store, int64_t id, subject *s, pd_error *err)
{
    pd_photo photo;
    const pd_status status = pd_store_photo_by_id(store, id, &photo, err);
    if (status == PD_ERR_NO_MATCH)
        return pd_error_set(err, status, "the library has no photo %" PRId64, id);
    PD_TRY(status);
    if (!photo.content && photo.error)
        return pd_error_set(err, photo.error_status, "%s", photo.error);
    if (!photo.content)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "photo %" PRId64 " was never decoded", id);
    s->bytes = photo.bytes;
    s->mtime_ns = photo.mtime_ns;
    memcpy(s->sha256, photo.facts.sha256, sizeof s->sha256);
    s->path = pd_mem_dup_string(photo.path);
    if (!s->path)
        return pd_error_set_nomem(err);
    const pd_status found = pd_library_root_of(store, s->path, &s->root, err);
    return found == PD_ERR_NOT_FOUND ? PD_OK : found;
}

static pd_status find_subject(pd_library *library, int64_t id, subject *s, pd_error *err)
{
    pthread_mutex_lock(&library->reader.lock);
    pd_status status = pd_library_need_reader(library, err);
    if (status == PD_OK)
        status = read_subject(library->reader.store, id, s, err);
    else if (status == PD_ERR_NOT_FOUND)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "the library has no photo %" PRId64, id);
    pthread_mutex_unlock(&library->reader.lock);
    return status;
}

/* What is in the cache: *ret_fd -1 when it is not. */
static bool open_cached(const char *path, pd_rendition *rendition)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        close(fd);
        return false;
    }
    if (pd_clock_unix_ns() / PD_NS_PER_S - st.st_mtim.tv_sec > USED_AGAIN_S)
        (void)futimens(fd, NULL);
    rendition->fd = fd;
    rendition->bytes = (int64_t)st.st_size;
    return true;
}

static pd_status hash_file(int fd, uint8_t ret_sha256[PD_SHA256_BYTES], pd_error *err)
{
    uint8_t *buffer = pd_mem_alloc(READ_BYTES, 1);
    if (!buffer)
        return pd_error_set_nomem(err);
    pd_sha256 sha;
    pd_sha256_init(&sha);
    pd_status status = PD_OK;
    for (off_t at = 0; status == PD_OK;) {
        const ssize_t n = pread(fd, buffer, READ_BYTES, at);
        if (n == 0)
            break;
        if (n > 0)
            pd_sha256_update(&sha, buffer, (size_t)n);
        else if (errno != EINTR)
            status = pd_error_set_errno(err, errno, "the file cannot be read");
        at += n > 0 ? n : 0;
    }
    pd_mem_free(buffer);
    pd_sha256_finish(&sha, ret_sha256);
    return status;
}

/* The cache is by content: a file that has become another one must not be taken for what was learned. */
static pd_status check_content(const subject *s, int fd, pd_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return pd_error_set_errno(err, errno, "cannot look at '%s'", s->path);
    if (!S_ISREG(st.st_mode))
        return pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' is no file any more", s->path);
    const int64_t mtime_ns = (int64_t)st.st_mtim.tv_sec * PD_NS_PER_S + st.st_mtim.tv_nsec;
    if ((int64_t)st.st_size == s->bytes && mtime_ns == s->mtime_ns)
        return PD_OK;
    uint8_t sha256[PD_SHA256_BYTES];
    PD_TRY(hash_file(fd, sha256, err));
    if (memcmp(sha256, s->sha256, sizeof sha256) != 0)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' was changed after it was learned: learn its folder again",
                            s->path);
    return PD_OK;
}

static pd_status open_subject(const subject *s, int *ret_fd, pd_error *err)
{
    if (!s->root)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "'%s' lies in no folder of the library", s->path);
    int fd = -1;
    PD_TRY(pd_file_open_beneath(s->root, s->path, &fd, err));
    const pd_status status = check_content(s, fd, err);
    if (status == PD_OK)
        *ret_fd = fd;
    else
        close(fd);
    return status;
}

/* Where the cache cannot be written, memory that nobody else sees does. */
static pd_status keep_in_memory(const void *data, size_t len, pd_rendition *rendition, pd_error *err)
{
    const int fd = memfd_create("pd-rendition", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot make shared memory for a picture");
    const pd_status status = pd_fd_write_all(fd, data, len);
    if (status != PD_OK || lseek(fd, 0, SEEK_SET) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        const int sys_errno = errno;
        close(fd);
        return pd_error_set_errno(err, sys_errno, "cannot keep a picture in memory");
    }
    rendition->fd = fd;
    rendition->bytes = (int64_t)len;
    return PD_OK;
}

static pd_status put_view(const char *path, const void *data, size_t len)
{
    char *folder = pd_mem_dup_text(path, (size_t)(pd_path_name(path) - path));
    pd_status status = folder ? PD_OK : PD_ERR_NOMEM;
    if (status == PD_OK && !pd_dir_exists(folder))
        status = pd_dir_make(folder, NULL);
    pd_mem_free(folder);
    return status == PD_OK ? pd_file_replace(path, data, len, false, NULL) : status;
}

static pd_status keep_picture(pd_library *library, const subject *s, const pd_picture *picture, const char *path,
                              pd_rendition *rendition, pd_error *err)
{
    const bool thumb = picture->rendition == NULL;
    const void *data = thumb ? picture->thumb : picture->rendition;
    const size_t len = thumb ? picture->thumb_bytes : picture->rendition_bytes;
    if (!data)
        return pd_error_set(err, PD_ERR_FORMAT, "%s",
                            picture->pixels_error[0] ? picture->pixels_error : "the picture has no pixels");
    const pd_status kept =
        thumb ? pd_thumbs_write(library->paths.thumbs, s->sha256, data, len, NULL) : put_view(path, data, len);
    if (kept == PD_OK && !thumb)
        pd_library_views_added(library, (int64_t)len);
    if (kept == PD_OK && open_cached(path, rendition))
        return PD_OK;
    return keep_in_memory(data, len, rendition, err);
}

static pd_status make_picture(pd_library *library, const subject *s, uint32_t side, const char *path,
                              pd_rendition *rendition, pd_error *err)
{
    int fd = -1;
    PD_TRY(open_subject(s, &fd, err));
    const pd_media_request request = { .short_side_min = PD_MEDIA_THUMB_SIDE,
                                       .thumb = side == 0,
                                       .rendition_side = side };
    pd_picture picture = { 0 };
    pd_status status = pd_library_decode(library, fd, &request, &picture, err);
    if (status == PD_OK)
        status = keep_picture(library, s, &picture, path, rendition, err);
    else
        pd_error_prefix(err, "'%s'", s->path);
    pd_library_picture_done(library, &picture);
    close(fd);
    return status;
}

static char *cache_path(const pd_library *library, const subject *s, uint32_t side)
{
    char name[PD_SHA256_TEXT_BYTES], inner[PD_SHA256_TEXT_BYTES + 32];
    if (side == 0)
        return pd_thumbs_path(library->paths.thumbs, s->sha256);
    pd_sha256_format(s->sha256, name);
    (void)snprintf(inner, sizeof inner, "%.2s/%s-%" PRIu32 ".jpg", name, name, side);
    return pd_path_join(library->paths.views, inner);
}

static pd_status find_picture(pd_library *library, const subject *s, uint32_t side, pd_rendition *rendition,
                              pd_error *err)
{
    char *path = cache_path(library, s, side);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status =
        open_cached(path, rendition) ? PD_OK : make_picture(library, s, side, path, rendition, err);
    pd_mem_free(path);
    return status;
}

pd_status pd_library_rendition(pd_library *library, int64_t id, uint32_t side, const char *if_not,
                               pd_rendition *ret_rendition, pd_error *err)
{
    if (side > PD_MEDIA_RENDITION_SIDE_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a view of %" PRIu32 " px was asked for; %d are possible", side,
                            PD_MEDIA_RENDITION_SIDE_MAX);
    subject s = { 0 };
    pd_rendition rendition = { .fd = -1, .mime = side ? "image/jpeg" : "image/webp" };
    pd_status status = find_subject(library, id, &s, err);
    if (status == PD_OK) {
        char name[PD_SHA256_TEXT_BYTES];
        pd_sha256_format(s.sha256, name);
        (void)snprintf(rendition.tag, sizeof rendition.tag, "%s-%" PRIu32, name, side);
        if (!if_not || strcmp(if_not, rendition.tag) != 0)
            status = find_picture(library, &s, side, &rendition, err);
    }
    subject_done(&s);
    if (status == PD_OK)
        *ret_rendition = rendition;
    return status;
}
