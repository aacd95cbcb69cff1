#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/exit_code.h"

enum {
    OPTION_INDENT = 2,
    OPTION_TEXT_COLUMN = 24,
    COMMAND_TEXT_COLUMN = 25,
    TEXT_BYTES_MAX = 4096,
};

/* Appends `text` in words, beginning at `column`, further lines indented by `indent`. Line ends in `text` are kept. */
static void append_wrapped(pd_buf *buf, const char *text, size_t column, size_t indent)
{
    bool line_start = true;
    while (*text) {
        const size_t len = strcspn(text, " \n");
        if (!line_start && column + 1 + len > PD_HELP_COLUMNS) {
            (void)pd_buf_appendf(buf, "\n%*s", (int)indent, "");
            column = indent;
            line_start = true;
        }
        (void)pd_buf_appendf(buf, "%s%.*s", line_start ? "" : " ", (int)len, text);
        column += len + !line_start;
        line_start = false;
        text += len;
        if (*text == '\n') {
            (void)pd_buf_append(buf, "\n", 1);
            column = 0;
            line_start = true;
        }
        text += *text != '\0';
    }
    (void)pd_buf_append(buf, "\n", 1);
}

void pd_help_option_form(pd_buf *buf, const pd_option *option)
{
    if (option->letter)
        (void)pd_buf_appendf(buf, "-%c%s", option->letter, option->name ? ", " : "");
    if (option->name)
        (void)pd_buf_appendf(buf, "--%s", option->name);
    if (option->value)
        (void)pd_buf_appendf(buf, " %s", option->value);
}

void pd_help_option_text(pd_buf *buf, const pd_option *option)
{
    (void)pd_buf_append_string(buf, option->help);
    if (option->choices)
        (void)pd_buf_appendf(buf, ": %s", option->choices);
    if (option->max)
        (void)pd_buf_appendf(buf, ", from %llu to %llu", (unsigned long long)option->min,
                             (unsigned long long)option->max);
    if (option->preset)
        (void)pd_buf_appendf(buf, " (default: %s%s%s)", option->preset, option->environment ? "; see " : "",
                             option->environment ? option->environment : "");
}

static void append_row(pd_buf *buf, const char *left, const char *text, size_t text_column)
{
    const size_t used = OPTION_INDENT + strlen(left);
    (void)pd_buf_appendf(buf, "%*s%s", OPTION_INDENT, "", left);
    if (used + 2 > text_column)
        (void)pd_buf_appendf(buf, "\n%*s", (int)text_column, "");
    else
        (void)pd_buf_appendf(buf, "%*s", (int)(text_column - used), "");
    append_wrapped(buf, text, text_column, text_column);
}

static void append_option(pd_buf *buf, const pd_option *option)
{
    pd_buf form, text;
    pd_buf_init(&form, TEXT_BYTES_MAX);
    pd_buf_init(&text, TEXT_BYTES_MAX);
    pd_help_option_form(&form, option);
    pd_help_option_text(&text, option);
    if (form.status == PD_OK && text.status == PD_OK)
        append_row(buf, form.data, text.data, OPTION_TEXT_COLUMN);
    pd_buf_done(&text);
    pd_buf_done(&form);
}

static void append_options(pd_buf *buf, const char *title, uint64_t set)
{
    if (!set)
        return;
    (void)pd_buf_appendf(buf, "\n%s:\n", title);
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
        if (set & PD_OPTION_BIT(id))
            append_option(buf, pd_option_of(id));
}

void pd_help_program(pd_buf *buf)
{
    (void)pd_buf_append_string(buf, "Pixel Detective finds your own photos by what they show, on your own machine.\n"
                                    "\n"
                                    "Usage: pixel-detective COMMAND [OPTION...] [ARGUMENT...]\n"
                                    "\n"
                                    "Commands:\n");
    size_t n;
    const pd_command *commands = pd_commands(&n);
    for (size_t i = 0; i < n; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].arguments);
        append_row(buf, left, commands[i].summary, COMMAND_TEXT_COLUMN);
    }
    append_options(buf, "Options of every command", pd_command_common_options());
    const pd_environment_variable *variables = pd_environment_variables(&n);
    (void)pd_buf_append_string(buf, "\nEnvironment:\n");
    for (size_t i = 0; i < n; i++)
        append_row(buf, variables[i].name, variables[i].meaning, COMMAND_TEXT_COLUMN);
    (void)pd_buf_append_string(buf, "\n"
                                    "Begin with:\n"
                                    "  pixel-detective index ~/Pictures\n"
                                    "  pixel-detective search \"a dog on the beach\"\n"
                                    "\n"
                                    "'pixel-detective help COMMAND' tells all about a command.\n");
}

void pd_help_command(pd_buf *buf, const pd_command *command)
{
    (void)pd_buf_appendf(buf, "%s.\n\nUsage: pixel-detective %s%s%s%s\n\n", command->summary, command->name,
                         command->run == pd_cmd_help ? "" : " [OPTION...]", *command->arguments ? " " : "",
                         command->arguments);
    append_wrapped(buf, command->details, 0, 0);
    append_options(buf, "Options", command->options);
    append_options(buf, "Options of every command", pd_command_common_options());
    (void)pd_buf_append_string(buf, "\nExamples:\n");
    for (const char *line = command->examples; *line;) {
        const size_t len = strcspn(line, "\n");
        (void)pd_buf_appendf(buf, "  pixel-detective %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    (void)pd_buf_append_string(buf, "\nExit codes:\n");
    const pd_exit_meaning *meanings;
    size_t n;
    meanings = pd_exit_meanings(&n);
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, "  %3d  %s\n", meanings[i].code, meanings[i].meaning);
}
