/* user_work.c: what the user does and keeps, over HTTP. */
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "server/body.h"
#include "server/handlers.h"
#include "server/server.h"

enum { HTTP_OK = 200, HISTORY_N = 50 };

static pd_library *library_of(pd_app *app) { return pd_app_options_of(app)->library; }

/* Takes the document on success, and tells the error else. */
static void answer_take(pd_reply *reply, pd_status status, pd_json *json, const pd_error *err)
{
    if (status == PD_OK) {
        pd_reply_json_take(reply, HTTP_OK, json);
        return;
    }
    pd_json_free(&json);
    pd_reply_error(reply, err);
}

/* Frees the step. */
static void answer_step(pd_reply *reply, pd_status status, pd_step *step, const pd_error *err)
{
    answer_take(reply, status, status == PD_OK ? pd_answer_step(step) : NULL, err);
    pd_step_done(step);
}

/* A member that a caption or a rating may set to null. */
static pd_status read_edit_value(const pd_json *json, const char *name, pd_edit *edit, pd_error *err)
{
    const pd_json *member = pd_json_get(json, name);
    int64_t number = PD_WORK_UNSET;
    bool yes;
    switch (edit->kind) {
    case PD_EDIT_RATING:
        if (!pd_json_is_null(member))
            PD_TRY(pd_body_number(json, name, (pd_body_range){ 0, 5 }, &number, err));
        edit->number = (int)number;
        return PD_OK;
    case PD_EDIT_FAVORITE:
        if (!pd_json_read_bool(member, &yes))
            return pd_error_set(err, PD_ERR_USAGE, "'favorite' is true or false");
        edit->number = yes;
        return PD_OK;
    case PD_EDIT_CAPTION: return pd_json_is_null(member) ? PD_OK : pd_body_text(json, name, &edit->text, err);
    case PD_EDIT_TAG:
    case PD_EDIT_UNTAG:
    case PD_EDIT_ALBUM:
    case PD_EDIT_UNALBUM:
    case PD_EDIT_KIND_COUNT: break;
    }
    return pd_body_text(json, name, &edit->text, err);
}

static pd_status read_edit(const pd_json *json, pd_edit *edit, pd_error *err)
{
    static const struct {
        const char *name;
        pd_edit_kind kind;
    } rows[] = { { "tag", PD_EDIT_TAG },           { "untag", PD_EDIT_UNTAG },     { "rating", PD_EDIT_RATING },
                 { "favorite", PD_EDIT_FAVORITE }, { "caption", PD_EDIT_CAPTION }, { "album", PD_EDIT_ALBUM },
                 { "unalbum", PD_EDIT_UNALBUM } };
    const char *name = NULL;
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        if (!pd_json_get(json, rows[i].name))
            continue;
        if (name)
            return pd_error_set(err, PD_ERR_USAGE, "one thing at a time: '%s' or '%s'", name, rows[i].name);
        name = rows[i].name;
        edit->kind = rows[i].kind;
    }
    if (!name)
        return pd_error_set(err, PD_ERR_USAGE,
                            "say what to do: tag, untag, rating, favorite, caption, album or unalbum");
    return read_edit_value(json, name, edit, err);
}

static pd_status edit_photos(pd_app *app, const pd_json *json, pd_step *ret_step, pd_error *err)
{
    pd_edit edit = { .kind = PD_EDIT_TAG };
    int64_t *ids = NULL;
    PD_TRY(read_edit(json, &edit, err));
    PD_TRY(pd_body_photos(app, json, &ids, &edit.n_photos, err));
    edit.photos = ids;
    const pd_status status = pd_library_edit(library_of(app), &edit, ret_step, err);
    pd_mem_free(ids);
    return status;
}

void pd_handle_edit(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_step step = { 0 };
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = edit_photos(app, json, &step, &err);
    pd_json_free(&json);
    answer_take(reply, status, status == PD_OK ? pd_answer_edited(&step) : NULL, &err);
    pd_step_done(&step);
}

void pd_handle_undo_next(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_step step = { 0 };
    pd_error err = { 0 };
    (void)request;
    const pd_status status = pd_library_undo_next(library_of(app), &step, &err);
    answer_step(reply, status, &step, &err);
}

void pd_handle_undo(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_step step = { 0 };
    pd_json *json = NULL;
    pd_error err = { 0 };
    int64_t number = 0;
    pd_status status = request->body_len ? pd_body_object(request, &json, &err) : PD_OK;
    if (status == PD_OK)
        status = pd_body_number(json, "step", (pd_body_range){ 1, INT64_MAX }, &number, &err);
    if (status == PD_OK)
        status = pd_library_undo(library_of(app), number, &step, &err);
    pd_json_free(&json);
    answer_step(reply, status, &step, &err);
}

/* What is listed, and whether there was memory for it. */
typedef struct listing {
    pd_json *array;
    bool failed;
} listing;

static bool add_take(listing *l, pd_json *json)
{
    l->failed |= pd_json_append_take(l->array, json) != PD_OK;
    return !l->failed;
}

static bool add_album(void *user, const pd_album *album) { return add_take(user, pd_answer_album(album)); }
static bool add_saved(void *user, const pd_saved *saved) { return add_take(user, pd_answer_saved(saved)); }

