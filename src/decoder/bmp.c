#include "decoder/bmp.h"

#include <string.h>

enum {
    FILE_HEADER_BYTES = 14,
    CORE_HEADER_BYTES = 12, /* OS/2 1.x: 16-bit sizes, colours of three bytes */
    OS2_HEADER_BYTES = 64,
    INFO_HEADER_BYTES = 40,
    V5_HEADER_BYTES = 124,
};

typedef enum compression {
    BMP_PLAIN = 0,
    BMP_RLE8 = 1,
    BMP_RLE4 = 2,
    BMP_BITFIELDS = 3, /* OS/2: Huffman */
    BMP_JPEG = 4,      /* OS/2: RLE24 */
    BMP_PNG = 5,
    BMP_ALPHA_BITFIELDS = 6,
    BMP_RLE24 = 100, /* ours, for OS/2's 4 */
} compression;

/* Little-endian; bytes past the end read as 0. */
static uint32_t read_u32(const uint8_t *data, size_t len, size_t at)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++)
        value |= at + i < len ? (uint32_t)data[at + i] << (8 * i) : 0;
    return value;
}

static uint32_t read_u16(const uint8_t *data, size_t len, size_t at) { return read_u32(data, len, at) & 0xffff; }

static pd_status read_sizes(const uint8_t *data, size_t len, uint32_t header_bytes, pd_bmp_info *info, pd_error *err)
{
    if (header_bytes == CORE_HEADER_BYTES) {
        info->width = read_u16(data, len, 18);
        info->height = read_u16(data, len, 20);
        info->bits = read_u16(data, len, 24);
    } else {
        const int32_t height = (int32_t)read_u32(data, len, 22);
        info->width = read_u32(data, len, 18);
        info->is_top_down = height < 0;
        info->height = height < 0 ? 0u - (uint32_t)height : (uint32_t)height;
        info->bits = read_u16(data, len, 28);
        info->compression = header_bytes > 16 ? read_u32(data, len, 30) : BMP_PLAIN;
        info->n_colours = header_bytes >= INFO_HEADER_BYTES ? read_u32(data, len, 46) : 0;
    }
    if (!info->width || !info->height || info->width > INT32_MAX || info->height > INT32_MAX)
        return pd_error_set(err, PD_ERR_FORMAT, "the bitmap has an impossible size (%u x %u)", info->width,
                            info->height);
    return PD_OK;
}

static pd_status settle_compression(pd_bmp_info *info, pd_error *err)
{
    const uint32_t bits = info->bits, c = info->compression;
    if (info->is_os2 && c == 3)
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "OS/2 bitmaps with Huffman coding are not read");
    if (info->is_os2 && c == 4)
        info->compression = BMP_RLE24;
    else if (c == BMP_JPEG || c == BMP_PNG)
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "bitmaps that wrap a JPEG or PNG are not read");
    const bool is_possible = info->compression == BMP_PLAIN ? bits == 1 || bits == 2 || bits == 4 || bits == 8 ||
                                                                  bits == 16 || bits == 24 || bits == 32
                             : info->compression == BMP_RLE8 ? bits == 8
                             : info->compression == BMP_RLE4 ? bits == 4
                             : info->compression == BMP_RLE24
                                 ? bits == 24
                                 : (c == BMP_BITFIELDS || c == BMP_ALPHA_BITFIELDS) && (bits == 16 || bits == 32);
    if (!is_possible)
        return pd_error_set(err, PD_ERR_FORMAT, "the bitmap has %u bits a pixel in coding %u, which do not exist", bits,
                            c);
    return PD_OK;
}

/* Masks come with the header from version 2 on, behind it before. Returns the bytes behind the header. */
static size_t read_masks(const uint8_t *data, size_t len, uint32_t header_bytes, pd_bmp_info *info)
{
    static const uint32_t masks16[4] = { 0x7c00, 0x03e0, 0x001f, 0 }, masks32[4] = { 0xff0000, 0xff00, 0xff, 0 };
    memcpy(info->masks, info->bits == 16 ? masks16 : masks32, sizeof info->masks);
    if (info->compression != BMP_BITFIELDS && info->compression != BMP_ALPHA_BITFIELDS)
        return 0;
    const bool has_alpha = header_bytes >= 56 || info->compression == BMP_ALPHA_BITFIELDS;
    for (size_t i = 0; i < 4; i++)
        info->masks[i] = i < 3 || has_alpha ? read_u32(data, len, FILE_HEADER_BYTES + INFO_HEADER_BYTES + 4 * i) : 0;
    return header_bytes > INFO_HEADER_BYTES ? 0 : info->compression == BMP_ALPHA_BITFIELDS ? 16 : 12;
}

static void read_profile(const uint8_t *data, size_t len, uint32_t header_bytes, pd_bmp_info *info)
{
    if (header_bytes < V5_HEADER_BYTES || read_u32(data, len, FILE_HEADER_BYTES + 56) != 0x4d424544) /* "MBED" */
        return;
    const uint64_t at = (uint64_t)FILE_HEADER_BYTES + read_u32(data, len, FILE_HEADER_BYTES + 112);
    const uint32_t bytes = read_u32(data, len, FILE_HEADER_BYTES + 116);
    if (bytes && at <= len && bytes <= len - at) {
        info->profile_at = (size_t)at;
        info->profile_bytes = bytes;
    }
}

