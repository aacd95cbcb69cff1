/* work.c: the user's edits, and what is said about one photo. */
#include "store/work.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "store/deed.h"
#include "store/doc.h"
#include "store/schema.h"
#include "store/store_private.h"

#define SENTENCE_BYTES (PD_WORK_NAME_BYTES_MAX + 128)

/* *ret_photo 0: there is no such photo. */
static pd_status find_work(pd_store *store, int64_t photo, int64_t *ret_photo, int64_t *ret_work, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_WORK_OF_PHOTO, &stmt, err));
    sqlite3_bind_int64(stmt, 1, photo);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    *ret_photo = row ? sqlite3_column_int64(stmt, 0) : 0;
    *ret_work = row ? sqlite3_column_int64(stmt, 1) : 0;
    pd_stmt_reset(stmt);
    return PD_OK;
}

pd_status pd_work_need(pd_store *store, int64_t photo, int64_t *ret_work, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t known, work;
    PD_TRY(find_work(store, photo, &known, &work, err));
    if (!work) {
        PD_TRY(pd_stmt_get(store, PD_STMT_WORK_MAKE, &stmt, err));
        sqlite3_bind_int64(stmt, 1, photo);
        PD_TRY(pd_stmt_run(store, stmt, &work, err));
    }
    *ret_work = work;
    return PD_OK;
}

static pd_status has_tag(pd_store *store, const pd_deed *deed, int64_t photo, bool *ret_has, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t n = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_LABEL_HAS, &stmt, err));
    sqlite3_bind_int(stmt, 1, PD_WHERE_TAG);
    pd_stmt_bind_text(stmt, 2, pd_work_text_folded(&deed->text));
    sqlite3_bind_int64(stmt, 3, photo);
    PD_TRY(pd_stmt_run(store, stmt, &n, err));
    *ret_has = n > 0;
    return PD_OK;
}

/* Whether there is anything to do: what is not there cannot be taken away. */
static pd_status is_needless(pd_store *store, const pd_deed *deed, int64_t photo, int64_t work, bool *ret_needless,
                             pd_error *err)
{
    const pd_cell cell = pd_deed_cell(deed, work);
    bool is_set = false, has = false;
    if (deed->kind != PD_EDIT_UNTAG) {
        *ret_needless = !work && !cell.is_set;
        return PD_OK;
    }
    if (work)
        PD_TRY(pd_cell_read(store, &cell, &is_set, err));
    if (!is_set) /* by a file or a machine, then */
        PD_TRY(has_tag(store, deed, photo, &has, err));
    *ret_needless = !is_set && !has;
    return PD_OK;
}

static pd_status edit_photo(pd_store *store, pd_step *step, pd_deed *deed, int64_t photo, bool *ret_changed,
                            pd_error *err)
{
    int64_t known, work;
    bool needless;
    *ret_changed = false;
    PD_TRY(find_work(store, photo, &known, &work, err));
    if (!known)
        return PD_OK;
    PD_TRY(is_needless(store, deed, photo, work, &needless, err));
    if (needless)
        return PD_OK;
    PD_TRY(pd_work_need(store, photo, &work, err));
    PD_TRY(pd_deed_do(store, step, deed, work, ret_changed, err));
    return *ret_changed ? pd_doc_refresh(store, photo, err) : PD_OK;
}

/* What would be taken back. */
static void write_sentence(const pd_deed *deed, int64_t n, char sentence[SENTENCE_BYTES])
{
    char photos[48], quoted[PD_WORK_NAME_BYTES_MAX + 8] = "";
    (void)snprintf(photos, sizeof photos, "%lld photo%s", (long long)n, n == 1 ? "" : "s");
    if (deed->has_text && deed->kind != PD_EDIT_CAPTION)
        (void)snprintf(quoted, sizeof quoted, "'%s'", pd_work_text_plain(&deed->text));
    switch (deed->kind) {
    case PD_EDIT_TAG: (void)snprintf(sentence, SENTENCE_BYTES, "tag %s of %s", quoted, photos); return;
    case PD_EDIT_UNTAG: (void)snprintf(sentence, SENTENCE_BYTES, "tag %s taken from %s", quoted, photos); return;
    case PD_EDIT_ALBUM: (void)snprintf(sentence, SENTENCE_BYTES, "%s put into album %s", photos, quoted); return;
    case PD_EDIT_UNALBUM: (void)snprintf(sentence, SENTENCE_BYTES, "%s taken out of album %s", photos, quoted); return;
    case PD_EDIT_RATING:
        if (deed->number == PD_WORK_UNSET)
            (void)snprintf(sentence, SENTENCE_BYTES, "rating taken from %s", photos);
        else
            (void)snprintf(sentence, SENTENCE_BYTES, "rating %d of %s", deed->number, photos);
        return;
    case PD_EDIT_FAVORITE:
    case PD_EDIT_CAPTION:
    case PD_EDIT_KIND_COUNT: break;
    }
    const char *noun = deed->kind == PD_EDIT_FAVORITE ? "favourite mark" : "caption";
    const bool taken = deed->kind == PD_EDIT_FAVORITE ? deed->number == 0 : !deed->has_text;
    (void)snprintf(sentence, SENTENCE_BYTES, "%s %s %s", noun, taken ? "taken from" : "of", photos);
}

