/* settings.c: short texts by name that a library keeps. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/machine.h"
#include "store/schema.h"
#include "store/store_private.h"

pd_status pd_store_setting_get(pd_store *store, const char *name, char **ret_value, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    char *value = NULL;
    if (store->version >= PD_SCHEMA_MACHINE) {
        PD_TRY(pd_stmt_get(store, PD_STMT_SETTING_GET, &stmt, err));
        (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (row)
            value = pd_mem_dup_string(pd_stmt_text(stmt, 0));
        pd_stmt_reset(stmt);
        if (row && !value)
            return pd_error_set_nomem(err);
    }
    *ret_value = value;
    return PD_OK;
}

pd_status pd_store_setting_put(pd_store *store, const char *name, const char *value, pd_error *err)
{
    sqlite3_stmt *stmt;
    const size_t len = value ? strlen(value) : 0;
    if (len > PD_STORE_SETTING_BYTES_MAX || strlen(name) > PD_STORE_SETTING_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the setting '%.64s' is too long: at most %d bytes are allowed", name,
                            PD_STORE_SETTING_BYTES_MAX);
    if (value && !pd_utf8_valid(value, len))
        return pd_error_set(err, PD_ERR_USAGE, "the setting '%.64s' must be UTF-8 text", name);
    PD_TRY(pd_store_need_machine(store, err));
    PD_TRY(pd_stmt_get(store, value ? PD_STMT_SETTING_PUT : PD_STMT_SETTING_REMOVE, &stmt, err));
    (void)sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (value)
        (void)sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    return pd_stmt_run(store, stmt, NULL, err);
}
