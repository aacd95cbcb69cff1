#include "annotate/originals.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/mem.h"

typedef struct reading {
    pd_root_paths *roots;
    pd_originals *originals;
    bool failed; /* out of memory */
} reading;

static bool copy_root(void *user, const pd_root *root)
{
    enum { FIRST_CAPACITY = 8 };
    reading *r = user;
    pd_root_paths *roots = r->roots;
    if (roots->n == roots->capacity) {
        const size_t capacity = roots->capacity ? 2 * roots->capacity : FIRST_CAPACITY;
        char **paths = pd_mem_realloc(roots->paths, capacity, sizeof *paths);
        r->failed = !paths;
        if (r->failed)
            return false;
        roots->paths = paths;
        roots->capacity = capacity;
    }
    roots->paths[roots->n] = pd_mem_dup_string(root->path);
    r->failed = !roots->paths[roots->n];
    roots->n += !r->failed;
    return !r->failed;
}

pd_status pd_root_paths_read(pd_root_paths *ret_roots, pd_store *store, pd_error *err)
{
    pd_root_paths roots = { 0 };
    reading r = { .roots = &roots };
    pd_status status = pd_store_roots(store, copy_root, &r, err);
    if (status == PD_OK && r.failed)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        *ret_roots = roots;
    else
        pd_root_paths_done(&roots);
    return status;
}

void pd_root_paths_done(pd_root_paths *roots)
{
    for (size_t i = 0; i < roots->n; i++)
        pd_mem_free(roots->paths[i]);
    pd_mem_free(roots->paths);
    *roots = (pd_root_paths){ 0 };
}

static const char *innermost(const pd_root_paths *roots, const char *path)
{
    const char *best = NULL;
    for (size_t i = 0; i < roots->n; i++)
        if (pd_path_is_within(path, roots->paths[i]) && (!best || strlen(roots->paths[i]) > strlen(best)))
            best = roots->paths[i];
    return best;
}

static bool copy_photo(void *user, const pd_photo *photo)
{
    reading *r = user;
    pd_originals *originals = r->originals;
    const char *root = innermost(r->roots, photo->path);
    if (!root)
        return true;
    char *path = pd_mem_dup_string(photo->path);
    r->failed = !path;
    if (r->failed)
        return false;
    originals->items[originals->n++] =
        (pd_original){ .path = path, .root = root, .bytes = photo->bytes, .mtime_ns = photo->mtime_ns };
    return originals->n < PD_ORIGINALS_MAX;
}

pd_status pd_originals_find(pd_originals *ret_originals, pd_store *store, const pd_root_paths *roots, int64_t content,
                            pd_error *err)
{
    pd_originals originals = { .n = 0 };
    reading r = { .roots = (pd_root_paths *)(uintptr_t)roots, .originals = &originals };
    pd_status status = pd_store_photos_of_content(store, content, copy_photo, &r, err);
    if (status == PD_OK && r.failed)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        *ret_originals = originals;
    else
        pd_originals_done(&originals);
    return status;
}

void pd_originals_done(pd_originals *originals)
{
    for (size_t i = 0; i < originals->n; i++)
        pd_mem_free(originals->items[i].path);
    originals->n = 0;
}

/* A file that was changed since it was learned is another content: the next job learns it. */
static bool is_as_learned(const pd_original *original, int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (int64_t)st.st_size == original->bytes &&
           (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec == original->mtime_ns;
}

pd_status pd_originals_open(const pd_originals *originals, int *ret_fd, pd_error *err)
{
    for (size_t i = 0; i < originals->n; i++) {
        int fd = -1;
        if (pd_file_open_beneath(originals->items[i].root, originals->items[i].path, &fd, NULL) != PD_OK)
            continue;
        if (is_as_learned(&originals->items[i], fd)) {
            *ret_fd = fd;
            return PD_OK;
        }
        close(fd);
    }
    return pd_error_set(err, PD_ERR_NOT_FOUND, "none of its files is there as it was learned");
}
