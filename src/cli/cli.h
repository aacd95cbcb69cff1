/* cli.h: what every command is given. */
#ifndef PD_CLI_CLI_H
#define PD_CLI_CLI_H

#include "base/error.h"
#include "cli/environment.h"
#include "cli/options.h"
#include "cli/output.h"
#include "library/library.h"

typedef struct pd_cli {
    const char *program; /* what to type to run this program: a path when it was started by one */
    pd_environment environment;
    pd_options options;
    bool named; /* the first word is the command; else all words are its arguments */
    pd_out out; /* standard output */
} pd_cli;

/* The whole program: returns its exit code. */
int pd_cli_run(int argc, char **argv);

/* The arguments of the command. */
const char *const *pd_cli_arguments(const pd_cli *cli, size_t *ret_n);

/* The library that the options name. */
PD_MUST_USE pd_status pd_cli_open_library(const pd_cli *cli, pd_library **ret_library, pd_error *err);

/* "pixel-detective" with what selects this library again, ready to be typed, and a space. */
void pd_cli_append_command(const pd_cli *cli, pd_buf *buf);

#endif
