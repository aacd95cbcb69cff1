#include "server/connections.h"

#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "server/server.h"

void pd_connections_init(pd_connections *connections, size_t n_sockets_max)
{
    *connections = (pd_connections){ .n_sockets_max = n_sockets_max };
    pthread_mutex_init(&connections->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->streams_ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pd_connections_done(pd_connections *connections)
{
    while (connections->first) {
        pd_connection *connection = connections->first;
        connections->first = connection->next;
        pd_mem_free(connection);
    }
    pthread_cond_destroy(&connections->streams_ended);
    pthread_mutex_destroy(&connections->lock);
}

/* With the lock held. Its thread sees the end of the stream and goes. */
static void close_most_silent(pd_connections *connections)
{
    pd_connection *chosen = NULL;
    for (pd_connection *c = connections->first; c; c = c->next)
        if (!c->n_requests && !c->closed && (!chosen || c->silent_ns < chosen->silent_ns))
            chosen = c;
    if (!chosen)
        return;
    chosen->closed = true;
    (void)shutdown(chosen->fd, SHUT_RDWR);
}

pd_connection *pd_connections_add(pd_connections *connections, int fd)
{
    pd_connection *connection = pd_mem_alloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    *connection = (pd_connection){ .fd = fd, .silent_ns = pd_clock_ns() };
    pthread_mutex_lock(&connections->lock);
    if (connections->n_sockets >= connections->n_sockets_max)
        close_most_silent(connections);
    connection->next = connections->first;
    connections->first = connection;
    connections->n_sockets++;
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void pd_connections_remove(pd_connections *connections, pd_connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    pd_connection **place = &connections->first;
    while (*place && *place != connection)
        place = &(*place)->next;
    if (*place) {
        *place = connection->next;
        connections->n_sockets--;
    }
    pthread_mutex_unlock(&connections->lock);
    pd_mem_free(connection);
}

static size_t *share_of(pd_connections *connections, pd_share share, size_t *ret_max)
{
    switch (share) {
    case PD_SHARE_STREAM: *ret_max = PD_SERVER_STREAMS_MAX; return &connections->n_streams;
    case PD_SHARE_UPLOAD: *ret_max = PD_SERVER_UPLOADS_MAX; return &connections->n_uploads;
    case PD_SHARE_REQUEST: break;
    }
    *ret_max = PD_SERVER_CONNECTIONS_MAX;
    return &connections->n_requests;
}

bool pd_connections_take(pd_connections *connections, pd_connection *connection, pd_share share)
{
    size_t max;
    pthread_mutex_lock(&connections->lock);
    size_t *taken = share_of(connections, share, &max);
    const bool room = *taken < max;
    *taken += room;
    if (room && connection && share == PD_SHARE_REQUEST)
        connection->n_requests++;
    pthread_mutex_unlock(&connections->lock);
    return room;
}

void pd_connections_give(pd_connections *connections, pd_connection *connection, pd_share share)
{
    size_t max;
    pthread_mutex_lock(&connections->lock);
    (*share_of(connections, share, &max))--;
    if (connections->n_streams == 0)
        pthread_cond_broadcast(&connections->streams_ended);
    if (connection && share == PD_SHARE_REQUEST) {
        connection->n_requests--;
        connection->silent_ns = pd_clock_ns();
    }
    pthread_mutex_unlock(&connections->lock);
}

void pd_connections_wait_streams(pd_connections *connections, int timeout_ms)
{
    const int64_t until = pd_clock_ns() + timeout_ms * PD_NS_PER_MS;
    const struct timespec when = { .tv_sec = until / PD_NS_PER_S, .tv_nsec = until % PD_NS_PER_S };
    pthread_mutex_lock(&connections->lock);
    while (connections->n_streams > 0 && pd_clock_ns() < until)
        (void)pthread_cond_timedwait(&connections->streams_ended, &connections->lock, &when);
    pthread_mutex_unlock(&connections->lock);
}
