/* codes.h: text as code points, growable up to a ceiling; private to this room. One thread at a time.
 *
 * A failed push is remembered in `status`, as in base/buf.h: push many times, look once. */
#ifndef PD_TOKEN_CODES_H
#define PD_TOKEN_CODES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define PD_CODES_MAX 65536 /* a query of PD_TOKEN_TEXT_BYTES_MAX stays far below, whatever cleaning makes of it */

typedef struct pd_codes {
    uint32_t *data;
    size_t len;
    size_t capacity;
    pd_status status;
} pd_codes; /* starts zeroed */

void pd_codes_push(pd_codes *codes, uint32_t code);
void pd_codes_append(pd_codes *codes, const uint32_t *data, size_t len);
void pd_codes_clear(pd_codes *codes); /* keeps capacity and status */
void pd_codes_done(pd_codes *codes);

#endif
