/* commands.h: the commands as one table: dispatch, help, manual and completions read it. */
#ifndef PD_CLI_COMMANDS_H
#define PD_CLI_COMMANDS_H

#include "base/error.h"
#include "cli/cli.h"

typedef struct pd_command {
    const char *name;
    const char *arguments; /* as usage shows them */
    const char *summary;   /* one line, no full stop */
    const char *details;   /* paragraphs, separated by an empty line; written as one long line each */
    const char *examples;  /* command lines, without "pixel-detective", one a line; each may have " # what it does" */
    const char *missing;   /* the sentence for a call without arguments; NULL: they are not needed */
    uint64_t options;      /* PD_OPTION_BITs, the common ones aside */
    bool takes_no_arguments;
    /* Ends with PD_OK, or a status with a sentence, or one without: then everything is said already. */
    pd_status (*run)(pd_cli *cli, pd_error *err);
} pd_command;

const pd_command *pd_commands(size_t *ret_n);
const pd_command *pd_command_find(const char *name); /* NULL when there is none */
const pd_command *pd_command_preset(void);           /* without a name */

/* Options that every command takes. */
uint64_t pd_command_common_options(void);

pd_status pd_cmd_index(pd_cli *cli, pd_error *err);
pd_status pd_cmd_search(pd_cli *cli, pd_error *err);
pd_status pd_cmd_similar(pd_cli *cli, pd_error *err);
pd_status pd_cmd_tag(pd_cli *cli, pd_error *err);
pd_status pd_cmd_rate(pd_cli *cli, pd_error *err);
pd_status pd_cmd_favorite(pd_cli *cli, pd_error *err);
pd_status pd_cmd_album(pd_cli *cli, pd_error *err);
pd_status pd_cmd_undo(pd_cli *cli, pd_error *err);
pd_status pd_cmd_saved(pd_cli *cli, pd_error *err);
pd_status pd_cmd_history(pd_cli *cli, pd_error *err);
pd_status pd_cmd_export(pd_cli *cli, pd_error *err);
pd_status pd_cmd_import(pd_cli *cli, pd_error *err);
pd_status pd_cmd_model(pd_cli *cli, pd_error *err);
pd_status pd_cmd_caption(pd_cli *cli, pd_error *err);
pd_status pd_cmd_show(pd_cli *cli, pd_error *err);
pd_status pd_cmd_serve(pd_cli *cli, pd_error *err);
pd_status pd_cmd_status(pd_cli *cli, pd_error *err);
pd_status pd_cmd_help(pd_cli *cli, pd_error *err);

#endif
