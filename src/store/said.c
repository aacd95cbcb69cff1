/* said.c: what is said about a photo, and by whom: the user's word before the file's before a machine's. */
#include "store/said.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/fold.h"
#include "base/mem.h"
#include "store/schema.h"
#include "store/store_private.h"

#define TEXT_BYTES_MAX ((size_t)1 << 22) /* a file's texts and the user's, folded and as they are */

void pd_said_init(pd_said *said)
{
    *said = (pd_said){ 0 };
    pd_buf_init(&said->text, TEXT_BYTES_MAX);
    for (size_t i = 0; i < PD_SAID_COLUMN_COUNT; i++)
        pd_buf_init(&said->parts[i], TEXT_BYTES_MAX);
}

void pd_said_done(pd_said *said)
{
    pd_buf_done(&said->text);
    for (size_t i = 0; i < PD_SAID_COLUMN_COUNT; i++)
        pd_buf_done(&said->parts[i]);
    pd_mem_free(said->labels);
    said->labels = NULL;
}

static void clear(pd_said *said)
{
    pd_buf_clear(&said->text);
    for (size_t i = 0; i < PD_SAID_COLUMN_COUNT; i++)
        pd_buf_clear(&said->parts[i]);
    said->n_labels = 0;
    said->photo = said->content = said->work = 0;
    said->rating = said->rating_by = said->caption_by = 0;
    said->favorite = said->has_file_caption = said->has_machine_caption = said->machine_doubtful = false;
    said->machine_score = NAN;
}

/* Failures of the buffers are looked at once, at the end. */
static void append_part(pd_said *said, pd_said_column column, const char *text)
{
    pd_buf *part = &said->parts[column];
    if (!text || !*text)
        return;
    if (part->len)
        (void)pd_buf_append_string(part, "\n");
    (void)pd_buf_append_string(part, text);
}

static size_t append_text(pd_said *said, const char *text)
{
    const size_t at = said->text.len;
    (void)pd_buf_append(&said->text, text, strlen(text) + 1);
    return at;
}

static pd_status add_label(pd_said *said, pd_text_where place, const char *name, int by, pd_error *err)
{
    if (said->n_labels == said->label_capacity) {
        const size_t capacity = 2 * said->label_capacity + 16;
        pd_said_label *larger = pd_mem_realloc(said->labels, capacity, sizeof *larger);
        if (!larger)
            return pd_error_set_nomem(err);
        said->labels = larger;
        said->label_capacity = capacity;
    }
    pd_said_label *label = &said->labels[said->n_labels++];
    label->place = place;
    label->by = by;
    label->score = NAN;
    label->doubtful = false;
    label->name.at = append_text(said, name);
    label->folded.at = said->text.len;
    (void)pd_fold_append(&said->text, name, strlen(name));
    if (said->text.len == label->folded.at) /* nothing but marks */
        (void)pd_buf_append_string(&said->text, name);
    (void)pd_buf_append(&said->text, "", 1);
    return PD_OK;
}

/* The tag of "Animals|Birds|Robin" is its last level. */
static pd_status add_keyword_path(pd_said *said, const char *text, pd_error *err)
{
    const char *bar = strrchr(text, '|');
    append_part(said, PD_SAID_OTHER, bar ? text : "");
    if (bar) { /* without the last level: that may be taken away */
        pd_buf *part = &said->parts[PD_SAID_OTHER];
        part->len -= part->status == PD_OK ? strlen(bar) : 0;
    }
    return bar && !bar[1] ? PD_OK : add_label(said, PD_WHERE_TAG, bar ? bar + 1 : text, PD_SAID_FILE, err);
}

static pd_status take_file_text(pd_said *said, pd_text_kind kind, const char *text, pd_error *err)
{
    switch (kind) {
    case PD_TEXT_KEYWORD: return add_label(said, PD_WHERE_TAG, text, PD_SAID_FILE, err);
    case PD_TEXT_KEYWORD_PATH: return add_keyword_path(said, text, err);
    case PD_TEXT_PERSON: return add_label(said, PD_WHERE_PERSON, text, PD_SAID_FILE, err);
    case PD_TEXT_TITLE:
    case PD_TEXT_DESCRIPTION: /* comes later */
        append_part(said, PD_SAID_TITLE, text);
        said->has_file_caption = true;
        said->file_caption_at = append_text(said, text);
        break;
    case PD_TEXT_ARTIST:
    case PD_TEXT_LABEL: append_part(said, PD_SAID_OTHER, text); break;
    case PD_TEXT_COPYRIGHT:
    case PD_TEXT_SOFTWARE:
    case PD_TEXT_KIND_END: break;
    }
    return PD_OK;
}

