#include "pipeline/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "media/media.h"
#include "pipeline/pipeline.h"
#include "pipeline/text_pool.h"
#include "store/store.h"

#define NO_PARENT SIZE_MAX

/* A folder seen: its path until it was read, and who it is, for as long as it may be an ancestor. */
typedef struct folder {
    char *path;
    size_t parent, root;
    dev_t device;
    ino_t inode;
} folder;

/* Names in the folder that is being read: pictures wait for their sidecars until all names are known. */
typedef struct name_list {
    const char **names;
    size_t n, capacity;
} name_list;

typedef struct walk {
    const pd_walk_visitor *visitor;
    void *user;
    folder *folders;
    size_t n_folders, folders_capacity;
    size_t *pending; /* stack of folders to be read */
    size_t n_pending, pending_capacity;
    pd_text_pool texts; /* of the two lists */
    name_list pictures, sidecars;
    int look_errno; /* why not everything in the folder that is being read could be looked at; 0: it could */
    pd_error *err;
} walk;

static const char sidecar_suffix[] = ".xmp";

static bool leaves_out(const char *name) { return name[0] == '.' || strcmp(name, "@eaDir") == 0; }

static bool is_ignored(const char *path)
{
    char marker[PATH_MAX];
    const int n = snprintf(marker, sizeof marker, "%s/" PD_WALK_IGNORE_FILE, path);
    return n > 0 && (size_t)n < sizeof marker && pd_file_exists(marker);
}

bool pd_walk_reaches(const char *outer, const char *inner)
{
    if (!pd_path_is_within(inner, outer))
        return false;
    char path[PATH_MAX];
    const size_t len = strlen(inner);
    if (len >= sizeof path)
        return false;
    memcpy(path, inner, len + 1);
    size_t at = strcmp(outer, "/") == 0 ? 0 : strlen(outer);
    while (path[at] == '/') {
        path[at] = '\0';
        const bool ignored = is_ignored(path);
        path[at] = '/';
        const size_t end = at + 1 + strcspn(path + at + 1, "/");
        const char after = path[end];
        path[end] = '\0';
        const bool left_out = leaves_out(path + at + 1);
        path[end] = after;
        if (ignored || left_out)
            return false;
        at = end;
    }
    return true;
}

static pd_status push_folder(walk *w, const char *path, size_t parent, size_t root)
{
    folder *folders = pd_list_grow(w->folders, &w->folders_capacity, w->n_folders, sizeof *folders);
    if (!folders)
        return pd_error_set_nomem(w->err);
    w->folders = folders;
    size_t *pending = pd_list_grow(w->pending, &w->pending_capacity, w->n_pending, sizeof *pending);
    if (!pending)
        return pd_error_set_nomem(w->err);
    w->pending = pending;
    char *copy = pd_mem_dup_string(path);
    if (!copy)
        return pd_error_set_nomem(w->err);
    w->folders[w->n_folders] = (folder){ .path = copy, .parent = parent, .root = root };
    w->pending[w->n_pending++] = w->n_folders++;
    return PD_OK;
}

/* A bind mount can put a folder below itself: entered again, it would never end. */
static bool is_own_ancestor(const walk *w, size_t index)
{
    const folder *self = &w->folders[index];
    for (size_t i = self->parent; i != NO_PARENT; i = w->folders[i].parent) {
        if (w->folders[i].device == self->device && w->folders[i].inode == self->inode)
            return true;
    }
    return false;
}

static pd_status end_unless(bool go_on) { return go_on ? PD_OK : PD_ERR_CANCELLED; }

static pd_status keep_name(walk *w, name_list *list, const char *name)
{
    const char **names = pd_list_grow(list->names, &list->capacity, list->n, sizeof *names);
    if (!names)
        return pd_error_set_nomem(w->err);
    list->names = names;
    names[list->n] = pd_text_pool_keep(&w->texts, name);
    if (!names[list->n])
        return pd_error_set_nomem(w->err);
    list->n++;
    return PD_OK;
}

