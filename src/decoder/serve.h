/* serve.h: the decoder's life: say hello, then answer one request after the other until the socket ends. */
#ifndef PD_DECODER_SERVE_H
#define PD_DECODER_SERVE_H

#include <stdbool.h>

#include "decoder/sandbox.h"

/* Returns the exit status of the process. */
int pd_decoder_serve(int socket_fd);

/* Waits for one request and answers it. False: the other end is gone, or what came is no request. */
bool pd_decoder_answer(const pd_sandbox *sandbox, int socket_fd);

#endif
