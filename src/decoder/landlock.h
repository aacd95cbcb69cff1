/* landlock.h: a second door behind the list of system calls: the kernel refuses files, sockets and signals by what they
 * are (Landlock, Linux 5.13). Private. */
#ifndef PD_DECODER_LANDLOCK_H
#define PD_DECODER_LANDLOCK_H

#include <stdint.h>

#include "base/error.h"

/* From now on this thread, and every one that it starts, opens no file, creates or removes none (PD_WALL_FILES), makes
 * no TCP connection (PD_WALL_NETWORK, Linux 6.7) and signals nobody outside (PD_WALL_SIGNALS, 6.12). What is open stays
 * open. *ret_walls: those of `wanted` that this kernel has. PD_ERR_UNSUPPORTED where it has none of them. Needs
 * no_new_privs. */
PD_MUST_USE pd_status pd_landlock_enter(uint32_t wanted, uint32_t *ret_walls, pd_error *err);

#endif
