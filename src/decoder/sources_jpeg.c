/* sources_jpeg.c: the segments before the picture of a JPEG: EXIF, XMP and its extension, Photoshop's block, CIFF. */
#include <string.h>

#include "base/mem.h"
#include "decoder/bytes.h"
#include "decoder/ciff.h"
#include "decoder/ifd.h"
#include "decoder/iptc.h"
#include "decoder/sources.h"
#include "decoder/xmp.h"

enum {
    SEGMENTS_MAX = 1024,
    MARKER_SOS = 0xda,
    MARKER_EOI = 0xd9,
    MARKER_APP1 = 0xe1,
    MARKER_APP13 = 0xed,
    GUID_BYTES = 32,
    EXTENSION_HEADER_BYTES = GUID_BYTES + 8, /* name, bytes of the whole, place of this piece */
};

static const char xmp_mark[] = "http://ns.adobe.com/xap/1.0/";
static const char extension_mark[] = "http://ns.adobe.com/xmp/extension/";
static const char photoshop_mark[] = "Photoshop 3.0";

typedef struct segment {
    uint8_t marker;
    const uint8_t *data;
    size_t len;
} segment;

/* The segment at *at; moves on. False at the picture itself, and where there is none. */
static bool next_segment(const uint8_t *jpeg, size_t len, size_t *at, segment *ret_segment)
{
    size_t i = *at;
    while (i < len && jpeg[i] != 0xff) /* some writers leave bytes behind a segment */
        i++;
    while (i < len && jpeg[i] == 0xff)
        i++;
    if (i + 3 > len || jpeg[i] == MARKER_SOS || jpeg[i] == MARKER_EOI)
        return false;
    const size_t bytes = (size_t)jpeg[i + 1] << 8 | jpeg[i + 2]; /* with these two */
    if (bytes < 2 || bytes > len - i - 1)
        return false;
    *ret_segment = (segment){ jpeg[i], jpeg + i + 3, bytes - 2 };
    *at = i + 1 + bytes;
    return true;
}

/* What follows `mark` and its NUL, NULL when the segment does not begin with it. */
static const uint8_t *skip_mark(const segment *s, const char *mark, size_t mark_bytes, size_t *ret_len)
{
    if (s->len < mark_bytes || memcmp(s->data, mark, mark_bytes) != 0)
        return NULL;
    *ret_len = s->len - mark_bytes;
    return s->data + mark_bytes;
}

static void read_segment(const segment *s, pd_sources *sources)
{
    size_t len;
    const uint8_t *data;
    if (s->marker == MARKER_APP1 && s->len > 6 && memcmp(s->data, "Exif\0", 5) == 0)
        (void)pd_ifd_read(s->data + 6, s->len - 6, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], NULL);
    else if (s->marker == MARKER_APP1 && (data = skip_mark(s, xmp_mark, sizeof xmp_mark, &len)))
        (void)pd_xmp_read(data, len, &sources->claims[PD_SOURCE_XMP]);
    else if (s->marker == MARKER_APP13 && (data = skip_mark(s, photoshop_mark, sizeof photoshop_mark, &len)))
        pd_iptc_read_photoshop(data, len, &sources->claims[PD_SOURCE_IPTC]);
}

/* A packet of more than 64 KiB continues in pieces that carry its name. */
static void read_extension(const uint8_t *jpeg, size_t len, pd_claims *claims)
{
    uint8_t *whole = NULL;
    size_t whole_bytes = 0, at = 2, piece_bytes;
    segment s;
    for (int n = 0; n < SEGMENTS_MAX && next_segment(jpeg, len, &at, &s); n++) {
        const uint8_t *piece =
            s.marker == MARKER_APP1 ? skip_mark(&s, extension_mark, sizeof extension_mark, &piece_bytes) : NULL;
        if (!piece || piece_bytes < EXTENSION_HEADER_BYTES || memcmp(piece, claims->extension, GUID_BYTES) != 0)
            continue;
        const size_t bytes = pd_be32(piece + GUID_BYTES), place = pd_be32(piece + GUID_BYTES + 4);
        piece_bytes -= EXTENSION_HEADER_BYTES;
        if (!whole && bytes > 0 && bytes <= PD_XMP_BYTES_MAX) {
            whole = pd_mem_alloc(bytes, 1);
            whole_bytes = bytes;
            if (!whole)
                claims->texts.status = PD_ERR_NOMEM;
        }
        if (whole && place <= whole_bytes && piece_bytes <= whole_bytes - place)
            memcpy(whole + place, piece + EXTENSION_HEADER_BYTES, piece_bytes);
    }
    if (whole)
        (void)pd_xmp_read(whole, whole_bytes, claims);
    pd_mem_free(whole);
}

void pd_sources_read_jpeg(const uint8_t *data, size_t len, pd_sources *sources)
{
    size_t at = 2;
    segment s;
    for (int n = 0; n < SEGMENTS_MAX && next_segment(data, len, &at, &s); n++)
        read_segment(&s, sources);
    if (strlen(sources->claims[PD_SOURCE_XMP].extension) == GUID_BYTES)
        read_extension(data, len, &sources->claims[PD_SOURCE_XMP]);
    pd_ciff_read(data, len, &sources->claims[PD_SOURCE_EXIF].facts);
}
