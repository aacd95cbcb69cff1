/* contents.c: what is known about a sequence of bytes, whichever files hold it. */
#include "store/store_private.h"

pd_status pd_store_content_put(pd_store *store, const pd_content *content, int64_t *ret_content, pd_error *err)
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
    return pd_stmt_run(store, stmt, ret_content, err);
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
