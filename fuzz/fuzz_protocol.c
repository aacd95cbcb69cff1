/* Both sides of the decoder's protocol: bytes as an answer to three different requests, and bytes as a request. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pixels and thumbnail lie in the slot, apart from each other. */
static void check_pixels(const pd_picture *picture, const uint8_t *slot)
{
    const uint64_t bytes = (uint64_t)picture->pixel_width * picture->pixel_height * 3;
    if (bytes == 0 || bytes > PD_DECODE_SLOT_BYTES)
        abort();
    if (picture->thumb && (picture->thumb < slot + bytes || picture->thumb_bytes > PD_DECODE_SLOT_BYTES ||
                           picture->thumb > slot + PD_DECODE_SLOT_BYTES - picture->thumb_bytes))
        abort();
}

/* It lies in the slot, in place of all else. */
static void check_rendition(const pd_picture *picture, const uint8_t *slot)
{
    if (picture->rendition != slot || picture->pixels || picture->thumb || picture->rendition_bytes == 0 ||
        picture->rendition_bytes > PD_DECODE_SLOT_BYTES)
        abort();
}

/* What the rest of the program relies on. */
static void check_picture(const pd_picture *picture)
{
    if (!picture->width || !picture->height || !picture->pages || !picture->type[0])
        abort();
    const bool has_result = picture->has_pixels || picture->rendition;
    if (picture->has_pixels != (picture->pixels != NULL) || has_result == (picture->pixels_error[0] != '\0'))
        abort();
    if (!pd_utf8_valid(picture->meta.make, strnlen(picture->meta.make, sizeof picture->meta.make)) ||
        picture->meta.orientation < 1 || picture->meta.orientation > 8 || fabs(picture->meta.gps_lat) > 90)
        abort();
}

static void check_request(const uint8_t *data, size_t size)
{
    pd_decode_request request;
    if (size != sizeof request)
        return;
    memcpy(&request, data, sizeof request);
    if (pd_decode_request_is_sound(&request) &&
        (request.thumb > 1 || !request.timeout_ms || request.rendition_side > 1 << 14))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* only addresses are computed from it, so it need not be real memory of that size */
    const uint8_t *slot = (const uint8_t *)(uintptr_t)0x100000;
    check_request(data, size);
    for (int asked = 0; asked < 3; asked++) {
        const pd_decode_request request = { .id = 7, .thumb = asked == 1, .rendition_side = asked == 2 ? 2048 : 0 };
        pd_picture picture;
        bool has_lied = false;
        if (pd_reply_read(data, size, &request, slot, &picture, &has_lied, NULL) == PD_OK) {
            check_picture(&picture);
            if (picture.has_pixels)
                check_pixels(&picture, slot);
            if (picture.rendition)
                check_rendition(&picture, slot);
            if (has_lied || (!request.thumb && picture.thumb) || (!request.rendition_side && picture.rendition))
                abort();
        }
    }
    return 0;
}
