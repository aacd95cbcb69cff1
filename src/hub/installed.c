/* What lies in a models directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "hub/pipe.h"

enum { CONFIG_BYTES_MAX = 4 << 20, BLOCK_BYTES = 512 };

static pd_status read_document(const char *dir, const char *name, size_t bytes_max, pd_json **ret_json, pd_error *err)
{
    char *path = pd_path_join(dir, name);
    if (!path)
        return pd_error_set_nomem(err);
    pd_buf text;
    pd_buf_init(&text, bytes_max);
    pd_status status = pd_file_read(path, bytes_max, &text, err);
    if (status == PD_OK)
        status = pd_json_parse(ret_json, text.data, text.len, err);
    pd_buf_done(&text);
    pd_mem_free(path);
    return status;
}

/* Of one that arrives with holes, only what is there. */
static int64_t count_bytes(const char *path, bool complete)
{
    DIR *dir = opendir(path);
    int64_t bytes = 0;
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        struct stat st;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        const int64_t size = (int64_t)st.st_size, stored = (int64_t)st.st_blocks * BLOCK_BYTES;
        bytes += complete || size < stored ? size : stored;
    }
    if (dir)
        closedir(dir);
    return bytes;
}

static void copy_text(char ret_text[PD_HUB_KEY_BYTES], const pd_json *json)
{
    pd_str text;
    ret_text[0] = '\0';
    if (!pd_json_read_string(json, &text) || text.len >= PD_HUB_KEY_BYTES || memchr(text.ptr, '\0', text.len))
        return;
    memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
}

/* False: that is no model. One that just began has no configuration yet: it is taken for what most are. */
static bool read_kind(const char *dir, bool complete, pd_hub_kind *ret_kind)
{
    pd_json *config = NULL;
    pd_str architecture = pd_str_of("");
    *ret_kind = PD_HUB_SEARCH;
    if (read_document(dir, "config.json", CONFIG_BYTES_MAX, &config, NULL) != PD_OK)
        return !complete;
    (void)pd_json_read_string(pd_json_at(pd_json_get(config, "architectures"), 0), &architecture);
    (void)pd_fetch_kind(architecture, ret_kind); /* of an unknown kind: what opens it will say so */
    pd_json_free(&config);
    return true;
}

typedef struct visiting {
    bool (*visit)(void *user, const pd_hub_installed *installed);
    void *user;
} visiting;

/* False: no further. */
static bool visit_folder(const visiting *v, const char *dir, const char *name)
{
    const size_t len = strlen(name), part_len = strlen(PD_PULL_PART);
    const bool complete = !(len > part_len && strcmp(name + len - part_len, PD_PULL_PART) == 0);
    char key[PD_HUB_KEY_BYTES], repository[PD_HUB_KEY_BYTES] = "", revision[PD_HUB_KEY_BYTES] = "";
    const size_t key_len = complete ? len : len - part_len;
    pd_hub_installed installed = {
        .key = key, .dir = dir, .repository = repository, .revision = revision, .complete = complete
    };
    if (key_len >= sizeof key || !read_kind(dir, complete, &installed.kind))
        return true;
    memcpy(key, name, key_len);
    key[key_len] = '\0';
    pd_json *record = NULL;
    if (read_document(dir, PD_PULL_RECORD, PD_PULL_RECORD_BYTES_MAX, &record, NULL) == PD_OK) {
        copy_text(repository, pd_json_get(record, "repository"));
        copy_text(revision, pd_json_get(record, "revision"));
    }
    pd_json_free(&record);
    installed.bytes = count_bytes(dir, complete);
    return v->visit(v->user, &installed);
}

static bool is_candidate(const char *name)
{
    const size_t len = strlen(name), old_len = strlen(".old");
    return name[0] != '.' && !(len > old_len && strcmp(name + len - old_len, ".old") == 0);
}

typedef struct name_list {
    char **items; /* [n] */
    size_t n, capacity;
} name_list;

