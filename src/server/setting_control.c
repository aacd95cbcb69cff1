/* setting_control.c: what the user may set, over HTTP. */
#include "server/body.h"
#include "server/handlers.h"

enum { HTTP_OK = 200 };

static void answer_settings(pd_app *app, pd_reply *reply)
{
    pd_app_settings settings;
    pd_error err = { 0 };
    if (pd_app_settings_get(app, &settings, &err) != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_number(json, "idle_s", settings.idle_s);
    failed |= pd_json_set_bool(json, "captions", settings.captions);
    failed |= pd_json_set_int(json, "threads", settings.threads);
    failed |= pd_json_set_int(json, "threads_max", settings.threads_max);
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
}

void pd_handle_settings(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    answer_settings(app, reply);
}

/* All is read before anything is set. */
static pd_status change_settings(pd_app *app, const pd_json *json, pd_error *err)
{
    pd_library *library = pd_app_options_of(app)->library;
    pd_app_settings settings;
    PD_TRY(pd_app_settings_get(app, &settings, err));
    const double idle_s = settings.idle_s;
    const bool had_captions = settings.captions;
    int64_t threads = settings.threads;
    if (pd_json_get(json, "idle_s") &&
        (!pd_json_read_number(pd_json_get(json, "idle_s"), &settings.idle_s) || !(settings.idle_s >= -1) ||
         settings.idle_s > PD_APP_IDLE_S_MAX || settings.idle_s == 0))
        return pd_error_set(err, PD_ERR_USAGE, "'idle_s' is a number of seconds up to %d, or -1 for never",
                            PD_APP_IDLE_S_MAX);
    PD_TRY(pd_body_bool(json, "captions", &settings.captions, err));
    PD_TRY(pd_body_number(json, "threads", (pd_body_range){ 1, settings.threads_max }, &threads, err));
    if (settings.idle_s != idle_s)
        pd_library_set_idle(library, NULL, settings.idle_s);
    if (threads != settings.threads)
        PD_TRY(pd_library_threads_set(library, (unsigned)threads, err));
    return settings.captions == had_captions ? PD_OK : pd_app_captions_set(app, settings.captions, err);
}

void pd_handle_settings_change(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = change_settings(app, json, &err);
    pd_json_free(&json);
    if (status == PD_OK)
        answer_settings(app, reply);
    else
        pd_reply_error(reply, &err);
}
