#include "cli/commands.h"
#include "cli/help.h"

pd_status pd_cmd_help(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    if (n == 0) {
        pd_help_program(&cli->out.buf);
        return PD_OK;
    }
    const pd_command *command = pd_command_find(arguments[0]);
    if (!command)
        return pd_error_set(err, PD_ERR_USAGE, "there is no command '%s' to help with", arguments[0]);
    pd_help_command(&cli->out.buf, command);
    return PD_OK;
}
