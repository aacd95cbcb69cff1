/* export and import: the user's own work as one file, and photos as copies. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "answer/answer.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/human.h"
#include "cli/interrupt.h"
#include "cli/selection.h"

enum { PIECE_BYTES = 1 << 16 };

static void append_counted(pd_buf *buf, int64_t n, const char *one, const char *many)
{
    pd_human_count(buf, n);
    (void)pd_buf_appendf(buf, " %s", n == 1 ? one : many);
}

static pd_status export_work(pd_cli *cli, pd_library *library, pd_error *err)
{
    const char *file = cli->options.values[PD_OPTION_OUTPUT];
    pd_work_counts counts = { 0 };
    pd_buf buf;
    pd_buf_init(&buf, PD_LIBRARY_WORK_BYTES_MAX);
    pd_status status = pd_library_work_export(library, &buf, &counts, err);
    if (status == PD_OK && !file)
        pd_out_bytes(&cli->out, buf.data, buf.len);
    else if (status == PD_OK)
        status = pd_file_replace(file, buf.data, buf.len, true, err);
    pd_buf_done(&buf);
    if (status == PD_OK && file) {
        pd_buf *out = &cli->out.buf;
        append_counted(out, counts.edits, "edit", "edits");
        (void)pd_buf_append_string(out, " and ");
        append_counted(out, counts.searches, "saved search", "saved searches");
        (void)pd_buf_append_string(out, " are in ");
        pd_out_printable(&cli->out, file);
        pd_out_text(&cli->out, "\n");
    }
    return status;
}

static bool ask_interrupt(void *user, const pd_copies *so_far, size_t n)
{
    (void)so_far;
    (void)n;
    return !pd_interrupt_came(user);
}

static void write_copies(pd_cli *cli, const pd_copies *copies, size_t n)
{
    pd_buf *out = &cli->out.buf;
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_copies(copies, n), true);
        return;
    }
    append_counted(out, copies->copied, "photo was copied", "photos were copied");
    if (copies->renamed) {
        (void)pd_buf_append_string(out, ", ");
        append_counted(out, copies->renamed, "of them under another name", "of them under other names");
    }
    pd_out_text(&cli->out, "\n");
}

static pd_status copy_photos(pd_cli *cli, pd_library *library, const pd_photos *photos, pd_error *err)
{
    const bool dry = pd_options_given(&cli->options, PD_OPTION_DRY_RUN);
    pd_copies copies = { .copied = (int64_t)photos->n };
    if (dry) {
        pd_out_text(&cli->out, "would copy: ");
        append_counted(&cli->out.buf, copies.copied, "photo", "photos");
        pd_out_text(&cli->out, "\n");
        return PD_OK;
    }
    copies = (pd_copies){ 0 };
    pd_interrupt interrupt;
    pd_interrupt_begin(&interrupt);
    const pd_copying copying = { .ids = photos->ids,
                                 .n = photos->n,
                                 .folder = cli->options.values[PD_OPTION_TO],
                                 .progress = ask_interrupt,
                                 .user = &interrupt };
    pd_status status = pd_library_copy(library, &copying, &copies, err);
    pd_interrupt_end(&interrupt);
    if (status == PD_OK || status == PD_ERR_CANCELLED)
        write_copies(cli, &copies, photos->n);
    if (copies.failed)
        pd_sayf("%" PRId64 " could not be copied; the first: %s", copies.failed, copies.first_failure);
    return status == PD_OK && copies.failed ? PD_ERR_PARTIAL : status;
}

static bool sidecar_interrupt(void *user, const pd_sidecars *so_far, size_t n)
{
    (void)so_far;
    (void)n;
    return !pd_interrupt_came(user);
}

static void say_sidecars(pd_cli *cli, const pd_sidecars *sidecars, size_t n, bool dry)
{
    pd_buf *out = &cli->out.buf;
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_sidecars(sidecars, n), true);
        return;
    }
    if (dry)
        (void)pd_buf_append_string(out, "would write: ");
    append_counted(out, sidecars->written, "sidecar", "sidecars");
    (void)pd_buf_append_string(out, dry ? ", " : sidecars->written == 1 ? " was written, " : " were written, ");
    append_counted(out, sidecars->unchanged, "photo has nothing new to say", "photos have nothing new to say");
    pd_out_text(&cli->out, "\n");
}

static pd_status write_sidecars(pd_cli *cli, pd_library *library, const pd_photos *photos, pd_error *err)
{
    pd_sidecars sidecars = { 0 };
    pd_interrupt interrupt;
    pd_interrupt_begin(&interrupt);
    const pd_sidecar_options options = { .ids = photos->ids,
                                         .n = photos->n,
                                         .machine = pd_options_given(&cli->options, PD_OPTION_MACHINE),
                                         .dry_run = pd_options_given(&cli->options, PD_OPTION_DRY_RUN),
                                         .progress = sidecar_interrupt,
                                         .user = &interrupt };
    const pd_status status = pd_library_sidecars(library, &options, &sidecars, err);
    pd_interrupt_end(&interrupt);
    say_sidecars(cli, &sidecars, photos->n, options.dry_run);
    if (sidecars.failed)
        pd_sayf("%" PRId64 " could not be written; the first: %s", sidecars.failed, sidecars.first_failure);
    return status == PD_OK && sidecars.failed ? PD_ERR_PARTIAL : status;
}

static pd_status export_photos(pd_cli *cli, pd_library *library, const char *const *names, size_t n, pd_error *err)
{
    pd_photos photos = { 0 };
    const bool sidecars = pd_options_given(&cli->options, PD_OPTION_SIDECARS);
    if (sidecars == pd_options_given(&cli->options, PD_OPTION_TO))
        return pd_error_set(err, PD_ERR_USAGE,
                            sidecars ? "either copies (--to) or sidecars (--sidecars), not both at once"
                                     : "photos are copied with --to FOLDER; for a list of them: search --csv or -0");
    if (!sidecars && pd_options_given(&cli->options, PD_OPTION_MACHINE))
        return pd_error_set(err, PD_ERR_USAGE, "--machine is for --sidecars");
    PD_TRY(pd_photos_choose(cli, library, names, n, &photos, err));
    const pd_status status =
        sidecars ? write_sidecars(cli, library, &photos, err) : copy_photos(cli, library, &photos, err);
    pd_photos_done(&photos);
    return status;
}

pd_status pd_cmd_export(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *names = pd_cli_arguments(cli, &n);
    const bool copies =
        n > 0 || pd_options_given(&cli->options, PD_OPTION_TO) || pd_options_given(&cli->options, PD_OPTION_QUERY) ||
        pd_options_given(&cli->options, PD_OPTION_SIDECARS) || pd_options_given(&cli->options, PD_OPTION_MACHINE);
    if (copies && pd_options_given(&cli->options, PD_OPTION_OUTPUT))
        return pd_error_set(err, PD_ERR_USAGE, "-o is for the work of all photos; copies go where --to says");
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = copies ? export_photos(cli, library, names, n, err) : export_work(cli, library, err);
    pd_library_close(&library);
    return status;
}

static pd_status read_input(pd_buf *buf, pd_error *err)
{
    ssize_t n = 1;
    while (n > 0) {
        if (pd_buf_reserve(buf, PIECE_BYTES) != PD_OK)
            return buf->status == PD_ERR_LIMIT
                       ? pd_error_set(err, PD_ERR_LIMIT, "the work is longer than %zu bytes", buf->len_max)
                       : pd_error_set_nomem(err);
        n = read(STDIN_FILENO, buf->data + buf->len, PIECE_BYTES);
        if (n < 0 && errno != EINTR)
            return pd_error_set_errno(err, errno, "cannot read standard input");
        buf->len += n > 0 ? (size_t)n : 0;
        n = n < 0 ? 1 : n;
    }
    return PD_OK;
}

static void write_counts(pd_cli *cli, const pd_work_counts *counts)
{
    pd_buf *out = &cli->out.buf;
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_work_counts(counts), true);
        return;
    }
    append_counted(out, counts->edits, "edit", "edits");
    (void)pd_buf_append_string(out, " and ");
    append_counted(out, counts->searches, "saved search", "saved searches");
    (void)pd_buf_append_string(out, " were read");
    if (counts->waiting) {
        (void)pd_buf_append_string(out, "; ");
        append_counted(out, counts->waiting, "waits for its picture", "wait for their pictures");
    }
    pd_out_text(&cli->out, "\n");
}

static pd_status import_text(pd_cli *cli, const pd_buf *text, pd_error *err)
{
    pd_library *library = NULL;
    pd_work_counts counts = { 0 };
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = pd_library_work_import(library, text->len ? text->data : "", text->len, &counts, err);
    pd_library_close(&library);
    if (status == PD_OK)
        write_counts(cli, &counts);
    return status;
}

pd_status pd_cmd_import(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *names = pd_cli_arguments(cli, &n);
    pd_buf text;
    if (n > 1)
        return pd_error_set(err, PD_ERR_USAGE, "import takes one file, but %zu were given", n);
    pd_buf_init(&text, PD_LIBRARY_WORK_BYTES_MAX);
    const bool from_input = strcmp(names[0], "-") == 0;
    pd_status status =
        from_input ? read_input(&text, err) : pd_file_read(names[0], PD_LIBRARY_WORK_BYTES_MAX, &text, err);
    if (status == PD_OK) {
        status = import_text(cli, &text, err);
        if (status == PD_ERR_FORMAT || status == PD_ERR_UNSUPPORTED)
            pd_error_prefix(err, "'%s'", from_input ? "standard input" : names[0]);
    }
    pd_buf_done(&text);
    return status;
}
