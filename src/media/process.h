/* process.h: one decoder process: start, ask, end. Private to media. Nothing here is locked. */
#ifndef PD_MEDIA_PROCESS_H
#define PD_MEDIA_PROCESS_H

#include <sys/types.h>

#include "media/media.h"
#include "media/protocol.h"

#define PD_PROCESS_START_MS 10000 /* from exec to the hello: 20-40 ms on an idle machine */

typedef struct pd_process {
    pid_t pid; /* 0: none */
    int socket;
    uint32_t walls; /* around it, as it says */
} pd_process;

/* Starts the executable and waits until it says hello. PD_ERR_NOT_FOUND with advice when it is missing or cannot run.
 */
PD_MUST_USE pd_status pd_process_start(pd_process *ret_process, const char *path, pd_error *err);

/* Sends `request` with the file, the slot and (request->has_sidecar) the sidecar, and waits for the answer, at most
 * request->timeout_ms. PD_OK: *ret_bytes of an unchecked answer (cut at `size`, *ret_bytes then says more).
 * PD_ERR_BUSY: the process was dead before it saw the file: start another. PD_ERR_TIMEOUT, PD_ERR_CRASHED: end it; err
 * is the caller's to write. */
PD_MUST_USE pd_status pd_process_ask(const pd_process *process, const pd_decode_request *request, const int fds[3],
                                     void *reply, size_t size, size_t *ret_bytes);

/* Kills, reaps, closes. Returns the wait status: how it had died before, if it had. Does nothing without a process. */
int pd_process_end(pd_process *process);

#endif
