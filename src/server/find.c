/* find.c: search by words and by example. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "server/handlers.h"
#include "server/server.h"

enum {
    HTTP_OK = 200,
    HTTP_UNSUPPORTED_MEDIA_TYPE = 415,
    HTTP_INTERNAL_SERVER_ERROR = 500,
    HITS_N = 100,
    ID_DIGITS = 24
};

static const pd_uri_range offset_range = { .preset = 0, .min = 0, .max = UINT32_MAX };
static const pd_uri_range n_range = { .preset = HITS_N, .min = 1, .max = PD_LIBRARY_WINDOW_MAX };

static pd_status read_order(const pd_uri *uri, pd_order preset, pd_order *ret_order, pd_error *err)
{
    static const struct {
        const char *name;
        pd_order order;
    } orders[] = { { "score", PD_ORDER_SCORE },
                   { "date", PD_ORDER_OLDEST },
                   { "-date", PD_ORDER_NEWEST },
                   { "name", PD_ORDER_NAME } };
    const char *name = pd_uri_text(uri, "sort");
    *ret_order = preset;
    if (!name)
        return PD_OK;
    for (size_t i = 0; i < PD_COUNT_OF(orders); i++)
        if (strcmp(orders[i].name, name) == 0) {
            *ret_order = orders[i].order;
            return PD_OK;
        }
    return pd_error_set(err, PD_ERR_USAGE, "'sort' is one of score, date, -date and name");
}

static pd_status read_window(const pd_uri *uri, pd_order preset, pd_question *ret_window, pd_error *err)
{
    uint64_t offset = 0, n = 0;
    pd_question window = { 0 };
    PD_TRY(pd_uri_number(uri, "offset", &offset_range, &offset, err));
    PD_TRY(pd_uri_number(uri, "n", &n_range, &n, err));
    PD_TRY(read_order(uri, preset, &window.order, err));
    window.offset = offset;
    window.n = n;
    *ret_window = window;
    return PD_OK;
}

/* Frees the hits. `advice` (or NULL) says why there are none. */
static void answer_hits(pd_reply *reply, pd_hits_answer *answer, size_t offset, const char *advice)
{
    bool failed = false;
    pd_json *json = pd_answer_hits(answer);
    failed |= pd_json_set_int(json, "offset", (int64_t)offset);
    if (advice)
        failed |= pd_json_set_text(json, "message", advice);
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, HTTP_OK, json);
}

static double ms_since(int64_t begun_ns) { return (double)(pd_clock_ns() - begun_ns) / (double)PD_NS_PER_MS; }

void pd_handle_search(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_library *library = pd_app_options_of(app)->library;
    const char *query = pd_uri_text(&request->uri, "q");
    const bool browses = !query || query[strspn(query, " \t\r\n")] == '\0';
    const int64_t begun_ns = pd_clock_ns();
    pd_question window;
    pd_error err = { 0 };
    pd_hits hits = { 0 };
    pd_status status = read_window(&request->uri, browses ? PD_ORDER_NEWEST : PD_ORDER_SCORE, &window, &err);
    if (status != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    window.text = query;
    status = pd_library_find(library, &window, &hits, &err);
    pd_hits_answer answer = { .query = query ? query : "",
                              .model = pd_library_model_name(library),
                              .took_ms = ms_since(begun_ns),
                              .hits = &hits };
    if (status == PD_OK || status == PD_ERR_NO_MATCH)
        answer_hits(reply, &answer, window.offset, status == PD_OK ? NULL : err.message);
    else if (status == PD_ERR_NOT_FOUND) /* the model: nothing that the request named */
        pd_reply_error_as(reply, HTTP_INTERNAL_SERVER_ERROR, &err);
    else
        pd_reply_error(reply, &err);
    pd_hits_done(&hits);
}

/* An upload, or the photos that a body names. */
typedef struct examples {
    pd_example items[PD_SERVER_EXAMPLES_MAX];
    char digits[PD_SERVER_EXAMPLES_MAX][ID_DIGITS];
    size_t n;
    pd_question window;
} examples;

static pd_status read_ids(const pd_json *ids, examples *e, pd_error *err)
{
    e->n = pd_json_count(ids);
    if (!pd_json_is_array(ids) || e->n == 0)
        return pd_error_set(err, PD_ERR_USAGE, "'ids' is a list of one or more ids of photos");
    if (e->n > PD_SERVER_EXAMPLES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "'ids' names %zu photos; at most %d can be looked for at once", e->n,
                            PD_SERVER_EXAMPLES_MAX);
    for (size_t i = 0; i < e->n; i++) {
        int64_t id;
        if (!pd_json_read_int(pd_json_at(ids, i), &id) || id < 0)
            return pd_error_set(err, PD_ERR_USAGE, "'ids' holds something that is no id of a photo");
        (void)snprintf(e->digits[i], ID_DIGITS, "%" PRId64, id);
        e->items[i] = (pd_example){ .text = e->digits[i], .fd = -1 };
    }
    return PD_OK;
}

static pd_status read_member(const pd_json *json, const char *name, const pd_uri_range *range, size_t *ret_value,
                             pd_error *err)
{
    const pd_json *member = pd_json_get(json, name);
    int64_t value;
    if (!member)
        return PD_OK;
    if (!pd_json_read_int(member, &value) || value < (int64_t)range->min || value > (int64_t)range->max)
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is a whole number from %" PRIu64 " to %" PRIu64, name, range->min,
                            range->max);
    *ret_value = (size_t)value;
    return PD_OK;
}

static pd_status read_json_examples(const pd_request *request, examples *e, pd_error *err)
{
    pd_json *json = NULL;
    PD_TRY(pd_json_parse(&json, request->body, request->body_len, err));
    pd_status status = PD_OK;
    if (!pd_json_is_object(json))
        status = pd_error_set(err, PD_ERR_USAGE, "the body is an object with 'ids'");
    if (status == PD_OK)
        status = read_ids(pd_json_get(json, "ids"), e, err);
    if (status == PD_OK)
        status = read_member(json, "offset", &offset_range, &e->window.offset, err);
    if (status == PD_OK)
        status = read_member(json, "n", &n_range, &e->window.n, err);
    pd_json_free(&json);
    return status;
}

static pd_status read_examples(const pd_request *request, examples *e, pd_error *err)
{
    PD_TRY(read_window(&request->uri, PD_ORDER_SCORE, &e->window, err));
    if (request->body_fd < 0)
        return read_json_examples(request, e, err);
    e->items[0] = (pd_example){ .fd = request->body_fd };
    e->n = 1;
    return PD_OK;
}

void pd_handle_similar(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_library *library = pd_app_options_of(app)->library;
    const int64_t begun_ns = pd_clock_ns();
    examples e = { .n = 0 };
    pd_error err = { 0 };
    pd_hits hits = { 0 };
    if (read_examples(request, &e, &err) != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    e.window.examples = e.items;
    e.window.n_examples = e.n;
    const pd_status status = pd_library_find(library, &e.window, &hits, &err);
    pd_hits_answer answer = {
        .query = "", .model = pd_library_model_name(library), .took_ms = ms_since(begun_ns), .hits = &hits
    };
    if (status == PD_OK)
        answer_hits(reply, &answer, e.window.offset, NULL);
    else if (status == PD_ERR_FORMAT) /* of the picture */
        pd_reply_error_as(reply, HTTP_UNSUPPORTED_MEDIA_TYPE, &err);
    else
        pd_reply_error(reply, &err);
    pd_hits_done(&hits);
}
