/* library_exchange.c: the user's work as one JSON document. */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "library/library_parts.h"

#define PROGRAM "pixel-detective"

enum { BATCH_RECORDS = 2000 }; /* taken in at once: a learner waits for no more */

typedef enum takes { TAKES_TEXT, TAKES_NUMBER, TAKES_TEXT_OR_NULL } takes;

/* What an edit is called in the document, and what it says. */
static const struct {
    const char *name;
    takes takes;
    int low, high;
} kinds[PD_EDIT_KIND_COUNT] = {
    [PD_EDIT_TAG] = { "tag", TAKES_TEXT, 0, 0 },
    [PD_EDIT_UNTAG] = { "untag", TAKES_TEXT, 0, 0 },
    [PD_EDIT_RATING] = { "rating", TAKES_NUMBER, PD_WORK_UNSET, 5 },
    [PD_EDIT_FAVORITE] = { "favorite", TAKES_NUMBER, 0, 1 },
    [PD_EDIT_CAPTION] = { "caption", TAKES_TEXT_OR_NULL, 0, 0 },
    [PD_EDIT_ALBUM] = { "album", TAKES_TEXT, 0, 0 },
    [PD_EDIT_UNALBUM] = { "unalbum", TAKES_TEXT, 0, 0 },
};

/* The edit whose photos are being listed. */
typedef struct writing {
    pd_buf *buf;
    pd_work_counts counts;
    bool begun, any_photo, failed;
    pd_edit_kind kind;
    char *text;
    int number;
} writing;

static void append_json_take(writing *w, pd_json *json)
{
    w->failed |= !json || pd_json_write(json, false, w->buf) != PD_OK;
    pd_json_free(&json);
}

static void append_text(writing *w, const char *text)
{
    append_json_take(w, text ? pd_json_string(text, strlen(text)) : pd_json_null());
}

static bool is_same_edit(const writing *w, const pd_work_record *record)
{
    const bool both = w->text && record->text;
    return w->begun && w->kind == record->kind && w->number == record->number &&
           (both ? strcmp(w->text, record->text) == 0 : w->text == record->text);
}

static void begin_edit(writing *w, const pd_work_record *record)
{
    (void)pd_buf_append_string(w->buf, w->begun ? "]},\n  {\"do\":" : "\n  {\"do\":");
    append_text(w, kinds[record->kind].name);
    if (kinds[record->kind].takes == TAKES_NUMBER) {
        (void)pd_buf_appendf(w->buf, ",\"number\":%d", record->number);
    } else {
        (void)pd_buf_append_string(w->buf, ",\"text\":");
        append_text(w, record->text);
    }
    (void)pd_buf_append_string(w->buf, ",\"photos\":[");
    pd_mem_free(w->text);
    w->text = record->text ? pd_mem_dup_string(record->text) : NULL;
    w->failed |= record->text && !w->text;
    w->kind = record->kind;
    w->number = record->number;
    w->begun = true;
    w->any_photo = false;
    w->counts.albums += record->kind == PD_EDIT_ALBUM;
}

static bool is_known(const uint8_t sha256[PD_SHA256_BYTES])
{
    static const uint8_t none[PD_SHA256_BYTES];
    return memcmp(sha256, none, sizeof none) != 0;
}

static bool write_record(void *user, const pd_work_record *record)
{
    writing *w = user;
    char sha256[PD_SHA256_TEXT_BYTES];
    if (!is_same_edit(w, record))
        begin_edit(w, record);
    w->counts.edits++;
    const char *path = record->path ? record->path : "";
    if (is_known(record->sha256) || *path) {
        pd_sha256_format(record->sha256, sha256);
        (void)pd_buf_appendf(w->buf, "%s[\"%s\",", w->any_photo ? ",\n    " : "\n    ",
                             is_known(record->sha256) ? sha256 : "");
        append_text(w, path);
        (void)pd_buf_append_string(w->buf, "]");
        w->any_photo = true;
    }
    w->failed |= w->buf->status != PD_OK;
    return !w->failed;
}

static bool write_search(void *user, const pd_saved *saved)
{
    writing *w = user;
    (void)pd_buf_append_string(w->buf, w->counts.searches ? ",\n  {\"name\":" : "\n  {\"name\":");
    append_text(w, saved->name);
    (void)pd_buf_append_string(w->buf, ",\"query\":");
    append_text(w, saved->query);
    (void)pd_buf_append_string(w->buf, "}");
    w->counts.searches++;
    w->failed |= w->buf->status != PD_OK;
    return !w->failed;
}

