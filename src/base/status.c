#include "base/status.h"

static const char *const names[PD_STATUS_COUNT] = {
    [PD_OK] = "ok",
    [PD_ERR_NOMEM] = "out_of_memory",
    [PD_ERR_IO] = "io",
    [PD_ERR_FORMAT] = "format",
    [PD_ERR_UNSUPPORTED] = "unsupported",
    [PD_ERR_LIMIT] = "limit",
    [PD_ERR_NOT_FOUND] = "not_found",
    [PD_ERR_BUSY] = "busy",
    [PD_ERR_CANCELLED] = "cancelled",
    [PD_ERR_CORRUPT] = "corrupt",
    [PD_ERR_FULL] = "full",
    [PD_ERR_USAGE] = "usage",
    [PD_ERR_NO_MATCH] = "no_match",
    [PD_ERR_PARTIAL] = "partial",
    [PD_ERR_CRASHED] = "crashed",
    [PD_ERR_TIMEOUT] = "timeout",
    [PD_ERR_NETWORK] = "network",
    [PD_ERR_INTERNAL] = "internal",
};

const char *pd_status_name(pd_status status)
{
    const unsigned index = (unsigned)status;
    return index < PD_STATUS_COUNT ? names[index] : "unknown";
}
