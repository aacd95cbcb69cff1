/* job_control.c: learning, as the page starts and steers it. */
#include <string.h>

#include "base/mem.h"
#include "server/handlers.h"
#include "server/places.h"
#include "server/server.h"

/* The object that was sent; NULL without one when the body may be left out and is. */
static pd_status read_object(const pd_request *request, bool optional, pd_json **ret_json, pd_error *err)
{
    pd_json *json = NULL;
    *ret_json = NULL;
    if (optional && request->body_len == 0)
        return PD_OK;
    PD_TRY(pd_json_parse(&json, request->body ? request->body : "", request->body_len, err));
    if (!pd_json_is_object(json)) {
        pd_json_free(&json);
        return pd_error_set(err, PD_ERR_USAGE, "the body is a JSON object");
    }
    *ret_json = json;
    return PD_OK;
}

typedef struct folders {
    char *items[PD_SERVER_ROOTS_MAX];
    size_t n;
} folders;

static void free_folders(folders *f)
{
    for (size_t i = 0; i < f->n; i++)
        pd_mem_free(f->items[i]);
}

/* False: the reply says what is wrong with it. */
static bool add_folder(pd_app *app, const pd_json *json, folders *f, pd_reply *reply)
{
    pd_str text;
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (!pd_json_read_string(json, &text) || memchr(text.ptr, '\0', text.len)) {
        (void)pd_error_set(&err, PD_ERR_USAGE, "'roots' is a list of paths of folders");
        pd_reply_error(reply, &err);
        return false;
    }
    char *typed = pd_mem_dup_text(text.ptr, text.len);
    const pd_status status = typed ? pd_place_find(app, typed, &place, &err) : pd_error_set_nomem(&err);
    const bool good = status == PD_OK && place.kind == PD_PLACE_FOLDER;
    pd_mem_free(typed);
    if (status != PD_OK)
        pd_reply_error(reply, &err);
    else if (!good)
        pd_place_refuse(&place, reply);
    if (good) {
        f->items[f->n++] = place.real;
        place.real = NULL;
    }
    pd_place_done(&place);
    return good;
}

/* False: the reply says what is wrong. */
static bool read_folders(pd_app *app, const pd_json *json, folders *f, pd_reply *reply)
{
    const pd_json *roots = pd_json_get(json, "roots");
    const size_t n = pd_json_count(roots);
    pd_error err = { 0 };
    if (!roots)
        return true;
    if (!pd_json_is_array(roots) || n == 0)
        (void)pd_error_set(&err, PD_ERR_USAGE, "'roots' is a list of paths of folders");
    else if (n > PD_SERVER_ROOTS_MAX)
        (void)pd_error_set(&err, PD_ERR_LIMIT, "%zu folders were named; %d can be at once", n, PD_SERVER_ROOTS_MAX);
    if (err.status != PD_OK) {
        pd_reply_error(reply, &err);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!add_folder(app, pd_json_at(roots, i), f, reply))
            return false;
    return true;
}

static void learn(pd_app *app, const pd_json *json, pd_reply *reply)
{
    folders f = { .n = 0 };
    pd_error err = { 0 };
    if (read_folders(app, json, &f, reply)) {
        if (pd_app_learn(app, (const char *const *)f.items, f.n, &err) == PD_OK)
            pd_reply_snapshot(app, reply);
        else
            pd_reply_error(reply, &err);
    }
    free_folders(&f);
}

void pd_handle_job(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    if (read_object(request, true, &json, &err) == PD_OK)
        learn(app, json, reply);
    else
        pd_reply_error(reply, &err);
    pd_json_free(&json);
}

static void answer_steered(pd_app *app, bool running, pd_reply *reply)
{
    if (running)
        pd_reply_snapshot(app, reply);
    else
        pd_reply_refuse(reply, PD_REFUSAL_NO_JOB, "nothing is being learned right now");
}

void pd_handle_job_pause(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    answer_steered(app, pd_app_pause(app, true), reply);
}

void pd_handle_job_resume(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    answer_steered(app, pd_app_pause(app, false), reply);
}

void pd_handle_job_cancel(pd_app *app, const pd_request *request, pd_reply *reply)
{
    (void)request;
    answer_steered(app, pd_app_cancel(app), reply);
}

void pd_handle_job_retry(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_error err = { 0 };
    (void)request;
    if (pd_app_retry(app, &err) == PD_OK)
        pd_reply_snapshot(app, reply);
    else
        pd_reply_error(reply, &err);
}

static pd_status read_speed(const pd_request *request, pd_speed *ret_speed, pd_error *err)
{
    pd_json *json = NULL;
    pd_str name = { 0 };
    PD_TRY(read_object(request, false, &json, err));
    pd_status status = PD_ERR_USAGE;
    if (pd_json_read_string(pd_json_get(json, "speed"), &name))
        for (pd_speed speed = 0; speed < PD_SPEED_COUNT; speed++)
            if (pd_str_equal(name, pd_str_of(pd_speed_name(speed)))) {
                *ret_speed = speed;
                status = PD_OK;
            }
    pd_json_free(&json);
    return status == PD_OK ? PD_OK : pd_error_set(err, status, "'speed' is one of gentle, normal and full");
}

void pd_handle_job_speed(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_speed speed;
    pd_error err = { 0 };
    if (read_speed(request, &speed, &err) != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    pd_app_speed(app, speed);
    pd_reply_snapshot(app, reply);
}