static pd_status write_work(pd_store *store, void *user, pd_error *err)
{
    writing *w = user;
    PD_TRY(pd_store_work_export(store, write_record, w, err));
    (void)pd_buf_append_string(w->buf, w->begun ? "]}],\n \"searches\":[" : "],\n \"searches\":[");
    return pd_store_saved(store, write_search, w, err);
}

pd_status pd_library_work_export(pd_library *library, pd_buf *buf, pd_work_counts *ret, pd_error *err)
{
    writing w = { .buf = buf };
    char now[PD_TIME_TEXT_BYTES];
    pd_time_format_utc(pd_clock_unix_ns() / PD_NS_PER_S, now);
    (void)pd_buf_appendf(buf, "{\"program\":\"" PROGRAM "\",\"work\":%d,\"at\":\"%s\",\n \"edits\":[",
                         PD_LIBRARY_WORK_VERSION, now);
    const size_t head = buf->len;
    const pd_status status = pd_library_ask_store(library, write_work, &w, err);
    pd_mem_free(w.text);
    if (status == PD_OK && buf->len == head) /* there is no library */
        (void)pd_buf_append_string(buf, "],\n \"searches\":[");
    (void)pd_buf_append_string(buf, "]}\n");
    PD_TRY(status);
    if (buf->status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "the work is longer than %zu bytes", buf->len_max);
    if (w.failed || buf->status != PD_OK)
        return pd_error_set_nomem(err);
    *ret = w.counts;
    return PD_OK;
}

/* A document that is walked through, first only to see whether it is sound. */
typedef struct reading {
    pd_store *store; /* NULL: nothing is taken in */
    size_t n_in_batch;
    pd_work_counts counts;
} reading;

static pd_status refuse(pd_error *err, const char *where, size_t number, const char *why)
{
    return pd_error_set(err, PD_ERR_FORMAT, "'%s' number %zu %s", where, number + 1, why);
}

/* Text without a NUL; *ret_text borrowed. */
static bool read_plain(const pd_json *json, const char **ret_text)
{
    pd_str text;
    if (!pd_json_read_string(json, &text) || memchr(text.ptr, '\0', text.len))
        return false;
    *ret_text = text.ptr;
    return true;
}