static size_t count_row_bytes(const pd_bmp_info *info) { return ((size_t)info->width * info->bits + 31) / 32 * 4; }

static bool is_run_length(const pd_bmp_info *info)
{
    return info->compression == BMP_RLE8 || info->compression == BMP_RLE4 || info->compression == BMP_RLE24;
}

pd_status pd_bmp_read_header(const uint8_t *data, size_t len, pd_bmp_info *ret_info, pd_error *err)
{
    const uint32_t header_bytes = read_u32(data, len, FILE_HEADER_BYTES);
    pd_bmp_info info = { .is_os2 = header_bytes == OS2_HEADER_BYTES || header_bytes == 16 };
    if (len < 26 || memcmp(data, "BM", 2) != 0 || header_bytes < CORE_HEADER_BYTES || header_bytes > 256 ||
        (header_bytes > CORE_HEADER_BYTES && header_bytes < 16))
        return pd_error_set(err, PD_ERR_FORMAT, "the bitmap has no valid header");
    PD_TRY(read_sizes(data, len, header_bytes, &info, err));
    PD_TRY(settle_compression(&info, err));
    const size_t masks_bytes = read_masks(data, len, header_bytes, &info);
    read_profile(data, len, header_bytes, &info);
    info.colours_at = FILE_HEADER_BYTES + header_bytes + masks_bytes;
    info.colour_bytes = header_bytes == CORE_HEADER_BYTES ? 3 : 4;
    info.pixels_at = read_u32(data, len, 10);
    if (info.bits > 8)
        info.n_colours = 0;
    else if (!info.n_colours || info.n_colours > 1u << info.bits)
        info.n_colours = 1u << info.bits;
    if (!info.pixels_at) /* some writers leave it out */
        info.pixels_at = info.colours_at + (size_t)info.n_colours * info.colour_bytes;
    uint64_t bytes;
    if (__builtin_mul_overflow((uint64_t)info.width * pd_bmp_channels(&info), (uint64_t)info.height, &bytes) ||
        bytes > PD_BMP_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the bitmap (%u x %u) takes more than %llu MiB of memory", info.width,
                            info.height, (unsigned long long)PD_BMP_BYTES_MAX >> 20);
    if (info.pixels_at >= len ||
        (!is_run_length(&info) && count_row_bytes(&info) > (len - info.pixels_at) / info.height))
        return pd_error_set(err, PD_ERR_FORMAT, "the bitmap ends before its last row");
    *ret_info = info;
    return PD_OK;
}

unsigned pd_bmp_channels(const pd_bmp_info *info) { return info->bits > 8 && info->masks[3] ? 4 : 3; }

/* 0..255 from the bits under the mask, of however many bits. */
static uint8_t take_field(uint32_t value, uint32_t mask)
{
    if (!mask)
        return 0;
    const uint32_t shift = (uint32_t)__builtin_ctz(mask), max = mask >> shift;
    return (uint8_t)(((uint64_t)((value & mask) >> shift) * 255 + max / 2) / max);
}

static void write_colour(const uint8_t *data, size_t len, const pd_bmp_info *info, uint32_t index, uint8_t ret_rgb[3])
{
    const size_t at = info->colours_at + (size_t)index * info->colour_bytes;
    const bool is_there = index < info->n_colours && at + 3 <= len;
    for (size_t i = 0; i < 3; i++)
        ret_rgb[i] = is_there ? data[at + 2 - i] : 0;
}

static void read_row(const uint8_t *data, size_t len, const pd_bmp_info *info, const uint8_t *row, uint8_t *ret_row)
{
    const unsigned channels = pd_bmp_channels(info);
    for (uint32_t x = 0; x < info->width; x++) {
        uint8_t *pixel = ret_row + (size_t)x * channels;
        if (info->bits <= 8) {
            const size_t bit = (size_t)x * info->bits;
            const uint32_t shift = 8 - info->bits - (uint32_t)(bit & 7);
            write_colour(data, len, info, row[bit >> 3] >> shift & ((1u << info->bits) - 1), pixel);
        } else if (info->bits == 24) {
            pixel[0] = row[3 * x + 2];
            pixel[1] = row[3 * x + 1];
            pixel[2] = row[3 * x];
        } else {
            const size_t n = info->bits / 8;
            const uint32_t value = read_u32(row, (size_t)(x + 1) * n, x * n);
            for (unsigned c = 0; c < channels; c++)
                pixel[c] = take_field(value, info->masks[c]);
        }
    }
}

