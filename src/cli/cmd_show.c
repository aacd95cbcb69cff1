#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "answer/answer.h"
#include "base/attr.h"
#include "cli/commands.h"
#include "cli/human.h"

enum { LABEL_COLUMNS = 10, LINE_BYTES_MAX = 8192, WORDS_BYTES_MAX = 2 * PD_TEXTS_BYTES_MAX };

static const char *text_or_null(const char *text) { return text && *text ? text : NULL; }

static bool has_place(const pd_content *facts) { return isfinite(facts->gps_lat) && isfinite(facts->gps_lon); }

/* "  label     text", when there is text. */
static void write_row(pd_out *out, const char *label, const pd_buf *text)
{
    if (!text->len || text->status != PD_OK)
        return;
    pd_outf(out, "  %-*s", LABEL_COLUMNS, label);
    pd_out_printable(out, text->data);
    pd_out_text(out, "\n");
}

static void append_part(pd_buf *buf, const char *format, double value)
{
    if (!isfinite(value) || value <= 0)
        return;
    (void)pd_buf_append_string(buf, buf->len ? ", " : "");
    (void)pd_buf_appendf(buf, format, value);
}

static void append_exposure(pd_buf *buf, const pd_content *facts)
{
    if (facts->exposure_s > 0 && facts->exposure_s < 0.3)
        append_part(buf, "1/%.0f s", 1 / facts->exposure_s);
    else
        append_part(buf, "%.4g s", facts->exposure_s);
    append_part(buf, "f/%.3g", facts->fnumber);
    append_part(buf, "ISO %.0f", facts->iso);
    append_part(buf, "%.4g mm", facts->focal_mm);
    if (facts->shot.focal35_mm > 0 && facts->focal_mm > 0 && facts->shot.focal35_mm != facts->focal_mm)
        (void)pd_buf_appendf(buf, " (as %.4g mm)", facts->shot.focal35_mm);
    if (facts->shot.flash != PD_STORE_ABSENT && (facts->shot.flash & 1))
        (void)pd_buf_append_string(buf, buf->len ? ", flash" : "flash");
}

static void append_kind(pd_buf *buf, const pd_photo *photo)
{
    const pd_content *facts = &photo->facts;
    if (text_or_null(facts->type))
        (void)pd_buf_appendf(buf, "%s, ", facts->type);
    if (facts->width && facts->height)
        (void)pd_buf_appendf(buf, "%" PRIu32 " x %" PRIu32 " px, ", facts->width, facts->height);
    if (facts->pages > 1)
        (void)pd_buf_appendf(buf, "first of %" PRIu32 " pictures, ", facts->pages);
    pd_human_bytes(buf, photo->bytes);
}

static void append_camera(pd_buf *buf, const pd_content *facts)
{
    const char *make = text_or_null(facts->make), *camera = text_or_null(facts->camera);
    /* most cameras repeat their maker in the model: "Canon", "Canon PowerShot A70" */
    const bool repeats = make && camera && strncasecmp(make, camera, strlen(make)) == 0;
    if (make && !repeats)
        (void)pd_buf_appendf(buf, "%s%s", make, camera ? " " : "");
    if (camera)
        (void)pd_buf_append_string(buf, camera);
}

static void append_time(pd_buf *buf, const pd_content *facts)
{
    if (!text_or_null(facts->taken))
        return;
    pd_human_time(buf, facts->taken);
    if (text_or_null(facts->taken_source))
        (void)pd_buf_appendf(buf, " (%s)", facts->taken_source);
}

static void append_place(pd_buf *buf, const pd_content *facts)
{
    if (!has_place(facts))
        return;
    (void)pd_buf_appendf(buf, "%.6f, %.6f", facts->gps_lat, facts->gps_lon);
    if (isfinite(facts->gps_alt))
        (void)pd_buf_appendf(buf, ", %.0f m", facts->gps_alt);
}

static void append_hashes(pd_buf *buf, const pd_photo *photo)
{
    char sha256[PD_SHA256_TEXT_BYTES];
    if (!photo->content)
        return;
    pd_sha256_format(photo->facts.sha256, sha256);
    (void)pd_buf_appendf(buf, "sha256 %s", sha256);
    if (photo->facts.has_phash)
        (void)pd_buf_appendf(buf, ", picture %016" PRIx64, photo->facts.phash);
}

static void append_look(pd_buf *buf, const pd_photo *photo)
{
    const pd_look *look = &photo->facts.look;
    if (!photo->content || !photo->facts.has_phash)
        return;
    if (!isnan(look->sharpness))
        (void)pd_buf_appendf(buf, "sharpness %.1f", (double)look->sharpness);
    for (uint32_t i = 0; i < look->n_colours; i++)
        (void)pd_buf_appendf(buf, "%s#%02x%02x%02x %d %%", buf->len ? ", " : "", look->colours[i].red,
                             look->colours[i].green, look->colours[i].blue, look->colours[i].share);
}

static void append_learning(pd_buf *buf, const pd_photo *photo)
{
    if (!photo->learned_model) {
        (void)pd_buf_append_string(buf, "no");
        return;
    }
    (void)pd_buf_appendf(buf, "%s, ", photo->learned_model);
    pd_human_time(buf, photo->learned_at);
}

/* All texts of a kind in one row. */
static void append_words(pd_buf *buf, pd_texts texts, pd_text_kind kind)
{
    for (const char *text = NULL; (text = pd_texts_next(texts, text));) {
        if (pd_texts_kind(text) != kind)
            continue;
        (void)pd_buf_append_string(buf, buf->len ? ", " : "");
        (void)pd_buf_append_string(buf, text);
    }
}

