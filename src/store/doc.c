/* doc.c: one document a photo for full text, its labels, and its place in the change feed. */
#include "store/doc.h"

#include <stdlib.h>
#include <string.h>

#include "store/schema.h"
#include "store/store_private.h"

static bool is_same_doc(sqlite3_stmt *stmt, const pd_said *said)
{
    for (int i = 0; i < PD_SAID_COLUMN_COUNT; i++)
        if (strcmp(pd_stmt_text(stmt, i), said->columns[i]) != 0)
            return false;
    return true;
}

typedef enum doc_state { DOC_NEW, DOC_SAME, DOC_OTHER, DOC_RENAMED } doc_state;

static pd_status compare_doc(pd_store *store, const pd_said *said, doc_state *ret_state, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_DOC_GET, &stmt, err));
    sqlite3_bind_int64(stmt, 1, said->photo);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    if (!row)
        *ret_state = DOC_NEW;
    else if (is_same_doc(stmt, said))
        *ret_state = DOC_SAME;
    else
        *ret_state = strcmp(pd_stmt_text(stmt, 0), said->columns[PD_SAID_NAME]) ? DOC_RENAMED : DOC_OTHER;
    pd_stmt_reset(stmt);
    return PD_OK;
}

static pd_status put_doc(pd_store *store, const pd_said *said, pd_error *err)
{
    doc_state state;
    sqlite3_stmt *stmt;
    PD_TRY(compare_doc(store, said, &state, err));
    if (state == DOC_SAME)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_DOC_PUT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, said->photo);
    for (int i = 0; i < PD_SAID_COLUMN_COUNT; i++)
        pd_stmt_bind_text(stmt, 2 + i, said->columns[i]);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    if (state == DOC_OTHER)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_NAME_PUT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, said->photo);
    pd_stmt_bind_text(stmt, 2, said->columns[PD_SAID_NAME]);
    return pd_stmt_run(store, stmt, NULL, err);
}

static int compare_to_row(const void *key, const void *item)
{
    sqlite3_stmt *const *stmt = key;
    const pd_said_label *label = item;
    const int place = sqlite3_column_int(*stmt, 1);
    if (place != (int)label->place)
        return place < (int)label->place ? -1 : 1;
    return strcmp(pd_stmt_text(*stmt, 2), label->folded.text);
}

static pd_status take_label(pd_store *store, int64_t label, int64_t photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_TAKE, &stmt, err));
    sqlite3_bind_int64(stmt, 1, label);
    sqlite3_bind_int64(stmt, 2, photo);
    return pd_stmt_run(store, stmt, NULL, err);
}

/* Finds one that the photo has and should not have; 0: none. *ret_n: how many it has. One at a time, since the row
 * under a statement must not be deleted. */
static pd_status find_wrong_label(pd_store *store, const pd_said *said, int64_t *ret_label, size_t *ret_n,
                                  pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row = true;
    *ret_label = 0;
    *ret_n = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_LABELS_OF_PHOTO, &stmt, err));
    sqlite3_bind_int64(stmt, 1, said->photo);
    while (!*ret_label) {
        PD_TRY(pd_stmt_step(store, stmt, &row, err));
        if (!row)
            break;
        ++*ret_n;
        if (!said->n_labels || !bsearch(&stmt, said->labels, said->n_labels, sizeof *said->labels, compare_to_row))
            *ret_label = sqlite3_column_int64(stmt, 0);
    }
    pd_stmt_reset(stmt);
    return PD_OK;
}

static pd_status give_label(pd_store *store, const pd_said_label *label, int64_t photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_MAKE, &stmt, err));
    sqlite3_bind_int(stmt, 1, (int)label->place);
    pd_stmt_bind_text(stmt, 2, label->folded.text);
    pd_stmt_bind_text(stmt, 3, label->name.text);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_GIVE, &stmt, err));
    sqlite3_bind_int(stmt, 1, (int)label->place);
    pd_stmt_bind_text(stmt, 2, label->folded.text);
    sqlite3_bind_int64(stmt, 3, photo);
    return pd_stmt_run(store, stmt, NULL, err);
}

