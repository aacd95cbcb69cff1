/* syscall_filter.h: the list of system calls that a decoder may make, enforced by the kernel (seccomp). Private.
 *
 * Written by hand instead of with libseccomp: the list is one table, and the library would cost every decoder 350 KiB
 * of resident memory and 0.2 ms at start (measured), the program one more package. */
#ifndef PD_DECODER_SYSCALL_FILTER_H
#define PD_DECODER_SYSCALL_FILTER_H

#include "base/error.h"

/* Closes the door, for every thread of the process and for ever. What is not in the list fails with ENOSYS, as on an
 * older kernel; looking at files fails with EACCES; what only an attacker would do ends the process with SIGSYS.
 * PD_ERR_UNSUPPORTED when the kernel, or the container around it, does not offer filters. Needs no_new_privs. */
PD_MUST_USE pd_status pd_syscall_filter_load(int socket_fd, pd_error *err);

#endif
