#include "decoder/ciff.h"

#include <stdbool.h>
#include <string.h>

#include "decoder/exif_text.h"

/* A heap ends with the offset of its directory: a count, then entries of tag, size, offset (10 bytes, little-endian),
 * offsets counted from the start of the heap. Directories nest as heaps inside the heap. */
enum {
    HEADER_BYTES = 14, /* "II", length of the header, "HEAPJPGM" */
    ENTRY_BYTES = 10,
    ENTRIES_MAX = 256,
    DEPTH_MAX = 3,
    TAG_MAKE_MODEL = 0x080a, /* two strings, each ended by a NUL */
    TAG_TYPE_MASK = 0x3800,
    TAG_TYPE_HEAP_A = 0x2800,
    TAG_TYPE_HEAP_B = 0x3000,
    SEGMENTS_MAX = 16, /* of the JPEG that are looked at */
};

static uint32_t read_le(const uint8_t *bytes, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

static void take_make_model(const uint8_t *text, size_t len, pd_photo_meta *meta)
{
    const size_t make_len = strnlen((const char *)text, len);
    pd_text_clean(text, make_len, meta->make, sizeof meta->make);
    if (make_len < len)
        pd_text_clean(text + make_len + 1, len - make_len - 1, meta->model, sizeof meta->model);
}

static void walk_heap(const uint8_t *heap, size_t len, unsigned depth, pd_photo_meta *meta)
{
    if (len < 6)
        return;
    const size_t directory = read_le(heap + len - 4, 4);
    if (directory > len - 6)
        return;
    size_t n = read_le(heap + directory, 2);
    n = n > ENTRIES_MAX ? ENTRIES_MAX : n;
    for (size_t i = 0; i < n && (i + 1) * ENTRY_BYTES <= len - directory - 2; i++) {
        const uint8_t *entry = heap + directory + 2 + i * ENTRY_BYTES;
        const uint32_t tag = read_le(entry, 2), bytes = read_le(entry + 2, 4), offset = read_le(entry + 6, 4);
        if (tag & 0xc000 || offset > len || bytes > len - offset) /* values inside the entry hold no text */
            continue;
        const uint32_t type = tag & TAG_TYPE_MASK;
        if (tag == TAG_MAKE_MODEL)
            take_make_model(heap + offset, bytes, meta);
        else if ((type == TAG_TYPE_HEAP_A || type == TAG_TYPE_HEAP_B) && depth < DEPTH_MAX)
            walk_heap(heap + offset, bytes, depth + 1, meta);
    }
}

static bool is_ciff(const uint8_t *block, size_t len)
{
    return len > HEADER_BYTES && memcmp(block, "II", 2) == 0 && memcmp(block + 6, "HEAPJPGM", 8) == 0;
}

void pd_ciff_read(const uint8_t *jpeg, size_t len, pd_photo_meta *meta)
{
    if (meta->make[0] || meta->model[0])
        return;
    size_t at = 2;
    for (int i = 0; i < SEGMENTS_MAX && len >= 4 && at <= len - 4 && jpeg[at] == 0xff; i++) {
        const uint8_t *segment = jpeg + at;
        const size_t bytes = (size_t)segment[2] << 8 | segment[3]; /* with these two, without the marker */
        if (bytes < 2 || bytes > len - at - 2 || segment[1] < 0xe0 || segment[1] > 0xef)
            return;
        const uint8_t *block = segment + 4;
        if (is_ciff(block, bytes - 2)) {
            const size_t header = read_le(block + 2, 4);
            if (header <= bytes - 2)
                walk_heap(block + header, bytes - 2 - header, 1, meta);
            return;
        }
        at += 2 + bytes;
    }
}
