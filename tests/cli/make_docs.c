/* make_docs man|bash|zsh|fish: the manual page and the completions, written from the tables that the parser obeys.
 * The results are committed; a test compares them (`make_docs man > docs/man/pixel-detective.1` renews one). */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/exit_code.h"
#include "cli/help.h"

enum { DOC_BYTES_MAX = 1 << 20 };

/* Text for roff: hyphens and backslashes as themselves, no line that begins with a control character. */
static void roff_text(pd_buf *buf, const char *text, size_t len)
{
    bool line_start = true;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        if (line_start && (c == '.' || c == '\''))
            (void)pd_buf_append_string(buf, "\\&");
        if (c == '\\')
            (void)pd_buf_append_string(buf, "\\e");
        else if (c == '-')
            (void)pd_buf_append_string(buf, "\\-");
        else
            (void)pd_buf_append(buf, &c, 1);
        line_start = c == '\n';
    }
}

static void roff_string(pd_buf *buf, const char *text) { roff_text(buf, text, strlen(text)); }

static void roff_paragraphs(pd_buf *buf, const char *text)
{
    for (const char *rest = text; *rest;) {
        const char *end = strstr(rest, "\n\n");
        const size_t len = end ? (size_t)(end - rest) : strlen(rest);
        (void)pd_buf_append_string(buf, ".PP\n");
        roff_text(buf, rest, len);
        (void)pd_buf_append_string(buf, "\n");
        rest += len + (end ? 2 : 0);
    }
}

static void roff_options(pd_buf *buf, uint64_t set)
{
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++) {
        if (!(set & PD_OPTION_BIT(id)))
            continue;
        pd_buf part;
        pd_buf_init(&part, DOC_BYTES_MAX);
        pd_help_option_form(&part, pd_option_of(id));
        (void)pd_buf_append_string(buf, ".TP\n.B ");
        roff_string(buf, part.data);
        pd_buf_clear(&part);
        pd_help_option_text(&part, pd_option_of(id));
        (void)pd_buf_append_string(buf, "\n");
        roff_string(buf, part.data);
        (void)pd_buf_append_string(buf, ".\n");
        pd_buf_done(&part);
    }
}

static void roff_examples(pd_buf *buf, const char *examples)
{
    (void)pd_buf_append_string(buf, ".PP\n.nf\n.RS\n");
    for (const char *line = examples; *line;) {
        const size_t len = strcspn(line, "\n");
        (void)pd_buf_append_string(buf, "pixel\\-detective ");
        roff_text(buf, line, len);
        (void)pd_buf_append_string(buf, "\n");
        line += len + (line[len] == '\n');
    }
    (void)pd_buf_append_string(buf, ".RE\n.fi\n");
}

static void roff_commands(pd_buf *buf)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    (void)pd_buf_append_string(buf, ".SH COMMANDS\n");
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_appendf(buf, ".SS %s ", commands[i].name);
        roff_string(buf, commands[i].arguments);
        (void)pd_buf_append_string(buf, "\n");
        roff_paragraphs(buf, commands[i].details);
        roff_options(buf, commands[i].options);
        roff_examples(buf, commands[i].examples);
    }
}

static void roff_tables(pd_buf *buf)
{
    size_t n;
    const pd_exit_meaning *meanings = pd_exit_meanings(&n);
    (void)pd_buf_append_string(buf, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, ".TP\n.B %d\n%s.\n", meanings[i].code, meanings[i].meaning);
    (void)pd_buf_append_string(buf, ".PP\nWhen nobody reads the results any more (as with \"head\"), the program ends "
                                    "by SIGPIPE, as others do.\n");
    const pd_environment_variable *variables = pd_environment_variables(&n);
    (void)pd_buf_append_string(buf, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, ".TP\n.B %s\n%s.\n", variables[i].name, variables[i].meaning);
}

static void write_man(pd_buf *buf)
{
    (void)pd_buf_append_string(buf, ".\\\" Made by tests/cli/make_docs.c from the tables in src/cli: change those.\n"
                                    ".TH PIXEL\\-DETECTIVE 1\n"
                                    ".SH NAME\n"
                                    "pixel\\-detective \\- find your own photos by what they show\n"
                                    ".SH SYNOPSIS\n"
                                    ".B pixel\\-detective\n"
                                    ".I COMMAND\n"
                                    "[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n"
                                    ".SH DESCRIPTION\n"
                                    "Learns the pictures in folders, and then finds them by words or by example. "
                                    "Everything happens on this machine. Originals are opened to be read, never to be "
                                    "written.\n"
                                    ".PP\n"
                                    "Options stand before or after the command; \"\\-\\-\" ends them. Results go to "
                                    "standard output, everything else to standard error.\n"
                                    ".SH OPTIONS OF EVERY COMMAND\n");
    roff_options(buf, pd_command_common_options());
    roff_commands(buf);
    roff_tables(buf);
    (void)pd_buf_append_string(buf, ".SH FILES\n"
                                    ".TP\n.B ~/.local/share/pixel\\-detective\nThe library.\n"
                                    ".TP\n.B ~/.cache/pixel\\-detective\n"
                                    "Thumbnails and prepared models; may be deleted at any time.\n");
}

