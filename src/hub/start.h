/* start.h: the process that speaks to the hub: find, start, end. Private to hub. Nothing here is locked. */
#ifndef PD_HUB_START_H
#define PD_HUB_START_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct pd_fetcher {
    pid_t pid;           /* 0: none */
    int ask_fd, tell_fd; /* its standard input; its standard output */
} pd_fetcher;

/* `path`: NULL: beside the running program, or as installed. It gets of the environment what is about proxies and
 * certificates, and nothing else. NOT_FOUND, with advice, when it is missing or cannot run. */
PD_MUST_USE pd_status pd_fetcher_start(pd_fetcher *ret_fetcher, const char *path, pd_error *err);
/* False: it does not listen. */
bool pd_fetcher_ask(const pd_fetcher *fetcher, const char *line, size_t len);
/* Closes the pipes, which tells it to stop, and waits; one that does not end is killed. Its wait status. */
int pd_fetcher_end(pd_fetcher *fetcher);

#endif
