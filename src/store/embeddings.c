/* embeddings.c: the vectors, fp16, one a content and model. */
#include <string.h>

#include "base/mem.h"
#include "store/store_private.h"

static void bind_key(sqlite3_stmt *stmt, int64_t content, int64_t model)
{
    sqlite3_bind_int64(stmt, 1, content);
    sqlite3_bind_int64(stmt, 2, model);
}

/* The same vector again keeps its seq, so that a vector file stays right. Another one takes the old one's place under a
 * new seq: the count stays, the last seq grows, and a vector file that merely catches up has one row too many, which
 * is how its reader notices. */
pd_status pd_store_embedding_put(pd_store *store, int64_t content, int64_t model, const uint16_t *half, size_t dim,
                                 int64_t *ret_seq, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t seq = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_EMBEDDING_SAME, &stmt, err));
    bind_key(stmt, content, model);
    (void)sqlite3_bind_blob64(stmt, 3, half, dim * sizeof *half, SQLITE_STATIC);
    PD_TRY(pd_stmt_run(store, stmt, &seq, err));
    if (seq == 0) {
        PD_TRY(pd_stmt_get(store, PD_STMT_EMBEDDING_PUT, &stmt, err));
        bind_key(stmt, content, model);
        (void)sqlite3_bind_blob64(stmt, 3, half, dim * sizeof *half, SQLITE_STATIC);
        PD_TRY(pd_stmt_run(store, stmt, &seq, err));
    }
    if (ret_seq)
        *ret_seq = seq;
    return PD_OK;
}

/* SQLite's bytes lie anywhere; 16-bit elements want even addresses. */
static pd_status copy_half(pd_store *store, const void *bytes, size_t dim, pd_error *err)
{
    if (dim > store->half_capacity) {
        uint16_t *larger = pd_mem_realloc(store->half, dim, sizeof *larger);
        if (!larger)
            return pd_error_set_nomem(err);
        store->half = larger;
        store->half_capacity = dim;
    }
    if (dim)
        memcpy(store->half, bytes, dim * sizeof *store->half);
    return PD_OK;
}

pd_status pd_store_embeddings(pd_store *store, int64_t model, int64_t after,
                              bool (*visit)(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim),
                              void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_EMBEDDINGS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    sqlite3_bind_int64(stmt, 2, after);
    pd_status status;
    for (;;) {
        bool row;
        status = pd_stmt_step(store, stmt, &row, err);
        if (status != PD_OK || !row)
            break;
        const size_t dim = (size_t)sqlite3_column_bytes(stmt, 2) / sizeof(uint16_t);
        status = copy_half(store, sqlite3_column_blob(stmt, 2), dim, err);
        if (status != PD_OK ||
            !visit(user, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), store->half, dim))
            break;
    }
    pd_stmt_reset(stmt);
    return status;
}

pd_status pd_store_embedding_get(pd_store *store, int64_t content, int64_t model, uint16_t *ret_half, size_t dim,
                                 pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_EMBEDDING_GET, &stmt, err));
    bind_key(stmt, content, model);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_status status = PD_ERR_NO_MATCH;
    if (row && (size_t)sqlite3_column_bytes(stmt, 0) != dim * sizeof *ret_half) {
        status = pd_error_set(err, PD_ERR_CORRUPT,
                              "the catalogue '%s' is damaged: the embedding of content %lld has %d bytes, expected %zu",
                              store->path, (long long)content, sqlite3_column_bytes(stmt, 0), dim * sizeof *ret_half);
    } else if (row) {
        memcpy(ret_half, sqlite3_column_blob(stmt, 0), dim * sizeof *ret_half);
        status = PD_OK;
    }
    pd_stmt_reset(stmt);
    return status;
}

pd_status pd_store_embedding_extent(pd_store *store, int64_t model, int64_t *ret_count, int64_t *ret_last_seq,
                                    pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_EMBEDDING_EXTENT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *ret_count = row ? sqlite3_column_int64(stmt, 0) : 0;
    *ret_last_seq = row ? sqlite3_column_int64(stmt, 1) : 0;
    pd_stmt_reset(stmt);
    return PD_OK;
}

pd_status pd_store_model_covers(pd_store *store, int64_t model, int64_t other, bool *ret_covers, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_MODEL_LACKS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, model);
    sqlite3_bind_int64(stmt, 2, other);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_stmt_reset(stmt);
    *ret_covers = !row;
    return PD_OK;
}
