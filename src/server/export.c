/* export.c: photos that were found, as a file to keep. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/handlers.h"
#include "server/server.h"

enum { HTTP_OK = 200, WINDOW_N = 500, PIECE_BYTES_MAX = 16 << 20 };

typedef enum form { FORM_CSV, FORM_JSON, FORM_LIST, FORM_COUNT } form;

static const struct {
    const char *name, *mime, *disposition;
} forms[FORM_COUNT] = {
    [FORM_CSV] = { "csv", "text/csv; charset=utf-8", "attachment; filename=\"photos.csv\"" },
    [FORM_JSON] = { "json", "application/json", "attachment; filename=\"photos.json\"" },
    [FORM_LIST] = { "list", "text/plain; charset=utf-8", "attachment; filename=\"photos.txt\"" },
};

/* A file that is being sent: a result window by window, or photos one by one. */
typedef struct exporting {
    pd_app *app;
    form form;
    uint64_t result; /* 0: ids */
    int64_t *ids;
    size_t n, next; /* photos, and how many of them are written */
    bool any, ended;
    pd_buf piece;
    size_t sent;
} exporting;

static void write_head(exporting *e)
{
    if (e->form == FORM_CSV)
        pd_answer_csv_head(&e->piece);
    if (e->form == FORM_JSON)
        (void)pd_buf_append_string(&e->piece, "{\"hits\":[");
}

static void write_hit(exporting *e, const pd_hit *hit)
{
    pd_json *json;
    switch (e->form) {
    case FORM_CSV: pd_answer_csv_hit(&e->piece, hit); break;
    case FORM_LIST: (void)pd_buf_appendf(&e->piece, "%s\n", hit->path); break;
    case FORM_JSON:
        json = pd_answer_hit(hit);
        (void)pd_buf_append_string(&e->piece, e->any ? ",\n" : "\n");
        if (!json || pd_json_write(json, false, &e->piece) != PD_OK)
            e->piece.status = PD_ERR_NOMEM;
        pd_json_free(&json);
        break;
    case FORM_COUNT: break;
    }
    e->any = true;
}

static pd_status write_window(exporting *e)
{
    const size_t n = e->n - e->next < WINDOW_N ? e->n - e->next : WINDOW_N;
    const pd_question question = { .result = e->result, .offset = e->next, .n = n };
    pd_hits hits = { 0 };
    PD_TRY(pd_library_find(pd_app_options_of(e->app)->library, &question, &hits, NULL));
    for (size_t i = 0; i < hits.n; i++)
        write_hit(e, &hits.items[i]);
    e->next += n; /* fewer came: some are gone */
    pd_hits_done(&hits);
    return PD_OK;
}

static pd_status write_photos(exporting *e)
{
    for (size_t end = e->next + WINDOW_N; e->next < e->n && e->next < end; e->next++) {
        pd_hit hit;
        const pd_status status = pd_app_hit(e->app, e->ids[e->next], &hit, NULL);
        if (status == PD_ERR_NO_MATCH) /* gone meanwhile */
            continue;
        PD_TRY(status);
        write_hit(e, &hit);
        pd_hit_done(&hit);
    }
    return PD_OK;
}

/* False: what was written is not all. */
static bool write_piece(exporting *e)
{
    pd_buf_clear(&e->piece);
    e->sent = 0;
    const pd_status status = e->result ? write_window(e) : write_photos(e);
    e->ended = e->next >= e->n;
    if (e->ended && e->form == FORM_JSON)
        (void)pd_buf_append_string(&e->piece, "\n]}\n");
    return status == PD_OK && e->piece.status == PD_OK;
}

static size_t read_export(void *user, char *buf, size_t max)
{
    exporting *e = user;
    while (e->sent == e->piece.len) {
        if (e->ended)
            return 0;
        if (!write_piece(e))
            return PD_STREAM_BROKEN;
    }
    const size_t left = e->piece.len - e->sent;
    const size_t n = left < max ? left : max;
    memcpy(buf, e->piece.data + e->sent, n);
    e->sent += n;
    return n;
}

