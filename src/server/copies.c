/* copies.c: photos into a folder, told while they are copied. */
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "server/body.h"
#include "server/handlers.h"
#include "server/places.h"
#include "server/telling.h"

typedef struct copying {
    pd_library *library;
    char *folder;
    int64_t *ids;
    size_t n;
    pd_telling *telling;
} copying;

static bool tell(const copying *c, const pd_copies *copies, bool complete, const char *message)
{
    bool failed = false;
    pd_json *json = pd_answer_copies(copies, c->n);
    failed |= pd_json_set_bool(json, "complete", complete);
    if (message)
        failed |= pd_json_set_text(json, "message", message);
    if (failed)
        pd_json_free(&json);
    return pd_telling_say_take(c->telling, json);
}

static bool tell_progress(void *user, const pd_copies *so_far, size_t n)
{
    (void)n;
    return tell(user, so_far, false, NULL);
}

static void run_copies(pd_telling *telling, void *user)
{
    copying *c = user;
    pd_copies copies = { 0 };
    pd_error err = { 0 };
    c->telling = telling;
    const pd_copying what = { .ids = c->ids, .n = c->n, .folder = c->folder, .progress = tell_progress, .user = c };
    const pd_status status = pd_library_copy(c->library, &what, &copies, &err);
    (void)tell(c, &copies, true, status == PD_OK ? NULL : err.message);
}

static void free_copying(void *user)
{
    copying *c = user;
    pd_mem_free(c->folder);
    pd_mem_free(c->ids);
    pd_mem_free(c);
}

/* Whether a part of the path is "..": what is above a folder that is still to be made cannot be judged. */
static bool climbs(const char *path)
{
    for (const char *at = path; (at = strstr(at, "/..")); at += 3)
        if (at[3] == '/' || at[3] == '\0')
            return true;
    return false;
}

/* Where to: a folder that is there, or one that can be made. False: the reply says no. */
static bool find_folder(pd_app *app, const pd_json *json, char **ret_folder, pd_reply *reply)
{
    const char *typed = NULL;
    pd_place place = { 0 };
    pd_error err = { 0 };
    pd_status status = pd_body_text(json, "folder", &typed, &err);
    if (status == PD_OK && !typed)
        status = pd_error_set(&err, PD_ERR_USAGE, "say where to: 'folder' is the path of one");
    if (status == PD_OK)
        status = pd_place_find(app, typed, &place, &err);
    const bool missing = status == PD_OK && place.kind == PD_PLACE_MISSING;
    if (missing && climbs(place.path))
        status =
            pd_error_set(&err, PD_ERR_USAGE, "there is no folder '%s', and '..' is not followed to make it", typed);
    if (status != PD_OK) {
        pd_place_done(&place);
        pd_reply_error(reply, &err);
        return false;
    }
    const bool good = place.kind == PD_PLACE_FOLDER || missing;
    if (good) {
        char **from = missing ? &place.path : &place.real;
        *ret_folder = *from;
        *from = NULL;
    } else {
        pd_place_refuse(&place, reply);
    }
    pd_place_done(&place);
    return good;
}

/* Takes the folder and the ids. */
static void begin_copies(pd_app *app, char *folder, int64_t *ids, size_t n, pd_reply *reply)
{
    copying *c = pd_mem_alloc(1, sizeof *c);
    if (!c) {
        pd_mem_free(folder);
        pd_mem_free(ids);
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    *c = (copying){ .library = pd_app_options_of(app)->library, .folder = folder, .ids = ids, .n = n };
    pd_telling_begin(app, &(pd_telling_work){ "copy", run_copies, free_copying, c }, reply);
}

void pd_handle_copy(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    char *folder = NULL;
    int64_t *ids = NULL;
    size_t n = 0;
    if (pd_body_object(request, &json, &err) != PD_OK) {
        pd_reply_error(reply, &err);
    } else if (find_folder(app, json, &folder, reply)) {
        if (pd_body_photos(app, json, &ids, &n, &err) == PD_OK) {
            begin_copies(app, folder, ids, n, reply);
        } else {
            pd_mem_free(folder);
            pd_reply_error(reply, &err);
        }
    }
    pd_json_free(&json);
}
