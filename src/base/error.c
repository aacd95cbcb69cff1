#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

pd_status pd_status_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOMEM: return PD_ERR_NOMEM;
    case ENOENT:
    case ENOTDIR: return PD_ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT: return PD_ERR_FULL;
    default: return PD_ERR_IO;
    }
}

/* Cuts a message that did not fit so that no half UTF-8 sequence stays and the reader sees that it was cut. */
static void mark_cut(char *message)
{
    size_t end = PD_ERROR_MESSAGE_BYTES - 4;
    while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80)
        end--;
    memcpy(message + end, "...", 4);
}

static size_t format_message(char *message, const char *format, va_list args)
{
    const int n = vsnprintf(message, PD_ERROR_MESSAGE_BYTES, format, args);
    if (n < 0) {
        message[0] = '\0';
        return 0;
    }
    if ((size_t)n >= PD_ERROR_MESSAGE_BYTES)
        mark_cut(message);
    return strlen(message);
}

pd_status pd_error_set(pd_error *err, pd_status status, const char *format, ...)
{
    if (!err)
        return status;
    err->status = status;
    err->sys_errno = 0;
    va_list args;
    va_start(args, format);
    (void)format_message(err->message, format, args);
    va_end(args);
    return status;
}

pd_status pd_error_set_errno(pd_error *err, int sys_errno, const char *format, ...)
{
    const pd_status status = pd_status_of_errno(sys_errno);
    if (!err)
        return status;
    err->status = status;
    err->sys_errno = sys_errno;
    va_list args;
    va_start(args, format);
    const size_t used = format_message(err->message, format, args);
    va_end(args);
    char reason_space[128];
    const char *reason = strerror_r(sys_errno, reason_space, sizeof reason_space);
    if (snprintf(err->message + used, PD_ERROR_MESSAGE_BYTES - used, ": %s", reason) >=
        (int)(PD_ERROR_MESSAGE_BYTES - used))
        mark_cut(err->message);
    return status;
}

pd_status pd_error_set_nomem(pd_error *err) { return pd_error_set(err, PD_ERR_NOMEM, "out of memory"); }

pd_status pd_error_hand_on(pd_error *err, const pd_error *attempt)
{
    if (err)
        *err = *attempt;
    return attempt->status;
}

void pd_error_prefix(pd_error *err, const char *format, ...)
{
    if (!err)
        return;
    char old[PD_ERROR_MESSAGE_BYTES];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    const size_t used = format_message(err->message, format, args);
    va_end(args);
    if (snprintf(err->message + used, PD_ERROR_MESSAGE_BYTES - used, ": %s", old) >=
        (int)(PD_ERROR_MESSAGE_BYTES - used))
        mark_cut(err->message);
}
