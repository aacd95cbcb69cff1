/* photos.c: files: their rows, their errors, and everything about one of them. */
#include <string.h>

#include "store/doc.h"
#include "store/store_private.h"

pd_status pd_store_photo_states(pd_store *store, int64_t root_id, int64_t model,
                                bool (*visit)(void *user, const pd_photo_state *state), void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_STATES, &stmt, err));
    sqlite3_bind_int64(stmt, 1, root_id);
    sqlite3_bind_int64(stmt, 2, model);
    for (;;) {
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        const pd_photo_state state = {
            .id = sqlite3_column_int64(stmt, 0),
            .path = pd_stmt_text(stmt, 1),
            .bytes = sqlite3_column_int64(stmt, 2),
            .mtime_ns = sqlite3_column_int64(stmt, 3),
            .content = sqlite3_column_int64(stmt, 4),
            .learned = sqlite3_column_int(stmt, 5) != 0,
            .failed = sqlite3_column_int(stmt, 6) != 0,
            .sidecar_ns = sqlite3_column_int64(stmt, 7),
            .reader = (uint32_t)sqlite3_column_int64(stmt, 8),
        };
        if (!visit(user, &state))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

static void bind_file(sqlite3_stmt *stmt, const pd_photo_file *file)
{
    sqlite3_bind_int64(stmt, 1, file->root_id);
    pd_stmt_bind_path(stmt, 2, file->path);
    sqlite3_bind_int64(stmt, 3, file->bytes);
    sqlite3_bind_int64(stmt, 4, file->mtime_ns);
    if (file->content)
        sqlite3_bind_int64(stmt, 5, file->content);
}

static pd_status put_row(pd_store *store, const pd_photo_file *file, pd_status why, const char *sentence,
                         int64_t *ret_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_PUT, &stmt, err));
    bind_file(stmt, file);
    sqlite3_bind_int64(stmt, 6, why);
    pd_stmt_bind_text(stmt, 7, sentence);
    sqlite3_bind_int64(stmt, 8, file->sidecar_ns);
    PD_TRY(pd_stmt_run(store, stmt, ret_id, err));
    return pd_doc_refresh(store, *ret_id, err);
}

static pd_status put(pd_store *store, const pd_photo_file *file, pd_status why, const char *sentence, int64_t *ret_id,
                     pd_error *err)
{
    bool own;
    int64_t id = 0;
    PD_TRY(pd_store_check_path(file->path, err));
    PD_TRY(pd_store_enter(store, &own, err));
    PD_TRY(pd_store_leave(store, own, put_row(store, file, why, sentence, &id, err), err));
    *ret_id = id;
    return PD_OK;
}

pd_status pd_store_photo_put(pd_store *store, const pd_photo_file *file, int64_t *ret_id, pd_error *err)
{
    return put(store, file, PD_OK, NULL, ret_id, err);
}

pd_status pd_store_photo_fail(pd_store *store, const pd_photo_file *file, pd_status why, const char *sentence,
                              pd_error *err)
{
    return put(store, file, why, sentence, &(int64_t){ 0 }, err);
}

static pd_status move_row(pd_store *store, int64_t id, const pd_photo_file *file, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t moved = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_MOVE, &stmt, err));
    bind_file(stmt, file);
    sqlite3_bind_int64(stmt, 6, id);
    sqlite3_bind_int64(stmt, 7, file->sidecar_ns);
    PD_TRY(pd_stmt_run(store, stmt, &moved, err));
    return moved == id ? pd_doc_refresh(store, id, err) : PD_ERR_NO_MATCH;
}

pd_status pd_store_photo_move(pd_store *store, int64_t id, const pd_photo_file *file, pd_error *err)
{
    bool own;
    PD_TRY(pd_store_check_path(file->path, err));
    PD_TRY(pd_store_enter(store, &own, err));
    return pd_store_leave(store, own, move_row(store, id, file, err), err);
}