static void free_export(void *user)
{
    exporting *e = user;
    pd_buf_done(&e->piece);
    pd_mem_free(e->ids);
    pd_mem_free(e);
}

/* "12,17,3": an address holds no more than some thousands. */
static pd_status read_ids(const char *text, exporting *e, pd_error *err)
{
    e->ids = pd_mem_alloc(strlen(text) / 2 + 1, sizeof *e->ids);
    if (!e->ids)
        return pd_error_set_nomem(err);
    while (*text) {
        char digits[24];
        uint64_t id;
        const size_t len = strcspn(text, ",");
        (void)snprintf(digits, sizeof digits, "%.*s", (int)(len < sizeof digits ? len : 0), text);
        if (!pd_parse_u64(digits, INT64_MAX, &id))
            return pd_error_set(err, PD_ERR_USAGE, "'ids' is a list of ids of photos, with commas between");
        e->ids[e->n++] = (int64_t)id;
        text += len + (text[len] == ',');
    }
    return PD_OK;
}

/* `n` photos of a result from `first` on; all there are when they are not said. */
static pd_status read_result(const pd_uri *uri, exporting *e, pd_error *err)
{
    static const pd_uri_range firsts = { .preset = 0, .min = 0, .max = PD_SERVER_OFFSET_MAX };
    static const pd_uri_range counts = { .preset = PD_SERVER_OFFSET_MAX, .min = 1, .max = PD_SERVER_OFFSET_MAX };
    const pd_question question = { .result = e->result, .n = 1 };
    pd_hits hits = { 0 };
    uint64_t first, n;
    PD_TRY(pd_uri_number(uri, "first", &firsts, &first, err));
    PD_TRY(pd_uri_number(uri, "n", &counts, &n, err));
    PD_TRY(pd_library_find(pd_app_options_of(e->app)->library, &question, &hits, err));
    const uint64_t total = (uint64_t)hits.total, end = first + n;
    pd_hits_done(&hits);
    e->n = (size_t)(end < total ? end : total);
    e->next = first < e->n ? (size_t)first : e->n;
    return PD_OK;
}

static pd_status read_export_of(const pd_uri *uri, exporting *e, pd_error *err)
{
    static const pd_uri_range numbers = { .preset = 0, .min = 0, .max = INT64_MAX };
    const char *name = pd_uri_text(uri, "form"), *ids = pd_uri_text(uri, "ids");
    for (e->form = FORM_CSV; e->form < FORM_COUNT && strcmp(forms[e->form].name, name ? name : "csv") != 0;)
        e->form++;
    if (e->form == FORM_COUNT)
        return pd_error_set(err, PD_ERR_USAGE, "'form' is one of csv, json and list");
    PD_TRY(pd_uri_number(uri, "result", &numbers, &e->result, err));
    if (!e->result == !ids)
        return pd_error_set(err, PD_ERR_USAGE, "say which photos: the number of a 'result', or 'ids'");
    return ids ? read_ids(ids, e, err) : read_result(uri, e, err);
}

void pd_handle_export(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_error err = { 0 };
    exporting *e = pd_mem_alloc(1, sizeof *e);
    if (!e) {
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    e->app = app;
    pd_buf_init(&e->piece, PIECE_BYTES_MAX);
    if (read_export_of(&request->uri, e, &err) != PD_OK) {
        free_export(e);
        pd_reply_error(reply, &err);
        return;
    }
    write_head(e);
    *reply = (pd_reply){ .code = HTTP_OK,
                         .mime = forms[e->form].mime,
                         .disposition = forms[e->form].disposition,
                         .kind = PD_BODY_STREAM,
                         .stream = { .read = read_export, .free = free_export, .user = e } };
}
