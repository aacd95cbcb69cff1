/* reply.h: the answer of a decoder, looked at with suspicion. Private to media. */
#ifndef PD_MEDIA_REPLY_H
#define PD_MEDIA_REPLY_H

#include "media/media.h"
#include "media/protocol.h"

/* Turns `reply`, `bytes` long, into *ret_picture, whose pixels and thumbnail point into `slot` (PD_DECODE_SLOT_BYTES)
 * and whose texts are a copy of their own. `bytes` may be more than were received, for a packet longer than any answer
 * is. A failure that the decoder reports comes back as its status and sentence, *ret_lied false. A reply that breaks
 * the protocol in any field is PD_ERR_FORMAT, and *ret_lied says that the process is not to be used again. */
PD_MUST_USE pd_status pd_reply_read(const void *reply, size_t bytes, const pd_decode_request *request,
                                    const uint8_t *slot, pd_picture *ret_picture, bool *ret_lied, pd_error *err);

#endif
