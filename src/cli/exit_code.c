#include "cli/exit_code.h"

enum {
    EXIT_DONE = 0,
    EXIT_NO_MATCH = 1,
    EXIT_USAGE = 2,
    EXIT_INPUT = 3,
    EXIT_PARTIAL = 4,
    EXIT_BUSY = 5,
    EXIT_LIMIT = 6,
    EXIT_INTERNAL = 7,
    EXIT_NETWORK = 8,
    EXIT_INTERRUPTED = 130,
};

/* A decoder that dies on a file says something about the file (input); a wall-clock limit is one of the named limits.
 */
static const int codes[PD_STATUS_COUNT] = {
    [PD_OK] = EXIT_DONE,
    [PD_ERR_NOMEM] = EXIT_LIMIT,
    [PD_ERR_IO] = EXIT_INPUT,
    [PD_ERR_FORMAT] = EXIT_INPUT,
    [PD_ERR_UNSUPPORTED] = EXIT_INPUT,
    [PD_ERR_LIMIT] = EXIT_LIMIT,
    [PD_ERR_NOT_FOUND] = EXIT_INPUT,
    [PD_ERR_BUSY] = EXIT_BUSY,
    [PD_ERR_CANCELLED] = EXIT_INTERRUPTED,
    [PD_ERR_CORRUPT] = EXIT_INPUT,
    [PD_ERR_FULL] = EXIT_LIMIT,
    [PD_ERR_USAGE] = EXIT_USAGE,
    [PD_ERR_NO_MATCH] = EXIT_NO_MATCH,
    [PD_ERR_PARTIAL] = EXIT_PARTIAL,
    [PD_ERR_CRASHED] = EXIT_INPUT,
    [PD_ERR_TIMEOUT] = EXIT_LIMIT,
    [PD_ERR_NETWORK] = EXIT_NETWORK,
    [PD_ERR_INTERNAL] = EXIT_INTERNAL,
};

static const pd_exit_meaning meanings[] = {
    { EXIT_DONE, "done, or found" },
    { EXIT_NO_MATCH, "nothing found" },
    { EXIT_USAGE, "the command line makes no sense" },
    { EXIT_INPUT, "an input cannot be used: missing, unreadable, not a library, a broken model" },
    { EXIT_PARTIAL, "done, but some files failed; each with its reason" },
    { EXIT_BUSY, "another process is learning into this library" },
    { EXIT_LIMIT, "a limit was reached, or the disk or the memory is full" },
    { EXIT_INTERNAL, "a fault of this program" },
    { EXIT_NETWORK, "the network could not be reached" },
    { EXIT_INTERRUPTED, "interrupted; what was learned is kept" },
};

int pd_exit_code(pd_status status)
{
    const unsigned index = (unsigned)status;
    return index < PD_STATUS_COUNT ? codes[index] : EXIT_INTERNAL;
}

const pd_exit_meaning *pd_exit_meanings(size_t *ret_n)
{
    *ret_n = PD_COUNT_OF(meanings);
    return meanings;
}
