/* folders.c: choosing a folder: what is in one, and what a typed path is. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/near.h"
#include "base/str.h"
#include "server/handlers.h"
#include "server/places.h"

enum { HTTP_OK = 200 };

static pd_json *folder_json(const char *folder, const char *name)
{
    char *path = pd_path_join(folder, name);
    bool failed = !path;
    pd_json *json = pd_json_object();
    /* JSON has no words for a name that is not UTF-8, so the page could not ask for it */
    const bool readable = path && pd_utf8_valid(name, strlen(name)) && access(path, R_OK | X_OK) == 0;
    failed |= pd_json_set_text(json, "name", name);
    failed |= pd_json_set_text(json, "path", path);
    failed |= pd_json_set_bool(json, "readable", readable);
    pd_mem_free(path);
    if (failed)
        pd_json_free(&json);
    return json;
}

/* On the heap; NULL: there is none above, or none that may be seen. */
static char *parent_of(pd_app *app, const char *folder)
{
    const size_t len = (size_t)(pd_path_name(folder) - folder);
    if (strcmp(folder, "/") == 0)
        return NULL;
    char *parent = pd_mem_dup_text(folder, len > 1 ? len - 1 : 1);
    if (parent && !pd_place_is_allowed(app, parent)) {
        pd_mem_free(parent);
        return NULL;
    }
    return parent;
}

static void answer_folder(pd_app *app, const char *folder, pd_reply *reply)
{
    pd_folder_names names = { 0 };
    pd_error err = { 0 };
    if (pd_folder_names_read(app, folder, &names, &err) != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    char *parent = parent_of(app, folder);
    bool failed = false;
    pd_json *json = pd_json_object(), *folders = pd_json_array();
    for (size_t i = 0; i < names.n; i++)
        failed |= pd_json_append_take(folders, folder_json(folder, names.items[i]));
    failed |= pd_json_set_text(json, "path", folder);
    failed |= pd_json_set_text(json, "parent", parent);
    failed |= pd_json_set_take(json, "folders", folders);
    failed |= pd_json_set_bool(json, "truncated", names.truncated);
    failed |= pd_json_set_take(json, "places", pd_places_json(app));
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
    pd_mem_free(parent);
    pd_folder_names_done(&names);
}

/* Where browsing begins. */
static const char *first_folder(pd_app *app)
{
    const pd_app_options *options = pd_app_options_of(app);
    if (options->home && pd_dir_exists(options->home) && pd_place_is_allowed(app, options->home))
        return options->home;
    return options->browse_root ? options->browse_root : "/";
}

void pd_handle_folders(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *typed = pd_uri_text(&request->uri, "path");
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (pd_place_find(app, typed && *typed ? typed : first_folder(app), &place, &err) != PD_OK)
        pd_reply_error(reply, &err);
    else if (place.kind != PD_PLACE_FOLDER)
        pd_place_refuse(&place, reply);
    else
        answer_folder(app, place.real, reply);
    pd_place_done(&place);
}

/* A path cut in three: the folders that are there, the name after them, and the rest ("" or "/..."). */
typedef struct cut {
    char *above;
    char *name;
    const char *rest; /* into the path that was cut */
} cut;

static void free_cut(cut *c)
{
    pd_mem_free(c->above);
    pd_mem_free(c->name);
}

static bool cut_path(const char *path, cut *ret_cut)
{
    const char *name = path + 1;
    const char *end = name + strcspn(name, "/");
    while (*end) { /* goes down as long as the next one is a folder */
        char *above = pd_mem_dup_text(path, (size_t)(end - path));
        const bool there = above && pd_dir_exists(above);
        pd_mem_free(above);
        if (!there)
            break;
        name = end + 1;
        end = name + strcspn(name, "/");
    }
    cut c = { .rest = end };
    c.above = pd_mem_dup_text(path, name - path > 1 ? (size_t)(name - path) - 1 : 1);
    c.name = pd_mem_dup_text(name, (size_t)(end - name));
    if (!c.above || !c.name) {
        free_cut(&c);
        return false;
    }
    *ret_cut = c;
    return true;
}

/* The folder whose name is nearest to the one that is not there; with the rest of the path when that leads on. */
static char *suggest(const cut *c, const pd_folder_names *names)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    for (size_t i = 0; i < names->n; i++) {
        const bool same_letters = strcasecmp(c->name, names->items[i]) == 0;
        const size_t distance = same_letters ? 0 : pd_near_distance(c->name, names->items[i]);
        if ((same_letters || pd_near_match(c->name, names->items[i])) && distance < best_distance) {
            best = names->items[i];
            best_distance = distance;
        }
    }
    if (!best)
        return NULL;
    char *path = pd_path_join(c->above, best);
    char *longer = path && c->rest[0] ? pd_path_join(path, c->rest + 1) : NULL;
    if (longer && pd_dir_exists(longer)) {
        pd_mem_free(path);
        return longer;
    }
    pd_mem_free(longer);
    return path;
}

