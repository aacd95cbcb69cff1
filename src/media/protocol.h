/* protocol.h: what the program and its decoder processes say to each other. Neither side believes the other.
 *
 * One SOCK_SEQPACKET socket per process, file descriptor 3 of the decoder; one packet per message, each a fixed-size
 * struct in this machine's byte order, because both programs come from one build (the version says so).
 *
 *   decoder -> program   pd_decode_hello, once, when it is ready
 *   program -> decoder   pd_decode_request with two descriptors: the file, the slot; a third: the sidecar, or what is
 * to be said in one decoder -> program   pd_decode_reply, and behind it in the same packet `text_bytes` of texts
 * (base/texts.h): they are looked at and then relied on, so they do not travel through memory that both sides can write
 *
 * The end of the socket ends the decoder. A slot is a memfd of PD_DECODE_SLOT_BYTES, sealed against resizing: a decoder
 * can put wrong bytes there but can never make the program fault. Pixels begin at offset 0; the thumbnail follows. A
 * rendition, made in place of both, begins at offset 0, and so does a merged sidecar. */
#ifndef PD_MEDIA_PROTOCOL_H
#define PD_MEDIA_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/media.h"

#define PD_DECODE_SOCKET_FD 3
#define PD_DECODE_MAGIC UINT32_C(0x31444450) /* "PDD1" */
#define PD_DECODE_VERSION UINT32_C(5)

#define PD_DECODE_THUMB_BYTES_MAX ((size_t)1 << 20)
#define PD_DECODE_PIXEL_BYTES_MAX ((size_t)48 << 20) /* larger results are scaled down further to fit */
#define PD_DECODE_SLOT_BYTES (PD_DECODE_PIXEL_BYTES_MAX + PD_DECODE_THUMB_BYTES_MAX)

#define PD_DECODE_SIDE_MAX UINT32_C(1000000) /* px: the formats themselves end between 2^16 and 2^31 */
#define PD_DECODE_TIMEOUT_MS_MAX (UINT32_C(24) * 3600 * 1000)
#define PD_DECODE_PAGES_MAX UINT32_C(1000000)

#define PD_DECODE_ANSWER_BYTES_MAX (sizeof(pd_decode_reply) + PD_TEXTS_BYTES_MAX)

/* Exit statuses of a decoder that mean more than "crashed". */
#define PD_DECODE_EXIT_FILE_IO 70 /* the file could not be read to its end: the disk, or somebody cut it meanwhile */
#define PD_DECODE_EXIT_MEMORY 71  /* a library that gives up when it gets no memory got none */

typedef struct pd_decode_hello {
    uint32_t magic, version;
    uint32_t walls;  /* PD_WALL_*: those that stand around the decoder */
    uint32_t unused; /* 0 */
} pd_decode_hello;

typedef struct pd_decode_request {
    uint32_t magic, version;
    uint64_t id; /* comes back in the reply */
    uint32_t short_side_min;
    uint32_t thumb; /* 0 or 1 */
    uint32_t timeout_ms;
    uint32_t rendition_side; /* 0: pixels are wanted; else a rendition, and no thumbnail */
    uint32_t meta_only;      /* 0 or 1: no pixels, and no thumbnail */
    uint32_t has_sidecar;    /* 0 or 1: a third descriptor comes along */
    uint32_t merge; /* 0 or 1: the file is a sidecar, the third descriptor holds texts (base/texts.h) to be said in
                       it, and nothing else is wanted */
    int32_t rating; /* of a merge: -1..5 or PD_MEDIA_ABSENT; else 0 */
} pd_decode_request;

typedef struct pd_decode_reply {
    uint32_t magic, version;
    uint64_t id;
    uint32_t status; /* pd_status: OK, NOMEM, IO, FORMAT, UNSUPPORTED, LIMIT; all below counts only when OK */
    uint32_t has_pixels;
    char message[240]; /* the sentence of the failure, or why there are no pixels and no rendition */
    char type[8];
    uint32_t width, height;
    uint32_t pages;
    uint32_t pixel_width, pixel_height;
    uint32_t rendition_bytes; /* 0 unless asked for; of a merged sidecar its bytes, and nothing else is set */
    uint64_t thumb_offset, thumb_bytes;
    uint64_t phash;
    uint32_t text_bytes; /* behind this struct; 0 after a failure */
    pd_look look;        /* zeros without pixels */
    pd_photo_meta meta;
} pd_decode_reply;

_Static_assert(sizeof(pd_look) == 28, "no padding: what is sent is what is compared");
_Static_assert(sizeof(pd_photo_meta) == 360, "no padding: what is sent is what is compared");
_Static_assert(sizeof(pd_decode_request) == 48 && sizeof(pd_decode_reply) == 712, "no padding on the wire");

/* The decoder's look at a request; the program's look at a reply is media/reply.h. */
static inline bool pd_decode_merge_is_sound(const pd_decode_request *request)
{
    if (!request->merge)
        return request->rating == 0;
    return request->merge == 1 && request->has_sidecar == 1 && !request->thumb && !request->rendition_side &&
           !request->meta_only && !request->short_side_min &&
           (request->rating == PD_MEDIA_ABSENT || (request->rating >= -1 && request->rating <= 5));
}

static inline bool pd_decode_request_is_sound(const pd_decode_request *request)
{
    return request->magic == PD_DECODE_MAGIC && request->version == PD_DECODE_VERSION && request->thumb <= 1 &&
           request->rendition_side <= PD_MEDIA_RENDITION_SIDE_MAX && !(request->rendition_side && request->thumb) &&
           request->meta_only <= 1 && !(request->meta_only && (request->thumb || request->rendition_side)) &&
           request->has_sidecar <= 1 && request->timeout_ms >= 1 && request->timeout_ms <= PD_DECODE_TIMEOUT_MS_MAX &&
           request->short_side_min <= PD_DECODE_SIDE_MAX && pd_decode_merge_is_sound(request);
}

#endif