/* Columns: kind, text, score, doubtful. Its first caption is its caption. */
static pd_status take_machine_text(pd_said *said, sqlite3_stmt *stmt, pd_error *err)
{
    const int kind = sqlite3_column_int(stmt, 0);
    const char *text = pd_stmt_text(stmt, 1);
    const float score = (float)pd_stmt_number(stmt, 2);
    const bool doubtful = sqlite3_column_int(stmt, 3) != 0;
    if (kind == PD_SCHEMA_MACHINE_TAG) {
        PD_TRY(add_label(said, PD_WHERE_TAG, text, PD_SAID_MACHINE, err));
        said->labels[said->n_labels - 1].score = score;
        said->labels[said->n_labels - 1].doubtful = doubtful;
    }
    if (kind != PD_SCHEMA_MACHINE_CAPTION || said->has_machine_caption)
        return PD_OK;
    said->has_machine_caption = true;
    said->machine_caption_at = append_text(said, text);
    said->machine_score = score;
    said->machine_doubtful = doubtful;
    if (!said->caption_by) {
        said->caption_by = PD_SAID_MACHINE;
        append_part(said, doubtful ? PD_SAID_DOUBTFUL_CAPTION : PD_SAID_MACHINE_CAPTION, text);
    }
    return PD_OK;
}

/* What to do with each row of a statement of a number, a text and more. */
typedef enum row_kind { ROW_FILE, ROW_MACHINE, ROW_TAG, ROW_ALBUM } row_kind;

static pd_status take_row(pd_said *said, row_kind kind, sqlite3_stmt *stmt, pd_error *err)
{
    const int number = sqlite3_column_int(stmt, 0);
    const char *text = pd_stmt_text(stmt, 1);
    switch (kind) {
    case ROW_FILE: return take_file_text(said, (pd_text_kind)number, text, err);
    case ROW_MACHINE: return take_machine_text(said, stmt, err);
    case ROW_TAG: return add_label(said, PD_WHERE_TAG, text, number ? PD_SAID_USER : 0, err);
    case ROW_ALBUM: return add_label(said, PD_WHERE_ALBUM, text, PD_SAID_USER, err);
    }
    return PD_OK;
}

static pd_status read_rows(pd_store *store, pd_said *said, row_kind kind, pd_error *err)
{
    static const pd_stmt ids[] = { [ROW_FILE] = PD_STMT_SAID_FILE,
                                   [ROW_MACHINE] = PD_STMT_SAID_MACHINE,
                                   [ROW_TAG] = PD_STMT_SAID_TAGS,
                                   [ROW_ALBUM] = PD_STMT_SAID_ALBUMS };
    const int64_t key = kind == ROW_FILE || kind == ROW_MACHINE ? said->content : said->work;
    sqlite3_stmt *stmt;
    if (!key)
        return PD_OK;
    PD_TRY(pd_stmt_get(store, ids[kind], &stmt, err));
    sqlite3_bind_int64(stmt, 1, key);
    pd_status status;
    for (;;) {
        bool row;
        status = pd_stmt_step(store, stmt, &row, err);
        if (status != PD_OK || !row)
            break;
        status = take_row(said, kind, stmt, err);
        if (status != PD_OK)
            break;
    }
    pd_stmt_reset(stmt);
    return status;
}

/* "/home/ann/Pictures" and "/home/ann/Pictures/2019/Sea/a.jpg": "a.jpg" in "Pictures/2019/Sea". What lies above the
 * root is the same for all and says nothing. */
static void split_path(pd_said *said, const char *path, const char *root)
{
    const char *name = pd_path_name(path);
    const size_t root_len = strlen(root);
    const char *from = path;
    if (strncmp(path, root, root_len) == 0)
        from = path + (pd_path_name(root) - root);
    append_part(said, PD_SAID_NAME, name);
    if (name > from + 1)
        (void)pd_buf_append(&said->parts[PD_SAID_FOLDER], from, (size_t)(name - 1 - from));
}

static int clamp_rating(int rating) { return rating < 0 ? 0 : rating > 5 ? 5 : rating; }

/* The photo's own row; strings are SQLite's. */
static void take_photo(pd_said *said, sqlite3_stmt *stmt)
{
    said->content = sqlite3_column_int64(stmt, 2);
    split_path(said, pd_stmt_text(stmt, 0), pd_stmt_text(stmt, 1));
    append_part(said, PD_SAID_CAMERA, pd_stmt_text(stmt, 3));
    append_part(said, PD_SAID_CAMERA, pd_stmt_text(stmt, 4));
    said->work = sqlite3_column_int64(stmt, 6);
    const bool own = sqlite3_column_type(stmt, 7) != SQLITE_NULL, file = sqlite3_column_type(stmt, 5) != SQLITE_NULL;
    if (own || file) {
        said->rating_by = own ? PD_SAID_USER : PD_SAID_FILE;
        said->rating = clamp_rating(sqlite3_column_int(stmt, own ? 7 : 5));
    }
    said->favorite = sqlite3_column_int(stmt, 8) != 0;
    if (sqlite3_column_type(stmt, 9) != SQLITE_NULL) {
        said->caption_by = PD_SAID_USER;
        append_part(said, PD_SAID_CAPTION, pd_stmt_text(stmt, 9));
    }
}

