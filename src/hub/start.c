#include "hub/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "hub/pipe.h"

enum { END_MS = 5000, END_STEP_MS = 10, VARIABLES_MAX = 16 };

/* What libcurl looks at, and whom to trust; nothing of what else the user's environment holds. */
static char *const *choose_environment(char *ret_chosen[VARIABLES_MAX + 1])
{
    static const char *const names[] = { "https_proxy=", "all_proxy=", "no_proxy=", "ssl_cert_file=", "ssl_cert_dir=" };
    size_t n = 0;
    for (char **variable = environ; variable && *variable; variable++)
        for (size_t i = 0; i < PD_COUNT_OF(names) && n < VARIABLES_MAX; i++)
            if (strncasecmp(*variable, names[i], strlen(names[i])) == 0)
                ret_chosen[n++] = *variable;
    ret_chosen[n] = NULL;
    return ret_chosen;
}

/* On the heap: the installed place where nothing lies beside the program. */
static char *find_program(void)
{
    char *dir = pd_executable_dir();
    char *beside = dir ? pd_path_join(dir, PD_FETCH_PROGRAM) : NULL;
    char *installed = dir ? pd_path_join(dir, "../libexec/pixel-detective/" PD_FETCH_PROGRAM) : NULL;
    pd_mem_free(dir);
    char *chosen = beside && pd_file_exists(beside) ? beside : installed;
    pd_mem_free(chosen == beside ? installed : beside);
    return chosen;
}

static int prepare_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    failed = failed ? failed : posix_spawnattr_setsigdefault(attributes, &all);
    failed = failed ? failed : posix_spawnattr_setpgroup(attributes, 0); /* Ctrl-C is for the program */
    return failed ? failed
                  : posix_spawnattr_setflags(attributes,
                                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

/* Both pipes were made above 2, so that no dup2 treads on the other. */
static int prepare_pipes(posix_spawn_file_actions_t *actions, int in_fd, int out_fd)
{
    int failed = posix_spawn_file_actions_adddup2(actions, in_fd, STDIN_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_adddup2(actions, out_fd, STDOUT_FILENO);
    failed = failed ? failed : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return failed ? failed : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

static int spawn(pid_t *ret_pid, char *path, int in_fd, int out_fd)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    char *chosen[VARIABLES_MAX + 1];
    int failed = posix_spawnattr_init(&attributes);
    if (failed)
        return failed;
    failed = posix_spawn_file_actions_init(&actions);
    if (!failed) {
        failed = prepare_signals(&attributes);
        failed = failed ? failed : prepare_pipes(&actions, in_fd, out_fd);
        failed = failed ? failed
                        : posix_spawn(ret_pid, path, &actions, &attributes, (char *const[]){ path, NULL },
                                      choose_environment(chosen));
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* Both ends above standard error, whatever is closed there. A socket, since what is written to one whose other end died
 * can be an error without a signal; ret_fds[0] is read, ret_fds[1] written. */
static bool make_pipe(int ret_fds[2])
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    ret_fds[0] = fcntl(fds[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    ret_fds[1] = fcntl(fds[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return ret_fds[0] >= 0 && ret_fds[1] >= 0;
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

pd_status pd_fetcher_start(pd_fetcher *ret_fetcher, const char *path, pd_error *err)
{
    char *program = path ? pd_mem_dup_string(path) : find_program();
    if (!program)
        return pd_error_set_nomem(err);
    int fds[4] = { -1, -1, -1, -1 }; /* ask: read, write; tell: read, write */
    pd_status status = PD_OK;
    pid_t pid = 0;
    if (!make_pipe(&fds[0]) || !make_pipe(&fds[2])) {
        status = pd_error_set_errno(err, errno, "cannot make a pipe for %s", PD_FETCH_PROGRAM);
    } else {
        const int failed = spawn(&pid, program, fds[0], fds[3]);
        if (failed == ENOENT || failed == EACCES || failed == ENOEXEC)
            status = pd_error_set(err, PD_ERR_NOT_FOUND,
                                  "the program %s, which fetches models, is missing or cannot be run: it belongs "
                                  "beside pixel-detective",
                                  program);
        else if (failed)
            status = pd_error_set_errno(err, failed, "cannot start %s", program);
    }
    pd_mem_free(program);
    if (status != PD_OK) {
        close_all(fds, PD_COUNT_OF(fds));
        return status;
    }
    close_all((int[]){ fds[0], fds[3] }, 2);
    *ret_fetcher = (pd_fetcher){ .pid = pid, .ask_fd = fds[1], .tell_fd = fds[2] };
    return PD_OK;
}

bool pd_fetcher_ask(const pd_fetcher *fetcher, const char *line, size_t len)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = send(fetcher->ask_fd, line + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

int pd_fetcher_end(pd_fetcher *fetcher)
{
    int wait_status = 0;
    if (!fetcher->pid)
        return wait_status;
    close_all((int[]){ fetcher->ask_fd, fetcher->tell_fd }, 2);
    pid_t ended = 0;
    for (int ms = 0; ms < END_MS && ended == 0; ms += END_STEP_MS) {
        ended = waitpid(fetcher->pid, &wait_status, WNOHANG);
        if (ended == 0)
            (void)usleep(END_STEP_MS * 1000);
    }
    if (ended == 0) {
        (void)kill(fetcher->pid, SIGKILL);
        while (waitpid(fetcher->pid, &wait_status, 0) < 0 && errno == EINTR)
            continue;
    }
    *fetcher = (pd_fetcher){ 0 };
    return wait_status;
}
