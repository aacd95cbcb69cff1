/* deed.c: one thing that a user does, or did elsewhere. */
#include "store/albums.h"
#include "store/deed.h"

/* What a deed's text is, by kind. */
static const struct {
    const char *what; /* NULL: no text */
    size_t len_max;
    bool may_be_empty;
} texts[PD_EDIT_KIND_COUNT] = {
    [PD_EDIT_TAG] = { "a tag", PD_WORK_TAG_BYTES_MAX, false },
    [PD_EDIT_UNTAG] = { "a tag", PD_WORK_TAG_BYTES_MAX, false },
    [PD_EDIT_CAPTION] = { "a caption", PD_WORK_CAPTION_BYTES_MAX, true },
    [PD_EDIT_ALBUM] = { "the name of an album", PD_WORK_NAME_BYTES_MAX, false },
    [PD_EDIT_UNALBUM] = { "the name of an album", PD_WORK_NAME_BYTES_MAX, false },
};

void pd_deed_done(pd_deed *deed) { pd_work_text_done(&deed->text); }

static pd_status check_number(pd_edit_kind kind, int number, pd_error *err)
{
    if (kind == PD_EDIT_RATING && (number < PD_WORK_UNSET || number > 5))
        return pd_error_set(err, PD_ERR_USAGE, "a rating is 0 to 5, not %d", number);
    if (kind == PD_EDIT_FAVORITE && number != 0 && number != 1)
        return pd_error_set(err, PD_ERR_USAGE, "a photo is a favourite (1) or not (0), not %d", number);
    return PD_OK;
}

pd_status pd_deed_make(pd_store *store, pd_deed *ret_deed, pd_edit_kind kind, const char *text, int number,
                       pd_error *err)
{
    const char *what = texts[kind].what;
    *ret_deed = (pd_deed){ .kind = kind, .number = number };
    ret_deed->has_text = what && (text || kind != PD_EDIT_CAPTION);
    PD_TRY(check_number(kind, number, err));
    if (!ret_deed->has_text)
        return PD_OK;
    PD_TRY(pd_work_text_make(&ret_deed->text, text ? text : "", what, texts[kind].len_max, err));
    if (ret_deed->text.text.len == 0 && !texts[kind].may_be_empty)
        return pd_error_set(err, PD_ERR_USAGE, "%s must not be empty", what);
    if (kind != PD_EDIT_ALBUM && kind != PD_EDIT_UNALBUM)
        return PD_OK;
    return pd_album_find(store, pd_work_text_folded(&ret_deed->text), &ret_deed->album, &ret_deed->last, err);
}

pd_cell pd_deed_cell(const pd_deed *deed, int64_t work)
{
    const char *text = deed->has_text ? pd_work_text_plain(&deed->text) : NULL;
    const char *folded = deed->has_text ? pd_work_text_folded(&deed->text) : NULL;
    switch (deed->kind) {
    case PD_EDIT_TAG:
    case PD_EDIT_UNTAG: return (pd_cell){ PD_CELL_TAG, work, 0, folded, true, deed->kind == PD_EDIT_TAG, text };
    case PD_EDIT_RATING:
        return (pd_cell){ PD_CELL_RATING, work, 0, NULL, deed->number != PD_WORK_UNSET, deed->number, NULL };
    case PD_EDIT_FAVORITE: return (pd_cell){ PD_CELL_FAVORITE, work, 0, NULL, deed->number == 1, 1, NULL };
    case PD_EDIT_CAPTION: return (pd_cell){ PD_CELL_CAPTION, work, 0, NULL, deed->has_text, 0, text };
    case PD_EDIT_ALBUM:
    case PD_EDIT_UNALBUM:
    case PD_EDIT_KIND_COUNT: break;
    }
    return (pd_cell){ PD_CELL_MEMBER, work, deed->album, NULL, deed->kind == PD_EDIT_ALBUM, deed->last + 1, NULL };
}

static pd_status put_into_album(pd_store *store, pd_step *step, pd_deed *deed, int64_t work, bool *ret_changed,
                                pd_error *err)
{
    bool is_in = false;
    if (!deed->album)
        PD_TRY(pd_album_create(store, step, &deed->text, &deed->album, err));
    const pd_cell cell = pd_deed_cell(deed, work);
    *ret_changed = false;
    PD_TRY(pd_cell_read(store, &cell, &is_in, err));
    if (is_in)
        return PD_OK;
    PD_TRY(pd_cell_write(store, step, &cell, ret_changed, err));
    deed->last++;
    return PD_OK;
}

pd_status pd_deed_do(pd_store *store, pd_step *step, pd_deed *deed, int64_t work, bool *ret_changed, pd_error *err)
{
    if (deed->kind == PD_EDIT_ALBUM)
        return put_into_album(store, step, deed, work, ret_changed, err);
    const pd_cell cell = pd_deed_cell(deed, work);
    return pd_cell_write(store, step, &cell, ret_changed, err);
}
