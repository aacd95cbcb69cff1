/* find.c: search by words and by example. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/body.h"
#include "server/handlers.h"
#include "server/places.h"
#include "server/server.h"

enum {
    HTTP_OK = 200,
    HTTP_CONFLICT = 409,
    HTTP_UNSUPPORTED_MEDIA_TYPE = 415,
    HTTP_INTERNAL_SERVER_ERROR = 500,
    HITS_N = 100,
    ID_DIGITS = 24,
    SENTENCE_BYTES = 256,
};

/* One request: what is asked, and all it is made of. */
typedef struct finding {
    pd_app *app;
    pd_reply *reply;
    int socket; /* of who asks */
    int64_t begun_ns;
    pd_question question;
    const char *text; /* the query; never NULL */
    const char *tab;
    pd_example examples[PD_SERVER_EXAMPLES_MAX];
    char digits[PD_SERVER_EXAMPLES_MAX][ID_DIGITS];
    char *paths[PD_SERVER_EXAMPLES_MAX];
    size_t n, n_paths;
    pd_json *body;
} finding;

static void free_finding(finding *f)
{
    for (size_t i = 0; i < f->n_paths; i++)
        pd_mem_free(f->paths[i]);
    pd_json_free(&f->body);
}

static pd_status read_order(const char *name, pd_order *ret_order, pd_error *err)
{
    if (!name || pd_order_find(name, ret_order))
        return PD_OK;
    return pd_error_set(err, PD_ERR_USAGE, "'sort' is one of score, date, -date, name, -name, size and -size");
}

static pd_status check_tab(const char *tab, pd_error *err)
{
    if (!tab || strlen(tab) <= PD_APP_TAB_BYTES_MAX)
        return PD_OK;
    return pd_error_set(err, PD_ERR_USAGE, "the name of a 'tab' has at most %d bytes", PD_APP_TAB_BYTES_MAX);
}

/* What the address says. */
static pd_status read_uri(finding *f, const pd_uri *uri, pd_error *err)
{
    static const pd_uri_range offsets = { .preset = 0, .min = 0, .max = PD_SERVER_OFFSET_MAX };
    static const pd_uri_range counts = { .preset = HITS_N, .min = 1, .max = PD_LIBRARY_WINDOW_MAX };
    static const pd_uri_range numbers = { .preset = 0, .min = 0, .max = INT64_MAX };
    uint64_t offset = 0, n = 0;
    const char *text = pd_uri_text(uri, "q");
    PD_TRY(pd_uri_number(uri, "offset", &offsets, &offset, err));
    PD_TRY(pd_uri_number(uri, "n", &counts, &n, err));
    PD_TRY(pd_uri_number(uri, "result", &numbers, &f->question.result, err));
    PD_TRY(read_order(pd_uri_text(uri, "sort"), &f->question.order, err));
    f->tab = pd_uri_text(uri, "tab");
    f->text = text ? text : "";
    f->question.offset = (size_t)offset;
    f->question.n = (size_t)n;
    return check_tab(f->tab, err);
}

/* A path that a request names: with a browse root nothing outside it is opened. False: the reply says no. */
static bool check_path(finding *f, const char *typed, char **ret_path)
{
    pd_place place = { 0 };
    pd_error err = { 0 };
    if (pd_place_find(f->app, typed, &place, &err) != PD_OK) {
        pd_reply_error(f->reply, &err);
        return false;
    }
    const bool outside = place.kind == PD_PLACE_OUTSIDE;
    if (outside)
        pd_place_refuse(&place, f->reply);
    else if (ret_path) {
        *ret_path = place.path;
        place.path = NULL;
    }
    pd_place_done(&place);
    return !outside;
}

/* Pictures that the query names with like:. */
static bool check_likes(finding *f)
{
    pd_query *query = NULL;
    pd_error err = { 0 };
    size_t n;
    if (f->question.result || !pd_app_options_of(f->app)->browse_root)
        return true;
    if (pd_query_parse(&query, f->text, strlen(f->text), &err) != PD_OK) {
        pd_reply_error(f->reply, &err);
        return false;
    }
    bool good = true;
    const pd_query_part *parts = pd_query_parts(query, &n);
    for (size_t i = 0; good && i < n; i++) {
        uint64_t id;
        if (parts[i].kind == PD_PART_LIKE && !pd_parse_u64(parts[i].words, INT64_MAX, &id))
            good = check_path(f, parts[i].words, NULL);
    }
    pd_query_free(&query);
    return good;
}

