/* sandbox.h: what this process may no longer do, because the bytes it reads may be hostile. */
#ifndef PD_DECODER_SANDBOX_H
#define PD_DECODER_SANDBOX_H

#include <stdint.h>

#include "base/error.h"

/* Once, when every library and module is loaded: no new privileges, no core files, few descriptors. */
PD_MUST_USE pd_status pd_sandbox_enter(pd_error *err);

/* Before every file: address space for `mapped_bytes` (the file and the slot) and PD_MEDIA_DECODER_BYTES_MAX more than
 * the process has when idle; processor time and wall time of `timeout_ms` and a margin, after which the kernel ends the
 * process even if the program that started it is gone. (PR_SET_PDEATHSIG would not do: it fires when the *thread* that
 * started the decoder ends, and threads of the program come and go.) */
PD_MUST_USE pd_status pd_sandbox_begin_file(uint64_t mapped_bytes, uint32_t timeout_ms, pd_error *err);

void pd_sandbox_end_file(void);

#endif
