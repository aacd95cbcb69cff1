/* count.c: how many pictures a folder holds, told while it is counted. */
#include "base/mem.h"
#include "server/handlers.h"
#include "server/places.h"
#include "server/telling.h"

typedef struct counting {
    char *folder;
    pd_telling *telling;
    pd_folder_count count;
} counting;

static bool tell_count(const counting *c)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "pictures", c->count.pictures);
    failed |= pd_json_set_int(json, "folders", c->count.folders);
    failed |= pd_json_set_int(json, "files", c->count.files);
    failed |= pd_json_set_bool(json, "complete", c->count.complete);
    if (failed)
        pd_json_free(&json);
    return pd_telling_say_take(c->telling, json);
}

static bool take_count(void *user, const pd_folder_count *count)
{
    counting *c = user;
    c->count = *count;
    return tell_count(c);
}

static void run_count(pd_telling *telling, void *user)
{
    counting *c = user;
    c->telling = telling;
    const pd_status status = pd_folder_count_pictures(c->folder, take_count, c, NULL);
    if (status == PD_OK)
        return;
    c->count.complete = true; /* it went away meanwhile: what was seen is all there is */
    (void)tell_count(c);
}

static void free_counting(void *user)
{
    counting *c = user;
    pd_mem_free(c->folder);
    pd_mem_free(c);
}

/* Takes the folder. */
static void answer_count(pd_app *app, char *folder, pd_reply *reply)
{
    counting *c = pd_mem_alloc(1, sizeof *c);
    if (!c) {
        pd_mem_free(folder);
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    c->folder = folder;
    pd_telling_begin(app, &(pd_telling_work){ "count", run_count, free_counting, c }, reply);
}

void pd_handle_count(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *typed = pd_uri_text(&request->uri, "path");
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (pd_place_find(app, typed ? typed : "", &place, &err) != PD_OK) {
        pd_reply_error(reply, &err);
    } else if (place.kind != PD_PLACE_FOLDER) {
        pd_place_refuse(&place, reply);
    } else {
        pd_app_prefetch(app, PD_PART_VISION); /* a folder that is counted is likely to be learned */
        answer_count(app, place.real, reply);
        place.real = NULL;
    }
    pd_place_done(&place);
}
