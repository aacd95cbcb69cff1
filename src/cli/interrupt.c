#include "cli/interrupt.h"

#include <stddef.h>
#include <time.h>

/* nohup's wish to live on without a terminal is kept. */
static bool hangup_is_ignored(void)
{
    struct sigaction action;
    return sigaction(SIGHUP, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void pd_interrupt_begin(pd_interrupt *interrupt)
{
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, SIGINT);
    sigaddset(&interrupt->signals, SIGTERM);
    if (!hangup_is_ignored())
        sigaddset(&interrupt->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, &interrupt->old);
}

bool pd_interrupt_came(const pd_interrupt *interrupt)
{
    const struct timespec no_time = { 0 };
    return sigtimedwait(&interrupt->signals, NULL, &no_time) > 0;
}

void pd_interrupt_wait(const pd_interrupt *interrupt)
{
    while (sigwaitinfo(&interrupt->signals, NULL) < 0)
        continue; /* EINTR: a signal of another kind, as after a debugger stopped us */
}

void pd_interrupt_end(const pd_interrupt *interrupt) { pthread_sigmask(SIG_SETMASK, &interrupt->old, NULL); }
