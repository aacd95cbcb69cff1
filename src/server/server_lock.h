/* server_lock.h: one server a library, and where it is found.
 *
 *     <dir>/serve.lock    a lock of the open file (fcntl OFD): the system gives it back however the process ends
 *     <dir>/serve.url     the address, token included; only its owner may read it */
#ifndef PD_SERVER_LOCK_H
#define PD_SERVER_LOCK_H

#include "base/error.h"

/* Makes the folder when needed. PD_ERR_BUSY: another server has it. */
PD_MUST_USE pd_status pd_server_lock_take(int *ret_fd, const char *dir, pd_error *err);
PD_MUST_USE pd_status pd_server_lock_tell(const char *dir, const char *url, pd_error *err);
void pd_server_lock_release(int *fd, const char *dir); /* -1: nothing */

#endif
