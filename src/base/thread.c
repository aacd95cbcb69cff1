#include "base/thread.h"

#include <sched.h>
#include <signal.h>

pd_status pd_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg, pd_error *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    const int failed = pthread_create(&thread, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed)
        return pd_error_set_errno(err, failed, "cannot start the thread '%s'", name);
    (void)pthread_setname_np(thread, name); /* a missing name harms nobody */
    *ret_thread = thread;
    return PD_OK;
}

unsigned pd_thread_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    const int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
