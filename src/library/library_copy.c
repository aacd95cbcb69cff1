/* library_copy.c: originals into another folder. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "library/library_parts.h"

enum {
    PIECE_BYTES = 8 << 20, /* between two looks at whether it should stop */
    BLOCK_BYTES = 1 << 16,
};

typedef struct copying {
    pd_library *library;
    const pd_copying *what;
    int folder;
    pd_copies copies;
    char part[64]; /* what is being written is called so meanwhile */
} copying;

static bool goes_on(copying *c)
{
    return !c->what->progress || c->what->progress(c->what->user, &c->copies, c->what->n);
}

/* The original, open and beneath its root, and its path on the heap. */
static pd_status open_photo(pd_library *library, int64_t id, char **ret_path, int *ret_fd, pd_error *err)
{
    char *path, *root;
    PD_TRY(pd_library_find_photo(library, id, &path, &root, err));
    const pd_status status = pd_file_open_beneath(root, path, ret_fd, err);
    pd_mem_free(root);
    if (status == PD_OK)
        *ret_path = path;
    else
        pd_mem_free(path);
    return status;
}

/* Some of the bytes, by the file system itself where it can. *ret_n 0: the end. */
static pd_status copy_piece(int from, int to, size_t *ret_n, pd_error *err)
{
    char block[BLOCK_BYTES];
    ssize_t n = copy_file_range(from, NULL, to, NULL, PIECE_BYTES, 0);
    if (n > 0) {
        *ret_n = (size_t)n;
        return PD_OK;
    }
    /* 0 is the end, or a file system that copies nothing this way and does not say so: reading tells */
    if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
        return pd_error_set_errno(err, errno, "cannot write the copy");
    n = read(from, block, sizeof block);
    if (n < 0)
        return pd_error_set_errno(err, errno, "cannot read the picture");
    if (n > 0 && pd_fd_write_all(to, block, (size_t)n) != PD_OK)
        return pd_error_set_errno(err, errno, "cannot write the copy");
    *ret_n = (size_t)n;
    return PD_OK;
}

static pd_status copy_bytes(copying *c, int from, int to, pd_error *err)
{
    struct stat st;
    if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
        return pd_error_set(err, PD_ERR_FORMAT, "this is no file any more");
    for (size_t n = 1; n > 0;) {
        PD_TRY(copy_piece(from, to, &n, err));
        c->copies.bytes += (int64_t)n;
        if (n > 0 && !goes_on(c))
            return pd_error_set(err, PD_ERR_CANCELLED, "copying was stopped");
    }
    const struct timespec times[2] = { st.st_atim, st.st_mtim };
    (void)futimens(to, times); /* some file systems keep no times: the picture is what counts */
    return PD_OK;
}

/* Gives the part its name, unless there is a file of that name. errno tells. */
static bool put_in_place(const copying *c, const char *name)
{
    if (renameat2(c->folder, c->part, c->folder, name, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return false;
    return linkat(c->folder, c->part, c->folder, name, 0) == 0 && unlinkat(c->folder, c->part, 0) == 0;
}

/* "beach.jpg", "beach (2).jpg", "beach (3).jpg" ... the first that is free. */
static pd_status name_copy(copying *c, const char *path, pd_error *err)
{
    char name[NAME_MAX + 32];
    const char *base = pd_path_name(path);
    const char *dot = strrchr(base, '.');
    const int stem = (int)(dot && dot != base ? dot - base : (ptrdiff_t)strlen(base));
    for (int number = 1; number <= PD_LIBRARY_COPY_NAMES_MAX; number++) {
        if (number == 1)
            (void)snprintf(name, sizeof name, "%s", base);
        else
            (void)snprintf(name, sizeof name, "%.*s (%d)%s", stem, base, number, base + stem);
        if (put_in_place(c, name)) {
            c->copies.renamed += number > 1;
            return PD_OK;
        }
        if (errno != EEXIST)
            return pd_error_set_errno(err, errno, "cannot name the copy '%s'", name);
    }
    return pd_error_set(err, PD_ERR_LIMIT, "there are %d files of this name already", PD_LIBRARY_COPY_NAMES_MAX);
}

static pd_status write_copy(copying *c, int from, const char *path, pd_error *err)
{
    enum { FLAGS = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };
    (void)unlinkat(c->folder, c->part, 0); /* of a process that was killed */
    const int to = openat(c->folder, c->part, FLAGS, 0666);
    if (to < 0)
        return pd_error_set_errno(err, errno, "cannot write into the folder");
    pd_status status = copy_bytes(c, from, to, err);
    if (close(to) != 0 && status == PD_OK)
        status = pd_error_set_errno(err, errno, "cannot write the copy");
    if (status == PD_OK)
        status = name_copy(c, path, err);
    if (status != PD_OK)
        (void)unlinkat(c->folder, c->part, 0);
    return status;
}

static pd_status copy_one(copying *c, int64_t id, pd_error *err)
{
    char *path = NULL;
    int from = -1;
    const int64_t bytes = c->copies.bytes;
    PD_TRY(open_photo(c->library, id, &path, &from, err));
    const pd_status status = write_copy(c, from, path, err);
    if (status == PD_OK)
        c->copies.copied++;
    else
        c->copies.bytes = bytes;
    if (status != PD_OK && status != PD_ERR_CANCELLED)
        pd_error_prefix(err, "'%s'", path);
    close(from);
    pd_mem_free(path);
    return status;
}

static pd_status copy_all(copying *c, pd_error *err)
{
    for (size_t i = 0; i < c->what->n; i++) {
        pd_error failure = { 0 };
        const pd_status status = copy_one(c, c->what->ids[i], &failure);
        if (status == PD_ERR_CANCELLED || status == PD_ERR_FULL || status == PD_ERR_NOMEM)
            return pd_error_hand_on(err, &failure);
        c->copies.failed += status != PD_OK;
        if (status != PD_OK && !c->copies.first_failure[0])
            memcpy(c->copies.first_failure, failure.message, sizeof failure.message);
        if (!goes_on(c))
            return pd_error_set(err, PD_ERR_CANCELLED, "copying was stopped");
    }
    return PD_OK;
}

pd_status pd_library_copy(pd_library *library, const pd_copying *what, pd_copies *ret_copies, pd_error *err)
{
    copying c = { .library = library, .what = what };
    (void)snprintf(c.part, sizeof c.part, ".pixel-detective-%ld-%" PRIxPTR ".part", (long)getpid(), (uintptr_t)&c);
    PD_TRY(pd_dir_make(what->folder, err));
    c.folder = open(what->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c.folder < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", what->folder);
    const pd_status status = copy_all(&c, err);
    close(c.folder);
    *ret_copies = c.copies;
    return status;
}
