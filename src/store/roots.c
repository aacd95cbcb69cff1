/* roots.c: folders that the user named, and the models that learned them. */
#include <stdio.h>

#include "base/file.h"
#include "store/store_private.h"

pd_status pd_store_root_add(pd_store *store, const char *path, int64_t *ret_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_store_check_path(path, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_ROOT_ADD, &stmt, err));
    pd_stmt_bind_path(stmt, 1, path);
    return pd_stmt_run(store, stmt, ret_id, err);
}

pd_status pd_store_root_move(pd_store *store, int64_t root_id, const char *path, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_store_check_path(path, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_ROOT_MOVE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, root_id);
    pd_stmt_bind_path(stmt, 2, path);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_store_root_set_offline(pd_store *store, int64_t root_id, bool offline, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_ROOT_SET_OFFLINE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, root_id);
    sqlite3_bind_int64(stmt, 2, offline);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_store_roots(pd_store *store, bool (*visit)(void *user, const pd_root *root), void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_ROOTS, &stmt, err));
    for (;;) {
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        const pd_root root = {
            .id = sqlite3_column_int64(stmt, 0),
            .path = pd_stmt_text(stmt, 1),
            .offline = sqlite3_column_int(stmt, 2) != 0,
            .n_photos = sqlite3_column_int64(stmt, 3),
        };
        if (!visit(user, &root))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

static const char *last_part(const char *name)
{
    const char *last = pd_path_name(name);
    return last[0] ? last : name;
}

pd_status pd_store_model_add(pd_store *store, const char *model_id, const char *name, size_t dim, int64_t *ret_model,
                             pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_ADD, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, model_id, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, last_part(name), -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, (int64_t)dim);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    const int64_t model = sqlite3_column_int64(stmt, 0), known_dim = sqlite3_column_int64(stmt, 1);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_stmt_reset(stmt);
    if (known_dim != (int64_t)dim)
        return pd_error_set(err, PD_ERR_CORRUPT,
                            "the catalogue '%s' says that the model '%s' has %lld dimensions, it has %zu", store->path,
                            name, (long long)known_dim, dim);
    *ret_model = model;
    return pd_store_model_call(store, model_id, name, err);
}

pd_status pd_store_model_call(pd_store *store, const char *model_id, const char *name, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_CALL, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, model_id, -1, SQLITE_STATIC);
    return pd_stmt_run(store, stmt, NULL, err);
}

static pd_status find_model(pd_store *store, sqlite3_stmt *stmt, int64_t *ret_model, pd_error *err)
{
    int64_t model = 0;
    PD_TRY(pd_stmt_run(store, stmt, &model, err));
    if (model == 0)
        return PD_ERR_NO_MATCH;
    *ret_model = model;
    return PD_OK;
}

pd_status pd_store_model_find(pd_store *store, const char *model_id, int64_t *ret_model, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_FIND, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, model_id, -1, SQLITE_STATIC);
    return find_model(store, stmt, ret_model, err);
}

pd_status pd_store_model_named(pd_store *store, const char *name, int64_t *ret_model, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_NAMED, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(stmt, 2, last_part(name), -1, SQLITE_STATIC);
    return find_model(store, stmt, ret_model, err);
}

pd_status pd_store_model_get(pd_store *store, int64_t model, pd_model_row *ret_row, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool found;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_GET, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    PD_TRY(pd_stmt_step(store, stmt, &found, err));
    if (found) {
        *ret_row = (pd_model_row){ .vectors_bytes = sqlite3_column_int64(stmt, 1) };
        (void)snprintf(ret_row->id, sizeof ret_row->id, "%s", pd_stmt_text(stmt, 0));
    }
    pd_stmt_reset(stmt);
    return found ? PD_OK : PD_ERR_NO_MATCH;
}

pd_status pd_store_model_forget(pd_store *store, const char *model_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_FORGET, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, model_id, -1, SQLITE_STATIC);
    return pd_stmt_run(store, stmt, NULL, err);
}
