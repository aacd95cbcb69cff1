/* writing.c: what machines write about photos, as the page asks for it: one photo now, the others in the background,
 * and sidecars. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/body.h"
#include "server/handlers.h"
#include "server/telling.h"

enum { HTTP_NO_CONTENT = 204, LOOKING_MAX = 1000 };

void pd_handle_describe(pd_app *app, const pd_request *request, pd_reply *reply)
{
    char digits[24];
    pd_error err = { 0 };
    (void)snprintf(digits, sizeof digits, "%" PRIu64, request->id);
    pd_written *written = pd_mem_alloc(1, sizeof *written);
    if (!written) {
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    const pd_example picture = { .text = digits, .fd = -1 };
    pd_app_attend(app);
    pd_app_asking asking;
    pd_app_asking_begin(app, &asking, request->socket, NULL);
    const pd_status status =
        pd_library_describe(pd_app_options_of(app)->library, &picture, &asking.cancelled, written, &err);
    (void)pd_app_asking_end(app, &asking);
    if (status == PD_OK)
        pd_handle_photo(app, request, reply);
    else
        pd_reply_error(reply, &err);
    pd_mem_free(written);
}

void pd_handle_looking(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    int64_t *ids = NULL;
    size_t n = 0;
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = pd_body_ids(pd_json_get(json, "photos"), "photos", LOOKING_MAX, &ids, &n, &err);
    pd_json_free(&json);
    if (status != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    pd_library_annotate_first(pd_app_options_of(app)->library, ids, n);
    pd_mem_free(ids);
    *reply = (pd_reply){ .code = HTTP_NO_CONTENT };
}

typedef enum deed { DEED_START, DEED_PAUSE, DEED_RESUME, DEED_CANCEL, DEED_COUNT } deed;

static pd_status read_deed(const pd_request *request, deed *ret_deed, pd_error *err)
{
    static const char *const names[DEED_COUNT] = { "start", "pause", "resume", "cancel" };
    pd_json *json = NULL;
    const char *text = NULL;
    deed found = DEED_COUNT;
    PD_TRY(pd_body_object(request, &json, err));
    pd_status status = pd_body_text(json, "do", &text, err);
    for (deed d = DEED_START; status == PD_OK && text && d < DEED_COUNT; d++)
        if (strcmp(text, names[d]) == 0)
            found = d;
    pd_json_free(&json);
    if (status == PD_OK && found == DEED_COUNT)
        status = pd_error_set(err, PD_ERR_USAGE, "'do' is one of start, pause, resume and cancel");
    if (status == PD_OK)
        *ret_deed = found;
    return status;
}

/* *ret_running false: there was nothing to steer. */
static pd_status steer(pd_app *app, deed d, bool *ret_running, pd_error *err)
{
    *ret_running = true;
    if (d == DEED_START)
        return pd_app_write_about(app, err);
    *ret_running = d == DEED_CANCEL ? pd_app_writing_cancel(app) : pd_app_writing_pause(app, d == DEED_PAUSE);
    return PD_OK;
}

void pd_handle_annotate(pd_app *app, const pd_request *request, pd_reply *reply)
{
    deed d;
    bool running;
    pd_error err = { 0 };
    pd_status status = read_deed(request, &d, &err);
    if (status == PD_OK)
        status = steer(app, d, &running, &err);
    if (status != PD_OK)
        pd_reply_error(reply, &err);
    else if (running)
        pd_reply_snapshot(app, reply);
    else
        pd_reply_refuse(reply, PD_REFUSAL_NO_JOB, "no tags and captions are being written right now");
}

typedef struct sidecar_work {
    pd_library *library;
    int64_t *ids;
    size_t n;
    bool machine, dry_run;
    pd_telling *telling;
} sidecar_work;

static bool tell(const sidecar_work *w, const pd_sidecars *sidecars, bool complete, const char *message)
{
    bool failed = false;
    pd_json *json = pd_answer_sidecars(sidecars, w->n);
    failed |= pd_json_set_bool(json, "complete", complete);
    if (message)
        failed |= pd_json_set_text(json, "message", message);
    if (failed)
        pd_json_free(&json);
    return pd_telling_say_take(w->telling, json);
}

static bool tell_progress(void *user, const pd_sidecars *so_far, size_t n)
{
    (void)n;
    return tell(user, so_far, false, NULL);
}

static void run_sidecars(pd_telling *telling, void *user)
{
    sidecar_work *w = user;
    pd_sidecars sidecars = { 0 };
    pd_error err = { 0 };
    w->telling = telling;
    const pd_sidecar_options options = {
        .ids = w->ids, .n = w->n, .machine = w->machine, .dry_run = w->dry_run, .progress = tell_progress, .user = w
    };
    const pd_status status = pd_library_sidecars(w->library, &options, &sidecars, &err);
    (void)tell(w, &sidecars, true, status == PD_OK ? NULL : err.message);
}

static void free_sidecars(void *user)
{
    sidecar_work *w = user;
    pd_mem_free(w->ids);
    pd_mem_free(w);
}

static pd_status read_sidecars(pd_app *app, const pd_request *request, sidecar_work *w, pd_error *err)
{
    pd_json *json = NULL;
    PD_TRY(pd_body_object(request, &json, err));
    pd_status status = pd_body_bool(json, "machine", &w->machine, err);
    if (status == PD_OK)
        status = pd_body_bool(json, "dry_run", &w->dry_run, err);
    if (status == PD_OK)
        status = pd_body_photos(app, json, &w->ids, &w->n, err);
    pd_json_free(&json);
    return status;
}

void pd_handle_sidecars(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_error err = { 0 };
    sidecar_work *w = pd_mem_alloc(1, sizeof *w);
    if (!w) {
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    w->library = pd_app_options_of(app)->library;
    if (read_sidecars(app, request, w, &err) == PD_OK) {
        pd_telling_begin(app, &(pd_telling_work){ "sidecars", run_sidecars, free_sidecars, w }, reply);
    } else {
        free_sidecars(w);
        pd_reply_error(reply, &err);
    }
}
