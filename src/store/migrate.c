/* migrate.c: brings a catalogue to the schema of this program, one step a version, all or nothing. */
#include <inttypes.h>
#include <stdio.h>

#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"

#define APPLICATION_ID                                                                            \
    0x50446574 /* "PDet", in the SQLite header: a catalogue of this program and no other database \
                */

int pd_store_schema_version(void) { return (int)pd_schema_n_steps; }

/* A database without our mark is only taken when it is empty: somebody else's tables are not ours to change. */
static pd_status check_owner(pd_store *store, int64_t version, pd_error *err)
{
    int64_t owner, n_tables;
    PD_TRY(pd_store_pragma_int(store, "PRAGMA application_id", &owner, err));
    if (owner == APPLICATION_ID)
        return PD_OK;
    PD_TRY(pd_store_pragma_int(store, "SELECT count(*) FROM sqlite_schema", &n_tables, err));
    if (n_tables == 0 && version == 0 && owner == 0)
        return PD_OK;
    return pd_error_set(
        err, PD_ERR_CORRUPT,
        "'%s' is a database of another program, not a catalogue; move it away or choose another library", store->path);
}

static pd_status check_version(pd_store *store, int64_t version, pd_error *err)
{
    const int ours = pd_store_schema_version();
    if (version > ours)
        return pd_error_set(err, PD_ERR_UNSUPPORTED,
                            "the catalogue '%s' has version %" PRId64 ", this program knows versions up to %d; use the "
                            "newer program that wrote it, or choose another library",
                            store->path, version, ours);
    if (version < 0)
        return pd_error_set(err, PD_ERR_CORRUPT, "the catalogue '%s' is damaged: version %" PRId64, store->path,
                            version);
    if (store->mode == PD_STORE_WRITE || version >= PD_SCHEMA_READABLE)
        return PD_OK;
    return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no catalogue in '%s' yet: index a folder first", store->path);
}

static pd_status run_steps(pd_store *store, int64_t version, pd_error *err)
{
    for (size_t step = (size_t)version; step < pd_schema_n_steps; step++)
        for (size_t part = 0; part < PD_SCHEMA_STEP_PARTS && pd_schema_steps[step][part]; part++)
            PD_TRY(pd_store_exec(store, pd_schema_steps[step][part], "cannot bring the catalogue up to date", err));
    char sql[96];
    (void)snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
                   pd_store_schema_version());
    return pd_store_exec(store, sql, "cannot bring the catalogue up to date", err);
}

pd_status pd_store_check(pd_store *store, int64_t *ret_version, pd_error *err)
{
    PD_TRY(pd_store_pragma_int(store, "PRAGMA user_version", ret_version, err));
    PD_TRY(check_owner(store, *ret_version, err));
    return check_version(store, *ret_version, err);
}

pd_status pd_store_migrate(pd_store *store, pd_error *err)
{
    int64_t version;
    PD_TRY(pd_store_begin(store, err));
    pd_status status = pd_store_check(store, &version, err); /* again, under the lock: another process may be faster */
    if (status == PD_OK && version < pd_store_schema_version())
        status = run_steps(store, version, err);
    store->version = pd_store_schema_version();
    if (status == PD_OK && version < PD_SCHEMA_WORK)
        status = pd_doc_refresh_all(store, err);
    if (status == PD_OK)
        status = pd_store_commit(store, err);
    if (status != PD_OK)
        pd_store_rollback(store);
    return status;
}
