/* http.h: the HTTP library, behind this header: connections, threads, limits, bytes in and out.
 *
 * One thread a connection. A request's head is judged before its body is read; an answer may be a stream that its
 * thread waits for. Nothing else in this room includes microhttpd.h. */
#ifndef PD_SERVER_HTTP_H
#define PD_SERVER_HTTP_H

#include "base/error.h"
#include "server/app.h"

#define PD_HTTP_SOCKETS_MAX 256           /* beyond it the connection that has been silent longest is closed */
#define PD_HTTP_HEAD_BYTES_MAX (48 << 10) /* address and headers of a request: 431 or 414 */

typedef struct pd_http pd_http;

/* Serves on a socket that listens; takes it, also on failure. */
PD_MUST_USE pd_status pd_http_start(pd_http **ret_http, int listen_fd, pd_app *app, pd_error *err);
/* Accepts nothing more, waits for the connections' threads: stop the app first. */
void pd_http_stop(pd_http **http);

#endif
