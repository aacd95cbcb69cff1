/* shortcuts.c: the places at the side of the folder browser. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/mem.h"
#include "server/places.h"

enum { SETTINGS_BYTES_MAX = 1 << 16, MOUNTS_BYTES_MAX = 1 << 20 };

typedef struct list {
    pd_app *app;
    pd_json *array;
    bool failed; /* out of memory */
} list;

/* bytes < 0: not told. */
static void add(list *l, const char *kind, const char *path, int64_t bytes)
{
    if (!pd_dir_exists(path) || !pd_place_is_allowed(l->app, path))
        return;
    pd_json *json = pd_json_object();
    l->failed |= pd_json_set_text(json, "kind", kind);
    l->failed |= pd_json_set_text(json, "name", strcmp(path, "/") == 0 ? path : pd_path_name(path));
    l->failed |= pd_json_set_text(json, "path", path);
    l->failed |= pd_json_set_take(json, "bytes", bytes < 0 ? pd_json_null() : pd_json_int(bytes));
    l->failed |= pd_json_append_take(l->array, json);
}

/* The value of XDG_<name>_DIR in user-dirs.dirs (freedesktop.org's xdg-user-dirs): "$HOME/..." or absolute. On the
 * heap; NULL when it is not said. */
static char *read_user_dir(const char *settings, const char *name, const char *home)
{
    const char *line = strstr(settings, name);
    if (!line || (line != settings && line[-1] != '\n'))
        return NULL;
    const char *value = line + strlen(name);
    if (strncmp(value, "=\"", 2) != 0)
        return NULL;
    value += 2;
    const size_t len = strcspn(value, "\"\n");
    if (value[len] != '"')
        return NULL;
    static const char variable[] = "$HOME/";
    const bool below_home = strncmp(value, variable, sizeof variable - 1) == 0;
    const size_t skip = below_home ? sizeof variable - 1 : 0;
    if (len < skip || (!below_home && value[0] != '/'))
        return NULL;
    char *text = pd_mem_dup_text(value + skip, len - skip);
    char *path = text ? pd_path_join(home, text) : NULL;
    pd_mem_free(text);
    return path;
}

static void add_user_dirs(list *l, const char *home)
{
    static const struct {
        const char *kind, *variable, *preset;
    } dirs[] = {
        { "pictures", "XDG_PICTURES_DIR", "Pictures" },
        { "downloads", "XDG_DOWNLOAD_DIR", "Downloads" },
    };
    pd_buf settings;
    pd_buf_init(&settings, SETTINGS_BYTES_MAX);
    char *file = pd_path_join(home, ".config/user-dirs.dirs");
    const bool has_settings = file && pd_file_read(file, SETTINGS_BYTES_MAX, &settings, NULL) == PD_OK;
    pd_mem_free(file);
    for (size_t i = 0; i < PD_COUNT_OF(dirs); i++) {
        char *path = has_settings ? read_user_dir(settings.data, dirs[i].variable, home) : NULL;
        if (!path)
            path = pd_path_join(home, dirs[i].preset);
        if (path && strcmp(path, home) != 0) /* "$HOME/" says: there is none */
            add(l, dirs[i].kind, path, -1);
        l->failed |= !path;
        pd_mem_free(path);
    }
    pd_buf_done(&settings);
}

/* Takes \040 and its like (octal, as the kernel writes them) out, in place. */
static void unescape_mount(char *text)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        const bool escaped = in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
                             in[3] >= '0' && in[3] <= '7';
        if (escaped) {
            *out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
            in += 3;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
}

static bool is_drive(const char *path)
{
    static const char *const above[] = { "/media/", "/run/media/", "/mnt/" };
    bool found = strcmp(path, "/mnt") == 0;
    for (size_t i = 0; i < PD_COUNT_OF(above); i++)
        found |= strncmp(path, above[i], strlen(above[i])) == 0;
    return found;
}

/* A file system of the network may not answer for minutes: its size is not asked for. */
static bool may_hang(const char *type)
{
    static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "davfs" };
    bool found = strncmp(type, "fuse", 4) == 0;
    for (size_t i = 0; i < PD_COUNT_OF(types); i++)
        found |= strcmp(type, types[i]) == 0;
    return found;
}

/* One line of mountinfo (proc(5)): id parent major:minor root MOUNT-POINT options [fields] - TYPE source options. */
static void add_mount(list *l, char *line)
{
    char *field = line;
    char *const rest = strstr(line, " - ");
    for (int i = 0; i < 4 && field; i++) {
        field = strchr(field, ' ');
        field += field != NULL;
    }
    if (!field || !rest || field > rest)
        return;
    field[strcspn(field, " ")] = '\0';
    char *type = rest + 3;
    type[strcspn(type, " ")] = '\0';
    unescape_mount(field);
    if (!is_drive(field) || strcmp(type, "tmpfs") == 0) /* memory is no drive */
        return;
    struct statvfs fs;
    const bool told = !may_hang(type) && statvfs(field, &fs) == 0;
    add(l, "drive", field, told ? (int64_t)(fs.f_blocks * fs.f_frsize) : -1);
}

static void add_drives(list *l)
{
    pd_buf mounts;
    pd_buf_init(&mounts, MOUNTS_BYTES_MAX);
    if (pd_file_read("/proc/self/mountinfo", MOUNTS_BYTES_MAX, &mounts, NULL) == PD_OK)
        for (char *line = mounts.data; line && *line;) {
            char *const end = strchr(line, '\n');
            if (end)
                *end = '\0';
            add_mount(l, line);
            line = end ? end + 1 : NULL;
        }
    pd_buf_done(&mounts);
}

typedef struct recent {
    char *paths[32];
    size_t n;
} recent;

static void take_root(void *user, const char *path, bool offline)
{
    recent *r = user;
    if (!offline && r->n < PD_COUNT_OF(r->paths) && (r->paths[r->n] = pd_mem_dup_string(path)) != NULL)
        r->n++;
}

pd_json *pd_places_json(pd_app *app)
{
    list l = { .app = app, .array = pd_json_array() };
    const char *home = pd_app_options_of(app)->home;
    if (home) {
        add(&l, "home", home, -1);
        add_user_dirs(&l, home);
    }
    add_drives(&l);
    recent r = { .n = 0 };
    pd_app_roots(app, take_root, &r); /* the disk is not looked at under the lock */
    for (size_t i = 0; i < r.n; i++) {
        add(&l, "recent", r.paths[i], -1);
        pd_mem_free(r.paths[i]);
    }
    if (l.failed)
        pd_json_free(&l.array);
    return l.array;
}
