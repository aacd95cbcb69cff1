/* caption: what pictures show, in words. */
#include <string.h>

#include "answer/answer.h"
#include "cli/commands.h"

enum { LINE_BYTES_MAX = 1 << 16 };

static void write_row(pd_out *out, const char *label, const char *text)
{
    pd_outf(out, "  %-10s", label);
    pd_out_printable(out, text);
    pd_out_text(out, "\n");
}

/* The tags that are doubtful, or those that are not, in one row. */
static void write_tags(pd_out *out, const char *label, const pd_written *written, bool doubtful)
{
    pd_buf row;
    pd_buf_init(&row, LINE_BYTES_MAX);
    for (size_t i = 0; i < written->n_tags; i++)
        if (written->tags[i].doubtful == doubtful)
            (void)pd_buf_appendf(&row, "%s%s", row.len ? ", " : "", written->tags[i].word);
    if (row.len)
        write_row(out, label, row.data);
    pd_buf_done(&row);
}

static void write_text(pd_out *out, const char *picture, const pd_written *written)
{
    pd_buf row;
    pd_buf_init(&row, LINE_BYTES_MAX);
    pd_out_printable(out, picture);
    pd_out_text(out, "\n");
    (void)pd_buf_appendf(&row, "%s%s", written->caption, written->caption_doubtful ? " (doubtful)" : "");
    if (written->caption[0] && row.len)
        write_row(out, "caption", row.data);
    write_tags(out, "tags", written, false);
    write_tags(out, "perhaps", written, true);
    pd_buf_done(&row);
}

typedef struct telling {
    pd_cli *cli;
    pd_json *list; /* of --json */
    bool jsonl;
    size_t n_failed;
} telling;

static void tell(telling *t, const char *picture, const pd_written *written, const char *error)
{
    if (t->list)
        (void)pd_json_append_take(t->list, pd_answer_written(picture, written, error));
    else if (t->jsonl)
        pd_out_json_take(&t->cli->out, pd_answer_written(picture, written, error), false);
    else if (!error)
        write_text(&t->cli->out, picture, written);
}

/* False: it concerns all that come after it as well. */
static bool is_of_picture(pd_status status)
{
    return status != PD_OK && status != PD_ERR_NOMEM && status != PD_ERR_BUSY && status != PD_ERR_CANCELLED &&
           status != PD_ERR_FULL && status != PD_ERR_CORRUPT && status != PD_ERR_INTERNAL;
}

static pd_status caption_all(telling *t, pd_library *library, const char *const *pictures, size_t n, pd_error *err)
{
    for (size_t i = 0; i < n; i++) {
        pd_written written = { 0 };
        pd_error error = { 0 };
        const pd_status status =
            pd_library_describe(library, &(pd_example){ .text = pictures[i] }, NULL, &written, &error);
        const bool is_written = written.tags_source[0] != '\0'; /* even when it could not be kept */
        if (is_written || is_of_picture(status))
            tell(t, pictures[i], &written, is_written ? NULL : error.message);
        t->n_failed += status != PD_OK;
        if (status != PD_OK && !is_written && (n == 1 || !is_of_picture(status)))
            return pd_error_hand_on(err, &error);
        if (status != PD_OK)
            pd_say(error.message);
    }
    return t->n_failed > 0 ? PD_ERR_PARTIAL : PD_OK;
}

pd_status pd_cmd_caption(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *pictures = pd_cli_arguments(cli, &n);
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    telling t = { .cli = cli, .jsonl = pd_options_given(&cli->options, PD_OPTION_JSONL) };
    if (pd_options_given(&cli->options, PD_OPTION_JSON))
        t.list = pd_json_array();
    const pd_status status = caption_all(&t, library, pictures, n, err);
    if (t.list) {
        pd_json *json = pd_json_object();
        if (pd_json_set_take(json, "pictures", t.list) != PD_OK)
            pd_json_free(&json);
        pd_out_json_take(&cli->out, json, true);
    }
    pd_library_close(&library);
    return status;
}