static void append_rating(pd_buf *buf, const pd_content *facts, const pd_work *work)
{
    const bool by_user = work->rating_by == PD_SAID_USER;
    if (!by_user && facts->rating != PD_STORE_ABSENT && facts->rating < 0)
        (void)pd_buf_append_string(buf, "rejected");
    else if (work->rating > 0)
        (void)pd_buf_appendf(buf, "%d of 5%s", work->rating, by_user ? "" : " (the file's)");
    if (work->favorite)
        (void)pd_buf_append_string(buf, buf->len ? ", favorite" : "favorite");
}

static bool is_of_row(const pd_tag *tag, bool by_machine, bool doubtful)
{
    return (tag->by == PD_SAID_MACHINE) == by_machine && (!by_machine || tag->doubtful == doubtful);
}

/* One row for what the user and the file say, one for what a machine is sure of, one for the rest. */
static void write_tags(pd_out *out, const pd_work *work, pd_buf *row)
{
    static const struct {
        const char *label;
        bool by_machine, doubtful;
    } rows[] = { { "tags", false, false }, { "seen", true, false }, { "perhaps", true, true } };
    for (size_t k = 0; k < PD_COUNT_OF(rows); k++) {
        for (size_t i = 0; i < work->n_tags; i++)
            if (is_of_row(&work->tags[i], rows[k].by_machine, rows[k].doubtful))
                (void)pd_buf_appendf(row, "%s%s", row->len ? ", " : "", work->tags[i].name);
        write_row(out, rows[k].label, row);
        pd_buf_clear(row);
    }
}

/* What the user said, and the machine. */
static void write_work(pd_out *out, const pd_content *facts, const pd_work *work)
{
    pd_buf row;
    pd_buf_init(&row, WORDS_BYTES_MAX);
    append_rating(&row, facts, work);
    write_row(out, "rating", &row);
    pd_buf_clear(&row);
    if (work->caption_by == PD_SAID_USER)
        (void)pd_buf_append_string(&row, work->caption);
    else if (work->caption_by == PD_SAID_MACHINE)
        (void)pd_buf_appendf(&row, "%s (a machine's%s)", work->caption, work->caption_doubtful ? ", doubtful" : "");
    write_row(out, "caption", &row);
    pd_buf_clear(&row);
    write_tags(out, work, &row);
    for (size_t i = 0; i < work->n_albums; i++)
        (void)pd_buf_appendf(&row, "%s%s", row.len ? ", " : "", work->albums[i]);
    write_row(out, "albums", &row);
    pd_buf_done(&row);
}

/* What was written into the picture or beside it. */
static void write_words(pd_out *out, const pd_content *facts)
{
    static const struct {
        const char *label;
        pd_text_kind kind;
    } rows[] = {
        { "title", PD_TEXT_TITLE },        { "text", PD_TEXT_DESCRIPTION },    { "keywords", PD_TEXT_KEYWORD },
        { "under", PD_TEXT_KEYWORD_PATH }, { "persons", PD_TEXT_PERSON },      { "label", PD_TEXT_LABEL },
        { "artist", PD_TEXT_ARTIST },      { "copyright", PD_TEXT_COPYRIGHT }, { "software", PD_TEXT_SOFTWARE }
    };
    pd_buf row;
    pd_buf_init(&row, WORDS_BYTES_MAX);
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        append_words(&row, facts->texts, rows[i].kind);
        write_row(out, rows[i].label, &row);
        pd_buf_clear(&row);
    }
    pd_buf_done(&row);
}

static void write_view(pd_out *out, const pd_photo *photo, const pd_work *work)
{
    enum { KIND, TIME, CAMERA, LENS, EXPOSURE, PLACE, LOOK, HASHES, LEARNED, ERROR, ROW_N };
    static const char *const labels[ROW_N] = { "picture", "taken", "camera", "lens",    "exposure",
                                               "place",   "look",  "hashes", "learned", "error" };
    pd_buf rows[ROW_N];
    for (size_t i = 0; i < ROW_N; i++)
        pd_buf_init(&rows[i], LINE_BYTES_MAX);
    const pd_content *facts = &photo->facts;
    append_kind(&rows[KIND], photo);
    append_time(&rows[TIME], facts);
    append_camera(&rows[CAMERA], facts);
    (void)pd_buf_append_string(&rows[LENS], facts->lens ? facts->lens : "");
    append_exposure(&rows[EXPOSURE], facts);
    append_place(&rows[PLACE], facts);
    append_look(&rows[LOOK], photo);
    append_hashes(&rows[HASHES], photo);
    append_learning(&rows[LEARNED], photo);
    (void)pd_buf_append_string(&rows[ERROR], photo->error ? photo->error : "");
    pd_out_printable(out, photo->path);
    pd_outf(out, "\n  %-*s%" PRId64 "\n", LABEL_COLUMNS, "id", photo->id);
    for (size_t i = 0; i < ROW_N; i++) {
        if (i == HASHES) {
            write_words(out, facts);
            write_work(out, facts, work);
        }
        write_row(out, labels[i], &rows[i]);
        pd_buf_done(&rows[i]);
    }
}

pd_status pd_cmd_show(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    if (n > 1)
        return pd_error_set(err, PD_ERR_USAGE, "show takes one photo, but %zu were given", n);
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    pd_photo photo;
    pd_work work = { 0 };
    pd_status status = pd_library_show(library, arguments[0], &photo, &work, err);
    if (status == PD_OK) {
        if (pd_options_given(&cli->options, PD_OPTION_JSON))
            pd_out_json_take(&cli->out, pd_answer_photo(&photo, &work), true);
        else
            write_view(&cli->out, &photo, &work);
        status = photo.error ? PD_ERR_PARTIAL : PD_OK;
    }
    pd_library_close(&library);
    return status;
}
