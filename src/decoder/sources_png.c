/* sources_png.c: the chunks of a PNG: eXIf, XMP, ImageMagick's raw profiles, and PNG's own texts. */
#include <string.h>

#include <zlib.h>

#include "base/attr.h"
#include "base/buf.h"
#include "decoder/bytes.h"
#include "decoder/ifd.h"
#include "decoder/iptc.h"
#include "decoder/sources.h"
#include "decoder/xmp.h"

enum {
    CHUNKS_MAX = 65536,
    KEYWORD_BYTES_MAX = 79, /* the specification's */
};

#define INFLATED_BYTES_MAX ((size_t)4 << 20) /* a compressed text; one that grows beyond is left out */

typedef struct chunk {
    char type[5];
    const uint8_t *data;
    size_t len;
} chunk;

/* A text chunk, taken apart. */
typedef struct png_text {
    char keyword[KEYWORD_BYTES_MAX + 1];
    const uint8_t *data;
    size_t len;
    bool is_compressed;
} png_text;

static bool skip_text(png_text *text)
{
    const uint8_t *end = text->len ? memchr(text->data, '\0', text->len) : NULL;
    if (!end)
        return false;
    text->len -= (size_t)(end + 1 - text->data);
    text->data = end + 1;
    return true;
}

static bool open_text(const chunk *c, png_text *ret_text)
{
    png_text text = { .data = c->data, .len = c->len };
    const size_t keyword = strnlen((const char *)c->data, c->len);
    if (keyword == c->len || keyword > KEYWORD_BYTES_MAX)
        return false;
    memcpy(text.keyword, c->data, keyword);
    (void)skip_text(&text);
    if (strcmp(c->type, "zTXt") == 0) {
        if (text.len < 1 || text.data[0] != 0)
            return false;
        text.is_compressed = true;
        text.data++;
        text.len--;
    } else if (strcmp(c->type, "iTXt") == 0) {
        if (text.len < 2 || (text.data[0] == 1 && text.data[1] != 0))
            return false;
        text.is_compressed = text.data[0] == 1;
        text.data += 2;
        text.len -= 2;
        if (!skip_text(&text) || !skip_text(&text)) /* language, keyword in that language */
            return false;
    }
    *ret_text = text;
    return true;
}

/* False when it is damaged from the start, or too large. What comes before damage counts. */
static bool inflate_text(const png_text *text, pd_buf *ret_buf)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)text->data, .avail_in = (uInt)text->len };
    uint8_t part[16384];
    int result = Z_OK;
    if (inflateInit(&z) != Z_OK) {
        ret_buf->status = PD_ERR_NOMEM;
        return false;
    }
    while (result == Z_OK && ret_buf->status == PD_OK) {
        z.next_out = part;
        z.avail_out = sizeof part;
        result = inflate(&z, Z_NO_FLUSH);
        (void)pd_buf_append(ret_buf, part, sizeof part - z.avail_out);
        if (result == Z_OK && z.avail_out == sizeof part)
            break;
    }
    (void)inflateEnd(&z);
    return ret_buf->status == PD_OK && ret_buf->len > 0;
}

static int read_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* "\nexif\n    1234\n" and hexadecimal digits; the bytes replace them in place. Returns their number. */
static size_t decode_profile(char *text, size_t len)
{
    size_t at = 0, used = 0;
    int high = -1;
    for (int lines = 0; lines < 3 && at < len; at++) /* the third end of line is that of the length */
        lines += text[at] == '\n';
    for (; at < len; at++) {
        const int digit = read_digit(text[at]);
        if (digit < 0)
            continue;
        if (high < 0) {
            high = digit;
        } else {
            text[used++] = (char)(high << 4 | digit);
            high = -1;
        }
    }
    return used;
}

static void read_profile(const char *name, char *text, size_t len, pd_sources *sources)
{
    const size_t bytes = decode_profile(text, len);
    const uint8_t *data = (const uint8_t *)text;
    if (strcmp(name, "xmp") == 0) {
        (void)pd_xmp_read(data, bytes, &sources->claims[PD_SOURCE_XMP]);
    } else if (strcmp(name, "iptc") == 0) {
        pd_iptc_read_photoshop(data, bytes, &sources->claims[PD_SOURCE_IPTC]);
        pd_iptc_read(data, bytes, &sources->claims[PD_SOURCE_IPTC]);
    } else if (strcmp(name, "exif") == 0 || strcmp(name, "APP1") == 0) {
        (void)pd_ifd_read(data, bytes, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], NULL);
    }
}

static void take_text(const char *keyword, char *text, size_t len, pd_sources *sources)
{
    static const struct {
        const char *keyword;
        pd_text_kind kind;
    } fields[] = {
        { "Title", PD_TEXT_TITLE },         { "Description", PD_TEXT_DESCRIPTION }, { "Author", PD_TEXT_ARTIST },
        { "Copyright", PD_TEXT_COPYRIGHT }, { "Software", PD_TEXT_SOFTWARE },
    };
    static const char profile[] = "Raw profile type ";
    if (strcmp(keyword, "XML:com.adobe.xmp") == 0)
        (void)pd_xmp_read((const uint8_t *)text, len, &sources->claims[PD_SOURCE_XMP]);
    else if (strncmp(keyword, profile, sizeof profile - 1) == 0)
        read_profile(keyword + sizeof profile - 1, text, len, sources);
    for (size_t i = 0; i < PD_COUNT_OF(fields); i++)
        if (strcmp(keyword, fields[i].keyword) == 0)
            pd_claims_add(&sources->claims[PD_SOURCE_FORMAT], fields[i].kind, text, len);
}

static void read_text(const chunk *c, pd_sources *sources)
{
    png_text text;
    pd_buf buf;
    pd_buf_init(&buf, INFLATED_BYTES_MAX);
    if (open_text(c, &text) &&
        (text.is_compressed ? inflate_text(&text, &buf) : pd_buf_append(&buf, text.data, text.len) == PD_OK) &&
        buf.len > 0)
        take_text(text.keyword, buf.data, buf.len, sources);
    if (buf.status == PD_ERR_NOMEM)
        sources->claims[PD_SOURCE_FORMAT].texts.status = PD_ERR_NOMEM;
    pd_buf_done(&buf);
}

void pd_sources_read_png(const uint8_t *data, size_t len, pd_sources *sources)
{
    size_t at = 8;
    for (int n = 0; n < CHUNKS_MAX && at <= len && len - at >= 12; n++) {
        chunk c = { .data = data + at + 8, .len = pd_be32(data + at) };
        memcpy(c.type, data + at + 4, 4);
        if (c.len > len - at - 12)
            return;
        if (strcmp(c.type, "eXIf") == 0)
            (void)pd_ifd_read(c.data, c.len, PD_IFD_ALL, &sources->claims[PD_SOURCE_EXIF], NULL);
        else if (strcmp(c.type, "tEXt") == 0 || strcmp(c.type, "zTXt") == 0 || strcmp(c.type, "iTXt") == 0)
            read_text(&c, sources);
        at += 12 + c.len;
    }
}