/* As the Tab key of a shell: what all folders that begin with the name have in common; NULL: nothing more. */
static char *complete(const char *above, const char *begun, const pd_folder_names *names)
{
    const size_t begun_len = strlen(begun);
    const char *first = NULL;
    size_t len = 0, n = 0;
    for (size_t i = 0; i < names->n; i++) {
        const char *name = names->items[i];
        if (strncmp(name, begun, begun_len) != 0)
            continue;
        if (n++ == 0) {
            first = name;
            len = strlen(name);
        }
        while (strncmp(first, name, len) != 0)
            len--;
    }
    if (n == 0 || (n > 1 && len == begun_len))
        return NULL;
    char *common = pd_mem_dup_text(first, len);
    char *path = common ? pd_path_join(above, common) : NULL;
    char *folder = path && n == 1 ? pd_path_join(path, "") : NULL;
    pd_mem_free(common);
    if (n > 1)
        return path;
    pd_mem_free(path);
    return folder;
}

/* What the place could have been meant to be. Both on the heap or NULL. */
static void help_typing(pd_app *app, const pd_place *place, bool ends_in_slash, char **ret_suggestion,
                        char **ret_completion)
{
    cut c = { 0 };
    pd_folder_names names = { 0 };
    if (place->kind == PD_PLACE_OUTSIDE || strcmp(place->path, "/") == 0 || !cut_path(place->path, &c))
        return;
    if (place->kind == PD_PLACE_FOLDER && ends_in_slash) { /* the names in it */
        if (pd_folder_names_read(app, place->real, &names, NULL) == PD_OK)
            *ret_completion = complete(place->path, "", &names);
    } else if (pd_place_is_allowed(app, c.above) && pd_folder_names_read(app, c.above, &names, NULL) == PD_OK) {
        if (place->kind == PD_PLACE_MISSING)
            *ret_suggestion = suggest(&c, &names);
        if (c.rest[0] == '\0')
            *ret_completion = complete(c.above, c.name, &names);
    }
    pd_folder_names_done(&names);
    free_cut(&c);
}

void pd_handle_look(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *typed = pd_uri_text(&request->uri, "path");
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (!typed || !*typed)
        (void)pd_error_set(&err, PD_ERR_USAGE, "name a path to look at: ?path=");
    if (err.status != PD_OK || pd_place_find(app, typed, &place, &err) != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    char *suggestion = NULL, *completion = NULL;
    help_typing(app, &place, typed[strlen(typed) - 1] == '/', &suggestion, &completion);
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "path", place.path);
    failed |= pd_json_set_text(json, "kind", pd_place_kind_name(place.kind));
    failed |= pd_json_set_text(json, "message", place.message[0] ? place.message : NULL);
    failed |= pd_json_set_text(json, "suggestion", suggestion);
    failed |= pd_json_set_text(json, "completion", completion);
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
    pd_mem_free(suggestion);
    pd_mem_free(completion);
    pd_place_done(&place);
}