static void append_words(pd_buf *buf, const char *between, uint64_t set)
{
    const char *glue = "";
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++) {
        const pd_option *option = pd_option_of(id);
        if (!(set & PD_OPTION_BIT(id)))
            continue;
        if (option->name) {
            (void)pd_buf_appendf(buf, "%s--%s", glue, option->name);
            glue = between;
        }
        if (option->letter) {
            (void)pd_buf_appendf(buf, "%s-%c", glue, option->letter);
            glue = between;
        }
    }
}

static void append_choices(pd_buf *buf, const char *choices)
{
    const char *choice, *glue = "";
    size_t len;
    while (pd_option_next_choice(&choices, &choice, &len)) {
        (void)pd_buf_appendf(buf, "%s%.*s", glue, (int)len, choice);
        glue = " ";
    }
}

static void append_command_names(pd_buf *buf)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, "%s%s", i ? " " : "", commands[i].name);
}

/* What the value of an option is, for a shell that offers some. */
typedef enum value_kind { VALUE_WORDS, VALUE_FILE, VALUE_FOLDER } value_kind;

static value_kind kind_of_value(const pd_option *option)
{
    if (option->max)
        return VALUE_WORDS;
    if (strstr(option->value, "DIR") || strstr(option->value, "FOLDER"))
        return VALUE_FOLDER;
    return strcmp(option->value, "FILE") == 0 ? VALUE_FILE : VALUE_WORDS;
}

static void bash_values(pd_buf *buf)
{
    (void)pd_buf_append_string(buf, "    case $prev in\n");
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++) {
        const pd_option *option = pd_option_of(id);
        char spelling[32];
        if (!option->value)
            continue;
        (void)pd_buf_appendf(buf, "    %s) COMPREPLY=($(compgen ", pd_option_spelling(id, spelling));
        if (option->choices) {
            (void)pd_buf_append_string(buf, "-W '");
            append_choices(buf, option->choices);
            (void)pd_buf_append_string(buf, "'");
        } else {
            static const char *const ways[] = { [VALUE_WORDS] = "-W ''", [VALUE_FILE] = "-f", [VALUE_FOLDER] = "-d" };
            (void)pd_buf_append_string(buf, ways[kind_of_value(option)]);
        }
        (void)pd_buf_append_string(buf, " -- \"$cur\")); return ;;\n");
    }
    (void)pd_buf_append_string(buf, "    esac\n");
}

static void write_bash(pd_buf *buf)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    (void)pd_buf_append_string(buf, "# bash completion for pixel-detective; made by tests/cli/make_docs.c\n"
                                    "_pixel_detective()\n{\n"
                                    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                                    "command= word options\n"
                                    "    COMPREPLY=()\n");
    bash_values(buf);
    (void)pd_buf_append_string(buf, "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $word in\n"
                                    "        ");
    for (size_t i = 0; i < n; i++)
        (void)pd_buf_appendf(buf, "%s%s", i ? "|" : "", commands[i].name);
    (void)pd_buf_append_string(buf, ") command=$word; break ;;\n        esac\n    done\n    options='");
    append_words(buf, " ", pd_command_common_options());
    (void)pd_buf_append_string(buf, "'\n    case $command in\n");
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_appendf(buf, "    %s) options+=' ", commands[i].name);
        append_words(buf, " ", commands[i].options);
        (void)pd_buf_append_string(buf, "' ;;\n");
    }
    (void)pd_buf_append_string(buf, "    esac\n"
                                    "    if [[ $cur == -* ]]; then\n"
                                    "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                                    "    elif [[ -z $command || $command == help ]]; then\n"
                                    "        COMPREPLY=($(compgen -W '");
    append_command_names(buf);
    (void)pd_buf_append_string(
        buf, "' -- \"$cur\"))\n"
             "    elif [[ $command == index ]]; then\n"
             "        COMPREPLY=($(compgen -d -- \"$cur\"))\n"
             "    elif [[ $command =~ ^(similar|show|tag|rate|favorite|album|export|import)$ ]]; then\n"
             "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
             "    fi\n}\n"
             "complete -o filenames -F _pixel_detective pixel-detective\n");
}

/* Help as a single-quoted word. */
static void append_quoted(pd_buf *buf, const char *text)
{
    (void)pd_buf_append(buf, "'", 1);
    for (const char *p = text; *p; p++)
        (void)(*p == '\'' ? pd_buf_append_string(buf, "'\\''") : pd_buf_append(buf, p, 1));
    (void)pd_buf_append(buf, "'", 1);
}

