/* help.h: help texts, made from the tables of commands and options. */
#ifndef PD_CLI_HELP_H
#define PD_CLI_HELP_H

#include "base/buf.h"
#include "cli/commands.h"

#define PD_HELP_COLUMNS 80 /* no line is wider, command lines in examples aside */

void pd_help_program(pd_buf *buf);
void pd_help_command(pd_buf *buf, const pd_command *command);

/* "-h, --help" or "--library DIR". */
void pd_help_option_form(pd_buf *buf, const pd_option *option);
/* The help sentence with choices, range, preset and variable. */
void pd_help_option_text(pd_buf *buf, const pd_option *option);

#endif
