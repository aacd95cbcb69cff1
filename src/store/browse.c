/* browse.c: all photos, a window at a time. */
#include "store/store_private.h"

static pd_status read_ids(pd_store *store, sqlite3_stmt *stmt, int64_t *ret_ids, size_t *ret_n, pd_error *err)
{
    size_t n = 0;
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        ret_ids[n++] = sqlite3_column_int64(stmt, 0);
    }
    pd_stmt_reset(stmt);
    *ret_n = n;
    return PD_OK;
}

pd_status pd_store_browse(pd_store *store, const pd_store_window *window, int64_t *ret_ids, size_t *ret_n,
                          int64_t *ret_total, pd_error *err)
{
    static const pd_stmt ids[] = { [PD_STORE_OLDEST] = PD_STMT_BROWSE_OLDEST,
                                   [PD_STORE_NEWEST] = PD_STMT_BROWSE_NEWEST,
                                   [PD_STORE_NAME] = PD_STMT_BROWSE_NAME };
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_BROWSE_TOTAL, &stmt, err));
    PD_TRY(pd_stmt_run(store, stmt, ret_total, err));
    PD_TRY(pd_stmt_get(store, ids[window->order], &stmt, err));
    sqlite3_bind_int64(stmt, 1, (int64_t)window->n);
    sqlite3_bind_int64(stmt, 2, (int64_t)window->offset);
    return read_ids(store, stmt, ret_ids, ret_n, err);
}
