/* journal.c: steps, and taking them back: for every value that an edit changed, what was there before. */
#include "store/journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "store/doc.h"
#include "store/store_private.h"

static const struct {
    pd_stmt read, put, remove;
} cell_stmts[PD_CELL_KIND_END] = {
    [PD_CELL_RATING] = { PD_STMT_RATING_READ, PD_STMT_RATING_PUT, PD_STMT_RATING_REMOVE },
    [PD_CELL_FAVORITE] = { PD_STMT_FAVORITE_READ, PD_STMT_FAVORITE_PUT, PD_STMT_FAVORITE_REMOVE },
    [PD_CELL_CAPTION] = { PD_STMT_CAPTION_READ, PD_STMT_CAPTION_PUT, PD_STMT_CAPTION_REMOVE },
    [PD_CELL_TAG] = { PD_STMT_TAG_READ, PD_STMT_TAG_PUT, PD_STMT_TAG_REMOVE },
    [PD_CELL_ALBUM] = { PD_STMT_ALBUM_READ, PD_STMT_ALBUM_PUT, PD_STMT_ALBUM_REMOVE },
    [PD_CELL_MEMBER] = { PD_STMT_MEMBER_READ, PD_STMT_MEMBER_PUT, PD_STMT_MEMBER_REMOVE },
};

/* A text that may be "", unlike pd_stmt_bind_text's. */
static void bind_any_text(sqlite3_stmt *stmt, int at, const char *text)
{
    if (text)
        (void)sqlite3_bind_text64(stmt, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

/* ?1 work, ?2 album, ?3 number, ?4 key, ?5 text: as many as the statement knows; the others are out of range. */
static void bind_cell(sqlite3_stmt *stmt, const pd_cell *cell)
{
    sqlite3_bind_int64(stmt, 1, cell->work);
    sqlite3_bind_int64(stmt, 2, cell->album);
    sqlite3_bind_int64(stmt, 3, cell->number);
    bind_any_text(stmt, 4, cell->key);
    bind_any_text(stmt, 5, cell->text);
}

static bool is_same_text(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

/* A row of a read statement: 0 number, 1 key, 2 text. No row, or no number: absent. */
static bool is_same_cell(sqlite3_stmt *before, bool is_set, const pd_cell *cell)
{
    if (is_set != cell->is_set)
        return false;
    if (!is_set)
        return true;
    const bool key_counts = cell->kind == PD_CELL_ALBUM;
    return sqlite3_column_int64(before, 0) == cell->number &&
           (!key_counts || is_same_text((const char *)sqlite3_column_text(before, 1), cell->key)) &&
           is_same_text((const char *)sqlite3_column_text(before, 2), cell->text);
}

/* Leaves the statement on its row. */
static pd_status step_to_cell(pd_store *store, const pd_cell *cell, sqlite3_stmt **ret_stmt, bool *ret_is_set,
                              pd_error *err)
{
    bool row;
    PD_TRY(pd_stmt_get(store, cell_stmts[cell->kind].read, ret_stmt, err));
    bind_cell(*ret_stmt, cell);
    PD_TRY(pd_stmt_step(store, *ret_stmt, &row, err));
    *ret_is_set = row && sqlite3_column_type(*ret_stmt, 0) != SQLITE_NULL;
    return PD_OK;
}

pd_status pd_cell_read(pd_store *store, const pd_cell *cell, bool *ret_is_set, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(step_to_cell(store, cell, &stmt, ret_is_set, err));
    pd_stmt_reset(stmt);
    return PD_OK;
}

/* `before`: on the row that is about to change. */
static pd_status remember(pd_store *store, pd_step *step, const pd_cell *cell, sqlite3_stmt *before, bool is_set,
                          pd_error *err)
{
    sqlite3_stmt *stmt;
    if (!step->id)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_UNDO_PUT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, step->id);
    sqlite3_bind_int64(stmt, 2, ++step->n);
    sqlite3_bind_int(stmt, 3, (int)cell->kind);
    sqlite3_bind_int64(stmt, 4, cell->work);
    sqlite3_bind_int64(stmt, 5, cell->album);
    if (is_set) {
        sqlite3_bind_int64(stmt, 6, sqlite3_column_int64(before, 0));
        bind_any_text(stmt, 8, (const char *)sqlite3_column_text(before, 2));
    }
    if (cell->kind == PD_CELL_ALBUM)
        bind_any_text(stmt, 7, is_set ? (const char *)sqlite3_column_text(before, 1) : NULL);
    else
        bind_any_text(stmt, 7, cell->key);
    return pd_stmt_run(store, stmt, NULL, err);
}

/* An album's name is the label of its photos. `before`: the album's row. */
static pd_status rename_label(pd_store *store, const pd_cell *album, sqlite3_stmt *before, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_RENAME, &stmt, err));
    bind_any_text(stmt, 1, (const char *)sqlite3_column_text(before, 1));
    bind_any_text(stmt, 2, album->key);
    bind_any_text(stmt, 3, album->text);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_CHANGE_ALBUM, &stmt, err));
    sqlite3_bind_int64(stmt, 1, album->album);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_cell_write(pd_store *store, pd_step *step, const pd_cell *cell, bool *ret_changed, pd_error *err)
{
    sqlite3_stmt *before, *stmt;
    bool is_set;
    PD_TRY(step_to_cell(store, cell, &before, &is_set, err));
    const bool changed = !is_same_cell(before, is_set, cell);
    pd_status status = PD_OK;
    if (changed)
        status = remember(store, step, cell, before, is_set, err);
    if (status == PD_OK && changed && cell->kind == PD_CELL_ALBUM && is_set && cell->is_set)
        status = rename_label(store, cell, before, err);
    pd_stmt_reset(before);
    PD_TRY(status);
    *ret_changed = changed;
    if (!changed)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, cell->is_set ? cell_stmts[cell->kind].put : cell_stmts[cell->kind].remove, &stmt, err));
    bind_cell(stmt, cell);
    return pd_stmt_run(store, stmt, NULL, err);
}

