#include "cli/steps.h"

#include "answer/answer.h"
#include "cli/human.h"
#include "cli/selection.h"

static void write_dry_run(pd_cli *cli, size_t n)
{
    if (pd_options_given(&cli->options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, pd_answer_would(n), true);
        return;
    }
    pd_out_text(&cli->out, "would change ");
    pd_human_count(&cli->out.buf, (int64_t)n);
    pd_out_text(&cli->out, n == 1 ? " photo\n" : " photos\n");
}

void pd_steps_write(pd_cli *cli, const pd_step *step, pd_json *json)
{
    const pd_options *options = &cli->options;
    if (pd_options_given(options, PD_OPTION_JSON)) {
        pd_out_json_take(&cli->out, json, true);
        return;
    }
    pd_json_free(&json);
    pd_out_printable(&cli->out, step->sentence      ? step->sentence
                                : step->number == 0 ? "nothing to change: it is so already"
                                                    : "done");
    pd_out_text(&cli->out, "\n");
}

pd_status pd_steps_edit(pd_cli *cli, pd_library *library, pd_edit *edit, const char *const *names, size_t n,
                        pd_error *err)
{
    pd_photos photos = { 0 };
    pd_step step = { 0 };
    PD_TRY(pd_photos_choose(cli, library, names, n, &photos, err));
    edit->photos = photos.ids;
    edit->n_photos = photos.n;
    pd_status status = PD_OK;
    if (pd_options_given(&cli->options, PD_OPTION_DRY_RUN)) {
        write_dry_run(cli, photos.n);
    } else {
        status = pd_library_edit(library, edit, &step, err);
        if (status == PD_OK)
            pd_steps_write(cli, &step, pd_answer_edited(&step));
    }
    pd_step_done(&step);
    pd_photos_done(&photos);
    return status;
}
