/* model_control.c: the models that there are, over HTTP: what is known of them, fetching, using, removing. */
#include <string.h>

#include "answer/answer.h"
#include "server/body.h"
#include "server/handlers.h"

enum { HTTP_OK = 200, HTTP_UNSUPPORTED = 415 };

/* The key in "/api/v1/models/KEY/...", NUL-terminated. False: too long; the reply says so. */
static bool read_key(const pd_request *request, char key[PD_HUB_KEY_BYTES], pd_reply *reply)
{
    const char *from = request->uri.path + strlen("/api/v1/models/");
    const size_t len = strcspn(from, "/");
    pd_error err;
    if (len >= PD_HUB_KEY_BYTES) {
        (void)pd_error_set(&err, PD_ERR_USAGE, "the key of a model has at most %d bytes", PD_HUB_KEY_BYTES - 1);
        pd_reply_error(reply, &err);
        return false;
    }
    memcpy(key, from, len);
    key[len] = '\0';
    return true;
}

/* 202 and the snapshot, or why not. */
static void answer_done(pd_app *app, pd_status status, const pd_error *err, pd_reply *reply)
{
    if (status == PD_OK)
        pd_reply_snapshot(app, reply);
    else
        pd_reply_error(reply, err);
}

/* The same where a form that is wrong is the model's, not the request's. */
static void answer_opened(pd_app *app, pd_status status, const pd_error *err, pd_reply *reply)
{
    if (status == PD_ERR_FORMAT)
        pd_reply_error_as(reply, HTTP_UNSUPPORTED, err);
    else
        answer_done(app, status, err, reply);
}

typedef struct listing {
    pd_json *array;
    bool failed;
} listing;

static bool add_model(void *user, const pd_library_model *model)
{
    listing *l = user;
    l->failed |= pd_json_append_take(l->array, pd_answer_model(model)) != PD_OK;
    return !l->failed;
}

static pd_json *hub_json(const pd_library *library)
{
    bool offline, failed = false;
    const char *name = pd_library_hub(library, &offline);
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "name", name) != PD_OK;
    failed |= pd_json_set_bool(json, "offline", offline) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

void pd_handle_models(pd_app *app, const pd_request *request, pd_reply *reply)
{
    listing l = { .array = pd_json_array() };
    pd_error err = { 0 };
    int64_t bytes, resting_bytes;
    pd_library *library = pd_app_options_of(app)->library;
    (void)request;
    const pd_status status = pd_library_models(library, add_model, &l, &err);
    if (status != PD_OK) {
        pd_json_free(&l.array);
        pd_reply_error(reply, &err);
        return;
    }
    pd_app_memory(app, &bytes, &resting_bytes);
    bool failed = l.failed;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_take(json, "models", l.array);
    failed |= pd_json_set_take(json, "hub", hub_json(library));
    failed |= pd_json_set_int(json, "memory_bytes", bytes);
    failed |= pd_json_set_take(json, "resting_bytes", resting_bytes ? pd_json_int(resting_bytes) : pd_json_null());
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
}

static pd_status begin_pull(pd_app *app, const pd_request *request, pd_error *err)
{
    pd_json *json = NULL;
    const char *model = NULL;
    bool use = false;
    PD_TRY(pd_body_object(request, &json, err));
    pd_status status = pd_body_text(json, "model", &model, err);
    if (status == PD_OK)
        status = pd_body_bool(json, "use", &use, err);
    if (status == PD_OK && !model)
        status = pd_error_set(err, PD_ERR_USAGE, "say which: 'model' is owner/name, with @revision or without");
    if (status == PD_OK)
        status = pd_app_pull(app, model, use, err);
    pd_json_free(&json);
    return status;
}

void pd_handle_pull(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_error err = { 0 };
    const pd_status status = begin_pull(app, request, &err);
    answer_done(app, status, &err, reply);
}

void pd_handle_pull_cancel(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    if (pd_app_pull_cancel(app))
        pd_reply_snapshot(app, reply);
    else
        pd_reply_refuse(reply, PD_REFUSAL_NO_JOB, "nothing is being fetched right now");
}

void pd_handle_model_load(pd_app *app, const pd_request *request, pd_reply *reply)
{
    char key[PD_HUB_KEY_BYTES];
    pd_error err = { 0 };
    if (!read_key(request, key, reply))
        return;
    pd_app_attend(app);
    const pd_status status = pd_library_model_load(pd_app_options_of(app)->library, key, &err);
    pd_app_look_again(app);
    answer_opened(app, status, &err, reply);
}

void pd_handle_model_unload(pd_app *app, const pd_request *request, pd_reply *reply)
{
    char key[PD_HUB_KEY_BYTES];
    pd_error err = { 0 };
    if (!read_key(request, key, reply))
        return;
    const pd_status status = pd_library_model_unload(pd_app_options_of(app)->library, key, &err);
    pd_app_look_again(app);
    answer_done(app, status, &err, reply);
}

void pd_handle_model_use(pd_app *app, const pd_request *request, pd_reply *reply)
{
    char key[PD_HUB_KEY_BYTES];
    pd_error err = { 0 };
    if (!read_key(request, key, reply))
        return;
    pd_app_asking asking;
    pd_app_asking_begin(app, &asking, -1, NULL); /* an order: it holds when the page that gave it is reloaded */
    const pd_status status = pd_app_use_model(app, key, &asking.cancelled, &err);
    (void)pd_app_asking_end(app, &asking);
    answer_opened(app, status, &err, reply);
}

static pd_status read_remove_options(const pd_request *request, pd_remove_options *ret_options, pd_error *err)
{
    pd_json *json = NULL;
    if (request->body_len)
        PD_TRY(pd_body_object(request, &json, err));
    pd_status status = pd_body_bool(json, "embeddings", &ret_options->embeddings, err);
    if (status == PD_OK)
        status = pd_body_bool(json, "dry_run", &ret_options->dry_run, err);
    pd_json_free(&json);
    return status;
}

void pd_handle_model_remove(pd_app *app, const pd_request *request, pd_reply *reply)
{
    char key[PD_HUB_KEY_BYTES];
    pd_error err = { 0 };
    pd_remove_options options = { .embeddings = false };
    pd_removal removal;
    if (!read_key(request, key, reply))
        return;
    pd_status status = read_remove_options(request, &options, &err);
    if (status == PD_OK)
        status = pd_library_model_remove(pd_app_options_of(app)->library, key, &options, &removal, &err);
    if (status == PD_OK && options.dry_run) {
        pd_reply_json_take(reply, HTTP_OK, pd_answer_removal(key, &options, &removal));
        return;
    }
    pd_app_look_again(app);
    answer_done(app, status, &err, reply);
}
