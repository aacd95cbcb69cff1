/* buf.h: a growable byte buffer with a mandatory ceiling. One thread at a time.
 *
 * `data` is always NUL-terminated once something was appended, so text can be printed as it is. A failed append
 * (PD_ERR_LIMIT, PD_ERR_NOMEM) leaves the content as it was and is remembered in `status`: a writer may append many
 * times and look once, at the end. */
#ifndef PD_BASE_BUF_H
#define PD_BASE_BUF_H

#include <stddef.h>

#include "base/attr.h"
#include "base/status.h"

typedef struct pd_buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t len_max;   /* ceiling for len */
    pd_status status; /* first failure; PD_OK else */
} pd_buf;

void pd_buf_init(pd_buf *buf, size_t len_max);
void pd_buf_done(pd_buf *buf);
void pd_buf_clear(pd_buf *buf); /* empties, keeps capacity and ceiling, forgets a failure */

pd_status pd_buf_append(pd_buf *buf, const void *data, size_t len);
pd_status pd_buf_append_string(pd_buf *buf, const char *string);
pd_status pd_buf_appendf(pd_buf *buf, const char *format, ...) PD_PRINTF(2, 3);

/* Room for `len` more bytes to be written at data + len by the caller, who then adds to len. */
PD_MUST_USE pd_status pd_buf_reserve(pd_buf *buf, size_t len);

/* The bytes become the caller's (pd_mem_free); the buffer is empty afterwards. NULL after a failure or when empty. */
PD_MUST_USE char *pd_buf_take(pd_buf *buf);

#endif