/* Whether the query itself names a picture: then what is missing or broken may be that. */
static bool names_picture(const pd_json *parts)
{
    pd_str kind;
    for (size_t i = 0; i < pd_json_count(parts); i++)
        if (pd_json_read_string(pd_json_get(pd_json_at(parts, i), "kind"), &kind) &&
            pd_str_equal(kind, pd_str_of("like")))
            return true;
    return false;
}

static pd_json *parts_of(const char *text)
{
    pd_query *query = NULL;
    if (pd_query_parse(&query, text, strlen(text), NULL) != PD_OK)
        return NULL;
    pd_json *parts = pd_answer_parts(query, text);
    pd_query_free(&query);
    return parts;
}

/* Takes the parts. `advice` (or NULL) says why there are no hits. */
static void answer_hits_take(const finding *f, const pd_hits *hits, const char *advice, pd_json *parts)
{
    const pd_hits_answer answer = { .query = f->text,
                                    .took_ms = (double)(pd_clock_ns() - f->begun_ns) / (double)PD_NS_PER_MS,
                                    .hits = hits };
    char sentence[SENTENCE_BYTES];
    bool failed = false;
    pd_json *json = pd_answer_hits(&answer);
    if (!advice && hits->english_only) {
        (void)snprintf(sentence, sizeof sentence, "the model '%s' knows English only; other words find little",
                       hits->model ? hits->model : "");
        advice = sentence;
    }
    failed |= pd_json_set_int(json, "offset", (int64_t)f->question.offset) != PD_OK;
    failed |= pd_json_set_take(json, "result", hits->result ? pd_json_int((int64_t)hits->result) : pd_json_null());
    failed |= pd_json_set_take(json, "parts", parts) != PD_OK;
    if (advice)
        failed |= pd_json_set_text(json, "message", advice) != PD_OK;
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(f->reply, HTTP_OK, json);
}

static void refuse(const finding *f, const pd_error *err, bool by_picture)
{
    if (err->status == PD_ERR_FORMAT && by_picture)
        pd_reply_error_as(f->reply, HTTP_UNSUPPORTED_MEDIA_TYPE, err);
    else if (err->status == PD_ERR_NOT_FOUND && !by_picture) /* the model: nothing that the request named */
        pd_reply_error_as(f->reply, HTTP_INTERNAL_SERVER_ERROR, err);
    else
        pd_reply_error(f->reply, err);
}

static void find(finding *f)
{
    pd_app_asking asking;
    pd_error err = { 0 };
    pd_hits hits = { .strong = -1 };
    f->question.text = f->text;
    f->question.examples = f->n ? f->examples : NULL;
    f->question.n_examples = f->n;
    f->question.cancelled = &asking.cancelled;
    pd_app_asking_begin(f->app, &asking, f->socket, f->tab);
    const pd_status status = pd_library_find(pd_app_options_of(f->app)->library, &f->question, &hits, &err);
    const bool overtaken = pd_app_asking_end(f->app, &asking);
    pd_json *parts = parts_of(f->text);
    const bool by_picture = f->n > 0 || names_picture(parts);
    const bool nothing_yet = status == PD_ERR_NO_MATCH && !by_picture && !f->question.result;
    if (status == PD_OK || nothing_yet) {
        answer_hits_take(f, &hits, nothing_yet ? err.message : NULL, parts);
        pd_hits_done(&hits);
        return;
    }
    pd_json_free(&parts);
    if (status == PD_ERR_CANCELLED && overtaken) {
        (void)pd_error_set(&err, status, "a newer question of this tab took its place");
        pd_reply_error_as(f->reply, HTTP_CONFLICT, &err);
    } else {
        refuse(f, &err, by_picture);
    }
}

void pd_handle_search(pd_app *app, const pd_request *request, pd_reply *reply)
{
    finding f = { .app = app, .reply = reply, .socket = request->socket, .begun_ns = pd_clock_ns() };
    pd_error err = { 0 };
    if (read_uri(&f, &request->uri, &err) != PD_OK)
        pd_reply_error(reply, &err);
    else if (check_likes(&f))
        find(&f);
}