static int compare_labels(const void *a, const void *b)
{
    const pd_said_label *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    const int order = strcmp(x->folded.text, y->folded.text);
    if (order)
        return order;
    if (x->by != y->by)
        return x->by - y->by;
    return (int)x->doubtful - (int)y->doubtful;
}

static bool is_same_label(const pd_said_label *a, const pd_said_label *b)
{
    return a->place == b->place && strcmp(a->folded.text, b->folded.text) == 0;
}

static void weigh_labels(pd_said *said)
{
    for (size_t i = 0; i < said->n_labels; i++) {
        pd_said_label *label = &said->labels[i];
        label->name.text = said->text.data + label->name.at;
        label->folded.text = said->text.data + label->folded.at;
    }
    if (said->n_labels)
        qsort(said->labels, said->n_labels, sizeof *said->labels, compare_labels);
    size_t n = 0;
    for (size_t i = 0; i < said->n_labels;) {
        const pd_said_label first = said->labels[i];
        while (i < said->n_labels && is_same_label(&first, &said->labels[i]))
            i++;
        if (first.by)
            said->labels[n++] = first;
    }
    said->n_labels = n;
}

static void choose_caption(pd_said *said)
{
    said->machine_caption = said->has_machine_caption ? said->text.data + said->machine_caption_at : "";
    if (!said->caption_by && said->has_file_caption)
        said->caption_by = PD_SAID_FILE;
    switch (said->caption_by) {
    case PD_SAID_USER: said->caption = said->columns[PD_SAID_CAPTION]; break;
    case PD_SAID_MACHINE: said->caption = said->machine_caption; break;
    case PD_SAID_FILE: said->caption = said->text.data + said->file_caption_at; break;
    default: said->caption = "";
    }
}

static pd_said_column column_of_tag(const pd_said_label *tag)
{
    if (tag->by != PD_SAID_MACHINE)
        return PD_SAID_TAG;
    return tag->doubtful ? PD_SAID_DOUBTFUL_TAG : PD_SAID_MACHINE_TAG;
}

static pd_status finish(pd_said *said, pd_error *err)
{
    pd_status status = said->text.status;
    if (status == PD_OK)
        weigh_labels(said);
    for (size_t i = 0; i < said->n_labels && status == PD_OK; i++) {
        if (said->labels[i].place == PD_WHERE_TAG)
            append_part(said, column_of_tag(&said->labels[i]), said->labels[i].name.text);
        else if (said->labels[i].place == PD_WHERE_PERSON)
            append_part(said, PD_SAID_PERSON, said->labels[i].name.text);
    }
    for (size_t i = 0; i < PD_SAID_COLUMN_COUNT && status == PD_OK; i++) {
        status = said->parts[i].status;
        said->columns[i] = said->parts[i].len ? said->parts[i].data : "";
    }
    if (status == PD_OK)
        choose_caption(said);
    if (status == PD_ERR_NOMEM)
        return pd_error_set_nomem(err);
    return status == PD_OK ? PD_OK
                           : pd_error_set(err, status, "all texts of a photo have at most %zu bytes", TEXT_BYTES_MAX);
}

static pd_status read_all(pd_store *store, int64_t photo, pd_said *said, pd_error *err)
{
    sqlite3_stmt *stmt;
    bool row;
    PD_TRY(pd_stmt_get(store, PD_STMT_SAID_PHOTO, &stmt, err));
    sqlite3_bind_int64(stmt, 1, photo);
    PD_TRY(pd_stmt_step(store, stmt, &row, err));
    if (row)
        take_photo(said, stmt);
    pd_stmt_reset(stmt);
    if (!row)
        return PD_ERR_NO_MATCH;
    said->photo = photo;
    for (row_kind kind = ROW_FILE; kind <= ROW_ALBUM; kind++)
        PD_TRY(read_rows(store, said, kind, err));
    return finish(said, err);
}

pd_status pd_said_read(pd_store *store, int64_t photo, pd_said *said, pd_error *err)
{
    clear(said);
    return read_all(store, photo, said, err);
}

const pd_said_label *pd_said_labels(const pd_said *said, pd_text_where place, size_t *ret_n)
{
    size_t first = 0, n = 0;
    while (first < said->n_labels && said->labels[first].place < place)
        first++;
    while (first + n < said->n_labels && said->labels[first + n].place == place)
        n++;
    *ret_n = n;
    return said->labels + first;
}
