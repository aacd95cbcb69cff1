/* query_help.c: how a query is read, what can be typed next, and which values there are to click on. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/handlers.h"
#include "server/server.h"

enum {
    HTTP_OK = 200,
    ITEMS_MAX = 30, /* that can be typed */
    VALUES_N = 20,
    VALUES_N_MAX = 1000,
    TEXT_BYTES_MAX = 3 * PD_QUERY_BYTES_MAX, /* of a query with something added */
};

/* The query of a request, read. */
typedef struct asked {
    pd_library *library;
    const char *text;
    pd_query *query;
} asked;

static pd_status read_query(pd_app *app, const pd_request *request, asked *ret_asked, pd_error *err)
{
    const char *text = pd_uri_text(&request->uri, "q");
    *ret_asked = (asked){ .library = pd_app_options_of(app)->library, .text = text ? text : "" };
    return pd_query_parse(&ret_asked->query, ret_asked->text, strlen(ret_asked->text), err);
}

/* What can be chosen. */
typedef struct items {
    pd_json *array;
    size_t n;
    const char *prefix;
    bool failed; /* out of memory */
} items;

static bool add_item(items *list, const char *insert, const char *label, const int64_t *count)
{
    pd_json *json = pd_json_object();
    bool failed = pd_json_set_text(json, "insert", insert) != PD_OK;
    failed |= pd_json_set_text(json, "label", label) != PD_OK;
    failed |= pd_json_set_take(json, "count", count ? pd_json_int(*count) : pd_json_null()) != PD_OK;
    if (failed)
        pd_json_free(&json);
    list->failed |= pd_json_append_take(list->array, json) != PD_OK;
    return !list->failed && ++list->n < ITEMS_MAX;
}

static bool begins(const char *text, const char *prefix) { return strncasecmp(text, prefix, strlen(prefix)) == 0; }

static void add_field(items *list, const pd_field_info *info)
{
    char insert[64];
    char label[256];
    (void)snprintf(insert, sizeof insert, "%s:", info->name);
    (void)snprintf(label, sizeof label, "%s, as %s", info->help, info->sample);
    if (begins(info->name, list->prefix) || (*list->prefix && *info->alias && begins(info->alias, list->prefix)))
        (void)add_item(list, insert, label, NULL);
}

static bool add_saved(void *user, const pd_saved *saved)
{
    items *list = user;
    char label[PD_WORK_NAME_BYTES_MAX + 16];
    if (!begins(saved->name, list->prefix))
        return true;
    (void)snprintf(label, sizeof label, "saved: %s", saved->name);
    return add_item(list, saved->query, label, NULL);
}

static bool add_value(void *user, const pd_value_count *known)
{
    items *list = user;
    const char *value = known->value;
    pd_buf insert;
    pd_buf_init(&insert, TEXT_BYTES_MAX);
    pd_query_quote(value, &insert);
    list->failed |= insert.status != PD_OK;
    const bool go_on = !list->failed && add_item(list, insert.data, value, &known->count);
    pd_buf_done(&insert);
    return go_on;
}

/* A library that is empty has no values: no error where only help is asked for. */
static pd_status find_items(const asked *a, const pd_query_typing *typing, items *list, pd_error *err)
{
    pd_error failure = { 0 };
    pd_status status = PD_OK;
    if (typing->is_value && pd_field_info_of(typing->field)->has_known_values) {
        const pd_value_question question = { typing->field, typing->prefix, ITEMS_MAX, add_value, list };
        status = pd_library_values(a->library, a->text, &question, &failure);
    } else if (!typing->is_value) {
        for (pd_field field = 0; field < PD_FIELD_COUNT && list->n < ITEMS_MAX; field++)
            add_field(list, pd_field_info_of(field));
        if (*list->prefix && list->n < ITEMS_MAX)
            status = pd_library_saved(a->library, add_saved, list, &failure);
    }
    return status == PD_OK || status == PD_ERR_NO_MATCH ? PD_OK : pd_error_hand_on(err, &failure);
}

static pd_status make_typing(const asked *a, size_t cursor, pd_json **ret_json, pd_error *err)
{
    pd_query_typing typing;
    pd_query_typing_at(a->text, strlen(a->text), cursor, &typing);
    items list = { .array = pd_json_array(), .prefix = typing.prefix };
    const pd_status status = find_items(a, &typing, &list, err);
    if (status != PD_OK) {
        pd_json_free(&list.array);
        return status;
    }
    pd_json *json = pd_json_object();
    bool failed = list.failed;
    failed |= pd_json_set_int(json, "begin", (int64_t)pd_utf16_units(a->text, typing.begin)) != PD_OK;
    failed |= pd_json_set_int(json, "end", (int64_t)pd_utf16_units(a->text, typing.end)) != PD_OK;
    failed |= pd_json_set_take(json, "items", list.array) != PD_OK;
    if (failed)
        pd_json_free(&json);
    *ret_json = json;
    return failed ? pd_error_set_nomem(err) : PD_OK;
}