/* Alpha that is 0 everywhere was not meant: writers that know nothing of alpha leave the byte empty. */
static void forget_empty_alpha(const pd_bmp_info *info, uint8_t *pixels)
{
    const size_t n = (size_t)info->width * info->height;
    if (pd_bmp_channels(info) != 4)
        return;
    for (size_t i = 0; i < n; i++)
        if (pixels[4 * i + 3])
            return;
    for (size_t i = 0; i < n; i++)
        pixels[4 * i + 3] = 255;
}

/* The state of a run-length decoder: rows count from the bottom, as the format does. */
typedef struct run_reader {
    const uint8_t *data;
    size_t len, at;
    const pd_bmp_info *info;
    uint8_t *pixels;
    uint32_t x, y;
} run_reader;

static void put_pixel(run_reader *r, const uint8_t rgb[3])
{
    const pd_bmp_info *info = r->info;
    if (r->x < info->width && r->y < info->height) {
        const uint32_t row = info->is_top_down ? r->y : info->height - 1 - r->y;
        memcpy(r->pixels + 3 * ((size_t)row * info->width + r->x), rgb, 3);
    }
    if (r->x < info->width)
        r->x++;
}

/* Pixel i of a run or of literal bytes that begin at `at`. */
static void put_value(run_reader *r, size_t at, unsigned i)
{
    uint8_t rgb[3];
    if (r->info->compression == BMP_RLE24) {
        for (int c = 0; c < 3; c++)
            rgb[c] = r->data[at + 2 - (size_t)c];
    } else {
        const unsigned index =
            r->info->compression == BMP_RLE8 ? r->data[at] : (i & 1 ? r->data[at] & 15 : r->data[at] >> 4);
        write_colour(r->data, r->len, r->info, index, rgb);
    }
    put_pixel(r, rgb);
}

/* `n` literal pixels, padded to an even number of bytes. False when the file ends. */
static bool read_literals(run_reader *r, unsigned n)
{
    const uint32_t c = r->info->compression;
    const size_t bytes = c == BMP_RLE24 ? 3 * (size_t)n : c == BMP_RLE8 ? n : (n + 1) / 2;
    if (bytes > r->len - r->at)
        return false;
    for (unsigned i = 0; i < n; i++)
        put_value(r, r->at + (c == BMP_RLE24 ? 3 * (size_t)i : c == BMP_RLE8 ? i : i / 2), i);
    r->at += bytes;
    r->at += (bytes & 1) && r->at < r->len;
    return true;
}

/* One code. False at the end of the picture or of the file; *ret_is_ended tells the former. */
static bool read_code(run_reader *r, bool *ret_is_ended)
{
    if (r->len - r->at < 2)
        return false;
    const unsigned n = r->data[r->at], code = r->data[r->at + 1];
    const size_t value_at = r->at + 1;
    r->at += 2;
    if (n) {
        if (r->info->compression == BMP_RLE24 && r->len - value_at < 3)
            return false;
        r->at += r->info->compression == BMP_RLE24 ? 2 : 0;
        for (unsigned i = 0; i < n; i++)
            put_value(r, value_at, i);
        return true;
    }
    if (code == 0) {
        r->x = 0;
        r->y++;
    } else if (code == 1) {
        *ret_is_ended = true;
        return false;
    } else if (code == 2) {
        if (r->len - r->at < 2)
            return false;
        r->x = r->x + r->data[r->at] < r->info->width ? r->x + r->data[r->at] : r->info->width;
        r->y += r->data[r->at + 1];
        r->at += 2;
    } else {
        return read_literals(r, code);
    }
    return true;
}

/* Places that the codes jump over are of colour 0. */
static pd_status read_runs(const uint8_t *data, size_t len, const pd_bmp_info *info, uint8_t *pixels, pd_error *err)
{
    run_reader r = { .data = data, .len = len, .at = info->pixels_at, .info = info, .pixels = pixels };
    const size_t n = (size_t)info->width * info->height;
    uint8_t background[3];
    write_colour(data, len, info, 0, background);
    for (size_t i = 0; i < n; i++)
        memcpy(pixels + 3 * i, background, 3);
    bool is_ended = false;
    while (r.y < info->height && read_code(&r, &is_ended))
        continue;
    /* many writers forget the end mark behind the last row */
    if (!is_ended && r.y < info->height && !(r.y == info->height - 1 && r.x == info->width))
        return pd_error_set(err, PD_ERR_FORMAT, "the bitmap ends in row %u of %u", r.y + 1, info->height);
    return PD_OK;
}

pd_status pd_bmp_read_pixels(const uint8_t *data, size_t len, const pd_bmp_info *info, uint8_t *ret_pixels,
                             pd_error *err)
{
    if (is_run_length(info))
        return read_runs(data, len, info, ret_pixels, err);
    const size_t row_bytes = count_row_bytes(info);
    for (uint32_t y = 0; y < info->height; y++) {
        const uint32_t row = info->is_top_down ? y : info->height - 1 - y;
        read_row(data, len, info, data + info->pixels_at + y * row_bytes,
                 ret_pixels + (size_t)row * info->width * pd_bmp_channels(info));
    }
    forget_empty_alpha(info, ret_pixels);
    return PD_OK;
}
