/* fetch_request.h: what pixel-detective-fetch is asked to do: one line on standard input (hub/pipe.h). */
#ifndef PD_FETCH_FETCH_REQUEST_H
#define PD_FETCH_FETCH_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "hub/pipe.h"

#define PD_FETCH_STALL_MS 30000   /* a connection that says nothing for so long is given up */
#define PD_FETCH_CONNECT_MS 20000 /* one that is not there after so long is given up */
#define PD_FETCH_RETRY_MS 500     /* before the first new try; doubled for each further one */

typedef struct pd_fetch_request {
    char endpoint[1024], token[1024]; /* token "": none */
    char repository[PD_HUB_KEY_BYTES], revision[PD_HUB_KEY_BYTES], key[PD_HUB_KEY_BYTES];
    char models_dir[4096];
    int stall_ms, connect_ms, retry_ms;
} pd_fetch_request;

PD_MUST_USE pd_status pd_fetch_request_parse(pd_fetch_request *ret_request, const char *line, size_t len,
                                             pd_error *err);

#endif
