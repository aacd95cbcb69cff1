#include <inttypes.h>

#include "answer/answer.h"
#include "cli/commands.h"
#include "cli/human.h"

enum { LABEL_COLUMNS = 10 };

static bool add_root_json(void *user, const pd_root *root)
{
    return pd_json_append_take(user, pd_answer_root(root)) == PD_OK;
}

static void write_label(pd_out *out, const char *label) { pd_outf(out, "%-*s", LABEL_COLUMNS, label); }

typedef struct root_writer {
    pd_out *out;
    bool any;
} root_writer;

static bool write_root(void *user, const pd_root *root)
{
    root_writer *writer = user;
    write_label(writer->out, writer->any ? "" : "folders");
    writer->any = true;
    pd_out_printable(writer->out, root->path);
    pd_out_text(writer->out, " (");
    pd_human_count(&writer->out->buf, root->n_photos);
    pd_outf(writer->out, "%s)\n", root->offline ? ", offline" : "");
    return true;
}

static void write_counts(pd_out *out, const pd_library_status *state)
{
    write_label(out, "photos");
    pd_human_count(&out->buf, state->files);
    pd_out_text(out, " known, ");
    pd_human_count(&out->buf, state->learned);
    pd_out_text(out, " learned");
    if (state->errors) {
        pd_out_text(out, ", ");
        pd_human_count(&out->buf, state->errors);
        pd_out_text(out, " with an error");
    }
    if (state->offline) {
        pd_out_text(out, ", ");
        pd_human_count(&out->buf, state->offline);
        pd_out_text(out, " offline");
    }
    pd_out_text(out, "\n");
}

static void write_space(pd_out *out, const pd_library_status *state)
{
    const struct {
        const char *name;
        int64_t bytes;
    } parts[] = {
        { "catalogue", state->catalogue_bytes },
        { "vectors", state->vectors_bytes },
        { "thumbnails", state->thumbs_bytes },
        { "prepared model", state->prepared_bytes },
    };
    write_label(out, "space");
    for (size_t i = 0; i < PD_COUNT_OF(parts); i++) {
        pd_outf(out, "%s%s ", i ? ", " : "", parts[i].name);
        pd_human_bytes(&out->buf, parts[i].bytes);
    }
    pd_out_text(out, "\n");
}

static void write_model(pd_out *out, const pd_library_status *state)
{
    write_label(out, "model");
    pd_out_printable(out, state->model_name ? state->model_name : "none");
    pd_outf(out, " (%s)\n", state->model_state ? state->model_state : "missing");
}

static pd_status write_all(pd_cli *cli, pd_library *library, const pd_library_status *state, pd_error *err)
{
    pd_out *out = &cli->out;
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_json *roots = pd_json_array();
        const pd_status status = pd_library_roots(library, add_root_json, roots, err);
        if (status == PD_OK)
            pd_out_json_take(out, pd_answer_status_take(pd_library_dir(library), state, roots), true);
        else
            pd_json_free(&roots);
        return status;
    }
    write_label(out, "library");
    pd_out_printable(out, pd_library_dir(library));
    pd_out_text(out, "\n");
    root_writer writer = { .out = out };
    PD_TRY(pd_library_roots(library, write_root, &writer, err));
    write_counts(out, state);
    write_model(out, state);
    write_space(out, state);
    write_label(out, "learning");
    if (state->learner_pid)
        pd_outf(out, "now, in process %" PRId64 "\n", state->learner_pid);
    else
        pd_out_text(out, "no\n");
    if (!state->files) {
        pd_out_text(out, "\nBegin with: ");
        pd_cli_append_command(cli, &out->buf);
        pd_out_text(out, "index FOLDER\n");
    }
    return PD_OK;
}

pd_status pd_cmd_status(pd_cli *cli, pd_error *err)
{
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    pd_library_status state = { 0 };
    pd_status status = pd_library_status_get(library, &state, err);
    if (status == PD_OK)
        status = write_all(cli, library, &state, err);
    pd_library_close(&library);
    return status;
}