static pd_status edit_photos(pd_store *store, const pd_edit *edit, int64_t *ret_n, int64_t *ret_step, pd_error *err)
{
    pd_deed deed;
    pd_step step;
    int64_t n = 0;
    char sentence[SENTENCE_BYTES];
    pd_status status = pd_deed_make(store, &deed, edit->kind, edit->text, edit->number, err);
    if (status == PD_OK)
        status = pd_step_begin(store, &step, err);
    for (size_t i = 0; i < edit->n_photos && status == PD_OK; i++) {
        bool changed;
        status = edit_photo(store, &step, &deed, edit->photos[i], &changed, err);
        n += status == PD_OK && changed;
    }
    if (status == PD_OK) {
        write_sentence(&deed, n, sentence);
        status = pd_step_end(store, &step, sentence, ret_step, err);
    }
    pd_deed_done(&deed);
    *ret_n = n;
    return status;
}

pd_status pd_store_edit(pd_store *store, const pd_edit *edit, int64_t *ret_n, int64_t *ret_step, pd_error *err)
{
    bool own;
    int64_t n = 0, step = 0;
    if (edit->n_photos > PD_WORK_PHOTOS_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu photos are too many for one edit: at most %d are allowed",
                            edit->n_photos, PD_WORK_PHOTOS_MAX);
    PD_TRY(pd_store_enter(store, &own, err));
    PD_TRY(pd_store_leave(store, own, edit_photos(store, edit, &n, &step, err), err));
    *ret_n = n;
    if (ret_step)
        *ret_step = step;
    return PD_OK;
}

/* Arrays for what pd_said holds as labels. */
static pd_status list_labels(pd_store *store, pd_work *work, pd_error *err)
{
    const pd_said_label *tags = pd_said_labels(&store->said, PD_WHERE_TAG, &work->n_tags);
    const pd_said_label *albums = pd_said_labels(&store->said, PD_WHERE_ALBUM, &work->n_albums);
    pd_mem_free(store->work_tags);
    pd_mem_free(store->work_albums);
    store->work_tags = pd_mem_alloc(work->n_tags, sizeof *store->work_tags);
    store->work_albums = pd_mem_alloc(work->n_albums, sizeof *store->work_albums);
    if (!store->work_tags || !store->work_albums)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < work->n_tags; i++)
        store->work_tags[i] = (pd_tag){ tags[i].name.text, (pd_said_by)tags[i].by, tags[i].score, tags[i].doubtful };
    for (size_t i = 0; i < work->n_albums; i++)
        store->work_albums[i] = albums[i].name.text;
    work->tags = store->work_tags;
    work->albums = store->work_albums;
    return PD_OK;
}

pd_status pd_store_work(pd_store *store, int64_t photo, pd_work *ret_work, pd_error *err)
{
    const pd_said *said = &store->said;
    if (store->version < PD_SCHEMA_WORK) { /* nobody has done anything yet */
        *ret_work = (pd_work){ .caption = "", .caption_score = NAN, .caption_machine = "" };
        return PD_OK;
    }
    PD_TRY(pd_said_read(store, photo, &store->said, err));
    const bool is_machine = said->caption_by == PD_SAID_MACHINE;
    pd_work work = {
        .rating = said->rating,
        .rating_by = (pd_said_by)said->rating_by,
        .favorite = said->favorite,
        .caption = said->caption,
        .caption_by = (pd_said_by)said->caption_by,
        .caption_doubtful = is_machine && said->machine_doubtful,
        .caption_score = is_machine ? said->machine_score : NAN,
        .caption_machine = said->machine_caption,
    };
    PD_TRY(list_labels(store, &work, err));
    *ret_work = work;
    return PD_OK;
}

pd_status pd_store_caption(pd_store *store, int64_t photo, pd_said_caption *ret_caption, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row = false;
    *ret_caption = (pd_said_caption){ .text = "" };
    if (store->version < PD_SCHEMA_WORK)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, PD_STMT_SAID_CAPTION, &stmt, err));
    sqlite3_bind_int64(stmt, 1, photo);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    pd_buf_clear(&store->caption);
    pd_status status = PD_OK;
    if (row) {
        status = pd_buf_append_string(&store->caption, pd_stmt_text(stmt, 1));
        *ret_caption = (pd_said_caption){ .text = store->caption.len ? store->caption.data : "",
                                          .by = (pd_said_by)sqlite3_column_int(stmt, 0),
                                          .doubtful = sqlite3_column_int(stmt, 2) != 0 };
    }
    pd_stmt_reset(stmt); /* also where there was none: what is not reset keeps its photo */
    return status == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

pd_status pd_store_work_part(pd_store *store, int64_t photo, int64_t content, pd_error *err)
{
    sqlite3_stmt *stmt;
    PD_TRY(pd_stmt_get(store, PD_STMT_WORK_PART, &stmt, err));
    sqlite3_bind_int64(stmt, 1, photo);
    sqlite3_bind_int64(stmt, 2, content);
    PD_TRY(pd_stmt_run(store, stmt, NULL, err));
    return pd_doc_refresh(store, photo, err);
}

pd_status pd_store_work_follow(pd_store *store, int64_t content, int64_t photo, pd_error *err)
{
    sqlite3_stmt *stmt;
    int64_t taker = 0;
    PD_TRY(pd_stmt_get(store, PD_STMT_WORK_FOLLOW, &stmt, err));
    sqlite3_bind_int64(stmt, 1, content);
    sqlite3_bind_int64(stmt, 2, photo);
    PD_TRY(pd_stmt_run(store, stmt, &taker, err));
    return taker ? pd_doc_refresh(store, taker, err) : PD_OK;
}
