/* serve.h: the decoder's life: say hello, then answer one request after the other until the socket ends. */
#ifndef PD_DECODER_SERVE_H
#define PD_DECODER_SERVE_H

/* Returns the exit status of the process. */
int pd_decoder_serve(int socket_fd);

#endif
