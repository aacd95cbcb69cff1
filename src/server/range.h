/* range.h: the Range header (RFC 9110, section 14): one range of bytes. Foreign bytes. */
#ifndef PD_SERVER_RANGE_H
#define PD_SERVER_RANGE_H

#include <stdint.h>

typedef enum pd_range_kind {
    PD_RANGE_WHOLE,  /* no range, one that makes no sense, or several: the whole is answered, as the RFC allows */
    PD_RANGE_PART,   /* first..last, both inside */
    PD_RANGE_OUTSIDE /* nothing of it is there: 416 */
} pd_range_kind;

/* `header` NULL: none. Of a representation of `bytes` bytes. */
pd_range_kind pd_range_parse(const char *header, int64_t bytes, int64_t *ret_first, int64_t *ret_last);

#endif