static bool read_digits(const char *text, uint8_t ret_bytes[PD_SHA256_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != (size_t)2 * PD_SHA256_BYTES)
        return false;
    for (size_t i = 0; i < PD_SHA256_BYTES; i++) {
        const char *high = strchr(digits, text[2 * i]), *low = strchr(digits, text[2 * i + 1]);
        if (!high || !low)
            return false;
        ret_bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static pd_status next_batch(reading *r, pd_error *err)
{
    r->n_in_batch = 0;
    PD_TRY(pd_store_commit(r->store, err));
    return pd_store_begin(r->store, err);
}

static pd_status take_record(reading *r, const pd_work_record *record, bool has_photo, pd_error *err)
{
    int64_t n = 0;
    r->counts.edits++;
    if (!r->store)
        return PD_OK;
    PD_TRY(pd_store_work_import(r->store, record, &n, err));
    if (has_photo)
        *(n ? &r->counts.photos : &r->counts.waiting) += 1;
    return ++r->n_in_batch < BATCH_RECORDS ? PD_OK : next_batch(r, err);
}

static bool read_kind(const pd_json *edit, pd_work_record *record)
{
    const char *name;
    const pd_json *text = pd_json_get(edit, "text");
    int64_t number = 0;
    if (!read_plain(pd_json_get(edit, "do"), &name))
        return false;
    for (record->kind = 0; record->kind < PD_EDIT_KIND_COUNT && strcmp(kinds[record->kind].name, name) != 0;)
        record->kind++;
    if (record->kind == PD_EDIT_KIND_COUNT)
        return false;
    switch (kinds[record->kind].takes) {
    case TAKES_TEXT: return read_plain(text, &record->text);
    case TAKES_TEXT_OR_NULL: return pd_json_is_null(text) || read_plain(text, &record->text);
    case TAKES_NUMBER: break;
    }
    if (!pd_json_read_int(pd_json_get(edit, "number"), &number) || number < kinds[record->kind].low ||
        number > kinds[record->kind].high)
        return false;
    record->number = (int)number;
    return true;
}

static bool read_photo(const pd_json *photo, pd_work_record *record)
{
    const char *sha256;
    if (!pd_json_is_array(photo) || !read_plain(pd_json_at(photo, 0), &sha256) ||
        !read_plain(pd_json_at(photo, 1), &record->path))
        return false;
    memset(record->sha256, 0, sizeof record->sha256);
    return read_digits(sha256, record->sha256) || (!*sha256 && *record->path);
}

static pd_status read_edit(reading *r, const pd_json *edit, size_t number, pd_error *err)
{
    pd_work_record record = { .path = "" };
    const pd_json *photos = pd_json_get(edit, "photos");
    if (!read_kind(edit, &record))
        return refuse(err, "edits", number, "is nothing that can be done to a photo");
    if (!pd_json_is_array(photos))
        return refuse(err, "edits", number, "has no list of photos");
    r->counts.albums += record.kind == PD_EDIT_ALBUM;
    if (pd_json_count(photos) == 0 && record.kind == PD_EDIT_ALBUM)
        return take_record(r, &record, false, err);
    for (size_t i = 0; i < pd_json_count(photos); i++) {
        if (!read_photo(pd_json_at(photos, i), &record))
            return refuse(err, "edits", number, "names something that is no photo");
        PD_TRY(take_record(r, &record, true, err));
    }
    return PD_OK;
}

typedef struct name_search {
    const char *name;
    bool found;
} name_search;

static bool compare_name(void *user, const pd_saved *saved)
{
    name_search *s = user;
    s->found = strcmp(s->name, saved->name) == 0;
    return !s->found;
}

static pd_status read_search(reading *r, const pd_json *search, size_t number, pd_error *err)
{
    name_search s = { 0 };
    const char *query;
    if (!read_plain(pd_json_get(search, "name"), &s.name) || !read_plain(pd_json_get(search, "query"), &query))
        return refuse(err, "searches", number, "has no name or no query");
    r->counts.searches++;
    if (!r->store)
        return PD_OK;
    PD_TRY(pd_store_saved(r->store, compare_name, &s, err));
    return s.found ? PD_OK : pd_store_saved_put(r->store, s.name, query, err);
}

static pd_status read_list(reading *r, const pd_json *work, const char *key,
                           pd_status (*read)(reading *r, const pd_json *item, size_t number, pd_error *err),
                           pd_error *err)
{
    const pd_json *list = pd_json_get(work, key);
    if (!pd_json_is_array(list))
        return pd_error_set(err, PD_ERR_FORMAT, "the work has no list '%s'", key);
    for (size_t i = 0; i < pd_json_count(list); i++)
        PD_TRY(read(r, pd_json_at(list, i), i, err));
    return PD_OK;
}

static pd_status check_work(const pd_json *work, pd_error *err)
{
    const char *program;
    int64_t version;
    if (!read_plain(pd_json_get(work, "program"), &program) || strcmp(program, PROGRAM) != 0 ||
        !pd_json_read_int(pd_json_get(work, "work"), &version) || version < 1)
        return pd_error_set(err, PD_ERR_FORMAT, "this is no work that 'pixel-detective export' wrote");
    if (version > PD_LIBRARY_WORK_VERSION)
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "this work is of version %" PRId64 ", from a newer program",
                            version);
    reading r = { 0 };
    PD_TRY(read_list(&r, work, "edits", read_edit, err));
    return read_list(&r, work, "searches", read_search, err);
}

static pd_status take_work(pd_library *library, const pd_json *work, pd_work_counts *ret, pd_error *err)
{
    reading r = { 0 };
    PD_TRY(pd_library_begin_writing(library, &r.store, err));
    pd_status status = pd_store_begin(r.store, err);
    if (status == PD_OK)
        status = read_list(&r, work, "edits", read_edit, err);
    if (status == PD_OK)
        status = pd_store_commit(r.store, err);
    if (status != PD_OK)
        pd_store_rollback(r.store);
    else
        status = read_list(&r, work, "searches", read_search, err);
    pd_library_end_writing(library);
    if (status == PD_OK)
        *ret = r.counts;
    return status;
}

pd_status pd_library_work_import(pd_library *library, const char *json, size_t len, pd_work_counts *ret, pd_error *err)
{
    pd_json *work = NULL;
    if (len > PD_LIBRARY_WORK_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the work is longer than %zu bytes", PD_LIBRARY_WORK_BYTES_MAX);
    PD_TRY(pd_json_parse(&work, json, len, err));
    pd_status status = check_work(work, err);
    if (status == PD_OK)
        status = take_work(library, work, ret, err);
    pd_json_free(&work);
    return status;
}
