/* contents.c: what is known about a sequence of bytes, whichever files hold it. */
#include <string.h>

#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"

static pd_status put_texts(pd_store *store, int64_t content, pd_texts texts, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_TEXTS_FORGET, &stmt, err));
    sqlite3_bind_int64(stmt, 1, content);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    int position = 0;
    for (const char *text = NULL; (text = pd_texts_next(texts, text)); position++) {
        PD_TRY(pd_stmt_get(store, PD_STMT_TEXT_PUT, &stmt, err));
        sqlite3_bind_int64(stmt, 1, content);
        sqlite3_bind_int(stmt, 2, (int)pd_texts_kind(text));
        sqlite3_bind_int(stmt, 3, position);
        pd_stmt_bind_text(stmt, 4, text);
        PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    }
    return PD_OK;
}

/* `colours` is read when the statement runs. */
static void bind_look(sqlite3_stmt *stmt, const pd_look *look, uint8_t *colours)
{
    sqlite3_bind_double(stmt, 26, (double)look->sharpness);
    for (uint32_t i = 0; i < look->n_colours; i++) {
        const pd_look_colour *from = look->colours + i;
        memcpy(colours + (size_t)PD_SCHEMA_COLOUR_BYTES * i,
               (uint8_t[]){ from->red, from->green, from->blue, from->share }, PD_SCHEMA_COLOUR_BYTES);
    }
    (void)sqlite3_bind_blob(stmt, 27, colours, (int)(PD_SCHEMA_COLOUR_BYTES * look->n_colours), SQLITE_STATIC);
}

static pd_status put_content(pd_store *store, const pd_content *content, int64_t *ret_content, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_CONTENT_PUT, &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, content->sha256, sizeof content->sha256, SQLITE_STATIC);
    pd_stmt_bind_text(stmt, 2, content->type);
    pd_stmt_bind_count(stmt, 3, content->width);
    pd_stmt_bind_count(stmt, 4, content->height);
    pd_stmt_bind_count(stmt, 5, content->pages);
    pd_stmt_bind_count(stmt, 6, content->orientation);
    pd_stmt_bind_text(stmt, 7, content->taken);
    pd_stmt_bind_text(stmt, 8, content->taken_source);
    pd_stmt_bind_text(stmt, 9, content->make);
    pd_stmt_bind_text(stmt, 10, content->camera);
    pd_stmt_bind_text(stmt, 11, content->lens);
    pd_stmt_bind_count(stmt, 12, content->iso);
    const double numbers[] = { content->exposure_s, content->fnumber, content->focal_mm,
                               content->gps_lat,    content->gps_lon, content->gps_alt };
    for (size_t i = 0; i < PD_COUNT_OF(numbers); i++)
        sqlite3_bind_double(stmt, 13 + (int)i, numbers[i]); /* NAN becomes NULL */
    if (content->has_phash)
        sqlite3_bind_int64(stmt, 19, (int64_t)content->phash);
    pd_stmt_bind_text(stmt, 20, content->shot.subsec);
    sqlite3_bind_double(stmt, 21, content->shot.focal35_mm);
    const int32_t wholes[] = { content->shot.flash, content->shot.white_balance, content->rating };
    for (size_t i = 0; i < PD_COUNT_OF(wholes); i++)
        if (wholes[i] != PD_STORE_ABSENT)
            sqlite3_bind_int(stmt, 22 + (int)i, wholes[i]);
    sqlite3_bind_int64(stmt, 25, content->reader);
    uint8_t colours[PD_SCHEMA_COLOUR_BYTES * PD_LOOK_COLOURS_MAX];
    if (content->has_phash)
        bind_look(stmt, &content->look, colours);
    int64_t id = 0;
    PD_TRY(pd_stmt_run(store, stmt, &id, err));
    PD_TRY(put_texts(store, id, content->texts, err));
    *ret_content = id;
    return pd_doc_refresh_content(store, id, err);
}

pd_status pd_store_content_put(pd_store *store, const pd_content *content, int64_t *ret_content, pd_error *err)
{
    bool own;
    int64_t id = 0;
    PD_TRY(pd_store_enter(store, &own, err));
    PD_TRY(pd_store_leave(store, own, put_content(store, content, &id, err), err));
    *ret_content = id;
    return PD_OK;
}

pd_status pd_store_content_find(pd_store *store, const uint8_t sha256[PD_SHA256_BYTES], int64_t model,
                                int64_t *ret_content, bool *ret_learned, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_CONTENT_FIND, &stmt, err));
    (void)sqlite3_bind_blob(stmt, 1, sha256, PD_SHA256_BYTES, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, model);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *ret_content = row ? sqlite3_column_int64(stmt, 0) : 0;
    *ret_learned = row && sqlite3_column_int(stmt, 1) != 0;
    pd_stmt_reset(stmt);
    return PD_OK;
}
