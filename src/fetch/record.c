#include "fetch/record.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

enum { RECORD_VERSION = 1, PIECES_MAX = 1000 };

void pd_record_done(pd_record *record)
{
    for (size_t i = 0; i < record->n; i++)
        pd_spans_done(&record->pieces[i].here);
    pd_mem_free(record->pieces);
    *record = (pd_record){ 0 };
}

static void copy_text(char *ret_text, size_t size, const pd_json *json)
{
    pd_str text;
    if (!pd_json_read_string(json, &text) || text.len >= size || memchr(text.ptr, '\0', text.len))
        return;
    memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
}

static pd_status read_spans(const pd_json *list, int64_t size, pd_spans *spans, pd_error *err)
{
    for (size_t i = 0; i < pd_json_count(list); i++) {
        const pd_json *pair = pd_json_at(list, i);
        pd_span span;
        if (!pd_json_read_int(pd_json_at(pair, 0), &span.begin) || !pd_json_read_int(pd_json_at(pair, 1), &span.end) ||
            span.begin < 0 || span.end < span.begin || span.end > size)
            return pd_error_set(err, PD_ERR_FORMAT, "%s is damaged", PD_PULL_RECORD);
        PD_TRY(pd_spans_add(spans, span, err));
    }
    return PD_OK;
}

static pd_status read_piece(const pd_json *json, pd_piece *piece, pd_error *err)
{
    copy_text(piece->file.name, sizeof piece->file.name, pd_json_get(json, "name"));
    copy_text(piece->file.sha256, sizeof piece->file.sha256, pd_json_get(json, "sha256"));
    copy_text(piece->etag, sizeof piece->etag, pd_json_get(json, "etag"));
    if (!pd_json_read_bool(pd_json_get(json, "weights"), &piece->file.is_weights) ||
        !pd_json_read_int(pd_json_get(json, "size"), &piece->file.size) || piece->file.size < -1 ||
        !pd_fetch_is_name(piece->file.name, strlen(piece->file.name)) ||
        (piece->file.sha256[0] && !pd_is_sha256_text(piece->file.sha256)))
        return pd_error_set(err, PD_ERR_FORMAT, "%s is damaged", PD_PULL_RECORD);
    return read_spans(pd_json_get(json, "here"), piece->file.size, &piece->here, err);
}

static pd_status read_pieces(const pd_json *list, pd_record *record, pd_error *err)
{
    const size_t n = pd_json_count(list);
    if (!pd_json_is_array(list) || n > PIECES_MAX)
        return pd_error_set(err, PD_ERR_FORMAT, "%s is damaged", PD_PULL_RECORD);
    record->pieces = pd_mem_alloc(n, sizeof *record->pieces);
    if (!record->pieces)
        return pd_error_set_nomem(err);
    while (record->n < n) {
        const size_t i = record->n++;
        PD_TRY(read_piece(pd_json_at(list, i), &record->pieces[i], err));
    }
    return PD_OK;
}

pd_status pd_record_parse(pd_record *ret_record, const char *json, size_t len, pd_error *err)
{
    pd_json *document = NULL;
    PD_TRY(pd_json_parse(&document, json, len, err));
    pd_record record = { 0 };
    int64_t version = 0;
    copy_text(record.repository, sizeof record.repository, pd_json_get(document, "repository"));
    copy_text(record.asked, sizeof record.asked, pd_json_get(document, "asked"));
    copy_text(record.commit, sizeof record.commit, pd_json_get(document, "revision"));
    pd_status status = PD_OK;
    if (!pd_json_read_int(pd_json_get(document, "version"), &version) || version != RECORD_VERSION)
        status = pd_error_set(err, PD_ERR_FORMAT, "%s is of another version", PD_PULL_RECORD);
    if (status == PD_OK)
        status = read_pieces(pd_json_get(document, "files"), &record, err);
    pd_json_free(&document);
    if (status == PD_OK)
        *ret_record = record;
    else
        pd_record_done(&record);
    return status;
}

bool pd_record_has_file(const pd_piece *piece, const char *dir)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof path, "%s/%s", dir, piece->file.name);
    struct stat st;
    return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (int64_t)st.st_size == piece->file.size;
}

static pd_status read_file(pd_record *record, const char *dir, const char *repository, pd_error *err)
{
    char *path = pd_path_join(dir, PD_PULL_RECORD);
    if (!path)
        return pd_error_set_nomem(err);
    pd_buf buf;
    pd_buf_init(&buf, PD_PULL_RECORD_BYTES_MAX);
    pd_status status = pd_file_read(path, PD_PULL_RECORD_BYTES_MAX, &buf, NULL);
    pd_mem_free(path);
    if (status == PD_OK)
        status = pd_record_parse(record, buf.data, buf.len, NULL);
    pd_buf_done(&buf);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    if (status != PD_OK || strcmp(record->repository, repository) != 0)
        pd_record_done(record);
    return PD_OK;
}

