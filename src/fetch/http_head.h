/* http_head.h: what the head of an answer says. Lines come from strangers: what is no number, too long or not asked for
 * is as if it were not there. */
#ifndef PD_FETCH_HTTP_HEAD_H
#define PD_FETCH_HTTP_HEAD_H

#include <stddef.h>
#include <stdint.h>

#define PD_RESPONSE_ETAG_BYTES 256
#define PD_RESPONSE_URL_BYTES 8192

typedef struct pd_response {
    int code;                          /* 0: none came */
    int64_t length;                    /* Content-Length; -1: not said */
    int64_t range_begin, range_total;  /* Content-Range; -1: not said */
    char etag[PD_RESPONSE_ETAG_BYTES]; /* with its quotes; "" when there is none, or a weak one */
    char location[PD_RESPONSE_URL_BYTES];
    char error_code[64]; /* X-Error-Code: "GatedRepo", "RepoNotFound", "EntryNotFound" ... */
    /* What the hub says of a file before it leads on to the place where its bytes lie; kept over redirects. */
    int64_t linked_size;                      /* -1: not said */
    char linked_etag[PD_RESPONSE_ETAG_BYTES]; /* without quotes: SHA-256 of a large file; "" */
} pd_response;

void pd_response_init(pd_response *ret_response);
/* For the answer after a redirect: everything but what is kept. */
void pd_response_follow(pd_response *response);
/* One line of the head, line end included. */
void pd_response_take(pd_response *response, const char *line, size_t len);

#endif
