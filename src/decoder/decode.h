/* decode.h: one file in, one reply out. */
#ifndef PD_DECODER_DECODE_H
#define PD_DECODER_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "media/protocol.h"

/* Loads what decoding needs, once: codecs that are modules, colour profiles. */
PD_MUST_USE pd_status pd_decode_init(pd_error *err);

/* Decodes `data` for `request`: pixels and thumbnail go into `slot` (PD_DECODE_SLOT_BYTES), all else into *ret_reply
 * (zeroed by the caller). PD_OK also for a picture whose pixels are damaged while its header can be read: has_pixels is
 * then 0 and the message says why. */
PD_MUST_USE pd_status pd_decode_file(const uint8_t *data, size_t len, const pd_decode_request *request, uint8_t *slot,
                                     pd_decode_reply *ret_reply, pd_error *err);

/* Puts a sentence into the reply: cut to fit, valid UTF-8, one line. */
void pd_decode_message_set(pd_decode_reply *reply, const char *message);

#endif