static pd_status check_examples(size_t n, pd_error *err)
{
    if (n > PD_SERVER_EXAMPLES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu pictures are named; at most %d can be looked for at once", n,
                            PD_SERVER_EXAMPLES_MAX);
    return PD_OK;
}

static pd_status read_ids(finding *f, pd_error *err)
{
    const pd_json *list = pd_json_get(f->body, "ids");
    int64_t *ids = NULL;
    size_t n = 0;
    if (!list)
        return PD_OK;
    PD_TRY(pd_body_ids(list, "ids", PD_SERVER_EXAMPLES_MAX, &ids, &n, err));
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(f->digits[f->n], ID_DIGITS, "%" PRId64, ids[i]);
        f->examples[f->n] = (pd_example){ .text = f->digits[f->n], .fd = -1 };
        f->n++;
    }
    pd_mem_free(ids);
    return PD_OK;
}

/* False: the reply says no. */
static bool read_paths(finding *f, pd_error *err)
{
    pd_str text;
    const pd_json *list = pd_json_get(f->body, "paths");
    const size_t n = pd_json_count(list);
    if (list && (!pd_json_is_array(list) || n == 0))
        (void)pd_error_set(err, PD_ERR_USAGE, "'paths' is a list of one or more paths of pictures");
    else if (check_examples(f->n + n, err) == PD_OK && f->n + n == 0)
        (void)pd_error_set(err, PD_ERR_USAGE, "name pictures: 'ids' or 'paths', or send one");
    for (size_t i = 0; err->status == PD_OK && i < n; i++) {
        char *path = NULL;
        if (!pd_json_read_string(pd_json_at(list, i), &text) || memchr(text.ptr, '\0', text.len)) {
            (void)pd_error_set(err, PD_ERR_USAGE, "'paths' holds something that is no path");
        } else if (!check_path(f, text.ptr, &path)) {
            return false;
        } else {
            f->paths[f->n_paths++] = path;
            f->examples[f->n++] = (pd_example){ .text = path, .fd = -1 };
        }
    }
    if (err->status != PD_OK)
        pd_reply_error(f->reply, err);
    return err->status == PD_OK;
}

static pd_status read_members(finding *f, const pd_request *request, pd_error *err)
{
    int64_t offset = (int64_t)f->question.offset, n = (int64_t)f->question.n;
    const char *text = NULL, *sort = NULL, *tab = NULL;
    PD_TRY(pd_body_object(request, &f->body, err));
    PD_TRY(pd_body_text(f->body, "q", &text, err));
    PD_TRY(pd_body_text(f->body, "sort", &sort, err));
    PD_TRY(pd_body_text(f->body, "tab", &tab, err));
    PD_TRY(pd_body_number(f->body, "offset", (pd_body_range){ 0, PD_SERVER_OFFSET_MAX }, &offset, err));
    PD_TRY(pd_body_number(f->body, "n", (pd_body_range){ 1, PD_LIBRARY_WINDOW_MAX }, &n, err));
    PD_TRY(read_order(sort, &f->question.order, err));
    PD_TRY(check_tab(tab, err));
    f->text = text ? text : f->text;
    f->tab = tab ? tab : f->tab;
    f->question.offset = (size_t)offset;
    f->question.n = (size_t)n;
    return read_ids(f, err);
}

/* False: the reply says no. */
static bool read_examples(finding *f, const pd_request *request)
{
    pd_error err = { 0 };
    pd_status status = read_uri(f, &request->uri, &err);
    f->question.result = 0;
    if (status == PD_OK && request->body_fd >= 0) {
        f->examples[f->n++] = (pd_example){ .fd = request->body_fd };
        return true;
    }
    if (status == PD_OK)
        status = read_members(f, request, &err);
    if (status != PD_OK) {
        pd_reply_error(f->reply, &err);
        return false;
    }
    return read_paths(f, &err);
}

void pd_handle_similar(pd_app *app, const pd_request *request, pd_reply *reply)
{
    finding f = { .app = app, .reply = reply, .socket = request->socket, .begun_ns = pd_clock_ns() };
    if (read_examples(&f, request) && check_likes(&f))
        find(&f);
    free_finding(&f);
}
