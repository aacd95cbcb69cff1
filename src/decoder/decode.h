/* decode.h: one file in, one reply out. */
#ifndef PD_DECODER_DECODE_H
#define PD_DECODER_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "media/protocol.h"

/* Loads what decoding needs, once: codecs that are modules, colour profiles. */
PD_MUST_USE pd_status pd_decode_init(pd_error *err);

typedef struct pd_decode_input {
    const uint8_t *data;
    size_t len;
    const uint8_t *sidecar; /* NULL: none */
    size_t sidecar_bytes;
} pd_decode_input;

/* Zeroed by the caller, but for: */
typedef struct pd_decode_output {
    uint8_t *slot; /* PD_DECODE_SLOT_BYTES of shared memory: pixels and thumbnail */
    pd_buf texts;  /* empty, ceiling PD_TEXTS_BYTES_MAX; the caller's to free */
    pd_decode_reply reply;
} pd_decode_output;

/* Decodes the picture for `request`. PD_OK also for a picture whose pixels are damaged while its header can be read:
 * has_pixels is then 0 and the message says why. */
PD_MUST_USE pd_status pd_decode_file(const pd_decode_input *input, const pd_decode_request *request,
                                     pd_decode_output *output, pd_error *err);

/* Puts a sentence into the reply: cut to fit, valid UTF-8, one line. */
void pd_decode_message_set(pd_decode_reply *reply, const char *message);

#endif
