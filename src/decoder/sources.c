#include "decoder/sources.h"

#include <string.h>

#include "decoder/boxes.h"
#include "decoder/ifd.h"
#include "decoder/iptc.h"
#include "decoder/xmp.h"

enum { CHUNKS_MAX = 65536 };

static size_t read_number(const uint8_t *bytes, bool is_big_endian)
{
    size_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | bytes[is_big_endian ? i : 3 - i];
    return value;
}

static void read_tiff(const uint8_t *data, size_t len, pd_sources *sources)
{
    pd_ifd_blocks blocks = { 0 };
    if (!pd_ifd_read(data, len, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], &blocks))
        return;
    if (blocks.xmp)
        (void)pd_xmp_read(blocks.xmp, blocks.xmp_bytes, &sources->claims[PD_SOURCE_XMP]);
    if (blocks.iptc)
        pd_iptc_read(blocks.iptc, blocks.iptc_bytes, &sources->claims[PD_SOURCE_IPTC]);
    if (blocks.photoshop)
        pd_iptc_read_photoshop(blocks.photoshop, blocks.photoshop_bytes, &sources->claims[PD_SOURCE_IPTC]);
}

static void read_webp(const uint8_t *data, size_t len, pd_sources *sources)
{
    size_t at = 12;
    for (int n = 0; n < CHUNKS_MAX && at <= len && len - at >= 8; n++) {
        const uint8_t *chunk = data + at + 8;
        const size_t bytes = read_number(data + at + 4, false);
        if (bytes > len - at - 8)
            return;
        if (memcmp(data + at, "EXIF", 4) == 0)
            (void)pd_ifd_read(chunk, bytes, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], NULL);
        else if (memcmp(data + at, "XMP ", 4) == 0)
            (void)pd_xmp_read(chunk, bytes, &sources->claims[PD_SOURCE_XMP]);
        at += 8 + bytes + (bytes & 1);
    }
}

/* Adobe's application extension: the packet as it is, then 258 bytes that make it look like sub-blocks. */
static void read_gif(const uint8_t *data, size_t len, pd_sources *sources)
{
    static const char mark[] = "\x21\xff\x0bXMP DataXMP";
    enum { MAGIC_BYTES = 258 };
    const uint8_t *start = memmem(data, len, mark, sizeof mark - 1);
    if (!start)
        return;
    start += sizeof mark - 1;
    const uint8_t *end = memmem(start, (size_t)(data + len - start), "\x01\xff\xfe\xfd", 4);
    if (end)
        (void)pd_xmp_read(start, (size_t)(end - start), &sources->claims[PD_SOURCE_XMP]);
}

/* Fujifilm's raw file begins with a JPEG that carries the metadata. */
static void read_raf(const uint8_t *data, size_t len, pd_sources *sources)
{
    enum { JPEG_PLACE_AT = 84, HEADER_BYTES = 92 };
    if (len < HEADER_BYTES)
        return;
    const size_t place = read_number(data + JPEG_PLACE_AT, true), bytes = read_number(data + JPEG_PLACE_AT + 4, true);
    if (place <= len && bytes <= len - place && bytes > 4)
        pd_sources_read_jpeg(data + place, bytes, sources);
}

static void take_exif(void *user, const uint8_t *data, size_t len)
{
    pd_sources *sources = user;
    (void)pd_ifd_read(data, len, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], NULL);
}

static void take_canon(void *user, unsigned number, const uint8_t *data, size_t len)
{
    static const pd_ifd_kind kinds[] = { PD_IFD_ALL, PD_IFD_EXIF, PD_IFD_CANON, PD_IFD_GPS };
    pd_sources *sources = user;
    (void)pd_ifd_read(data, len, kinds[number - 1], &sources->claims[PD_SOURCE_EXIF], NULL);
}

static void take_xmp(void *user, const uint8_t *data, size_t len)
{
    pd_sources *sources = user;
    (void)pd_xmp_read(data, len, &sources->claims[PD_SOURCE_XMP]);
}

static void take_iptc(void *user, const uint8_t *data, size_t len)
{
    pd_sources *sources = user;
    pd_iptc_read(data, len, &sources->claims[PD_SOURCE_IPTC]);
}

static bool begins_with(const uint8_t *data, size_t len, const char *start, size_t start_bytes)
{
    return len >= start_bytes && memcmp(data, start, start_bytes) == 0;
}

void pd_sources_read(const uint8_t *data, size_t len, pd_sources *sources)
{
    static const pd_boxes_visitor visitor = { take_exif, take_canon, take_xmp, take_iptc };
    if (begins_with(data, len, "\xff\xd8\xff", 3))
        pd_sources_read_jpeg(data, len, sources);
    else if (begins_with(data, len, "\x89PNG\r\n\x1a\n", 8))
        pd_sources_read_png(data, len, sources);
    else if (len >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp(data + 8, "WEBP", 4) == 0)
        read_webp(data, len, sources);
    else if (begins_with(data, len, "GIF8", 4))
        read_gif(data, len, sources);
    else if (begins_with(data, len, "FUJIFILMCCD-RAW ", 16))
        read_raf(data, len, sources);
    else if (pd_boxes_are_here(data, len)) {
        if (!pd_boxes_read(data, len, &visitor, sources))
            sources->claims[PD_SOURCE_EXIF].texts.status = PD_ERR_NOMEM;
    } else {
        read_tiff(data, len, sources);
    }
}
