/* sandbox.h: what this process may no longer do, because the bytes it reads may be hostile.
 *
 * Walls stand one behind the other, so that a hole in one is not yet a way out; docs/sandbox.md describes each. The
 * names are those of media.h, where the program learns which ones stand. */
#ifndef PD_DECODER_SANDBOX_H
#define PD_DECODER_SANDBOX_H

#include <stdint.h>

#include "base/error.h"

typedef struct pd_sandbox {
    uint32_t walls; /* PD_WALL_*: those that stand */
    int memory_fd;  /* where the system tells how much address space the process has; -1: nowhere */
} pd_sandbox;

/* Once, when every library and module is loaded and while there is one thread: goes in behind every wall of `wanted`
 * (PD_WALLS_ALL outside of tests) that this kernel offers, for ever. Every descriptor above `socket_fd` is closed. An
 * error only where the process is in no state to work: a kernel without a wall is none. */
PD_MUST_USE pd_status pd_sandbox_enter(pd_sandbox *ret_sandbox, uint32_t wanted, int socket_fd, pd_error *err);

/* Before every file: address space for `mapped_bytes` (the file and the slot) and PD_MEDIA_DECODER_BYTES_MAX more than
 * the process has when idle; processor time and wall time of `timeout_ms` and a margin, after which the kernel ends the
 * process even if the program that started it is gone. (PR_SET_PDEATHSIG would not do: it fires when the *thread* that
 * started the decoder ends, and threads of the program come and go.) */
PD_MUST_USE pd_status pd_sandbox_begin_file(const pd_sandbox *sandbox, uint64_t mapped_bytes, uint32_t timeout_ms,
                                            pd_error *err);

void pd_sandbox_end_file(void);

#endif