pd_status pd_step_begin(pd_store *store, pd_step *ret_step, pd_error *err)
{
    sqlite3_stmt *stmt;
    *ret_step = (pd_step){ 0 };
    PD_TRY(pd_stmt_get(store, PD_STMT_STEP_BEGIN, &stmt, err));
    return pd_stmt_run(store, stmt, &ret_step->id, err);
}

static pd_status run_with_step(pd_store *store, pd_stmt id, int64_t step, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, id, &stmt, err));
    sqlite3_bind_int64(stmt, 1, step);
    return pd_stmt_run(store, stmt, NULL, err);
}

static pd_status forget_steps(pd_store *store, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t last = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_STEPS_BEYOND, &stmt, err));
    sqlite3_bind_int64(stmt, 1, PD_WORK_UNDO_STEPS_MAX);
    sqlite3_bind_int64(stmt, 2, PD_WORK_UNDO_VALUES_MAX);
    PD_TRY(pd_stmt_run(store, stmt, &last, err));
    if (last == 0)
        return PD_OK;
    PD_TRY(run_with_step(store, PD_STMT_UNDO_FORGET, last, err));
    return run_with_step(store, PD_STMT_STEPS_FORGET, last, err);
}

pd_status pd_step_end(pd_store *store, const pd_step *step, const char *sentence, int64_t *ret_id, pd_error *err)
{
    sqlite3_stmt *stmt;
    if (step->n == 0)
        PD_TRY(run_with_step(store, PD_STMT_STEP_REMOVE, step->id, err));
    if (ret_id)
        *ret_id = step->n ? step->id : 0;
    if (step->n == 0)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_STEP_END, &stmt, err));
    sqlite3_bind_int64(stmt, 1, step->id);
    bind_any_text(stmt, 2, sentence);
    sqlite3_bind_int64(stmt, 3, step->n);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    return forget_steps(store, err);
}

