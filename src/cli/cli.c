#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/near.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/human.h"

const char *const *pd_cli_arguments(const pd_cli *cli, size_t *ret_n)
{
    *ret_n = cli->options.n_words - cli->named;
    return (const char *const *)cli->options.words + cli->named;
}

pd_status pd_cli_open_library(const pd_cli *cli, pd_library **ret_library, pd_error *err)
{
    const pd_options *options = &cli->options;
    pd_library_options library;
    pd_library_options_init(&library);
    library.dir = options->values[PD_OPTION_LIBRARY];
    library.data_home = cli->environment.data_home.data;
    library.cache_home = cli->environment.cache_home.data;
    library.model = options->values[PD_OPTION_MODEL];
    library.n_threads = (unsigned)pd_options_number(options, PD_OPTION_THREADS);
    if (!pd_cpu_level(pd_options_text(options, PD_OPTION_CPU), &library.cpu_mask))
        return pd_error_set(err, PD_ERR_INTERNAL, "a CPU level passed the parser and is not there");
    if (strcmp(pd_options_text(options, PD_OPTION_PRECISION), "fp32") == 0)
        library.precision = PD_PRECISION_FP32;
    const uint64_t idle_s = pd_options_number(options, PD_OPTION_IDLE_UNLOAD);
    library.idle_s = idle_s ? (double)idle_s : -1;
    library.hub_endpoint = cli->environment.hub_endpoint;
    library.hub_token = cli->environment.hub_token;
    library.hub_offline = cli->environment.hub_offline;
    return pd_library_open(ret_library, &library, err);
}

void pd_cli_append_command(const pd_cli *cli, pd_buf *buf)
{
    static const pd_option_id selecting[] = { PD_OPTION_LIBRARY, PD_OPTION_MODEL };
    pd_human_shell_word(buf, cli->program);
    for (size_t i = 0; i < PD_COUNT_OF(selecting); i++)
        if (pd_options_given(&cli->options, selecting[i])) {
            (void)pd_buf_appendf(buf, " --%s ", pd_option_of(selecting[i])->name);
            pd_human_shell_word(buf, cli->options.values[selecting[i]]);
        }
    (void)pd_buf_append(buf, " ", 1);
}

/* A standard stream that is closed would let the next opened file take its place and our words land in it. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", O_RDONLY); /* takes the lowest free number; writing to it fails */
}

static bool are_folders(char *const *words, size_t n)
{
    bool all = true;
    for (size_t i = 0; all && i < n; i++)
        all = pd_dir_exists(words[i]);
    return all;
}

/* The command that was meant; NULL: none is near. */
static const char *find_nearest(const char *name)
{
    size_t n, best = SIZE_MAX;
    const pd_command *commands = pd_commands(&n);
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        const size_t distance = pd_near_distance(name, commands[i].name);
        if (pd_near_match(name, commands[i].name) && distance < best) {
            best = distance;
            nearest = commands[i].name;
        }
    }
    return nearest;
}

/* The first word names the command; without one, or with only folders, it is the page that is wanted. */
static pd_status find_command(pd_cli *cli, const pd_command **ret_command, pd_error *err)
{
    const pd_options *options = &cli->options;
    const char *name = options->n_words ? options->words[0] : NULL;
    *ret_command = name ? pd_command_find(name) : NULL;
    cli->named = *ret_command != NULL;
    if (!*ret_command && are_folders(options->words, options->n_words))
        *ret_command = pd_command_preset();
    if (*ret_command)
        return PD_OK;
    const char *nearest = find_nearest(name);
    if (nearest)
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is no command; did you mean '%s'?", name, nearest);
    return pd_error_set(err, PD_ERR_USAGE, "'%s' is no command; 'pixel-detective help' lists them", name);
}

static pd_status check_forms(const pd_options *options, pd_error *err)
{
    static const pd_option_id forms[] = { PD_OPTION_JSON, PD_OPTION_JSONL, PD_OPTION_CSV, PD_OPTION_NUL };
    const char *first = NULL;
    char first_space[32], second_space[32];
    for (size_t i = 0; i < PD_COUNT_OF(forms); i++) {
        if (!pd_options_given(options, forms[i]))
            continue;
        if (first)
            return pd_error_set(err, PD_ERR_USAGE, "%s and %s cannot go together; choose one", first,
                                pd_option_spelling(forms[i], second_space));
        first = pd_option_spelling(forms[i], first_space);
    }
    return PD_OK;
}

static pd_status check_call(const pd_cli *cli, const pd_command *command, pd_error *err)
{
    char spelling[32];
    for (pd_option_id id = 0; id < PD_OPTION_COUNT; id++)
        if (pd_options_given(&cli->options, id) &&
            !((command->options | pd_command_common_options()) & PD_OPTION_BIT(id)))
            return pd_error_set(err, PD_ERR_USAGE, "%s has no option %s; 'pixel-detective help %s' lists its options",
                                command->name, pd_option_spelling(id, spelling), command->name);
    PD_TRY(check_forms(&cli->options, err));
    size_t n;
    const char *const *arguments = pd_cli_arguments(cli, &n);
    if (n == 0 && command->missing)
        return pd_error_set(err, PD_ERR_USAGE, "%s; 'pixel-detective help %s' shows how", command->missing,
                            command->name);
    if (n > 0 && command->takes_no_arguments)
        return pd_error_set(err, PD_ERR_USAGE, "%s takes no argument, but '%s' was given", command->name, arguments[0]);
    return PD_OK;
}

static pd_status run_command(pd_cli *cli, pd_error *err)
{
    const bool wants_help = pd_options_given(&cli->options, PD_OPTION_HELP);
    if (pd_options_given(&cli->options, PD_OPTION_VERSION)) {
        pd_out_text(&cli->out, "pixel-detective " PD_VERSION "\n");
        return PD_OK;
    }
    if (cli->options.n_words == 0 && wants_help) {
        pd_help_program(&cli->out.buf);
        return PD_OK;
    }
    const pd_command *command;
    PD_TRY(find_command(cli, &command, err));
    if (wants_help) {
        pd_help_command(&cli->out.buf, command);
        return PD_OK;
    }
    PD_TRY(check_call(cli, command, err));
    PD_TRY(pd_environment_read(&cli->environment, err));
    return command->run(cli, err);
}

/* As other filters end when nobody reads them any more. */
static void end_by_sigpipe(void)
{
    (void)signal(SIGPIPE, SIG_DFL);
    (void)raise(SIGPIPE);
}

int pd_cli_run(int argc, char **argv)
{
    hold_standard_streams();
    (void)signal(SIGPIPE, SIG_IGN);
    pd_cli cli = { .program = argc > 0 && strchr(argv[0], '/') ? argv[0] : "pixel-detective" };
    pd_out_init(&cli.out, STDOUT_FILENO);
    pd_error err = { 0 };
    pd_status status = pd_options_parse(&cli.options, argc, argv, &err);
    if (status == PD_OK)
        status = run_command(&cli, &err);
    pd_error out_err = { 0 };
    const pd_status out_status = pd_out_finish(&cli.out, &out_err);
    const bool reader_gone = cli.out.sys_errno == EPIPE;
    if (err.message[0])
        pd_say(err.message);
    if (out_status != PD_OK && !reader_gone) {
        pd_say(out_err.message);
        status = out_status;
    }
    pd_out_done(&cli.out);
    pd_environment_done(&cli.environment);
    pd_options_done(&cli.options);
    if (reader_gone)
        end_by_sigpipe();
    return pd_exit_code(status);
}
