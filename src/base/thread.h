/* thread.h: joinable threads with a name and signals blocked (signals are the main thread's business). */
#ifndef PD_BASE_THREAD_H
#define PD_BASE_THREAD_H

#include <pthread.h>

#include "base/error.h"

/* `name` (at most 15 bytes) shows in debuggers and in /proc. Join with pthread_join. */
PD_MUST_USE pd_status pd_thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *), void *arg,
                                      pd_error *err);

/* CPUs this process may run on, at least 1. */
unsigned pd_thread_cpu_count(void);

#endif
