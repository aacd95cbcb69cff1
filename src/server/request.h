/* request.h: one request as its handler sees it. Nothing here knows the HTTP library. */
#ifndef PD_SERVER_REQUEST_H
#define PD_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/uri.h"

/* The headers that anybody here looks at. */
typedef enum pd_header {
    PD_HEADER_HOST,
    PD_HEADER_ORIGIN,
    PD_HEADER_SEC_FETCH_SITE,
    PD_HEADER_AUTHORIZATION,
    PD_HEADER_COOKIE,
    PD_HEADER_CONTENT_TYPE,
    PD_HEADER_CONTENT_LENGTH,
    PD_HEADER_TRANSFER_ENCODING,
    PD_HEADER_IF_NONE_MATCH,
    PD_HEADER_RANGE,
    PD_HEADER_IF_RANGE,
    PD_HEADER_ACCEPT_ENCODING,
    PD_HEADER_LAST_EVENT_ID,
    PD_HEADER_COUNT
} pd_header;

typedef struct pd_request {
    const char *method;
    pd_uri uri;
    const char *headers[PD_HEADER_COUNT]; /* NULL: not there; borrowed for the life of the request */
    size_t n_hosts;                       /* Host headers: one is right */
    uint64_t id;                          /* of the photo that the path names */
    int socket;                           /* of who asks, for pd_app_asking_begin; -1: not known */
    int body_fd;                          /* a picture that was uploaded: read-only for the handler; -1: none */
    const char *body;                     /* text that was sent, [body_len]; NULL: none */
    size_t body_len;
} pd_request;

#endif
