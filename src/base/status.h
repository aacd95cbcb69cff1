/* status.h: every way in which a call of this program can end.
 *
 * Values are pinned: they appear in logs, in the catalogue and in the API. The maps to exit codes and to HTTP codes
 * belong to the surfaces (cli/exit_code.c). */
#ifndef PD_BASE_STATUS_H
#define PD_BASE_STATUS_H

#include "base/attr.h"

typedef enum pd_status {
    PD_OK = 0,
    PD_ERR_NOMEM = 1,       /* allocation failed */
    PD_ERR_IO = 2,          /* the system said no; errno is kept in pd_error */
    PD_ERR_FORMAT = 3,      /* bytes are not what they claim to be */
    PD_ERR_UNSUPPORTED = 4, /* valid, but not handled */
    PD_ERR_LIMIT = 5,       /* valid, but larger than a named limit */
    PD_ERR_NOT_FOUND = 6,   /* an input that was named does not exist */
    PD_ERR_BUSY = 7,        /* try again: locked by another process, or a bounded queue is full */
    PD_ERR_CANCELLED = 8,   /* the user said stop */
    PD_ERR_CORRUPT = 9,     /* our own file is damaged */
    PD_ERR_FULL = 10,       /* no space left on the device, or quota used up */
    PD_ERR_USAGE = 11,      /* the command line or the request makes no sense */
    PD_ERR_NO_MATCH = 12,   /* the question was fine, the answer is empty */
    PD_ERR_PARTIAL = 13,    /* done, but some files failed; each has its own sentence */
    PD_ERR_CRASHED = 14,    /* a decoder process died on this file */
    PD_ERR_TIMEOUT = 15,    /* a wall-clock limit was reached */
    PD_ERR_NETWORK = 16,    /* the other end could not be reached */
    PD_ERR_INTERNAL = 17,   /* a fault of this program */
    PD_STATUS_COUNT
} pd_status;

/* Short lower-case name ("not_found"), stable, for logs and the API. "unknown" for values outside the enum. */
const char *pd_status_name(pd_status status);

/* Returns from the calling function when expr is not PD_OK. Only in functions that own nothing yet. */
#define PD_TRY(expr)                         \
    do {                                     \
        const pd_status try_status = (expr); \
        if (try_status != PD_OK)             \
            return try_status;               \
    } while (0)

#endif
