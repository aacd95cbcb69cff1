#include "decoder/claims.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "decoder/exif_text.h"

enum { UTF16_BYTES_MAX = 16384 }; /* of a field; more is not looked at */

void pd_claims_init(pd_claims *ret_claims)
{
    *ret_claims = (pd_claims){ .facts = { .exposure_s = NAN,
                                          .fnumber = NAN,
                                          .focal_mm = NAN,
                                          .focal35_mm = NAN,
                                          .gps_lat = NAN,
                                          .gps_lon = NAN,
                                          .gps_alt = NAN,
                                          .flash = PD_MEDIA_ABSENT,
                                          .white_balance = PD_MEDIA_ABSENT,
                                          .rating = PD_MEDIA_ABSENT } };
    pd_buf_init(&ret_claims->texts, PD_TEXTS_BYTES_MAX);
}

void pd_claims_done(pd_claims *claims) { pd_buf_done(&claims->texts); }

static pd_texts view(const pd_claims *claims) { return (pd_texts){ claims->texts.data, claims->texts.len }; }

bool pd_claims_has(const pd_claims *claims, pd_text_kind kind) { return pd_texts_find(view(claims), kind) != NULL; }

/* Whether one more text of that kind is wanted. */
static bool has_room(const pd_claims *claims, pd_text_kind kind, const char *text, size_t len)
{
    const bool is_list = pd_text_kind_is_list(kind) || kind == PD_TEXT_ARTIST;
    unsigned n = 0;
    for (const char *other = NULL; (other = pd_texts_next(view(claims), other));) {
        if (pd_texts_kind(other) != kind)
            continue;
        if (!is_list || strcmp(other, text) == 0 || ++n == PD_TEXTS_OF_KIND_MAX)
            return false;
    }
    return claims->texts.status == PD_OK && len + 2 <= claims->texts.len_max - claims->texts.len;
}

void pd_claims_add(pd_claims *claims, pd_text_kind kind, const void *text, size_t len)
{
    char clean[PD_TEXTS_TEXT_BYTES_MAX + 1];
    pd_text_clean_lines(text, len, kind == PD_TEXT_DESCRIPTION, clean, sizeof clean);
    const size_t clean_len = strlen(clean);
    if (clean_len > 0 && clean_len <= pd_text_kind_bytes_max(kind) && has_room(claims, kind, clean, clean_len))
        (void)pd_texts_append(&claims->texts, kind, clean, clean_len);
}

/* Words between separators. */
static void add_list(pd_claims *claims, pd_text_kind kind, const char *text, size_t len, char separator)
{
    while (len > 0) {
        const char *end = memchr(text, separator, len);
        const size_t word = end ? (size_t)(end - text) : len;
        pd_claims_add(claims, kind, text, word);
        text += word + (end != NULL);
        len -= word + (end != NULL);
    }
}

void pd_claims_add_utf16(pd_claims *claims, pd_text_kind kind, const uint8_t *text, size_t len, bool is_big_endian)
{
    char utf8[UTF16_BYTES_MAX / 2 * 3];
    size_t used = 0;
    len = len < UTF16_BYTES_MAX ? len : UTF16_BYTES_MAX;
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t code = (uint32_t)text[i + !is_big_endian] << 8 | text[i + is_big_endian];
        if (code == 0)
            break;
        if (code >= 0xd800 && code < 0xdc00 && i + 3 < len) {
            const uint32_t low = (uint32_t)text[i + 2 + !is_big_endian] << 8 | text[i + 2 + is_big_endian];
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if (code >= 0xd800 && code < 0xe000)
            code = 0xfffd;
        used += pd_utf8_put(code, utf8 + used);
    }
    if (kind == PD_TEXT_KEYWORD) /* Windows writes all of them into one field */
        add_list(claims, kind, utf8, used, ';');
    else
        pd_claims_add(claims, kind, utf8, used);
}

void pd_claims_set_place(pd_claims *claims, double lat, double lon)
{
    if (!(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180))
        return;
    claims->facts.gps_lat = lat;
    claims->facts.gps_lon = lon;
}
