/* albums.c: albums, in the order of their names. */
#include "store/albums.h"

#include <stdio.h>
#include <string.h>

#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"

#define SENTENCE_BYTES (2 * PD_WORK_NAME_BYTES_MAX + 64)

pd_status pd_album_find(pd_store *store, const char *folded, int64_t *ret_album, int64_t *ret_last, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_ALBUM_FIND, &stmt, err));
    pd_stmt_bind_text(stmt, 1, folded);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *ret_album = row ? sqlite3_column_int64(stmt, 0) : 0;
    *ret_last = row ? sqlite3_column_int64(stmt, 1) : 0;
    pd_stmt_reset(stmt);
    return PD_OK;
}

static pd_cell album_cell(int64_t album, const pd_work_text *name)
{
    return (pd_cell){ .kind = PD_CELL_ALBUM,
                      .album = album,
                      .key = pd_work_text_folded(name),
                      .is_set = true,
                      .text = pd_work_text_plain(name) };
}

pd_status pd_album_create(pd_store *store, pd_step *step, const pd_work_text *name, int64_t *ret_album, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t id = 0;
    bool changed;
    PD_TRY(pd_stmt_get(store, PD_STMT_ALBUM_NEXT, &stmt, err));
    PD_TRY(pd_stmt_run(store, stmt, &id, err));
    const pd_cell cell = album_cell(id, name);
    PD_TRY(pd_cell_write(store, step, &cell, &changed, err));
    *ret_album = id;
    return PD_OK;
}

pd_status pd_store_albums(pd_store *store, bool (*visit)(void *user, const pd_album *album), void *user, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (store->version < PD_SCHEMA_WORK)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_ALBUMS, &stmt, err));
    for (;;) {
        bool row;
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        const pd_album album = {
            .id = sqlite3_column_int64(stmt, 0),
            .name = pd_stmt_text(stmt, 1),
            .n_photos = sqlite3_column_int64(stmt, 2),
            .cover = sqlite3_column_int64(stmt, 3),
        };
        if (!visit(user, &album))
            break;
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

/* What is done to one album, within a transaction and a step. */
typedef struct album_edit {
    pd_store *store;
    pd_step step;
    int64_t album; /* 0: there is none of that name */
    pd_work_text name, to;
    char sentence[SENTENCE_BYTES];
} album_edit;

typedef pd_status (*album_action)(album_edit *e, pd_error *err);

static pd_status run_step(album_edit *e, album_action action, int64_t *ret_step, pd_error *err)
{
    PD_TRY(pd_step_begin(e->store, &e->step, err));
    PD_TRY(action(e, err));
    return pd_step_end(e->store, &e->step, e->sentence, ret_step, err);
}

static pd_status make_name(pd_work_text *ret_name, const char *name, pd_error *err)
{
    static const char what[] = "the name of an album";
    PD_TRY(pd_work_text_make(ret_name, name, what, PD_WORK_NAME_BYTES_MAX, err));
    return ret_name->text.len ? PD_OK : pd_error_set(err, PD_ERR_USAGE, "%s must not be empty", what);
}

static pd_status find_and_run(album_edit *e, album_action action, int64_t *ret_step, pd_error *err)
{
    bool own;
    int64_t step = 0;
    PD_TRY(pd_store_enter(e->store, &own, err));
    pd_status status = pd_album_find(e->store, pd_work_text_folded(&e->name), &e->album, &(int64_t){ 0 }, err);
    if (status == PD_OK)
        status = run_step(e, action, &step, err);
    PD_TRY(pd_store_leave(e->store, own, status, err));
    if (ret_step)
        *ret_step = step;
    return PD_OK;
}

/* `to` NULL: one name is enough. */
static pd_status edit_album(pd_store *store, const char *name, const char *to, album_action action, int64_t *ret_step,
                            pd_error *err)
{
    album_edit e = { .store = store };
    pd_status status = make_name(&e.name, name, err);
    if (status == PD_OK && to)
        status = make_name(&e.to, to, err);
    if (status == PD_OK)
        status = find_and_run(&e, action, ret_step, err);
    pd_work_text_done(&e.name);
    pd_work_text_done(&e.to);
    return status;
}

static pd_status fail_unknown(const album_edit *e, pd_error *err)
{
    return pd_error_set(err, PD_ERR_NO_MATCH, "there is no album '%s'", pd_work_text_plain(&e->name));
}

static pd_status make(album_edit *e, pd_error *err)
{
    if (e->album)
        return pd_error_set(err, PD_ERR_USAGE, "there is an album '%s' already", pd_work_text_plain(&e->name));
    (void)snprintf(e->sentence, sizeof e->sentence, "album '%s' made", pd_work_text_plain(&e->name));
    return pd_album_create(e->store, &e->step, &e->name, &e->album, err);
}

static pd_status rename_it(album_edit *e, pd_error *err)
{
    int64_t other;
    bool changed;
    if (!e->album)
        return fail_unknown(e, err);
    PD_TRY(pd_album_find(e->store, pd_work_text_folded(&e->to), &other, &(int64_t){ 0 }, err));
    if (other && other != e->album)
        return pd_error_set(err, PD_ERR_USAGE, "there is an album '%s' already", pd_work_text_plain(&e->to));
    (void)snprintf(e->sentence, sizeof e->sentence, "album '%s' renamed to '%s'", pd_work_text_plain(&e->name),
                   pd_work_text_plain(&e->to));
    const pd_cell cell = album_cell(e->album, &e->to);
    return pd_cell_write(e->store, &e->step, &cell, &changed, err);
}

static pd_status empty(album_edit *e, pd_error *err)
{
    for (;;) {
        sqlite3_stmt *stmt;
        int64_t work = 0;
        bool changed;
        PD_TRY(pd_stmt_get(e->store, PD_STMT_ALBUM_FIRST, &stmt, err));
        sqlite3_bind_int64(stmt, 1, e->album);
        PD_TRY(pd_stmt_run(e->store, stmt, &work, err));
        if (!work)
            return PD_OK;
        const pd_cell cell = { .kind = PD_CELL_MEMBER, .album = e->album, .work = work };
        PD_TRY(pd_cell_write(e->store, &e->step, &cell, &changed, err));
        PD_TRY(pd_doc_refresh_work(e->store, work, err));
    }
}

static pd_status remove_it(album_edit *e, pd_error *err)
{
    bool changed;
    if (!e->album)
        return fail_unknown(e, err);
    (void)snprintf(e->sentence, sizeof e->sentence, "album '%s' removed", pd_work_text_plain(&e->name));
    PD_TRY(empty(e, err));
    const pd_cell cell = { .kind = PD_CELL_ALBUM, .album = e->album };
    return pd_cell_write(e->store, &e->step, &cell, &changed, err);
}

pd_status pd_store_album_make(pd_store *store, const char *name, int64_t *ret_step, pd_error *err)
{
    return edit_album(store, name, NULL, make, ret_step, err);
}

pd_status pd_store_album_rename(pd_store *store, const char *name, const char *to, int64_t *ret_step, pd_error *err)
{
    return edit_album(store, name, to, rename_it, ret_step, err);
}

pd_status pd_store_album_remove(pd_store *store, const char *name, int64_t *ret_step, pd_error *err)
{
    return edit_album(store, name, NULL, remove_it, ret_step, err);
}