pd_status pd_store_undo_next(pd_store *store, int64_t *ret_step, char **ret_sentence, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row = false;
    PD_TRY(pd_store_need_work(store, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_STEP_NEWEST, &stmt, err));
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    const int64_t step = row ? sqlite3_column_int64(stmt, 0) : 0;
    char *sentence = pd_mem_dup_string(row ? pd_stmt_text(stmt, 1) : "");
    pd_stmt_reset(stmt);
    if (!sentence)
        return pd_error_set_nomem(err);
    *ret_step = step;
    *ret_sentence = sentence;
    return PD_OK;
}

/* A row of PD_STMT_UNDO_OF_STEP as the value that it keeps. A row is what a file says: a kind that is none is damage.
 */
static pd_status read_undo(pd_store *store, sqlite3_stmt *stmt, pd_cell *ret_cell, pd_error *err)
{
    const int kind = sqlite3_column_int(stmt, 0);
    if (kind < PD_CELL_RATING || kind >= PD_CELL_KIND_END)
        return pd_error_set(err, PD_ERR_CORRUPT, "the catalogue '%s' is damaged: a step of the journal has a change %d",
                            store->path, kind);
    *ret_cell = (pd_cell){
        .kind = (pd_cell_kind)kind,
        .work = sqlite3_column_int64(stmt, 1),
        .album = sqlite3_column_int64(stmt, 2),
        .is_set = sqlite3_column_type(stmt, 3) != SQLITE_NULL,
        .number = sqlite3_column_int64(stmt, 3),
        .key = (const char *)sqlite3_column_text(stmt, 4),
        .text = (const char *)sqlite3_column_text(stmt, 5),
    };
    return PD_OK;
}

static pd_status undo_row(pd_store *store, sqlite3_stmt *stmt, pd_error *err)
{
    pd_cell cell;
    bool changed;
    PD_TRY(read_undo(store, stmt, &cell, err));
    PD_TRY(pd_cell_write(store, &(pd_step){ 0 }, &cell, &changed, err));
    return cell.work ? pd_doc_refresh_work(store, cell.work, err) : PD_OK;
}

static pd_status undo_rows(pd_store *store, int64_t step, pd_error *err)
{
    sqlite3_stmt *stmt;
    pd_status status;
    PD_TRY(pd_stmt_get(store, PD_STMT_UNDO_OF_STEP, &stmt, err));
    sqlite3_bind_int64(stmt, 1, step);
    for (;;) {
        bool row;
        status = pd_stmt_step(store, stmt, &row, err);
        if (status == PD_OK && row)
            status = undo_row(store, stmt, err);
        if (status != PD_OK || !row)
            break;
    }
    pd_stmt_reset(stmt);
    if (status == PD_OK)
        status = run_with_step(store, PD_STMT_UNDO_REMOVE, step, err);
    return status == PD_OK ? run_with_step(store, PD_STMT_STEP_REMOVE, step, err) : status;
}

static pd_status undo(pd_store *store, int64_t step, char **ret_sentence, pd_error *err)
{
    int64_t newest;
    char *sentence = NULL;
    PD_TRY(pd_store_undo_next(store, &newest, &sentence, err));
    pd_status status = PD_OK;
    if (newest == 0)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "there is nothing to take back");
    else if (step != 0 && step != newest)
        status = pd_error_set(err, PD_ERR_NO_MATCH,
                              "step %" PRId64 " is not the newest any more: that is %s (step %" PRId64 ")", step,
                              sentence, newest);
    else
        status = undo_rows(store, newest, err);
    if (status == PD_OK)
        *ret_sentence = sentence;
    else
        pd_mem_free(sentence);
    return status;
}

pd_status pd_store_undo(pd_store *store, int64_t step, char **ret_sentence, pd_error *err)
{
    bool own;
    char *sentence = NULL;
    PD_TRY(pd_store_enter(store, &own, err));
    const pd_status status = pd_store_leave(store, own, undo(store, step, &sentence, err), err);
    if (status == PD_OK)
        *ret_sentence = sentence;
    else
        pd_mem_free(sentence);
    return status;
}
