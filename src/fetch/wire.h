/* wire.h: one GET over HTTP, redirects followed. The only file of the program that knows libcurl.
 *
 * HTTPS; HTTP only to loopback addresses, and only when the hub itself is one. The token goes to the hub's own scheme,
 * host and port, and nowhere else, wherever a redirect leads. Proxies are those of the environment; none for HTTP. One
 * thread. */
#ifndef PD_FETCH_WIRE_H
#define PD_FETCH_WIRE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "fetch/fetch.h"
#include "fetch/http_head.h"
#include "fetch/spans.h"

typedef struct pd_wire_options {
    const char *endpoint; /* "https://huggingface.co" */
    const char *token;    /* NULL or "": none */
    int stall_ms;         /* no byte for so long: given up */
    int connect_ms;       /* until names are found and hands are shaken, a proxy's too */
    pd_trust trust;
    bool (*is_cancelled)(void *user);
    void *user;
} pd_wire_options;

typedef struct pd_wire pd_wire;
/* Options' texts and user must live as long. USAGE: an address that is none, or HTTP to somewhere else. */
PD_MUST_USE pd_status pd_wire_create(pd_wire **ret_wire, const pd_wire_options *options, pd_error *err);
void pd_wire_free(pd_wire **wire);

typedef struct pd_get {
    const char *url;
    pd_span range;        /* end 0: the whole file */
    const char *if_range; /* NULL, or an ETag: the range only while it is still the same; else all of it (200) */
    /* Called by the final answer when its code is 200 or 206: once before the first byte, then for each piece. False
     * ends the transfer, which is no error of the wire: the caller knows why. */
    bool (*begin)(void *user, const pd_response *response);
    bool (*take)(void *user, const void *data, size_t len);
    void *user;
} pd_get;

/* PD_OK: an answer came, to its end or until the caller ended it; whatever its code. NETWORK with a sentence:
 * *ret_again says whether to try again makes sense. CANCELLED. */
PD_MUST_USE pd_status pd_wire_get(pd_wire *wire, const pd_get *get, pd_response *ret_response, bool *ret_again,
                                  pd_error *err);
/* Seconds that the last answer asked to wait (Retry-After); 0: nothing said. */
int pd_wire_retry_after_s(const pd_wire *wire);
/* Of the last request, for sentences: "huggingface.co". */
const char *pd_wire_host(const pd_wire *wire);

/* Appends `text` as a part of an address. */
PD_MUST_USE pd_status pd_wire_append_escaped(pd_wire *wire, pd_buf *buf, const char *text);

#endif
