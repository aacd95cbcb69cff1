/* response.h: one answer, before it is put on the wire; and the one map from a status to an HTTP code. */
#ifndef PD_SERVER_RESPONSE_H
#define PD_SERVER_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

/* An answer that goes on: `read` waits for what comes next and writes at most `max` bytes; 0: the end;
 * PD_STREAM_BROKEN: what was sent is not all, and the client is to see that. `free` is called once, when the answer has
 * ended, however. Both run on the connection's own thread. */
#define PD_STREAM_BROKEN SIZE_MAX
typedef struct pd_stream {
    size_t (*read)(void *user, char *buf, size_t max);
    void (*free)(void *user);
    void *user;
} pd_stream;

typedef enum pd_body_kind {
    PD_BODY_NONE,
    PD_BODY_OWNED,    /* `owned`, [len], given to the wire */
    PD_BODY_CONSTANT, /* `constant`, [len], lives for ever */
    PD_BODY_FILE,     /* `fd` from `offset`, [len], given to the wire */
    PD_BODY_STREAM
} pd_body_kind;

#define PD_REPLY_ETAG_BYTES 112
#define PD_REPLY_EXTRA_BYTES 192

/* Begins zeroed. */
typedef struct pd_reply {
    unsigned code;
    const char *mime;
    bool is_page;    /* part of the page: its policy, and a browser may keep it as long as it asks again */
    bool is_picture; /* a photo: the strictest policy, private, and asked again each time */
    pd_body_kind kind;
    size_t len;
    char *owned;
    const void *constant;
    int fd;
    int64_t offset;
    pd_stream stream;
    bool gzip;                         /* the body is compressed */
    bool varies;                       /* by Accept-Encoding */
    bool ranges;                       /* parts may be asked for */
    const char *location, *allow;      /* NULL: none */
    const char *disposition;           /* NULL: none */
    unsigned retry_after_s;            /* 0: none */
    char etag[PD_REPLY_ETAG_BYTES];    /* quoted; "" : none */
    char cookie[PD_REPLY_EXTRA_BYTES]; /* Set-Cookie; "": none */
    char content_range[PD_REPLY_EXTRA_BYTES];
} pd_reply;

/* What only a surface that speaks HTTP can say. */
typedef enum pd_refusal {
    PD_REFUSAL_UNAUTHORIZED,
    PD_REFUSAL_FORBIDDEN,
    PD_REFUSAL_NOT_FOUND,
    PD_REFUSAL_METHOD,
    PD_REFUSAL_NO_JOB,
    PD_REFUSAL_LENGTH, /* a body that does not say its length */
    PD_REFUSAL_LIMIT,
    PD_REFUSAL_RANGE,
    PD_REFUSAL_MISDIRECTED,
    PD_REFUSAL_BUSY, /* too many at once */
    PD_REFUSAL_COUNT
} pd_refusal;

unsigned pd_http_code(pd_status status); /* 500 for values outside the enum */

/* {"error":{"status","message"}} in place of what the reply was. */
void pd_reply_refuse(pd_reply *reply, pd_refusal refusal, const char *sentence);
void pd_reply_error(pd_reply *reply, const pd_error *error);
/* The same under another code: where the thing asked for gives the status another meaning. */
void pd_reply_error_as(pd_reply *reply, unsigned code, const pd_error *error);

/* Takes the document; NULL (out of memory) is an error of its own. */
void pd_reply_json_take(pd_reply *reply, unsigned code, pd_json *json);
/* Takes the text, JSON already. */
void pd_reply_text_take(pd_reply *reply, unsigned code, char *text, size_t len);

void pd_reply_done(pd_reply *reply); /* frees what was not put on the wire */

#endif
