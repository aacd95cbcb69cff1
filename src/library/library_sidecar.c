/* library_sidecar.c: what is said about photos, written into .xmp files beside them. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

enum {
    NAME_BYTES = NAME_MAX + 8,
    BLOCK_BYTES = 1 << 16,
};

typedef struct sidecar {
    const pd_sidecar_options *options;
    char name[NAME_BYTES]; /* in its folder */
    int folder, fd;        /* fd -1: there is none yet */
    struct stat st;        /* of fd */
    pd_buf texts;
    int32_t rating;
    bool says_something;
} sidecar;

static bool counts(const sidecar *s, pd_said_by by, bool doubtful)
{
    return by == PD_SAID_USER || (by == PD_SAID_MACHINE && s->options->machine && !doubtful);
}

static pd_status take_words(sidecar *s, const pd_work *work, pd_error *err)
{
    pd_status status = PD_OK;
    if (work->caption[0] && counts(s, work->caption_by, work->caption_doubtful))
        status = pd_texts_append(&s->texts, PD_TEXT_DESCRIPTION, work->caption, strlen(work->caption));
    for (size_t i = 0; status == PD_OK && i < work->n_tags; i++)
        if (counts(s, work->tags[i].by, work->tags[i].doubtful))
            status = pd_texts_append(&s->texts, PD_TEXT_KEYWORD, work->tags[i].name, strlen(work->tags[i].name));
    s->rating = work->rating_by == PD_SAID_USER ? work->rating : PD_MEDIA_ABSENT;
    s->says_something = s->texts.len > 0 || s->rating != PD_MEDIA_ABSENT;
    if (status == PD_OK)
        return PD_OK;
    return status == PD_ERR_LIMIT
               ? pd_error_set(err, status, "more is said about it than %zu bytes", PD_TEXTS_BYTES_MAX)
               : pd_error_set_nomem(err);
}

typedef struct asked {
    sidecar *s;
    int64_t id;
} asked;

static pd_status ask_words(pd_store *store, void *user, pd_error *err)
{
    const asked *a = user;
    pd_work work = { .caption = "" };
    PD_TRY(pd_store_work(store, a->id, &work, err));
    return take_words(a->s, &work, err);
}