static pd_status make_reading(const asked *a, const pd_uri *uri, pd_json **ret_json, pd_error *err)
{
    static const pd_uri_range places = { .preset = 0, .min = 0, .max = INT64_MAX };
    uint64_t cursor = 0;
    pd_json *typing = NULL;
    PD_TRY(pd_uri_number(uri, "cursor", &places, &cursor, err));
    if (pd_uri_text(uri, "cursor"))
        PD_TRY(make_typing(a, pd_utf16_bytes(a->text, strlen(a->text), (size_t)cursor), &typing, err));
    pd_json *json = pd_answer_reading(a->query, a->text);
    if (typing && pd_json_set_take(json, "typing", typing) != PD_OK)
        pd_json_free(&json);
    *ret_json = json;
    return json ? PD_OK : pd_error_set_nomem(err);
}

static void answer_take(pd_reply *reply, pd_status status, pd_json *json, const pd_error *err)
{
    if (status == PD_OK)
        pd_reply_json_take(reply, HTTP_OK, json);
    else
        pd_reply_error(reply, err);
}

void pd_handle_query(pd_app *app, const pd_request *request, pd_reply *reply)
{
    asked a;
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_app_prefetch(app, PD_PART_TEXT); /* somebody types a question */
    pd_status status = read_query(app, request, &a, &err);
    if (status == PD_OK)
        status = make_reading(&a, &request->uri, &json, &err);
    pd_query_free(&a.query);
    answer_take(reply, status, json, &err);
}

/* The values of one field. */
typedef struct field_values {
    pd_field field;
    const pd_query *query;    /* of `text` */
    const char *text;         /* the query as it is printed: every quotation mark in it is closed */
    const pd_query_part *own; /* the last filter of that field; NULL: none */
    pd_json *array;
    bool failed; /* out of memory */
} field_values;

/* Whether the text ends in a filter of that field: nothing before it has taken it in. */
static bool ends_in_filter(const char *text, pd_field field)
{
    pd_query *query = NULL;
    size_t n;
    if (pd_query_parse(&query, text, strlen(text), NULL) != PD_OK)
        return false;
    const pd_query_part *parts = pd_query_parts(query, &n);
    const bool good = n > 0 && parts[n - 1].kind == PD_PART_FILTER && parts[n - 1].field == field;
    pd_query_free(&query);
    return good;
}

/* The query with the value besides: as one more alternative where the field is filtered already. */
static void append_with(const field_values *v, const char *only, const char *quoted, pd_buf *buf)
{
    if (v->own) {
        (void)pd_buf_appendf(buf, "%.*s,%s%s", (int)v->own->end, v->text, quoted, v->text + v->own->end);
        return;
    }
    (void)pd_buf_appendf(buf, "%s%s%s", v->text, *v->text ? " " : "", only);
    if (buf->status == PD_OK && !ends_in_filter(buf->data, v->field)) {
        pd_buf_clear(buf);
        (void)pd_buf_appendf(buf, "%s %s", only, v->text);
    }
}

static bool add_choice(void *user, const pd_value_count *known)
{
    field_values *v = user;
    pd_buf only, with;
    pd_buf_init(&only, TEXT_BYTES_MAX);
    pd_buf_init(&with, TEXT_BYTES_MAX);
    (void)pd_buf_appendf(&only, "%s:", pd_field_info_of(v->field)->name);
    const size_t head = only.len;
    pd_query_quote(known->value, &only);
    if (only.status == PD_OK)
        append_with(v, only.data, only.data + head, &with);
    pd_json *json = pd_json_object();
    bool failed = only.status != PD_OK || with.status != PD_OK;
    failed |= pd_json_set_text(json, "value", known->value) != PD_OK;
    failed |= pd_json_set_int(json, "count", known->count) != PD_OK;
    failed |= pd_json_set_text(json, "add", with.data) != PD_OK;
    failed |= pd_json_set_text(json, "only", only.data) != PD_OK;
    if (failed)
        pd_json_free(&json);
    v->failed |= pd_json_append_take(v->array, json) != PD_OK;
    pd_buf_done(&only);
    pd_buf_done(&with);
    return !v->failed;
}

/* What the query's own filters of the field ask for; finds the last of them. */
static pd_json *find_chosen(field_values *v)
{
    size_t n;
    bool failed = false;
    pd_json *json = pd_json_array();
    const pd_query_part *parts = pd_query_parts(v->query, &n);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].kind != PD_PART_FILTER || parts[i].field != v->field || parts[i].negated)
            continue;
        v->own = &parts[i];
        for (size_t k = 0; k < parts[i].n_values; k++) {
            const char *words = parts[i].values[k].words;
            failed |= pd_json_append_take(json, pd_json_string(words, strlen(words))) != PD_OK;
        }
    }
    if (failed)
        pd_json_free(&json);
    return json;
}

