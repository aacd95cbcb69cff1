/* saved.c: searches that the user keeps, and those of late. */
#include <string.h>

#include "store/schema.h"
#include "store/store_private.h"
#include "store/work_text.h"

static pd_status check_query(const char *query, pd_error *err)
{
    const size_t len = strlen(query);
    if (len > PD_WORK_QUERY_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "a search of %zu bytes is too long to be kept: at most %d are allowed",
                            len, PD_WORK_QUERY_BYTES_MAX);
    return PD_OK;
}

/* Runs a statement that knows a name (?1) and perhaps a query (?2). *ret_name as it is kept. */
static pd_status run_named(pd_store *store, pd_stmt id, const char *name, const char *query, pd_error *err)
{
    static const char what[] = "the name of a search";
    pd_work_text text;
    sqlite3_stmt *stmt;
    pd_status status = pd_work_text_make(&text, name, what, PD_WORK_NAME_BYTES_MAX, err);
    if (status == PD_OK && !text.text.len)
        status = pd_error_set(err, PD_ERR_USAGE, "%s must not be empty", what);
    if (status == PD_OK)
        status = pd_stmt_get(store, id, &stmt, err);
    if (status == PD_OK) {
        (void)sqlite3_bind_text(stmt, 1, pd_work_text_plain(&text), -1, SQLITE_STATIC);
        if (query)
            (void)sqlite3_bind_text(stmt, 2, query, -1, SQLITE_STATIC);
        status = pd_stmt_run(store, stmt, NULL, err);
    }
    if (status == PD_OK && !query && sqlite3_changes(store->db) == 0)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "there is no saved search '%s'", pd_work_text_plain(&text));
    pd_work_text_done(&text);
    return status;
}

pd_status pd_store_saved_put(pd_store *store, const char *name, const char *query, pd_error *err)
{
    PD_TRY(check_query(query, err));
    return run_named(store, PD_STMT_SAVED_PUT, name, query, err);
}

pd_status pd_store_saved_remove(pd_store *store, const char *name, pd_error *err)
{
    return run_named(store, PD_STMT_SAVED_REMOVE, name, NULL, err);
}

/* A statement of name, query and time. */
static pd_status visit_rows(pd_store *store, sqlite3_stmt *stmt, pd_saved_visit visit, void *user, pd_error *err)
{
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        const pd_saved saved = { pd_stmt_text(stmt, 0), pd_stmt_text(stmt, 1), sqlite3_column_int64(stmt, 2) };
        if (!visit(user, &saved))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

pd_status pd_store_saved(pd_store *store, pd_saved_visit visit, void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (store->version < PD_SCHEMA_WORK)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_SAVED, &stmt, err));
    return visit_rows(store, stmt, visit, user, err);
}

static pd_status add_to_history(pd_store *store, const char *query, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_HISTORY_ADD, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, query, -1, SQLITE_STATIC);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_HISTORY_FORGET, &stmt, err));
    sqlite3_bind_int(stmt, 1, PD_WORK_HISTORY_MAX);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_store_history_add(pd_store *store, const char *query, pd_error *err)
{
    bool own;
    PD_TRY(check_query(query, err));
    if (!query[strspn(query, " \t\r\n")])
        return PD_OK;
    PD_TRY(pd_store_enter(store, &own, err));
    return pd_store_leave(store, own, add_to_history(store, query, err), err);
}

pd_status pd_store_history_clear(pd_store *store, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_HISTORY_CLEAR, &stmt, err));
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_store_history(pd_store *store, size_t n_max, pd_saved_visit visit, void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (store->version < PD_SCHEMA_WORK)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_HISTORY, &stmt, err));
    sqlite3_bind_int64(stmt, 1, n_max < PD_WORK_HISTORY_MAX ? (int64_t)n_max : PD_WORK_HISTORY_MAX);
    return visit_rows(store, stmt, visit, user, err);
}
