#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "server/server.h"

/* In a process of its own that nobody waits for: xdg-open may stay as long as the browser does. */
static void open_browser(const char *url)
{
    const pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        (void)setsid();
        if (fork() == 0) {
            const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC); /* what it says is not what was asked for */
            for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDERR_FILENO; fd++)
                (void)dup2(nowhere, fd);
            (void)execlp("xdg-open", "xdg-open", url, (char *)NULL);
        }
        _exit(0);
    }
    if (child > 0)
        (void)waitpid(child, NULL, 0);
}

/* The address is the first line, at once; the rest is for people. */
static pd_status tell_address(pd_cli *cli, const char *url, pd_error *err)
{
    pd_out_text(&cli->out, url);
    pd_out_text(&cli->out, "\n");
    PD_TRY(pd_out_finish(&cli->out, err));
    const bool opens = cli->environment.desktop && !pd_options_given(&cli->options, PD_OPTION_NO_OPEN);
    if (opens)
        open_browser(url);
    else
        pd_say("open this address in a browser on this computer");
    return PD_OK;
}

/* Ends the program when the server does not: a file system that hangs may keep a request for ever. What was learned was
 * committed before. Under load the system itself needs a while to take a process apart: that is left to it. */
enum { LEFT_TO_SYSTEM_MS = 1500 };

typedef struct deadline {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
} deadline;

static void *keep_deadline(void *user)
{
    deadline *d = user;
    const int64_t until = pd_clock_unix_ns() + (PD_SERVER_STOP_MS - LEFT_TO_SYSTEM_MS) * PD_NS_PER_MS;
    const struct timespec when = { .tv_sec = until / PD_NS_PER_S, .tv_nsec = until % PD_NS_PER_S };
    pthread_mutex_lock(&d->lock);
    while (!d->done && pd_clock_unix_ns() < until)
        (void)pthread_cond_timedwait(&d->ended, &d->lock, &when);
    if (!d->done) {
        pd_say("something does not end; leaving it behind");
        _exit(pd_exit_code(PD_OK));
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static void end_in_time(pd_server **server, pd_library **library)
{
    deadline d = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    pthread_t thread;
    const bool watched = pd_thread_start(&thread, "pd-deadline", keep_deadline, &d, NULL) == PD_OK;
    pd_server_stop(server);
    pd_library_close(library);
    pthread_mutex_lock(&d.lock);
    d.done = true;
    pthread_cond_signal(&d.ended);
    pthread_mutex_unlock(&d.lock);
    if (watched)
        pthread_join(thread, NULL);
}

static pd_status check_folders(const char *const *folders, size_t n, pd_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!pd_dir_exists(folders[i]))
            return pd_error_set(err, pd_file_exists(folders[i]) ? PD_ERR_FORMAT : PD_ERR_NOT_FOUND,
                                "'%s' is not a folder", folders[i]);
    return PD_OK;
}

/* The page that is open already: there are no two. */
static pd_status show_running(pd_cli *cli, const pd_library *library, size_t n_folders, const pd_error *busy,
                              pd_error *err)
{
    char *url = pd_server_running(library);
    if (!url)
        return pd_error_hand_on(err, busy);
    const pd_status status = tell_address(cli, url, err);
    pd_mem_free(url);
    if (status != PD_OK)
        return status;
    pd_say(n_folders ? "this library is open already, at the address above; choose the folder there"
                     : "this library is open already, at the address above");
    return PD_OK;
}

/* Stays until a signal comes. */
static pd_status serve(pd_cli *cli, pd_server *server, const pd_interrupt *interrupt, pd_error *err)
{
    size_t n;
    const char *const *folders = pd_cli_arguments(cli, &n);
    pd_error learning = { 0 };
    PD_TRY(tell_address(cli, pd_server_url(server), err));
    if (n > 0 && pd_server_learn(server, folders, n, &learning) != PD_OK)
        pd_say(learning.message); /* the page is there, and can begin again */
    pd_interrupt_wait(interrupt);
    return PD_OK;
}

pd_status pd_cmd_serve(pd_cli *cli, pd_error *err)
{
    size_t n;
    const char *const *folders = pd_cli_arguments(cli, &n);
    pd_library *library = NULL;
    pd_server *server = NULL;
    pd_error starting = { 0 };
    PD_TRY(check_folders(folders, n, err));
    pd_mem_keep_little();
    PD_TRY(pd_cli_open_library(cli, &library, err));
    pd_interrupt interrupt;
    pd_interrupt_begin(&interrupt); /* threads inherit what is blocked */
    const pd_server_options options = { .library = library,
                                        .listen = cli->options.values[PD_OPTION_LISTEN],
                                        .home = cli->environment.home.len ? cli->environment.home.data : NULL,
                                        .browse_root = cli->options.values[PD_OPTION_BROWSE_ROOT],
                                        .version = PD_VERSION };
    pd_status status = pd_server_start(&server, &options, &starting);
    if (status == PD_OK)
        status = serve(cli, server, &interrupt, err);
    else
        status =
            status == PD_ERR_BUSY ? show_running(cli, library, n, &starting, err) : pd_error_hand_on(err, &starting);
    end_in_time(&server, &library);
    pd_interrupt_end(&interrupt);
    return status;
}
