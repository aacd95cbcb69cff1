/* exit_code.h: the one map from a status to the number the program ends with. */
#ifndef PD_CLI_EXIT_CODE_H
#define PD_CLI_EXIT_CODE_H

#include <stddef.h>

#include "base/status.h"

int pd_exit_code(pd_status status); /* 7 for values outside the enum */

/* The codes and what they mean, for help and manual. */
typedef struct pd_exit_meaning {
    int code;
    const char *meaning;
} pd_exit_meaning;
const pd_exit_meaning *pd_exit_meanings(size_t *ret_n);

#endif