static bool is_sidecar(const char *name)
{
    const size_t len = strlen(name);
    return len >= sizeof sidecar_suffix && strcasecmp(name + len + 1 - sizeof sidecar_suffix, sidecar_suffix) == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name in the list that is the first `len` bytes of `stem` and the suffix; NULL when there is none. */
static const char *find_sidecar(const name_list *list, const char *stem, size_t len)
{
    char name[NAME_MAX + sizeof sidecar_suffix];
    const int n = snprintf(name, sizeof name, "%.*s%s", (int)len, stem, sidecar_suffix);
    const char *key = name;
    if (list->n == 0 || n < 0 || (size_t)n >= sizeof name)
        return NULL;
    const char **found = bsearch(&key, list->names, list->n, sizeof *list->names, compare_names);
    return found ? *found : NULL;
}

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Path of a file in a folder; false: too long. */
static bool format_path(const char *above, const char *name, char ret_path[PD_STORE_PATH_BYTES_MAX])
{
    const int n =
        snprintf(ret_path, PD_STORE_PATH_BYTES_MAX, "%s%s%s", above, strcmp(above, "/") == 0 ? "" : "/", name);
    return n >= 0 && n < PD_STORE_PATH_BYTES_MAX;
}

/* Sets the sidecar of the picture `name`, if there is one; `path` holds its path. */
static void take_sidecar(const walk *w, size_t index, int fd, const char *name, char path[PD_STORE_PATH_BYTES_MAX],
                         pd_walk_file *file)
{
    const char *dot = strrchr(name, '.');
    const char *beside = find_sidecar(&w->sidecars, name, strlen(name));
    if (!beside && dot)
        beside = find_sidecar(&w->sidecars, name, (size_t)(dot - name));
    struct stat st;
    if (!beside || fstatat(fd, beside, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size > PD_MEDIA_SIDECAR_BYTES_MAX || !format_path(w->folders[index].path, beside, path))
        return;
    file->sidecar = path;
    file->sidecar_ns = mtime_of(&st) ? mtime_of(&st) : 1;
}

/* What is gone since its name was read is nothing. What is there and cannot be looked at (the folder may be listed but
 * not entered, the disk fails) is told of the folder, so that nobody takes what is in it for deleted. */
static void note_look(walk *w, int sys_errno)
{
    if (sys_errno != ENOENT && sys_errno != ENOTDIR)
        w->look_errno = sys_errno;
}

static pd_status visit_file(walk *w, size_t index, int fd, const char *name)
{
    struct stat st;
    char path[PD_STORE_PATH_BYTES_MAX], sidecar[PD_STORE_PATH_BYTES_MAX];
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        note_look(w, errno);
        return PD_OK;
    }
    if (!S_ISREG(st.st_mode) || !format_path(w->folders[index].path, name, path))
        return end_unless(w->visitor->skipped(w->user));
    pd_walk_file file = {
        .path = path, .root = w->folders[index].root, .bytes = (int64_t)st.st_size, .mtime_ns = mtime_of(&st)
    };
    take_sidecar(w, index, fd, name, sidecar, &file);
    return end_unless(w->visitor->file(w->user, &file));
}

static pd_status visit_files(walk *w, size_t index, int fd)
{
    pd_status status = PD_OK;
    if (w->sidecars.n > 0)
        qsort(w->sidecars.names, w->sidecars.n, sizeof *w->sidecars.names, compare_names);
    for (size_t i = 0; status == PD_OK && i < w->pictures.n; i++)
        status = visit_file(w, index, fd, w->pictures.names[i]);
    return status;
}

static void forget_names(walk *w)
{
    w->pictures.n = w->sidecars.n = 0;
    pd_text_pool_done(&w->texts);
}

/* False: it cannot be looked at. */
static bool find_type(walk *w, int fd, const struct dirent *entry, unsigned char *ret_type)
{
    struct stat st;
    *ret_type = entry->d_type;
    if (entry->d_type != DT_UNKNOWN)
        return true;
    if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        note_look(w, errno);
        return false;
    }
    *ret_type = IFTODT(st.st_mode);
    return true;
}

static pd_status visit_entry(walk *w, size_t index, int fd, const struct dirent *entry)
{
    const char *name = entry->d_name;
    unsigned char type;
    if (leaves_out(name) || !find_type(w, fd, entry, &type))
        return PD_OK;
    bool skipped = false;
    const bool candidate = type != DT_DIR && pd_media_is_candidate(name, &skipped);
    if (skipped || (candidate && type != DT_REG))
        return end_unless(w->visitor->skipped(w->user));
    if (candidate)
        return keep_name(w, &w->pictures, name);
    if (type != DT_DIR && is_sidecar(name))
        PD_TRY(keep_name(w, &w->sidecars, name));
    if (type != DT_DIR)
        return end_unless(!w->visitor->other || w->visitor->other(w->user));
    char path[PD_STORE_PATH_BYTES_MAX];
    if (!format_path(w->folders[index].path, name, path))
        return end_unless(w->visitor->skipped(w->user));
    return push_folder(w, path, index, w->folders[index].root);
}

static pd_status tell_unreadable(walk *w, size_t index, int sys_errno)
{
    const folder *f = &w->folders[index];
    return end_unless(w->visitor->unreadable(w->user, f->path, f->root, sys_errno));
}

static pd_status read_entries(walk *w, size_t index, int fd)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        const int sys_errno = errno;
        close(fd);
        return tell_unreadable(w, index, sys_errno);
    }
    pd_status status = PD_OK;
    w->look_errno = 0;
    while (status == PD_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            w->look_errno = errno ? errno : w->look_errno;
            break;
        }
        status = visit_entry(w, index, fd, entry);
    }
    if (status == PD_OK)
        status = visit_files(w, index, fd);
    if (status == PD_OK && w->look_errno)
        status = tell_unreadable(w, index, w->look_errno);
    forget_names(w);
    closedir(dir);
    return status;
}

static pd_status read_folder(walk *w, size_t index)
{
    const char *path = w->folders[index].path;
    if (!w->visitor->folder(w->user, path, &w->folders[index].root))
        return PD_ERR_CANCELLED;
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        const bool vanished = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
        return vanished && w->folders[index].parent != NO_PARENT ? PD_OK : tell_unreadable(w, index, errno);
    }
    struct stat st;
    if (fstat(fd, &st) == 0) {
        w->folders[index].device = st.st_dev;
        w->folders[index].inode = st.st_ino;
    }
    if (is_own_ancestor(w, index) || faccessat(fd, PD_WALK_IGNORE_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        close(fd);
        return PD_OK;
    }
    return read_entries(w, index, fd);
}

pd_status pd_walk(const char *path, size_t root, const pd_walk_visitor *visitor, void *user, pd_error *err)
{
    walk w = { .visitor = visitor, .user = user, .err = err };
    pd_status status = push_folder(&w, path, NO_PARENT, root);
    while (status == PD_OK && w.n_pending > 0) {
        const size_t index = w.pending[--w.n_pending];
        status = read_folder(&w, index);
        pd_mem_free(w.folders[index].path);
        w.folders[index].path = NULL;
    }
    for (size_t i = 0; i < w.n_pending; i++)
        pd_mem_free(w.folders[w.pending[i]].path);
    pd_mem_free(w.pictures.names);
    pd_mem_free(w.sidecars.names);
    pd_mem_free(w.pending);
    pd_mem_free(w.folders);
    return status;
}
