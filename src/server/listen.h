/* listen.h: the socket that the page is served on: a loopback address and a port. */
#ifndef PD_SERVER_LISTEN_H
#define PD_SERVER_LISTEN_H

#include <stdint.h>

#include "base/error.h"

#define PD_LISTEN_HOST_BYTES 64

typedef struct pd_listener {
    int fd;
    uint16_t port;
    char host[PD_LISTEN_HOST_BYTES]; /* as it stands in an address: "127.0.0.1" or "[::1]" */
} pd_listener;

/* `address`: "ADDR:PORT", port 0 any; NULL: 127.0.0.1 and the first free port from PD_SERVER_PORT on. PD_ERR_USAGE: it
 * makes no sense or is not of this computer alone; PD_ERR_IO: the port is taken. */
PD_MUST_USE pd_status pd_listen(pd_listener *ret_listener, const char *address, pd_error *err);

#endif