/* Takes the list. */
static void answer_list(pd_reply *reply, pd_status status, const char *name, listing *l, const pd_error *err)
{
    pd_json *json = status == PD_OK && !l->failed ? pd_json_object() : NULL;
    if (pd_json_set_take(json, name, json ? l->array : NULL) != PD_OK)
        pd_json_free(&json);
    else
        l->array = NULL;
    pd_json_free(&l->array);
    answer_take(reply, status, json, err);
}

void pd_handle_albums(pd_app *app, const pd_request *request, pd_reply *reply)
{
    listing l = { .array = pd_json_array() };
    pd_error err = { 0 };
    (void)request;
    const pd_status status = pd_library_albums(library_of(app), add_album, &l, &err);
    answer_list(reply, status, "albums", &l, &err);
}

static pd_status change_album(pd_app *app, const pd_json *json, pd_step *ret_step, pd_error *err)
{
    const char *make = NULL, *rename = NULL, *to = NULL, *remove = NULL;
    PD_TRY(pd_body_text(json, "make", &make, err));
    PD_TRY(pd_body_text(json, "rename", &rename, err));
    PD_TRY(pd_body_text(json, "to", &to, err));
    PD_TRY(pd_body_text(json, "remove", &remove, err));
    if (!!make + !!rename + !!remove != 1 || !rename != !to)
        return pd_error_set(err, PD_ERR_USAGE, "say one of 'make', 'rename' with 'to', and 'remove'");
    pd_library *library = library_of(app);
    if (make)
        return pd_library_album_make(library, make, ret_step, err);
    return rename ? pd_library_album_rename(library, rename, to, ret_step, err)
                  : pd_library_album_remove(library, remove, ret_step, err);
}

void pd_handle_album(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_step step = { 0 };
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = change_album(app, json, &step, &err);
    pd_json_free(&json);
    answer_step(reply, status, &step, &err);
}

void pd_handle_saved(pd_app *app, const pd_request *request, pd_reply *reply)
{
    listing l = { .array = pd_json_array() };
    pd_error err = { 0 };
    (void)request;
    const pd_status status = pd_library_saved(library_of(app), add_saved, &l, &err);
    answer_list(reply, status, "saved", &l, &err);
}

static pd_status change_saved(pd_app *app, const pd_json *json, pd_error *err)
{
    const char *name = NULL, *query = NULL, *remove = NULL;
    PD_TRY(pd_body_text(json, "name", &name, err));
    PD_TRY(pd_body_text(json, "query", &query, err));
    PD_TRY(pd_body_text(json, "remove", &remove, err));
    if (remove && !name && !query)
        return pd_library_saved_remove(library_of(app), remove, err);
    if (!name || !query || remove)
        return pd_error_set(err, PD_ERR_USAGE, "say 'name' and 'query', or 'remove'");
    return pd_library_saved_put(library_of(app), name, query, err);
}

void pd_handle_save(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = change_saved(app, json, &err);
    pd_json_free(&json);
    if (status == PD_OK)
        pd_handle_saved(app, request, reply);
    else
        pd_reply_error(reply, &err);
}

static void answer_history(pd_app *app, uint64_t n, pd_reply *reply)
{
    listing l = { .array = pd_json_array() };
    pd_error err = { 0 };
    const pd_status status = pd_library_history(library_of(app), (size_t)n, add_saved, &l, &err);
    answer_list(reply, status, "history", &l, &err);
}

void pd_handle_history(pd_app *app, const pd_request *request, pd_reply *reply)
{
    static const pd_uri_range counts = { .preset = HISTORY_N, .min = 1, .max = PD_WORK_HISTORY_MAX };
    pd_error err = { 0 };
    uint64_t n = 0;
    if (pd_uri_number(&request->uri, "n", &counts, &n, &err) == PD_OK)
        answer_history(app, n, reply);
    else
        pd_reply_error(reply, &err);
}

static pd_status change_history(pd_app *app, const pd_json *json, pd_error *err)
{
    const char *query = NULL;
    bool clear = false;
    PD_TRY(pd_body_text(json, "add", &query, err));
    (void)pd_json_read_bool(pd_json_get(json, "clear"), &clear);
    if (clear == (query != NULL))
        return pd_error_set(err, PD_ERR_USAGE, "say 'add' with a query, or 'clear' with true");
    return clear ? pd_library_history_clear(library_of(app), err) : pd_library_history_add(library_of(app), query, err);
}

void pd_handle_history_change(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_status status = pd_body_object(request, &json, &err);
    if (status == PD_OK)
        status = change_history(app, json, &err);
    pd_json_free(&json);
    if (status == PD_OK)
        answer_history(app, HISTORY_N, reply);
    else
        pd_reply_error(reply, &err);
}

void pd_handle_work(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_work_counts counts;
    pd_error err = { 0 };
    pd_buf buf;
    (void)request;
    pd_buf_init(&buf, PD_LIBRARY_WORK_BYTES_MAX);
    if (pd_library_work_export(library_of(app), &buf, &counts, &err) == PD_OK) {
        const size_t len = buf.len;
        pd_reply_text_take(reply, HTTP_OK, pd_buf_take(&buf), len);
        reply->disposition = "attachment; filename=\"pixel-detective-work.json\"";
    } else {
        pd_reply_error(reply, &err);
    }
    pd_buf_done(&buf);
}

void pd_handle_work_take(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_work_counts counts = { 0 };
    pd_error err = { 0 };
    const pd_status status =
        pd_library_work_import(library_of(app), request->body ? request->body : "", request->body_len, &counts, &err);
    answer_take(reply, status, status == PD_OK ? pd_answer_work_counts(&counts) : NULL, &err);
}
