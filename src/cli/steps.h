/* steps.h: an edit of photos as a command does it, and what is said of a step of the journal. */
#ifndef PD_CLI_STEPS_H
#define PD_CLI_STEPS_H

#include "base/json.h"
#include "cli/cli.h"

/* The photos that are named, or that --query finds; --dry-run only says how many. */
PD_MUST_USE pd_status pd_steps_edit(pd_cli *cli, pd_library *library, pd_edit *edit, const char *const *names, size_t n,
                                    pd_error *err);
/* Takes the document, which is written with --json. */
void pd_steps_write(pd_cli *cli, const pd_step *step, pd_json *json);

#endif