static void free_names(name_list *names)
{
    for (size_t i = 0; i < names->n; i++)
        pd_mem_free(names->items[i]);
    pd_mem_free(names->items);
}

static pd_status add_name(name_list *names, const char *name, pd_error *err)
{
    if (names->n == names->capacity) {
        const size_t capacity = names->capacity ? 2 * names->capacity : 16;
        char **items = pd_mem_realloc(names->items, capacity, sizeof *items);
        if (!items)
            return pd_error_set_nomem(err);
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->n] = pd_mem_dup_string(name);
    return names->items[names->n] ? (names->n++, PD_OK) : pd_error_set_nomem(err);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static pd_status list_names(const char *models_dir, name_list *names, pd_error *err)
{
    DIR *dir = opendir(models_dir);
    if (!dir)
        return errno == ENOENT ? PD_OK : pd_error_set_errno(err, errno, "cannot read '%s'", models_dir);
    pd_status status = PD_OK;
    const struct dirent *entry;
    while (status == PD_OK && (entry = readdir(dir)) != NULL)
        if (is_candidate(entry->d_name))
            status = add_name(names, entry->d_name, err);
    closedir(dir);
    if (names->n)
        qsort(names->items, names->n, sizeof *names->items, by_name);
    return status;
}

pd_status pd_hub_installed_visit(const char *models_dir, bool (*visit)(void *user, const pd_hub_installed *installed),
                                 void *user, pd_error *err)
{
    const visiting v = { visit, user };
    name_list names = { 0 };
    pd_status status = list_names(models_dir, &names, err);
    bool goes_on = true;
    for (size_t i = 0; status == PD_OK && goes_on && i < names.n; i++) {
        char *dir = pd_path_join(models_dir, names.items[i]);
        if (!dir)
            status = pd_error_set_nomem(err);
        else if (pd_dir_exists(dir))
            goes_on = visit_folder(&v, dir, names.items[i]);
        pd_mem_free(dir);
    }
    free_names(&names);
    return status;
}

/* BUSY while somebody fetches into it. */
static pd_status check_unused(const char *part, const char *key, pd_error *err)
{
    char *lock = pd_path_join(part, PD_PULL_LOCK);
    if (!lock)
        return pd_error_set_nomem(err);
    const int fd = open(lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    pd_mem_free(lock);
    const bool is_held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return is_held ? pd_error_set(err, PD_ERR_BUSY, "%s is being fetched: stop that first", key) : PD_OK;
}

/* The name goes at once, the files after it: nobody finds half a model. */
static pd_status remove_folder(const char *path, pd_error *err)
{
    char gone[PATH_MAX];
    const int n = snprintf(gone, sizeof gone, "%s.old", path);
    if (n < 0 || (size_t)n >= sizeof gone)
        return pd_error_set(err, PD_ERR_LIMIT, "path too long: '%s'", path);
    PD_TRY(pd_dir_remove(gone, err));
    if (rename(path, gone) != 0)
        return errno == ENOENT ? PD_OK : pd_error_set_errno(err, errno, "cannot remove '%s'", path);
    return pd_dir_remove(gone, err);
}

pd_status pd_hub_remove(const char *models_dir, const char *key, pd_error *err)
{
    char whole[PATH_MAX], part[PATH_MAX];
    const int n = snprintf(part, sizeof part, "%s/%s" PD_PULL_PART, models_dir, key);
    if (!key[0] || key[0] == '.' || strchr(key, '/') || n < 0 || (size_t)n >= sizeof part)
        return pd_error_set(err, PD_ERR_USAGE, "'%.100s' is no key of a model", key);
    (void)snprintf(whole, sizeof whole, "%s/%s", models_dir, key);
    if (!pd_dir_exists(whole) && !pd_dir_exists(part))
        return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no model '%s' in %s", key, models_dir);
    PD_TRY(check_unused(part, key, err));
    PD_TRY(remove_folder(part, err));
    return remove_folder(whole, err);
}
