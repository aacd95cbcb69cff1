/* Both sides of the decoder's protocol: bytes as an answer to two different requests, and bytes as a request. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the program relies on. */
static void check_picture(const pd_picture *picture, const uint8_t *slot)
{
    const uint64_t bytes = (uint64_t)picture->pixel_width * picture->pixel_height * 3;
    if (!picture->width || !picture->height || !picture->pages || !picture->type[0])
        abort();
    if (picture->has_pixels != (picture->pixels != NULL) || picture->has_pixels == (picture->pixels_error[0] != '\0'))
        abort();
    if (picture->has_pixels && (bytes == 0 || bytes > PD_DECODE_SLOT_BYTES))
        abort();
    if (picture->thumb && (picture->thumb < slot + bytes || picture->thumb_bytes > PD_DECODE_SLOT_BYTES ||
                           picture->thumb > slot + PD_DECODE_SLOT_BYTES - picture->thumb_bytes))
        abort();
    if (!pd_utf8_valid(picture->meta.make, strnlen(picture->meta.make, sizeof picture->meta.make)) ||
        picture->meta.orientation < 1 || picture->meta.orientation > 8 || fabs(picture->meta.gps_lat) > 90)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* only addresses are computed from it, so it need not be real memory of that size */
    const uint8_t *slot = (const uint8_t *)(uintptr_t)0x100000;
    pd_decode_request request;
    if (size == sizeof request) {
        memcpy(&request, data, sizeof request);
        if (pd_decode_request_is_sound(&request) && (request.thumb > 1 || !request.timeout_ms))
            abort();
    }
    for (uint32_t thumb = 0; thumb < 2; thumb++) {
        request = (pd_decode_request){ .id = 7, .thumb = thumb };
        pd_picture picture;
        bool has_lied = false;
        if (pd_reply_read(data, size, &request, slot, &picture, &has_lied, NULL) == PD_OK) {
            check_picture(&picture, slot);
            if (has_lied || (!thumb && picture.thumb))
                abort();
        }
    }
    return 0;
}