pd_status pd_store_photo_remove(pd_store *store, int64_t id, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_REMOVE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_store_errors(pd_store *store, int64_t root_id,
                          bool (*visit)(void *user, const char *path, pd_status why, const char *sentence), void *user,
                          pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, root_id ? PD_STMT_ERRORS_OF_ROOT : PD_STMT_ERRORS, &stmt, err));
    if (root_id)
        sqlite3_bind_int64(stmt, 1, root_id);
    for (;;) {
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        if (!visit(user, pd_stmt_text(stmt, 0), (pd_status)sqlite3_column_int(stmt, 1), pd_stmt_text(stmt, 2)))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

static const char *read_text_or_null(sqlite3_stmt *stmt, int at) { return (const char *)sqlite3_column_text(stmt, at); }

static int32_t read_whole(sqlite3_stmt *stmt, int at)
{
    return sqlite3_column_type(stmt, at) == SQLITE_NULL ? PD_STORE_ABSENT : sqlite3_column_int(stmt, at);
}

/* A catalogue is a file that anybody may have written to: what is no sound block is none. */
static pd_texts read_texts(sqlite3_stmt *stmt, int at)
{
    const pd_texts texts = { sqlite3_column_blob(stmt, at), (size_t)sqlite3_column_bytes(stmt, at) };
    return texts.bytes && pd_texts_are_sound(texts) ? texts : (pd_texts){ 0 };
}

/* Column 7 and on of SELECT_PHOTO (stmt.c). */
static void read_facts(sqlite3_stmt *stmt, pd_content *facts)
{
    if (sqlite3_column_bytes(stmt, 7) == PD_SHA256_BYTES)
        memcpy(facts->sha256, sqlite3_column_blob(stmt, 7), PD_SHA256_BYTES);
    facts->type = pd_stmt_text(stmt, 8);
    facts->width = pd_stmt_count(stmt, 9);
    facts->height = pd_stmt_count(stmt, 10);
    facts->pages = pd_stmt_count(stmt, 11);
    facts->orientation = pd_stmt_count(stmt, 12);
    facts->taken = pd_stmt_text(stmt, 13);
    facts->taken_source = pd_stmt_text(stmt, 14);
    facts->make = pd_stmt_text(stmt, 15);
    facts->camera = pd_stmt_text(stmt, 16);
    facts->lens = pd_stmt_text(stmt, 17);
    facts->iso = pd_stmt_count(stmt, 18);
    facts->exposure_s = pd_stmt_number(stmt, 19);
    facts->fnumber = pd_stmt_number(stmt, 20);
    facts->focal_mm = pd_stmt_number(stmt, 21);
    facts->gps_lat = pd_stmt_number(stmt, 22);
    facts->gps_lon = pd_stmt_number(stmt, 23);
    facts->gps_alt = pd_stmt_number(stmt, 24);
    facts->has_phash = sqlite3_column_type(stmt, 25) != SQLITE_NULL;
    facts->phash = (uint64_t)sqlite3_column_int64(stmt, 25);
    facts->shot.subsec = pd_stmt_text(stmt, 28);
    facts->shot.focal35_mm = pd_stmt_number(stmt, 29);
    facts->shot.flash = read_whole(stmt, 30);
    facts->shot.white_balance = read_whole(stmt, 31);
    facts->rating = read_whole(stmt, 32);
    facts->reader = pd_stmt_count(stmt, 33);
    facts->look = pd_stmt_look(stmt, 34);
    facts->texts = read_texts(stmt, 36);
}

/* Strings stay SQLite's: valid until the statement moves. */
static void read_photo(sqlite3_stmt *stmt, pd_photo *photo)
{
    *photo = (pd_photo){
        .id = sqlite3_column_int64(stmt, 0),
        .content = sqlite3_column_int64(stmt, 1),
        .path = pd_stmt_text(stmt, 2),
        .bytes = sqlite3_column_int64(stmt, 3),
        .mtime_ns = sqlite3_column_int64(stmt, 4),
        .error_status = (pd_status)sqlite3_column_int(stmt, 5),
        .error = read_text_or_null(stmt, 6),
        .learned_model = read_text_or_null(stmt, 26),
        .learned_at = read_text_or_null(stmt, 27),
    };
    read_facts(stmt, &photo->facts);
}

/* Makes the strings the store's, so that the statement need not stay open (an open one holds back checkpoints). */
static pd_status keep_strings(pd_store *store, pd_photo *photo, pd_error *err)
{
    const char **const strings[] = {
        &photo->path,         &photo->error,       &photo->learned_model,      &photo->learned_at,
        &photo->facts.type,   &photo->facts.taken, &photo->facts.taken_source, &photo->facts.make,
        &photo->facts.camera, &photo->facts.lens,  &photo->facts.shot.subsec,
    };
    size_t bytes = photo->facts.texts.len;
    for (size_t i = 0; i < PD_COUNT_OF(strings); i++)
        bytes += *strings[i] ? strlen(*strings[i]) + 1 : 0;
    pd_buf_clear(&store->text);
    const pd_status status = pd_buf_reserve(&store->text, bytes); /* once: the strings must not move afterwards */
    if (status == PD_ERR_LIMIT)
        return pd_error_set(err, status, "what is known about photo %lld is larger than %zu bytes",
                            (long long)photo->id, store->text.len_max);
    if (status != PD_OK)
        return pd_error_set_nomem(err);
    if (photo->facts.texts.len)
        photo->facts.texts.bytes = memcpy(store->text.data, photo->facts.texts.bytes, photo->facts.texts.len);
    store->text.len = photo->facts.texts.len;
    for (size_t i = 0; i < PD_COUNT_OF(strings); i++) {
        if (!*strings[i])
            continue;
        const size_t len = strlen(*strings[i]) + 1;
        *strings[i] = memcpy(store->text.data + store->text.len, *strings[i], len);
        store->text.len += len;
    }
    return PD_OK;
}

static pd_status read_one(pd_store *store, sqlite3_stmt *stmt, pd_photo *ret_photo, pd_error *err)
{
    bool row;
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_status status = PD_ERR_NO_MATCH;
    if (row) {
        pd_photo photo;
        read_photo(stmt, &photo);
        status = keep_strings(store, &photo, err);
        if (status == PD_OK)
            *ret_photo = photo;
    }
    pd_stmt_reset(stmt);
    return status;
}

pd_status pd_store_photo_by_id(pd_store *store, int64_t id, pd_photo *ret_photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_BY_ID, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    return read_one(store, stmt, ret_photo, err);
}

pd_status pd_store_photo_by_path(pd_store *store, const char *path, pd_photo *ret_photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_BY_PATH, &stmt, err));
    pd_stmt_bind_path(stmt, 1, path);
    return read_one(store, stmt, ret_photo, err);
}

pd_status pd_store_photos_of_content(pd_store *store, int64_t content, bool (*visit)(void *user, const pd_photo *photo),
                                     void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTOS_OF_CONTENT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, content);
    for (;;) {
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        pd_photo photo;
        read_photo(stmt, &photo);
        if (!visit(user, &photo))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}
