#include "decoder/preview.h"

#include <math.h>
#include <string.h>

enum {
    SEGMENTS_MAX = 256,      /* of one JPEG before its frame; profiles and metadata of 64 KiB each */
    BEGINNINGS_MAX = 100000, /* that are looked at: compressed data has one by chance every 16 MiB */
    FRAME_BYTES = 8,         /* length, precision, height, width, number of colours */
};

static const double aspect_tolerance = 0.05;

static uint32_t read_u16(const uint8_t *bytes) { return (uint32_t)bytes[0] << 8 | bytes[1]; }

/* Frames of baseline, extended and progressive coding, with Huffman or arithmetic codes; not lossless, not layered. */
static bool is_frame_for_the_eye(uint8_t marker)
{
    return marker == 0xc0 || marker == 0xc1 || marker == 0xc2 || marker == 0xc9 || marker == 0xca;
}

bool pd_preview_measure(const uint8_t *jpeg, size_t len, pd_preview *ret_preview)
{
    size_t at = 2;
    for (int n = 0; n < SEGMENTS_MAX && at + 2 + FRAME_BYTES <= len && jpeg[at] == 0xff; n++) {
        const uint8_t marker = jpeg[at + 1];
        if (marker == 0xff) { /* fill bytes */
            at++;
            continue;
        }
        const uint8_t *segment = jpeg + at + 2;
        if (is_frame_for_the_eye(marker)) {
            const pd_preview preview = {
                .jpeg = jpeg, .len = len, .width = read_u16(segment + 5), .height = read_u16(segment + 3)
            };
            if (segment[2] != 8 || !preview.width || !preview.height || (segment[7] != 1 && segment[7] != 3))
                return false;
            *ret_preview = preview;
            return true;
        }
        const bool may_come_before = marker == 0xc4 || marker == 0xcc || marker >= 0xdb;
        if (!may_come_before || read_u16(segment) < 2)
            return false;
        at += 2 + read_u16(segment);
    }
    return false;
}

static bool has_aspect(const pd_preview *preview, double aspect)
{
    const double width = preview->width, height = preview->height;
    const double own = width > height ? width / height : height / width;
    return aspect == 0 || fabs(own / aspect - 1) <= aspect_tolerance;
}

bool pd_preview_find(const uint8_t *data, size_t len, double aspect, pd_preview *ret_preview)
{
    bool is_found = false;
    uint64_t most = 0;
    const uint8_t *next = data, *const end = data + len;
    for (int n = 0; n < BEGINNINGS_MAX; n++) {
        const uint8_t *start = memmem(next, (size_t)(end - next), "\xff\xd8\xff", 3);
        if (!start)
            break;
        next = start + 3;
        pd_preview preview;
        if (!pd_preview_measure(start, (size_t)(end - start), &preview) || !has_aspect(&preview, aspect))
            continue;
        if ((uint64_t)preview.width * preview.height > most) {
            most = (uint64_t)preview.width * preview.height;
            *ret_preview = preview;
            is_found = true;
        }
    }
    return is_found;
}
