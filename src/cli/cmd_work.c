/* tag, rate, favorite and undo: what the user does for photos. */
#include <string.h>

#include "answer/answer.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/steps.h"

/* The first `n_first` arguments say what, the others name photos. */
static pd_status edit_photos(pd_cli *cli, pd_edit *edit, size_t n_first, pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = pd_steps_edit(cli, library, edit, arguments + n_first, n - n_first, err);
    pd_library_close(&library);
    return status;
}

pd_status pd_cmd_tag(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    const bool removes = pd_options_given(&cli->options, PD_OPTION_REMOVE);
    pd_edit edit = { .kind = removes ? PD_EDIT_UNTAG : PD_EDIT_TAG, .text = arguments[0] };
    return edit_photos(cli, &edit, 1, err);
}

pd_status pd_cmd_rate(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    uint64_t stars = 0;
    const bool none = strcmp(arguments[0], "none") == 0;
    if (!none && !pd_parse_u64(arguments[0], 5, &stars))
        return pd_error_set(err, PD_ERR_USAGE, "a rating is a whole number from 0 to 5, or none, not '%s'",
                            arguments[0]);
    pd_edit edit = { .kind = PD_EDIT_RATING, .number = none ? PD_WORK_UNSET : (int)stars };
    return edit_photos(cli, &edit, 1, err);
}

pd_status pd_cmd_favorite(pd_cli *cli, pd_error *err)
{
    pd_edit edit = { .kind = PD_EDIT_FAVORITE, .number = !pd_options_given(&cli->options, PD_OPTION_REMOVE) };
    return edit_photos(cli, &edit, 0, err);
}

static pd_status undo(pd_cli *cli, pd_library *library, pd_error *err)
{
    pd_step step = { 0 };
    PD_TRY(pd_library_undo_next(library, &step, err));
    const bool any = step.number != 0, only_tells = pd_options_given(&cli->options, PD_OPTION_DRY_RUN);
    pd_status status = PD_OK;
    if (any && !only_tells) {
        const int64_t number = step.number;
        pd_step_done(&step);
        status = pd_library_undo(library, number, &step, err);
    }
    if (status == PD_OK && any) {
        if (!pd_options_given(&cli->options, PD_OPTION_JSON))
            pd_out_text(&cli->out, only_tells ? "would take back: " : "taken back: ");
        pd_steps_write(cli, &step, pd_answer_step(&step));
    } else if (status == PD_OK)
        status = pd_error_set(err, PD_ERR_NO_MATCH, "there is nothing to take back");
    pd_step_done(&step);
    return status;
}

pd_status pd_cmd_undo(pd_cli *cli, pd_error *err)
{
    pd_library *library = NULL;
    PD_TRY(pd_cli_open_library(cli, &library, err));
    const pd_status status = undo(cli, library, err);
    pd_library_close(&library);
    return status;
}
