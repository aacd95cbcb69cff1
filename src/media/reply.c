#include "media/reply.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

static const char *const known_types[] = { "jpeg", "png", "webp", "gif", "bmp", "tiff", "heif", "avif", "jxl", "jp2" };

/* Terminated inside its array, valid UTF-8, no control characters. */
static bool is_clean_text(const char *text, size_t size)
{
    const size_t len = strnlen(text, size);
    if (len == size || !pd_utf8_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

static bool is_known_type(const char type[8])
{
    for (size_t i = 0; i < PD_COUNT_OF(known_types); i++)
        if (strcmp(type, known_types[i]) == 0)
            return true;
    return false;
}

/* NAN, or finite and inside. */
static bool is_absent_or_within(double value, double min, double max)
{
    return isnan(value) || (value >= min && value <= max);
}

/* "2026-11-24T04:06:10", perhaps with "+01:00". */
static bool is_time_text(const char *text)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:ddsdd:dd";
    const size_t len = strlen(text);
    if (len != 19 && len != 25)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const bool fits = pattern[i] == 'd'   ? c >= '0' && c <= '9'
                          : pattern[i] == 's' ? c == '+' || c == '-'
                                              : c == pattern[i];
        if (!fits)
            return false;
    }
    return true;
}

static bool is_meta_sound(const pd_photo_meta *meta)
{
    if (!is_clean_text(meta->taken, sizeof meta->taken) ||
        !is_clean_text(meta->taken_source, sizeof meta->taken_source) ||
        !is_clean_text(meta->make, sizeof meta->make) || !is_clean_text(meta->model, sizeof meta->model) ||
        !is_clean_text(meta->lens, sizeof meta->lens))
        return false;
    if (meta->taken[0] ? !is_time_text(meta->taken) : meta->taken_source[0] != '\0')
        return false;
    if (meta->taken[0] && strcmp(meta->taken_source, "exif") != 0 && strcmp(meta->taken_source, "xmp") != 0)
        return false;
    return meta->orientation >= 1 && meta->orientation <= 8 && is_absent_or_within(meta->exposure_s, 0, 1e9) &&
           is_absent_or_within(meta->fnumber, 0, 1e6) && is_absent_or_within(meta->focal_mm, 0, 1e9) &&
           is_absent_or_within(meta->gps_lat, -90, 90) && is_absent_or_within(meta->gps_lon, -180, 180) &&
           is_absent_or_within(meta->gps_alt, -1e6, 1e9) && isnan(meta->gps_lat) == isnan(meta->gps_lon);
}

static bool has_nothing_of_pixels(const pd_decode_reply *reply)
{
    return !reply->has_pixels && !reply->pixel_width && !reply->pixel_height && !reply->thumb_offset &&
           !reply->thumb_bytes && !reply->phash;
}

/* A rendition instead of all else, or the reason why not. */
static bool is_rendition_sound(const pd_decode_reply *reply)
{
    return has_nothing_of_pixels(reply) && reply->rendition_bytes <= PD_DECODE_SLOT_BYTES &&
           (reply->rendition_bytes > 0) == (reply->message[0] == '\0');
}

/* Pixels and thumbnail lie in the slot, apart from each other, and belong together. */
static bool are_pixels_sound(const pd_decode_reply *reply, const pd_decode_request *request)
{
    if (request->rendition_side)
        return is_rendition_sound(reply);
    if (reply->rendition_bytes)
        return false;
    if (!reply->has_pixels)
        return has_nothing_of_pixels(reply) && reply->message[0];
    if (reply->has_pixels != 1 || !reply->pixel_width || !reply->pixel_height || reply->message[0])
        return false;
    if (reply->pixel_width > reply->width || reply->pixel_height > reply->height)
        return false;
    uint64_t pixel_bytes;
    if (__builtin_mul_overflow((uint64_t)reply->pixel_width * 3, (uint64_t)reply->pixel_height, &pixel_bytes) ||
        pixel_bytes > PD_DECODE_PIXEL_BYTES_MAX)
        return false;
    if (!request->thumb)
        return !reply->thumb_offset && !reply->thumb_bytes;
    return reply->thumb_bytes > 0 && reply->thumb_bytes <= PD_DECODE_THUMB_BYTES_MAX &&
           reply->thumb_offset >= pixel_bytes && reply->thumb_offset <= PD_DECODE_SLOT_BYTES - reply->thumb_bytes;
}

static bool is_failure_sound(const pd_decode_reply *reply)
{
    switch (reply->status) {
    case PD_ERR_NOMEM:
    case PD_ERR_IO:
    case PD_ERR_FORMAT:
    case PD_ERR_UNSUPPORTED:
    case PD_ERR_LIMIT: return reply->message[0] != '\0';
    default: return false;
    }
}

static bool is_picture_sound(const pd_decode_reply *reply, const pd_decode_request *request)
{
    return is_clean_text(reply->type, sizeof reply->type) && is_known_type(reply->type) && reply->width &&
           reply->height && reply->width <= PD_DECODE_SIDE_MAX && reply->height <= PD_DECODE_SIDE_MAX &&
           (uint64_t)reply->width * reply->height <= PD_MEDIA_PIXELS_MAX && reply->pages >= 1 &&
           reply->pages <= PD_DECODE_PAGES_MAX && are_pixels_sound(reply, request) && is_meta_sound(&reply->meta);
}

static void fill_picture(const pd_decode_reply *reply, const uint8_t *slot, pd_picture *picture)
{
    *picture = (pd_picture){ .width = reply->width,
                             .height = reply->height,
                             .pages = reply->pages,
                             .has_pixels = reply->has_pixels == 1,
                             .pixel_width = reply->pixel_width,
                             .pixel_height = reply->pixel_height,
                             .thumb_bytes = reply->thumb_bytes,
                             .rendition_bytes = reply->rendition_bytes,
                             .phash = reply->phash,
                             .meta = reply->meta };
    memcpy(picture->type, reply->type, sizeof picture->type);
    memcpy(picture->pixels_error, reply->message, sizeof picture->pixels_error);
    if (picture->has_pixels)
        picture->pixels = slot;
    if (picture->thumb_bytes)
        picture->thumb = slot + reply->thumb_offset;
    if (picture->rendition_bytes)
        picture->rendition = slot;
}

pd_status pd_reply_read(const void *reply_bytes, size_t bytes, const pd_decode_request *request, const uint8_t *slot,
                        pd_picture *ret_picture, bool *ret_lied, pd_error *err)
{
    *ret_lied = true;
    pd_decode_reply reply;
    if (bytes != sizeof reply)
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder answered with %zu bytes instead of %zu", bytes,
                            sizeof reply);
    memcpy(&reply, reply_bytes, sizeof reply);
    if (reply.magic != PD_DECODE_MAGIC || reply.version != PD_DECODE_VERSION || reply.id != request->id)
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder answered a question that was not asked");
    if (!is_clean_text(reply.message, sizeof reply.message))
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder gave an answer that breaks the protocol");
    if (reply.status != PD_OK && is_failure_sound(&reply)) {
        *ret_lied = false;
        return pd_error_set(err, (pd_status)reply.status, "%s", reply.message);
    }
    if (reply.status != PD_OK || !is_picture_sound(&reply, request))
        return pd_error_set(err, PD_ERR_FORMAT,
                            "a picture decoder gave an answer that cannot be true (%u x %u, pixels %u x %u)",
                            reply.width, reply.height, reply.pixel_width, reply.pixel_height);
    *ret_lied = false;
    fill_picture(&reply, slot, ret_picture);
    return PD_OK;
}
