/* facts.c: what the library holds, and what could not be learned. */
#include <inttypes.h>

#include "answer/answer.h"
#include "server/handlers.h"

enum { HTTP_OK = 200, ERRORS_N_MAX = 10000, ERRORS_N = 100 };

static bool add_root(void *user, const pd_root *root)
{
    return pd_json_append_take(user, pd_answer_root(root)) == PD_OK;
}

void pd_handle_status(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_library *library = pd_app_options_of(app)->library;
    pd_error err = { 0 };
    pd_library_status state = { 0 };
    pd_json *roots = pd_json_array();
    (void)request;
    pd_status status = pd_library_status_get(library, &state, &err);
    if (status == PD_OK)
        status = pd_library_roots(library, add_root, roots, &err);
    if (status == PD_OK) {
        pd_reply_json_take(reply, HTTP_OK, pd_answer_status_take(pd_library_dir(library), &state, roots));
    } else {
        pd_json_free(&roots);
        pd_reply_error(reply, &err);
    }
}

typedef struct error_window {
    uint64_t offset, n, seen;
    pd_json *array;
    bool failed; /* out of memory */
} error_window;

static bool take_error(void *user, const char *path, pd_status why, const char *sentence)
{
    error_window *w = user;
    const uint64_t index = w->seen++;
    if (index >= w->offset && index - w->offset < w->n)
        w->failed |= pd_json_append_take(w->array, pd_answer_file_error(path, why, sentence)) != PD_OK;
    return !w->failed;
}

void pd_handle_errors(pd_app *app, const pd_request *request, pd_reply *reply)
{
    static const pd_uri_range offsets = { .preset = 0, .min = 0, .max = INT64_MAX };
    static const pd_uri_range counts = { .preset = ERRORS_N, .min = 1, .max = ERRORS_N_MAX };
    pd_error err = { 0 };
    error_window w = { 0 };
    pd_status status = pd_uri_number(&request->uri, "offset", &offsets, &w.offset, &err);
    if (status == PD_OK)
        status = pd_uri_number(&request->uri, "n", &counts, &w.n, &err);
    if (status == PD_OK) {
        w.array = pd_json_array();
        status = pd_library_errors(pd_app_options_of(app)->library, NULL, 0, take_error, &w, &err);
    }
    if (status == PD_OK && w.failed)
        status = pd_error_set_nomem(&err);
    if (status != PD_OK) {
        pd_json_free(&w.array);
        pd_reply_error(reply, &err);
        return;
    }
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "total", (int64_t)w.seen);
    failed |= pd_json_set_int(json, "offset", (int64_t)w.offset);
    failed |= pd_json_set_take(json, "errors", w.array);
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
}
