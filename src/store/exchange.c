/* exchange.c: a user's work on its way to another library, and back in. */
#include <string.h>

#include "store/albums.h"
#include "store/deed.h"
#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"

typedef bool (*record_visit)(void *user, const pd_work_record *record);

typedef struct exporting {
    pd_store *store;
    record_visit visit;
    void *user;
    bool stopped;
} exporting;

static void tell(exporting *x, pd_work_record record, pd_edit_kind kind, const char *text, int number)
{
    record.kind = kind;
    record.text = text;
    record.number = number;
    x->stopped = x->stopped || !x->visit(x->user, &record);
}

/* Two columns: SHA-256 and path. The path is borrowed from the statement. */
static pd_work_record read_picture(sqlite3_stmt *stmt, int at)
{
    pd_work_record record = { .text = "", .path = pd_stmt_text(stmt, at + 1) };
    if (sqlite3_column_bytes(stmt, at) == PD_SHA256_BYTES)
        memcpy(record.sha256, sqlite3_column_blob(stmt, at), PD_SHA256_BYTES);
    return record;
}

static pd_status tell_tags(exporting *x, int64_t work, const pd_work_record *picture, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(x->store, PD_STMT_SAID_TAGS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, work);
    while (!x->stopped) {
        PD_TRY(pd_stmt_step(x->store, stmt, &row, err));
        if (!row)
            break;
        tell(x, *picture, sqlite3_column_int(stmt, 0) ? PD_EDIT_TAG : PD_EDIT_UNTAG, pd_stmt_text(stmt, 1), 0);
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

/* A row of PD_STMT_EXPORT. */
static pd_status tell_work(exporting *x, sqlite3_stmt *stmt, pd_error *err)
{
    const pd_work_record picture = read_picture(stmt, 4);
    if (sqlite3_column_type(stmt, 1) != SQLITE_NULL)
        tell(x, picture, PD_EDIT_RATING, "", sqlite3_column_int(stmt, 1));
    if (sqlite3_column_int(stmt, 2))
        tell(x, picture, PD_EDIT_FAVORITE, "", 1);
    if (sqlite3_column_type(stmt, 3) != SQLITE_NULL)
        tell(x, picture, PD_EDIT_CAPTION, pd_stmt_text(stmt, 3), 0);
    return tell_tags(x, sqlite3_column_int64(stmt, 0), &picture, err);
}

static pd_status tell_member(exporting *x, sqlite3_stmt *stmt, pd_error *err)
{
    (void)err;
    tell(x, read_picture(stmt, 1), PD_EDIT_ALBUM, pd_stmt_text(stmt, 0), 0);
    return PD_OK;
}

static pd_status tell_rows(exporting *x, pd_stmt id, pd_status (*tell_row)(exporting *, sqlite3_stmt *, pd_error *),
                           pd_error *err)
{
    sqlite3_stmt *stmt;
    pd_status status = PD_OK;
    PD_TRY(pd_stmt_get(x->store, id, &stmt, err));
    while (status == PD_OK && !x->stopped) {
        bool row;
        status = pd_stmt_step(x->store, stmt, &row, err);
        if (status != PD_OK || !row)
            break;
        status = tell_row(x, stmt, err);
    }
    pd_stmt_reset(stmt);
    return status;
}

pd_status pd_store_work_export(pd_store *store, record_visit visit, void *user, pd_error *err)
{
    exporting x = { store, visit, user, false };
    sqlite3_stmt *stmt;
    if (store->version < PD_SCHEMA_WORK)
        return PD_OK;
    const bool own = sqlite3_get_autocommit(store->db) != 0; /* one moment of the catalogue; writers need not wait */
    if (own) {
        PD_TRY(pd_stmt_get(store, PD_STMT_BEGIN_READ, &stmt, err));
        PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    }
    pd_status status = tell_rows(&x, PD_STMT_EXPORT, tell_work, err);
    if (status == PD_OK)
        status = tell_rows(&x, PD_STMT_EXPORT_ALBUMS, tell_member, err);
    return pd_store_leave(store, own, status, err);
}

/* A record that comes in. */
typedef struct importing {
    pd_store *store;
    const pd_work_record *record;
    bool has_sha;
    pd_deed deed;
    pd_step none; /* nothing to take back */
} importing;

static void bind_picture(sqlite3_stmt *stmt, const importing *m)
{
    if (m->has_sha)
        (void)sqlite3_bind_blob(stmt, 1, m->record->sha256, PD_SHA256_BYTES, SQLITE_STATIC);
    pd_stmt_bind_path(stmt, 2, m->record->path);
}

/* What is here already stays. */
static pd_status add_to_work(importing *m, int64_t work, pd_error *err)
{
    const pd_cell cell = pd_deed_cell(&m->deed, work);
    bool is_set = false, changed;
    if (m->deed.kind != PD_EDIT_ALBUM || m->deed.album)
        PD_TRY(pd_cell_read(m->store, &cell, &is_set, err));
    return is_set ? PD_OK : pd_deed_do(m->store, &m->none, &m->deed, work, &changed, err);
}

/* Photos of that content: the one at the same path, else those of the same name, else all. */
static pd_status add_to_photos(importing *m, pd_stmt id, int64_t *ret_n, pd_error *err)
{
    sqlite3_stmt *stmt;
    pd_status status = PD_OK;
    PD_TRY(pd_stmt_get(m->store, id, &stmt, err));
    bind_picture(stmt, m);
    for (*ret_n = 0;; ++*ret_n) {
        int64_t work = 0;
        bool row;
        PD_TRY(pd_stmt_step(m->store, stmt, &row, err));
        if (!row)
            break;
        const int64_t photo = sqlite3_column_int64(stmt, 0);
        status = pd_work_need(m->store, photo, &work, err);
        if (status == PD_OK)
            status = add_to_work(m, work, err);
        if (status == PD_OK)
            status = pd_doc_refresh(m->store, photo, err);
        if (status != PD_OK)
            break;
    }
    pd_stmt_reset(stmt);
    return status;
}

/* For a picture that may come. */
static pd_status keep(importing *m, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t work = 0;
    PD_TRY(pd_stmt_get(m->store, PD_STMT_WORK_KEPT, &stmt, err));
    bind_picture(stmt, m);
    PD_TRY(pd_stmt_run(m->store, stmt, &work, err));
    if (!work) {
        PD_TRY(pd_stmt_get(m->store, PD_STMT_WORK_KEEP, &stmt, err));
        bind_picture(stmt, m);
        PD_TRY(pd_stmt_run(m->store, stmt, &work, err));
    }
    return add_to_work(m, work, err);
}

static pd_status add_record(importing *m, int64_t *ret_n, pd_error *err)
{
    const bool has_path = m->record->path && m->record->path[0];
    if (!m->has_sha && !has_path) {
        if (m->deed.kind != PD_EDIT_ALBUM)
            return pd_error_set(err, PD_ERR_USAGE, "a record of a user's work does not say of which picture");
        return m->deed.album ? PD_OK : pd_album_create(m->store, &m->none, &m->deed.text, &m->deed.album, err);
    }
    if (m->has_sha)
        PD_TRY(add_to_photos(m, PD_STMT_PHOTOS_LIKE, ret_n, err));
    if (*ret_n == 0 && has_path)
        PD_TRY(add_to_photos(m, PD_STMT_PHOTO_AT, ret_n, err));
    return *ret_n == 0 ? keep(m, err) : PD_OK;
}

pd_status pd_store_work_import(pd_store *store, const pd_work_record *record, int64_t *ret_n, pd_error *err)
{
    static const uint8_t none[PD_SHA256_BYTES];
    pd_work_record known = *record;
    known.path = record->path ? record->path : "";
    importing m = { .store = store, .record = &known, .has_sha = memcmp(record->sha256, none, sizeof none) != 0 };
    int64_t n = 0;
    PD_TRY(pd_store_check_path(known.path, err));
    pd_status status = pd_deed_make(store, &m.deed, record->kind, record->text, record->number, err);
    if (status == PD_OK)
        status = add_record(&m, &n, err);
    pd_deed_done(&m.deed);
    if (status == PD_OK)
        *ret_n = n;
    return status;
}
