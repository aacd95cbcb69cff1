/* rows.c: the change feed: every photo that changed, with what filters look at. */
#include <string.h>

#include "store/schema.h"
#include "store/store_private.h"

pd_status pd_store_version(pd_store *store, int64_t *ret_version, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t version = 0;
    if (store->version >= PD_SCHEMA_WORK) {
        PD_TRY(pd_stmt_get(store, PD_STMT_VERSION, &stmt, err));
        PD_TRY(pd_stmt_run(store, stmt, &version, err));
    }
    *ret_version = version;
    return PD_OK;
}

pd_status pd_store_identity(pd_store *store, uint8_t ret_identity[PD_STORE_IDENTITY_BYTES], pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    uint8_t identity[PD_STORE_IDENTITY_BYTES] = { 0 };
    if (store->version >= PD_SCHEMA_WORK) {
        PD_TRY(pd_stmt_get(store, PD_STMT_IDENTITY, &stmt, err));
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (row && sqlite3_column_bytes(stmt, 0) == sizeof identity)
            memcpy(identity, sqlite3_column_blob(stmt, 0), sizeof identity);
        pd_stmt_reset(stmt);
    }
    memcpy(ret_identity, identity, sizeof identity);
    return PD_OK;
}

static void read_facts(sqlite3_stmt *stmt, pd_photo_row *row)
{
    row->root_id = sqlite3_column_int64(stmt, 5);
    row->path = pd_stmt_text(stmt, 6);
    row->sort_time = pd_stmt_text(stmt, 7);
    row->bytes = sqlite3_column_int64(stmt, 8);
    row->is_dated = sqlite3_column_int(stmt, 9) != 0;
    row->type = pd_stmt_text(stmt, 10);
    row->make = pd_stmt_text(stmt, 11);
    row->camera = pd_stmt_text(stmt, 12);
    row->lens = pd_stmt_text(stmt, 13);
    row->width = pd_stmt_count(stmt, 14);
    row->height = pd_stmt_count(stmt, 15);
    row->iso = pd_stmt_count(stmt, 16);
    row->exposure_s = pd_stmt_number(stmt, 17);
    row->fnumber = pd_stmt_number(stmt, 18);
    row->focal_mm = pd_stmt_number(stmt, 19);
    row->lat = pd_stmt_number(stmt, 20);
    row->lon = pd_stmt_number(stmt, 21);
    const bool known = sqlite3_column_type(stmt, 22) != SQLITE_NULL;
    row->flash = known ? sqlite3_column_int(stmt, 22) & 1 : -1; /* EXIF: the lowest bit says that it fired */
    row->look = pd_stmt_look(stmt, 23);
}

static void read_row(sqlite3_stmt *stmt, pd_photo_row *row)
{
    const int marks = sqlite3_column_int(stmt, 3);
    *row = (pd_photo_row){
        .id = sqlite3_column_int64(stmt, 1),
        .content = sqlite3_column_int64(stmt, 4),
        .rating = sqlite3_column_int(stmt, 2),
        .marks = { .is_rated = marks & PD_SCHEMA_RATED,
                   .favorite = marks & PD_SCHEMA_FAVORITE,
                   .has_tag = marks & PD_SCHEMA_HAS_TAG,
                   .has_caption = marks & PD_SCHEMA_HAS_CAPTION,
                   .has_album = marks & PD_SCHEMA_HAS_ALBUM },
    };
    read_facts(stmt, row);
    row->gone = row->content == 0;
}

pd_status pd_store_rows(pd_store *store, int64_t version, bool (*visit)(void *user, const pd_photo_row *row),
                        void *user, int64_t *ret_version, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool goes_on = true;
    int64_t last = version;
    PD_TRY(pd_stmt_get(store, PD_STMT_ROWS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, version);
    while (goes_on) {
        bool has_row;
        pd_photo_row row;
        PD_TRY(pd_stmt_step(store, stmt, &has_row, err));
        if (!has_row)
            break;
        read_row(stmt, &row);
        if (!row.gone || version > 0) /* who begins has nothing that could be gone */
            goes_on = visit(user, &row);
        last = sqlite3_column_int64(stmt, 0);
    }
    pd_stmt_reset(stmt);
    *ret_version = last;
    return PD_OK;
}