typedef struct panel {
    pd_library *library;
    const pd_query *query; /* of `text`, as it is printed */
    const char *text;
    const char *prefix;
    size_t n;
    pd_json *fields;
} panel;

static pd_status add_field_values(panel *p, const char *name, size_t len, pd_error *err)
{
    field_values v = { .query = p->query, .text = p->text };
    if (!pd_field_find(name, len, &v.field))
        return pd_error_set(err, PD_ERR_USAGE, "'fields' holds '%.*s', which is no field", (int)len, name);
    pd_json *chosen = find_chosen(&v);
    v.array = pd_json_array();
    const pd_value_question question = { v.field, p->prefix, p->n, add_choice, &v };
    const pd_status status = pd_library_values(p->library, p->text, &question, err);
    if (status != PD_OK) {
        pd_json_free(&chosen);
        pd_json_free(&v.array);
        return status;
    }
    pd_json *json = pd_json_object();
    bool failed = v.failed;
    failed |= pd_json_set_text(json, "field", pd_field_info_of(v.field)->name) != PD_OK;
    failed |= pd_json_set_take(json, "chosen", chosen) != PD_OK;
    failed |= pd_json_set_take(json, "values", v.array) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return pd_json_append_take(p->fields, json) == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

static pd_status add_fields(panel *p, const char *names, pd_error *err)
{
    size_t n = 0;
    while (*names) {
        const size_t len = strcspn(names, ",");
        if (++n > PD_SERVER_VALUES_FIELDS_MAX)
            return pd_error_set(err, PD_ERR_LIMIT, "'fields' names more than %d fields", PD_SERVER_VALUES_FIELDS_MAX);
        PD_TRY(add_field_values(p, names, len, err));
        names += len + (names[len] == ',');
    }
    return PD_OK;
}

/* How many photos pass. */
static pd_status count_total(const panel *p, int64_t *ret_total, pd_error *err)
{
    pd_buf filters;
    pd_hits hits = { 0 };
    pd_buf_init(&filters, PD_QUERY_BYTES_MAX);
    pd_filters_of(p->query, p->text, SIZE_MAX, &filters);
    const pd_question question = { .text = filters.len ? filters.data : "", .n = 1 };
    const pd_status status = pd_library_find(p->library, &question, &hits, err);
    *ret_total = status == PD_OK ? hits.total : 0;
    pd_hits_done(&hits);
    pd_buf_done(&filters);
    return status;
}

/* Nothing learned yet is a panel without values. */
static pd_status fill_panel(panel *p, const char *fields, int64_t *ret_total, pd_error *err)
{
    pd_error failure = { 0 };
    pd_status status = count_total(p, ret_total, &failure);
    if (status == PD_OK)
        status = add_fields(p, fields, &failure);
    return status == PD_OK || status == PD_ERR_NO_MATCH ? PD_OK : pd_error_hand_on(err, &failure);
}

static pd_status make_panel(const asked *a, const pd_uri *uri, const char *printed, pd_json **ret_json, pd_error *err)
{
    static const pd_uri_range counts = { .preset = VALUES_N, .min = 1, .max = VALUES_N_MAX };
    const char *fields = pd_uri_text(uri, "fields"), *prefix = pd_uri_text(uri, "prefix");
    uint64_t n = 0;
    int64_t total = 0;
    pd_query *query = NULL;
    PD_TRY(pd_uri_number(uri, "n", &counts, &n, err));
    PD_TRY(pd_query_parse(&query, printed, strlen(printed), err));
    panel p = { a->library, query, printed, prefix ? prefix : "", (size_t)n, pd_json_array() };
    const pd_status status = fill_panel(&p, fields ? fields : "", &total, err);
    pd_query_free(&query);
    if (status != PD_OK) {
        pd_json_free(&p.fields);
        return status;
    }
    pd_json *json = pd_json_object();
    bool failed = pd_json_set_int(json, "total", total) != PD_OK;
    failed |= pd_json_set_take(json, "fields", p.fields) != PD_OK;
    if (failed)
        pd_json_free(&json);
    *ret_json = json;
    return failed ? pd_error_set_nomem(err) : PD_OK;
}

void pd_handle_values(pd_app *app, const pd_request *request, pd_reply *reply)
{
    asked a;
    pd_json *json = NULL;
    pd_error err = { 0 };
    pd_buf printed;
    pd_buf_init(&printed, TEXT_BYTES_MAX);
    pd_status status = read_query(app, request, &a, &err);
    if (status == PD_OK) {
        pd_query_print(a.query, &printed);
        status = printed.status == PD_OK ? make_panel(&a, &request->uri, printed.len ? printed.data : "", &json, &err)
                                         : pd_error_set_nomem(&err);
    }
    pd_query_free(&a.query);
    pd_buf_done(&printed);
    answer_take(reply, status, json, &err);
}
