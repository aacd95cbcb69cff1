#include "server/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "server/server.h"

const char *pd_place_kind_name(pd_place_kind kind)
{
    static const char *const names[PD_PLACE_KIND_COUNT] = { [PD_PLACE_FOLDER] = "folder",
                                                            [PD_PLACE_FILE] = "file",
                                                            [PD_PLACE_MISSING] = "missing",
                                                            [PD_PLACE_UNREADABLE] = "unreadable",
                                                            [PD_PLACE_OUTSIDE] = "outside" };
    return names[kind];
}

static bool is_inside(const char *real, const char *root)
{
    return strcmp(root, "/") == 0 || pd_path_is_within(real, root);
}

bool pd_place_is_allowed(pd_app *app, const char *path)
{
    char real[PATH_MAX];
    const char *root = pd_app_options_of(app)->browse_root;
    return !root || (realpath(path, real) && is_inside(real, root));
}

/* Takes double slashes and the one at the end out, in place. */
static void tidy(char *path)
{
    size_t len = 0;
    for (const char *in = path; *in; in++)
        if (*in != '/' || len == 0 || path[len - 1] != '/')
            path[len++] = *in;
    if (len > 1 && path[len - 1] == '/')
        len--;
    path[len] = '\0';
}

/* Puts the home folder in. */
static pd_status expand(pd_app *app, const char *typed, char **ret_path, pd_error *err)
{
    const bool at_home = typed[0] == '~' && (typed[1] == '/' || typed[1] == '\0');
    if (!at_home && typed[0] != '/')
        return pd_error_set(err, PD_ERR_USAGE, "a path begins with '/' or with '~/'");
    const char *above = at_home ? pd_app_options_of(app)->home : "/";
    if (!above)
        return pd_error_set(err, PD_ERR_USAGE, "'~' stands for a home folder, and none is known here");
    if (strlen(above) + strlen(typed) >= PD_PLACE_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the path is longer than %d bytes", PD_PLACE_BYTES_MAX);
    const char *below = at_home ? typed + 1 : typed;
    char *path = pd_path_join(above, below + strspn(below, "/"));
    if (!path)
        return pd_error_set_nomem(err);
    tidy(path);
    *ret_path = path;
    return PD_OK;
}

/* Whether what is there of a path that is not there, its deepest folder, lies inside. */
static bool is_rest_inside(pd_app *app, const char *path)
{
    char part[PD_PLACE_BYTES_MAX], real[PATH_MAX];
    const char *root = pd_app_options_of(app)->browse_root;
    size_t len = strlen(path);
    if (!root)
        return true;
    memcpy(part, path, len + 1);
    while (len > 1 && !realpath(part, real)) {
        while (len > 1 && part[len - 1] != '/')
            len--;
        len -= len > 1;
        part[len] = '\0';
    }
    return realpath(part, real) && is_inside(real, root);
}

static void judge(pd_place *place, pd_place_kind kind, const char *sentence)
{
    pd_error error;
    (void)pd_error_set(&error, PD_OK, sentence, place->path);
    place->kind = kind;
    memcpy(place->message, error.message, sizeof place->message);
}

static void look_at(pd_app *app, pd_place *place)
{
    char real[PATH_MAX];
    struct stat st;
    const bool there = realpath(place->path, real) != NULL;
    const int sys_errno = there ? 0 : errno;
    const char *root = pd_app_options_of(app)->browse_root;
    if (there ? root && !is_inside(real, root) : !is_rest_inside(app, place->path)) {
        judge(place, PD_PLACE_OUTSIDE, "'%s' lies outside the folder that this page may look into");
        return;
    }
    if (!there) {
        if (sys_errno == EACCES)
            judge(place, PD_PLACE_UNREADABLE, "you are not allowed to look at '%s'");
        else
            judge(place, PD_PLACE_MISSING, "there is no folder '%s'");
        return;
    }
    place->real = pd_mem_dup_string(real);
    if (stat(real, &st) != 0)
        judge(place, PD_PLACE_MISSING, "there is no folder '%s'");
    else if (!S_ISDIR(st.st_mode))
        judge(place, PD_PLACE_FILE, "'%s' is a file; name the folder that it is in");
    else if (access(real, R_OK | X_OK) != 0)
        judge(place, PD_PLACE_UNREADABLE, "you are not allowed to look into '%s'");
}

pd_status pd_place_find(pd_app *app, const char *typed, pd_place *ret_place, pd_error *err)
{
    pd_place place = { .kind = PD_PLACE_FOLDER };
    PD_TRY(expand(app, typed, &place.path, err));
    look_at(app, &place);
    if (place.kind == PD_PLACE_FOLDER && !place.real) {
        pd_place_done(&place);
        return pd_error_set_nomem(err);
    }
    *ret_place = place;
    return PD_OK;
}

void pd_place_done(pd_place *place)
{
    pd_mem_free(place->path);
    pd_mem_free(place->real);
    *place = (pd_place){ 0 };
}

void pd_place_refuse(const pd_place *place, pd_reply *reply)
{
    pd_error error;
    switch (place->kind) {
    case PD_PLACE_OUTSIDE:
    case PD_PLACE_UNREADABLE: pd_reply_refuse(reply, PD_REFUSAL_FORBIDDEN, place->message); return;
    case PD_PLACE_MISSING: (void)pd_error_set(&error, PD_ERR_NOT_FOUND, "%s", place->message); break;
    case PD_PLACE_FILE:
    case PD_PLACE_FOLDER:
    case PD_PLACE_KIND_COUNT: (void)pd_error_set(&error, PD_ERR_USAGE, "%s", place->message); break;
    }
    pd_reply_error(reply, &error);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    const int order = strcasecmp(*left, *right);
    return order ? order : strcmp(*left, *right);
}

/* A folder that people would look into. Links to folders count, as long as they do not lead out. */
static bool is_listed(pd_app *app, int dir_fd, const char *folder, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "@eaDir") == 0 || entry->d_type == DT_REG)
        return false;
    if (fstatat(dir_fd, entry->d_name, &st, 0) != 0 || !S_ISDIR(st.st_mode))
        return false;
    if (entry->d_type == DT_DIR)
        return true;
    char *path = pd_path_join(folder, entry->d_name);
    const bool allowed = path && pd_place_is_allowed(app, path);
    pd_mem_free(path);
    return allowed;
}

