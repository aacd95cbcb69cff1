/* environment.h: the only reader of the environment. Everything below is told what it needs. */
#ifndef PD_CLI_ENVIRONMENT_H
#define PD_CLI_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Immutable after read. */
typedef struct pd_environment {
    pd_buf data_home, cache_home;         /* absolute directories */
    pd_buf home;                          /* the user's home directory; empty: none */
    bool desktop;                         /* there is a screen to open a page on */
    bool color;                           /* NO_COLOR is empty or absent */
    bool terminal;                        /* TERM names one that can move its cursor */
    bool utf8;                            /* the locale's letters are UTF-8 */
    const char *hub_endpoint, *hub_token; /* NULL: not set */
    bool hub_offline;
} pd_environment;

/* XDG_DATA_HOME and XDG_CACHE_HOME count when they are absolute, as their specification says; else HOME and
 * the user database tell. */
PD_MUST_USE pd_status pd_environment_read(pd_environment *ret_environment, pd_error *err);
void pd_environment_done(pd_environment *environment); /* safe for a zeroed one */

/* The variables and what they do, for help and manual. */
typedef struct pd_environment_variable {
    const char *name, *meaning;
} pd_environment_variable;
const pd_environment_variable *pd_environment_variables(size_t *ret_n);

#endif
