/* library_views.c: keeps the cache of views within its bound. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "library/library_parts.h"

#define KEPT_PERCENT 75 /* of the bound, when something must go */

typedef struct view {
    int64_t used_ns, bytes;
    char name[128]; /* in the cache: "ab/<sha256>-<side>.jpg" */
} view;

typedef struct view_list {
    view *items;
    size_t n, capacity;
    int64_t bytes;
    bool failed; /* out of memory: what is listed is still true */
} view_list;

static void add_view(view_list *list, const char *folder, const char *name, const struct stat *st)
{
    if (list->n == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 64;
        view *items = pd_mem_realloc(list->items, capacity, sizeof *items);
        if (!items) {
            list->failed = true;
            return;
        }
        list->items = items;
        list->capacity = capacity;
    }
    view *v = &list->items[list->n];
    *v = (view){ .used_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
                 .bytes = (int64_t)st->st_size };
    const int n = snprintf(v->name, sizeof v->name, "%s/%s", folder, name);
    list->n += n > 0 && (size_t)n < sizeof v->name; /* longer ones are not ours */
}

static void list_folder(view_list *list, int above, const char *folder)
{
    const int fd = openat(above, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        list->bytes += (int64_t)st.st_size;
        add_view(list, folder, entry->d_name, &st);
    }
    closedir(dir);
}

static void list_views(view_list *list, int cache)
{
    for (unsigned i = 0; i < 256; i++) {
        char folder[8];
        (void)snprintf(folder, sizeof folder, "%02x", i);
        list_folder(list, cache, folder);
    }
}

static int compare_use(const void *left, const void *right)
{
    const view *a = left, *b = right;
    return a->used_ns < b->used_ns ? -1 : a->used_ns > b->used_ns;
}

/* Returns the bytes that are left. */
static int64_t trim(const char *path, int64_t bytes_max)
{
    view_list list = { 0 };
    const int cache = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cache < 0)
        return 0;
    list_views(&list, cache);
    if (list.bytes > bytes_max && list.n > 1)
        qsort(list.items, list.n, sizeof *list.items, compare_use);
    int64_t left = list.bytes;
    const int64_t wanted = list.bytes > bytes_max ? bytes_max / 100 * KEPT_PERCENT : bytes_max;
    for (size_t i = 0; i < list.n && left > wanted; i++)
        if (unlinkat(cache, list.items[i].name, 0) == 0)
            left -= list.items[i].bytes;
    pd_mem_free(list.items);
    close(cache);
    return left;
}

void pd_library_views_added(pd_library *library, int64_t bytes)
{
    pd_library_views *views = &library->views;
    pthread_mutex_lock(&views->lock);
    if (views->bytes >= 0)
        views->bytes += bytes;
    if (views->bytes < 0 || views->bytes > views->bytes_max)
        views->bytes = trim(library->paths.views, views->bytes_max);
    pthread_mutex_unlock(&views->lock);
}