static pd_status add_name(pd_folder_names *names, const char *name, pd_error *err)
{
    enum { STEP = 64 };
    if (names->n % STEP == 0) {
        char **items = pd_mem_realloc(names->items, names->n + STEP, sizeof *items);
        if (!items)
            return pd_error_set_nomem(err);
        names->items = items;
    }
    names->items[names->n] = pd_mem_dup_string(name);
    if (!names->items[names->n])
        return pd_error_set_nomem(err);
    names->n++;
    return PD_OK;
}

pd_status pd_folder_names_read(pd_app *app, const char *folder, pd_folder_names *ret_names, pd_error *err)
{
    pd_folder_names names = { 0 };
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        const int sys_errno = errno;
        if (fd >= 0)
            close(fd);
        return pd_error_set_errno(err, sys_errno, "cannot look into '%s'", folder);
    }
    pd_status status = PD_OK;
    const struct dirent *entry;
    while (status == PD_OK && (entry = readdir(dir)) != NULL) {
        if (!is_listed(app, fd, folder, entry))
            continue;
        names.truncated = names.n == PD_SERVER_FOLDERS_MAX;
        if (names.truncated)
            break;
        status = add_name(&names, entry->d_name, err);
    }
    closedir(dir);
    if (status != PD_OK) {
        pd_folder_names_done(&names);
        return status;
    }
    if (names.n > 1)
        qsort(names.items, names.n, sizeof *names.items, compare_names);
    *ret_names = names;
    return PD_OK;
}

void pd_folder_names_done(pd_folder_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        pd_mem_free(names->items[i]);
    pd_mem_free(names->items);
    *names = (pd_folder_names){ 0 };
}
