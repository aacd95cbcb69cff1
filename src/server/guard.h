/* guard.h: who may ask. Every rule of docs/http.md 'Who may ask' is one function here. Foreign bytes, pure. */
#ifndef PD_SERVER_GUARD_H
#define PD_SERVER_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "server/response.h"
#include "server/request.h"

#define PD_TOKEN_DIGITS 64 /* hex: 256 bits */

/* Whether `host` ("127.0.0.1:7733", "localhost", "[::1]:80") names this machine; its port, 80 when it has none. */
bool pd_host_is_loopback(const char *host, uint16_t *ret_port);

/* A name, or several, that point here from outside: 421. */
bool pd_guard_host(const pd_request *request, pd_reply *reply);

/* What another site made the browser send: 403. */
bool pd_guard_site(const pd_request *request, bool writes, pd_reply *reply);

/* Whether two tokens are the same; takes the same time wherever they differ. `given` may be anything. */
bool pd_token_equal(const char *given, const char *token);

/* Bearer or cookie: 401. */
bool pd_guard_token(const pd_request *request, const char *token, pd_reply *reply);

/* The cookie's name carries the port as the browser sees it, so that two tunnels to two machines keep their own. */
#define PD_COOKIE_NAME_BYTES 24
void pd_cookie_name(const pd_request *request, char ret_name[PD_COOKIE_NAME_BYTES]);

#endif
