#include "media/reply.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/str.h"

static const char *const known_types[] = { "jpeg", "png",  "webp", "gif", "bmp", "tiff",
                                           "heif", "avif", "jxl",  "jp2", "raw" };

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

static bool is_absent_or_whole(int32_t value, int32_t min, int32_t max)
{
    return value == PD_MEDIA_ABSENT || (value >= min && value <= max);
}

static bool are_numbers_sound(const pd_photo_meta *meta)
{
    return meta->orientation >= 1 && meta->orientation <= 8 && !meta->unused &&
           is_absent_or_whole(meta->flash, 0, 0xffff) && is_absent_or_whole(meta->white_balance, 0, 1) &&
           is_absent_or_whole(meta->rating, -1, 5) && is_absent_or_within(meta->exposure_s, 0, 1e9) &&
           is_absent_or_within(meta->fnumber, 0, 1e6) && is_absent_or_within(meta->focal_mm, 0, 1e9) &&
           is_absent_or_within(meta->focal35_mm, 0, 1e9);
}

static bool is_place_sound(const pd_photo_meta *meta)
{
    return is_absent_or_within(meta->gps_lat, -90, 90) && is_absent_or_within(meta->gps_lon, -180, 180) &&
           is_absent_or_within(meta->gps_alt, -1e6, 1e9) && isnan(meta->gps_lat) == isnan(meta->gps_lon);
}

static bool are_digits(const char *text) { return text[strspn(text, "0123456789")] == '\0'; }

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
    if (!is_clean_text(meta->subsec, sizeof meta->subsec) || !are_digits(meta->subsec) ||
        (meta->subsec[0] && !meta->taken[0]))
        return false;
    return are_numbers_sound(meta) && is_place_sound(meta);
}

static bool is_look_sound(const pd_look *look)
{
    uint32_t sum = 0;
    if (look->n_colours > PD_LOOK_COLOURS_MAX ||
        !(isnan(look->sharpness) || (look->sharpness >= 0 && look->sharpness < 1e4F)))
        return false;
    for (uint32_t i = 0; i < PD_LOOK_COLOURS_MAX; i++) {
        const pd_look_colour *colour = look->colours + i;
        if (i < look->n_colours ? !colour->share || (i > 0 && colour->share > colour[-1].share)
                                : colour->share || colour->red || colour->green || colour->blue)
            return false;
        sum += colour->share;
    }
    return sum <= 100;
}

static bool has_nothing_of_pixels(const pd_decode_reply *reply)
{
    return !reply->has_pixels && !reply->pixel_width && !reply->pixel_height && !reply->thumb_offset &&
           !reply->thumb_bytes && !reply->phash && memcmp(&reply->look, &(pd_look){ 0 }, sizeof reply->look) == 0;
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

/* A merged sidecar and nothing else. */
static bool is_merge_sound(const pd_decode_reply *reply)
{
    pd_decode_reply rest = *reply;
    if (!reply->rendition_bytes || reply->rendition_bytes > PD_MEDIA_SIDECAR_BYTES_MAX)
        return false;
    rest.magic = rest.version = rest.rendition_bytes = 0;
    rest.id = 0;
    return memcmp(&rest, &(pd_decode_reply){ 0 }, sizeof rest) == 0;
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
    if (request->merge)
        return is_merge_sound(reply);
    return is_clean_text(reply->type, sizeof reply->type) && is_known_type(reply->type) && reply->width &&
           reply->height && reply->width <= PD_DECODE_SIDE_MAX && reply->height <= PD_DECODE_SIDE_MAX &&
           (uint64_t)reply->width * reply->height <= PD_MEDIA_PIXELS_MAX && reply->pages >= 1 &&
           reply->pages <= PD_DECODE_PAGES_MAX && are_pixels_sound(reply, request) && is_look_sound(&reply->look) &&
           is_meta_sound(&reply->meta);
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
                             .look = reply->look,
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

/* What every answer keeps, be it a picture or a failure. */
static pd_status check_form(const pd_decode_reply *reply, const pd_decode_request *request, pd_texts texts,
                            pd_error *err)
{
    if (reply->magic != PD_DECODE_MAGIC || reply->version != PD_DECODE_VERSION || reply->id != request->id)
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder answered a question that was not asked");
    if ((reply->status != PD_OK && texts.len) || !pd_texts_are_sound(texts))
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder gave texts that break the protocol");
    if (!is_clean_text(reply->message, sizeof reply->message))
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder gave an answer that breaks the protocol");
    return PD_OK;
}

pd_status pd_reply_read(const void *reply_bytes, size_t bytes, const pd_decode_request *request, const uint8_t *slot,
                        pd_picture *ret_picture, bool *ret_lied, pd_error *err)
{
    *ret_lied = true;
    pd_decode_reply reply;
    if (bytes < sizeof reply || bytes > PD_DECODE_ANSWER_BYTES_MAX)
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder answered with %zu bytes instead of %zu or more",
                            bytes, sizeof reply);
    memcpy(&reply, reply_bytes, sizeof reply);
    const pd_texts texts = { (const char *)reply_bytes + sizeof reply, bytes - sizeof reply };
    if (reply.text_bytes != texts.len)
        return pd_error_set(err, PD_ERR_FORMAT, "a picture decoder answered with %zu bytes instead of %zu", bytes,
                            sizeof reply + reply.text_bytes);
    PD_TRY(check_form(&reply, request, texts, err));
    if (reply.status != PD_OK && is_failure_sound(&reply)) {
        *ret_lied = false;
        return pd_error_set(err, (pd_status)reply.status, "%s", reply.message);
    }
    if (reply.status != PD_OK || !is_picture_sound(&reply, request))
        return pd_error_set(err, PD_ERR_FORMAT,
                            "a picture decoder gave an answer that cannot be true (%u x %u, pixels %u x %u)",
                            reply.width, reply.height, reply.pixel_width, reply.pixel_height);
    *ret_lied = false;
    char *copy = NULL;
    if (texts.len && !(copy = pd_mem_dup(texts.bytes, texts.len)))
        return pd_error_set_nomem(err);
    fill_picture(&reply, slot, ret_picture);
    ret_picture->texts = (pd_texts){ copy, texts.len };
    return PD_OK;
}
