/* connections.h: who is connected, counted and limited. Internally locked.
 *
 * A socket costs a thread, so silent ones must not keep others out: beyond the limit the one that has said nothing for
 * longest is closed. A request in work is never closed for that. */
#ifndef PD_SERVER_CONNECTIONS_H
#define PD_SERVER_CONNECTIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/status.h"

/* One socket. Its `fd` is open as long as it is listed. */
typedef struct pd_connection {
    struct pd_connection *next;
    int fd;
    unsigned n_requests; /* in work: 0 or 1 */
    bool closed;         /* shut down by us; its thread is about to end */
    int64_t silent_ns;   /* since when no request is in work */
} pd_connection;

typedef struct pd_connections {
    pthread_mutex_t lock;
    pthread_cond_t streams_ended;
    pd_connection *first;
    size_t n_sockets, n_sockets_max;
    size_t n_requests, n_streams, n_uploads;
} pd_connections;

void pd_connections_init(pd_connections *connections, size_t n_sockets_max);
void pd_connections_done(pd_connections *connections);

/* NULL: out of memory; the socket is then served without being counted. */
PD_MUST_USE pd_connection *pd_connections_add(pd_connections *connections, int fd);
void pd_connections_remove(pd_connections *connections, pd_connection *connection);

/* What a request takes while it is in work. */
typedef enum pd_share { PD_SHARE_REQUEST, PD_SHARE_STREAM, PD_SHARE_UPLOAD } pd_share;
/* False: there are too many; nothing was taken. `connection` may be NULL. */
PD_MUST_USE bool pd_connections_take(pd_connections *connections, pd_connection *connection, pd_share share);
void pd_connections_give(pd_connections *connections, pd_connection *connection, pd_share share);

/* Waits until no stream is left, timeout_ms at most. */
void pd_connections_wait_streams(pd_connections *connections, int timeout_ms);

#endif