/* The one that reading finds (pipeline/walk.c): beach.jpg.xmp before beach.xmp. */
static pd_status find_sidecar(sidecar *s, const char *picture, pd_error *err)
{
    static const char *const suffixes[] = { ".xmp", ".XMP" };
    const char *dot = strrchr(picture, '.');
    const int whole = (int)strlen(picture), stem = dot && dot != picture ? (int)(dot - picture) : whole;
    for (int i = 0; i < 4; i++) {
        (void)snprintf(s->name, sizeof s->name, "%.*s%s", i < 2 ? whole : stem, picture, suffixes[i % 2]);
        s->fd = openat(s->folder, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (s->fd >= 0)
            break;
        if (errno != ENOENT && errno != ENAMETOOLONG)
            return pd_error_set_errno(err, errno, "cannot open the sidecar '%s'", s->name);
    }
    if (s->fd < 0) {
        (void)snprintf(s->name, sizeof s->name, "%s%s", picture, suffixes[0]);
        return PD_OK;
    }
    if (fstat(s->fd, &s->st) != 0 || !S_ISREG(s->st.st_mode))
        return pd_error_set(err, PD_ERR_FORMAT, "the sidecar '%s' is no file", s->name);
    if (s->st.st_size == 0 || (uint64_t)s->st.st_size > PD_MEDIA_SIDECAR_BYTES_MAX)
        return pd_error_set(err, PD_ERR_FORMAT, "the sidecar '%s' is empty, or too large to be one", s->name);
    return PD_OK;
}

static bool is_same(const sidecar *s, const char *xmp, size_t len)
{
    char block[BLOCK_BYTES];
    size_t at = 0;
    if (s->fd < 0 || (size_t)s->st.st_size != len)
        return false;
    while (at < len) {
        const ssize_t n = pread(s->fd, block, sizeof block, (off_t)at);
        if (n <= 0 || (size_t)n > len - at || memcmp(block, xmp + at, (size_t)n) != 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static pd_status write_part(const sidecar *s, const char *part, const char *xmp, size_t len, pd_error *err)
{
    (void)unlinkat(s->folder, part, 0); /* of a process that was killed */
    const int to = openat(s->folder, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (to < 0)
        return pd_error_set_errno(err, errno, "cannot write into its folder");
    bool is_written = (s->fd < 0 || fchmod(to, s->st.st_mode & 0777) == 0 || errno == EPERM) &&
                      pd_fd_write_all(to, xmp, len) == PD_OK && fsync(to) == 0;
    const int sys_errno = errno;
    is_written &= close(to) == 0;
    if (is_written)
        return PD_OK;
    (void)unlinkat(s->folder, part, 0);
    return pd_error_set_errno(err, sys_errno, "cannot write the sidecar '%s'", s->name);
}

/* Nobody else's change is written over: not of an old sidecar, and not a new one. */
static bool put_in_place(const sidecar *s, const char *part)
{
    struct stat now;
    if (s->fd >= 0) {
        if (fstatat(s->folder, s->name, &now, AT_SYMLINK_NOFOLLOW) != 0 || now.st_ino != s->st.st_ino ||
            now.st_size != s->st.st_size || now.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec) {
            errno = EEXIST;
            return false;
        }
        return renameat(s->folder, part, s->folder, s->name) == 0;
    }
    return linkat(s->folder, part, s->folder, s->name, 0) == 0
               ? unlinkat(s->folder, part, 0) == 0
               : errno != EEXIST && renameat(s->folder, part, s->folder, s->name) == 0;
}

static pd_status write_sidecar(const sidecar *s, const char *xmp, size_t len, pd_error *err)
{
    char part[64];
    (void)snprintf(part, sizeof part, ".pixel-detective-%ld-%" PRIxPTR ".xmp.part", (long)getpid(), (uintptr_t)s);
    PD_TRY(write_part(s, part, xmp, len, err));
    if (put_in_place(s, part)) {
        (void)fsync(s->folder);
        return PD_OK;
    }
    const int sys_errno = errno;
    (void)unlinkat(s->folder, part, 0);
    if (sys_errno == EEXIST)
        return pd_error_set(err, PD_ERR_BUSY, "the sidecar '%s' was changed meanwhile: do it again", s->name);
    return pd_error_set_errno(err, sys_errno, "cannot put the sidecar '%s' in its place", s->name);
}

static pd_status merge(pd_library *library, const sidecar *s, pd_sidecars *sidecars, pd_error *err)
{
    const pd_sidecar_words words = { .texts = { s->texts.data, s->texts.len }, .rating = s->rating };
    char *xmp = NULL;
    size_t len = 0;
    if (s->fd < 0 && !s->says_something) {
        sidecars->unchanged++;
        return PD_OK;
    }
    pd_status status = pd_library_merge_sidecar(library, s->fd, &words, &xmp, &len, err);
    const bool same = status == PD_OK && is_same(s, xmp, len);
    if (status == PD_OK && !same && !s->options->dry_run)
        status = write_sidecar(s, xmp, len, err);
    pd_mem_free(xmp);
    if (status == PD_OK) {
        sidecars->unchanged += same;
        sidecars->written += !same;
    }
    return status;
}

static pd_status write_at(pd_library *library, sidecar *s, const char *root, const char *path, pd_sidecars *sidecars,
                          pd_error *err)
{
    PD_TRY(pd_library_open_folder(root, path, &s->folder, err));
    PD_TRY(find_sidecar(s, pd_path_name(path), err));
    return merge(library, s, sidecars, err);
}

static pd_status write_one(pd_library *library, const pd_sidecar_options *options, int64_t id, pd_sidecars *sidecars,
                           pd_error *err)
{
    char *path = NULL, *root = NULL;
    sidecar s = { .options = options, .folder = -1, .fd = -1 };
    asked a = { &s, id };
    PD_TRY(pd_library_find_photo(library, id, &path, &root, err));
    pd_buf_init(&s.texts, PD_TEXTS_BYTES_MAX);
    pd_status status = pd_library_ask_store(library, ask_words, &a, err);
    if (status == PD_OK)
        status = write_at(library, &s, root, path, sidecars, err);
    if (status != PD_OK && status != PD_ERR_CANCELLED)
        pd_error_prefix(err, "'%s'", path);
    pd_buf_done(&s.texts);
    if (s.fd >= 0)
        close(s.fd);
    if (s.folder >= 0)
        close(s.folder);
    pd_mem_free(path);
    pd_mem_free(root);
    return status;
}

pd_status pd_library_sidecars(pd_library *library, const pd_sidecar_options *options, pd_sidecars *ret_sidecars,
                              pd_error *err)
{
    pd_sidecars sidecars = { 0 };
    pd_status status = PD_OK;
    for (size_t i = 0; status == PD_OK && i < options->n; i++) {
        pd_error failure = { 0 };
        status = write_one(library, options, options->ids[i], &sidecars, &failure);
        if (status == PD_ERR_CANCELLED || status == PD_ERR_FULL || status == PD_ERR_NOMEM) {
            status = pd_error_hand_on(err, &failure);
            break;
        }
        sidecars.failed += status != PD_OK;
        if (status != PD_OK && !sidecars.first_failure[0])
            memcpy(sidecars.first_failure, failure.message, sizeof failure.message);
        status = options->progress && !options->progress(options->user, &sidecars, options->n)
                     ? pd_error_set(err, PD_ERR_CANCELLED, "writing sidecars was stopped")
                     : PD_OK;
    }
    *ret_sidecars = sidecars;
    return status;
}
