/* server.h: the page and its HTTP interface (docs/http.md) on a loopback address.
 *
 * One server has one library. Starting it touches nothing heavy: no catalogue, no model, no decoder; those are opened
 * by the first request that needs them, and prepared in the background once a page is looked at. Every call here is for
 * one thread; inside, a connection has a thread of its own, and what all of them see is one snapshot under one lock
 * (app.h). */
#ifndef PD_SERVER_SERVER_H
#define PD_SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "library/library.h"

#define PD_SERVER_PORT 7733           /* tried first */
#define PD_SERVER_PORT_TRIES 100      /* ports after it that are tried when it is taken */
#define PD_SERVER_CONNECTIONS_MAX 128 /* requests at once; more are answered with 503 */
#define PD_SERVER_STREAMS_MAX 64      /* of events, counts, copies and exports */
#define PD_SERVER_UPLOADS_MAX 4       /* at once */
#define PD_SERVER_UPLOAD_BYTES_MAX ((size_t)64 << 20)
#define PD_SERVER_BODY_BYTES_MAX ((size_t)64 << 10)   /* JSON */
#define PD_SERVER_PHOTOS_BYTES_MAX ((size_t)16 << 20) /* JSON that names photos */
#define PD_SERVER_WORK_BYTES_MAX ((size_t)64 << 20)   /* exported work */
#define PD_SERVER_OFFSET_MAX 1000000000               /* of a window of a result */
#define PD_SERVER_VALUES_FIELDS_MAX 32                /* fields whose values are asked for at once */
#define PD_SERVER_EXAMPLES_MAX 64                     /* pictures in one search by example */
#define PD_SERVER_ROOTS_MAX 64                        /* folders in one request to learn */
#define PD_SERVER_FOLDERS_MAX 2000 /* folders listed of one folder; more are cut off, and it is said */
#define PD_SERVER_VIEW_PX_MIN 320  /* long side of a view */
#define PD_SERVER_VIEW_PX_MAX 16384
#define PD_SERVER_IDLE_S 30    /* a connection that moves no byte for this long is closed; streams aside */
#define PD_SERVER_STOP_MS 5000 /* longest pd_server_stop */

typedef struct pd_server pd_server;

typedef struct pd_server_options {
    pd_library *library;     /* borrowed for the life of the server */
    const char *listen;      /* "ADDR:PORT", loopback only, port 0: any; NULL: 127.0.0.1 and PD_SERVER_PORT or the
                                next free one */
    const char *home;        /* the user's home folder, for places and ~; NULL: not known */
    const char *browse_root; /* NULL: everything the user may read */
    const char *version;
} pd_server_options;

/* Listens and answers. PD_ERR_USAGE: `listen` makes no sense or is no loopback address; PD_ERR_IO: taken. PD_ERR_BUSY:
 * another server has this library; pd_server_running tells its address. */
PD_MUST_USE pd_status pd_server_start(pd_server **ret_server, const pd_server_options *options, pd_error *err);

/* The full address, token included; valid as long as the server. */
const char *pd_server_url(const pd_server *server);

/* Begins to learn folders, as the command line named them: the browse root does not bind them. */
PD_MUST_USE pd_status pd_server_learn(pd_server *server, const char *const *folders, size_t n, pd_error *err);

/* Cancels a running job (its last batch is committed), ends every stream and connection, frees. */
void pd_server_stop(pd_server **server);

/* The address (token included) of the server that has this library now, on the heap; NULL: none. */
PD_MUST_USE char *pd_server_running(const pd_library *library);

#endif