pd_status pd_record_open(pd_record *ret_record, const char *dir, const char *repository, const char *asked,
                         pd_error *err)
{
    pd_record record = { 0 };
    PD_TRY(read_file(&record, dir, repository, err));
    for (size_t i = 0; i < record.n; i++)
        if (!pd_record_has_file(&record.pieces[i], dir)) /* somebody cut it, or took it away */
            pd_spans_done(&record.pieces[i].here);
    (void)snprintf(record.repository, sizeof record.repository, "%s", repository);
    (void)snprintf(record.asked, sizeof record.asked, "%s", asked);
    *ret_record = record;
    return PD_OK;
}

static pd_json *write_spans(const pd_spans *spans)
{
    pd_json *list = pd_json_array();
    for (size_t i = 0; i < spans->n; i++) {
        pd_json *pair = pd_json_array();
        (void)pd_json_append_take(pair, pd_json_int(spans->items[i].begin));
        if (pd_json_append_take(pair, pd_json_int(spans->items[i].end)) != PD_OK)
            pd_json_free(&pair);
        if (pd_json_append_take(list, pair) != PD_OK)
            pd_json_free(&list);
    }
    return list;
}

static pd_json *write_piece(const pd_piece *piece, bool complete)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "name", piece->file.name) != PD_OK;
    failed |= pd_json_set_int(json, "size", piece->file.size) != PD_OK;
    failed |= pd_json_set_text(json, "sha256", piece->file.sha256) != PD_OK;
    failed |= pd_json_set_text(json, "etag", piece->etag) != PD_OK;
    failed |= pd_json_set_bool(json, "weights", piece->file.is_weights) != PD_OK;
    if (!complete)
        failed |= pd_json_set_take(json, "here", write_spans(&piece->here)) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_json *write_document(const pd_record *record, bool complete)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *files = pd_json_array();
    failed |= pd_json_set_int(json, "version", RECORD_VERSION) != PD_OK;
    failed |= pd_json_set_text(json, "repository", record->repository) != PD_OK;
    failed |= pd_json_set_text(json, "revision", record->commit) != PD_OK;
    failed |= pd_json_set_text(json, "asked", record->asked) != PD_OK;
    failed |= pd_json_set_bool(json, "complete", complete) != PD_OK;
    for (size_t i = 0; i < record->n; i++)
        failed |= pd_json_append_take(files, write_piece(&record->pieces[i], complete)) != PD_OK;
    failed |= pd_json_set_take(json, "files", files) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_status pd_record_write(const pd_record *record, const char *dir, bool complete, pd_error *err)
{
    pd_json *json = write_document(record, complete);
    char *path = pd_path_join(dir, PD_PULL_RECORD);
    pd_buf buf;
    pd_buf_init(&buf, PD_PULL_RECORD_BYTES_MAX);
    pd_status status = PD_OK;
    if (!json || !path || pd_json_write(json, true, &buf) != PD_OK)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_file_replace(path, buf.data, buf.len, complete, err);
    pd_json_free(&json);
    pd_mem_free(path);
    pd_buf_done(&buf);
    return status;
}

/* The same bytes: by its SHA-256; of a small file, for which the hub gives none, by its commit. */
static bool is_same(const pd_piece *old, const pd_listed *file, bool same_commit)
{
    if (strcmp(old->file.name, file->name) != 0 || (file->size >= 0 && old->file.size != file->size))
        return false;
    return file->sha256[0] ? strcmp(old->file.sha256, file->sha256) == 0 : same_commit;
}

pd_status pd_record_adopt(pd_record *record, const pd_listing *listing, pd_error *err)
{
    pd_piece *pieces = pd_mem_alloc(listing->n, sizeof *pieces);
    if (!pieces)
        return pd_error_set_nomem(err);
    const bool same_commit = strcmp(record->commit, listing->commit) == 0;
    for (size_t i = 0; i < listing->n; i++) {
        pieces[i].file = listing->files[i];
        for (size_t k = 0; k < record->n; k++) {
            pd_piece *old = &record->pieces[k];
            if (!is_same(old, &listing->files[i], same_commit))
                continue;
            const bool is_weights = pieces[i].file.is_weights;
            pieces[i] = *old;
            pieces[i].file.is_weights = is_weights;
            old->here = (pd_spans){ 0 };
            old->file.name[0] = '\0';
        }
    }
    for (size_t k = 0; k < record->n; k++)
        pd_spans_done(&record->pieces[k].here);
    pd_mem_free(record->pieces);
    record->pieces = pieces;
    record->n = listing->n;
    memcpy(record->commit, listing->commit, sizeof record->commit);
    return PD_OK;
}

int64_t pd_record_here(const pd_record *record)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < record->n; i++)
        bytes += pd_spans_bytes(&record->pieces[i].here);
    return bytes;
}

int64_t pd_record_total(const pd_record *record)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < record->n; i++) {
        if (record->pieces[i].file.size < 0)
            return -1;
        bytes += record->pieces[i].file.size;
    }
    return bytes;
}