static void fish_option(pd_buf *buf, pd_option_id id, const char *command)
{
    const pd_option *option = pd_option_of(id);
    (void)pd_buf_append_string(buf, "complete -c pixel-detective");
    if (command)
        (void)pd_buf_appendf(buf, " -n '__fish_seen_subcommand_from %s'", command);
    if (option->letter)
        (void)pd_buf_appendf(buf, " -s %c", option->letter);
    if (option->name)
        (void)pd_buf_appendf(buf, " -l %s", option->name);
    if (option->choices) {
        (void)pd_buf_append_string(buf, " -x -a '");
        append_choices(buf, option->choices);
        (void)pd_buf_append_string(buf, "'");
    } else if (option->value) {
        (void)pd_buf_append_string(buf, kind_of_value(option) == VALUE_WORDS ? " -x" : " -r");
    }
    (void)pd_buf_append_string(buf, " -d ");
    append_quoted(buf, option->help);
    (void)pd_buf_append_string(buf, "\n");
}

static void write_fish(pd_buf *buf)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    (void)pd_buf_append_string(buf, "# fish completion for pixel-detective; made by tests/cli/make_docs.c\n");
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_appendf(buf, "complete -c pixel-detective -f -n __fish_use_subcommand -a %s -d ",
                             commands[i].name);
        append_quoted(buf, commands[i].summary);
        (void)pd_buf_append_string(buf, "\n");
        for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
            if (commands[i].options & PD_OPTION_BIT(id))
                fish_option(buf, id, commands[i].name);
    }
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
        if (pd_command_common_options() & PD_OPTION_BIT(id))
            fish_option(buf, id, NULL);
}

/* In an _arguments specification: brackets and colons have a meaning there. */
static void append_zsh_help(pd_buf *buf, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (strchr("[]:\\", *p))
            (void)pd_buf_append(buf, "\\", 1);
        (void)(*p == '\'' ? pd_buf_append_string(buf, "'\\''") : pd_buf_append(buf, p, 1));
    }
}

static void zsh_option(pd_buf *buf, pd_option_id id)
{
    const pd_option *option = pd_option_of(id);
    char spelling[32];
    (void)pd_buf_appendf(buf, " \\\n            '%s[", pd_option_spelling(id, spelling));
    append_zsh_help(buf, option->help);
    (void)pd_buf_append_string(buf, "]");
    if (option->choices) {
        (void)pd_buf_append_string(buf, ":value:(");
        append_choices(buf, option->choices);
        (void)pd_buf_append_string(buf, ")");
    } else if (option->value) {
        static const char *const ways[] = {
            [VALUE_WORDS] = ":value:", [VALUE_FILE] = ":file:_files", [VALUE_FOLDER] = ":directory:_files -/"
        };
        (void)pd_buf_append_string(buf, ways[kind_of_value(option)]);
    }
    (void)pd_buf_append_string(buf, "'");
}

static void write_zsh(pd_buf *buf)
{
    size_t n;
    const pd_command *commands = pd_commands(&n);
    (void)pd_buf_append_string(buf, "#compdef pixel-detective\n"
                                    "# zsh completion for pixel-detective; made by tests/cli/make_docs.c\n"
                                    "local command=${words[2]}\n"
                                    "if (( CURRENT == 2 )); then\n    local -a commands=(");
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_appendf(buf, "\n        '%s:", commands[i].name);
        append_zsh_help(buf, commands[i].summary);
        (void)pd_buf_append_string(buf, "'");
    }
    (void)pd_buf_append_string(buf, "\n    )\n    _describe command commands\nelse\n    case $command in\n");
    for (size_t i = 0; i < n; i++) {
        (void)pd_buf_appendf(buf, "    %s)\n        _arguments -s", commands[i].name);
        for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
            if ((commands[i].options | pd_command_common_options()) & PD_OPTION_BIT(id))
                zsh_option(buf, id);
        (void)pd_buf_append_string(buf, " \\\n            '*:file:_files' ;;\n");
    }
    (void)pd_buf_append_string(buf, "    esac\nfi\n");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(pd_buf *buf);
    } kinds[] = { { "man", write_man }, { "bash", write_bash }, { "zsh", write_zsh }, { "fish", write_fish } };
    for (size_t i = 0; argc == 2 && i < PD_COUNT_OF(kinds); i++) {
        if (strcmp(argv[1], kinds[i].name) != 0)
            continue;
        pd_buf buf;
        pd_buf_init(&buf, DOC_BYTES_MAX);
        kinds[i].write(&buf);
        const bool written = buf.status == PD_OK && fwrite(buf.data, 1, buf.len, stdout) == buf.len;
        pd_buf_done(&buf);
        return written && fflush(stdout) == 0 ? 0 : 1;
    }
    (void)fputs("usage: make_docs man|bash|zsh|fish\n", stderr);
    return 2;
}