static pd_status put_labels(pd_store *store, const pd_said *said, pd_error *err)
{
    size_t n;
    for (;;) {
        int64_t wrong;
        PD_TRY(find_wrong_label(store, said, &wrong, &n, err));
        if (!wrong)
            break;
        PD_TRY(take_label(store, wrong, said->photo, err));
    }
    if (n == said->n_labels) /* none is wrong, so all are there */
        return PD_OK;
    for (size_t i = 0; i < said->n_labels; i++)
        PD_TRY(give_label(store, &said->labels[i], said->photo, err));
    return PD_OK;
}

static pd_status put_change(pd_store *store, const pd_said *said, pd_error *err)
{
    sqlite3_stmt *stmt;
    size_t n_tags, n_albums;
    (void)pd_said_labels(said, PD_WHERE_TAG, &n_tags);
    (void)pd_said_labels(said, PD_WHERE_ALBUM, &n_albums);
    const int marks = (said->rating ? PD_SCHEMA_RATED : 0) | (said->favorite ? PD_SCHEMA_FAVORITE : 0) |
                      (n_tags ? PD_SCHEMA_HAS_TAG : 0) | (said->caption[0] ? PD_SCHEMA_HAS_CAPTION : 0) |
                      (n_albums ? PD_SCHEMA_HAS_ALBUM : 0);
    PD_TRY(pd_stmt_get(store, PD_STMT_CHANGE_PUT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, said->photo);
    sqlite3_bind_int(stmt, 2, said->rating);
    sqlite3_bind_int(stmt, 3, marks);
    return pd_stmt_run(store, stmt, NULL, err);
}

static pd_status run_with_photo(pd_store *store, pd_stmt id, int64_t photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, id, &stmt, err));
    sqlite3_bind_int64(stmt, 1, photo);
    return pd_stmt_run(store, stmt, NULL, err);
}

/* No content, or not any more: what it has of work stays, and is seen again when it is read. */
static pd_status remove_doc(pd_store *store, pd_said *said, pd_error *err)
{
    said->n_labels = 0;
    PD_TRY(put_labels(store, said, err));
    PD_TRY(run_with_photo(store, PD_STMT_DOC_REMOVE, said->photo, err));
    PD_TRY(run_with_photo(store, PD_STMT_NAME_REMOVE, said->photo, err));
    return run_with_photo(store, PD_STMT_CHANGE_GONE, said->photo, err);
}

pd_status pd_doc_refresh(pd_store *store, int64_t photo, pd_error *err)
{
    pd_said *said = &store->doc;
    const pd_status status = pd_said_read(store, photo, said, err);
    if (status != PD_OK) /* its row's deletion has seen to it */
        return status == PD_ERR_NO_MATCH ? PD_OK : status;
    if (!said->content)
        return remove_doc(store, said, err);
    PD_TRY(put_doc(store, said, err));
    PD_TRY(put_labels(store, said, err));
    return put_change(store, said, err);
}

static pd_status refresh_each(pd_store *store, sqlite3_stmt *stmt, pd_error *err)
{
    pd_status status;
    for (;;) {
        bool row;
        status = pd_stmt_step(store, stmt, &row, err);
        if (status == PD_OK && row)
            status = pd_doc_refresh(store, sqlite3_column_int64(stmt, 0), err);
        if (status != PD_OK || !row)
            break;
    }
    pd_stmt_reset(stmt);
    return status;
}

pd_status pd_doc_refresh_content(pd_store *store, int64_t content, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_IDS_OF_CONTENT, &stmt, err));
    sqlite3_bind_int64(stmt, 1, content);
    return refresh_each(store, stmt, err);
}

pd_status pd_doc_refresh_work(pd_store *store, int64_t work, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t photo = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_OF_WORK, &stmt, err));
    sqlite3_bind_int64(stmt, 1, work);
    PD_TRY(pd_stmt_run(store, stmt, &photo, err));
    return photo ? pd_doc_refresh(store, photo, err) : PD_OK;
}

pd_status pd_doc_refresh_all(pd_store *store, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_PHOTO_IDS, &stmt, err));
    return refresh_each(store, stmt, err);
}
