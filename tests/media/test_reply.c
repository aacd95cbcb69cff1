#include "base/attr.h"
#include "base/mem.h"
#include "good_reply.h"
#include "media/reply.h"
#include "test.h"

static const pd_decode_request asked = { .magic = PD_DECODE_MAGIC,
                                         .version = PD_DECODE_VERSION,
                                         .id = 7,
                                         .short_side_min = 448,
                                         .thumb = 1,
                                         .timeout_ms = 1000 };
static const uint8_t slot[124]; /* as far as the good reply reaches */

typedef void (*spoiler)(pd_decode_reply *reply);

/* Each breaks one promise of the protocol. */
#define SPOILERS(X)                                                                                        \
    X(magic, reply->magic++)                                                                               \
    X(version, reply->version++)                                                                           \
    X(id, reply->id++)                                                                                     \
    X(rendition_unasked, reply->rendition_bytes = 1)                                                       \
    X(status_outside, reply->status = 99)                                                                  \
    X(status_not_a_decoders, reply->status = PD_ERR_CANCELLED)                                             \
    X(failure_without_words, reply->status = PD_ERR_FORMAT)                                                \
    X(message_open, memset(reply->message, 'x', sizeof reply->message))                                    \
    X(message_with_pixels, memcpy(reply->message, "no", 3))                                                \
    X(type_unknown, memcpy(reply->type, "svg", 4))                                                         \
    X(type_open, memcpy(reply->type, "jpegjpeg", 8))                                                       \
    X(width_0, reply->width = 0)                                                                           \
    X(height_huge, reply->height = 2000000)                                                                \
    X(area_huge, reply->width = reply->height = 900000)                                                    \
    X(pages_0, reply->pages = 0)                                                                           \
    X(pages_huge, reply->pages = UINT32_MAX)                                                               \
    X(has_pixels_2, reply->has_pixels = 2)                                                                 \
    X(no_pixels_but_sizes, reply->has_pixels = 0)                                                          \
    X(pixel_width_0, reply->pixel_width = 0)                                                               \
    X(pixel_height_0, reply->pixel_height = 0)                                                             \
    X(pixels_larger, reply->pixel_width = 9)                                                               \
    X(pixels_beyond_slot, reply->width = reply->height = reply->pixel_width = reply->pixel_height = 20000) \
    X(thumb_0, reply->thumb_bytes = 0)                                                                     \
    X(thumb_in_pixels, reply->thumb_offset = 23)                                                           \
    X(thumb_huge, reply->thumb_bytes = PD_DECODE_THUMB_BYTES_MAX + 1)                                      \
    X(thumb_beyond_slot, reply->thumb_offset = PD_DECODE_SLOT_BYTES - 99)                                  \
    X(thumb_wraps, reply->thumb_offset = UINT64_MAX - 50)                                                  \
    X(make_open, memset(reply->meta.make, 'm', sizeof reply->meta.make))                                   \
    X(model_not_utf8, memcpy(reply->meta.model, "\xff", 2))                                                \
    X(lens_control, memcpy(reply->meta.lens, "a\nb", 4))                                                   \
    X(taken_nonsense, memcpy(reply->meta.taken, "yesterday", 10))                                          \
    X(taken_cut, memcpy(reply->meta.taken, "2004-11-26T12:05:1", 19))                                      \
    X(taken_from_nowhere, reply->meta.taken_source[0] = '\0')                                              \
    X(source_without_time, reply->meta.taken[0] = '\0')                                                    \
    X(orientation_0, reply->meta.orientation = 0)                                                          \
    X(orientation_9, reply->meta.orientation = 9)                                                          \
    X(lat_91, reply->meta.gps_lat = 91)                                                                    \
    X(lon_far, reply->meta.gps_lon = -181)                                                                 \
    X(lat_alone, reply->meta.gps_lon = NAN)                                                                \
    X(alt_infinite, reply->meta.gps_alt = INFINITY)                                                        \
    X(exposure_negative, reply->meta.exposure_s = -1)                                                      \
    X(fnumber_infinite, reply->meta.fnumber = INFINITY)                                                    \
    X(focal_negative, reply->meta.focal_mm = -0.5)                                                         \
    X(focal35_negative, reply->meta.focal35_mm = -0.5)                                                     \
    X(subsec_words, memcpy(reply->meta.subsec, "2x", 3))                                                   \
    X(subsec_open, memset(reply->meta.subsec, '1', sizeof reply->meta.subsec))                             \
    X(flash_huge, reply->meta.flash = 70000)                                                               \
    X(white_balance_2, reply->meta.white_balance = 2)                                                      \
    X(rating_6, reply->meta.rating = 6)                                                                    \
    X(meta_unused, reply->meta.unused = 1)                                                                 \
    X(sharpness_negative, reply->look.sharpness = -1)                                                      \
    X(sharpness_infinite, reply->look.sharpness = INFINITY)                                                \
    X(six_colours, reply->look.n_colours = 6)                                                              \
    X(a_colour_too_many, reply->look.colours[2].green = 1)                                                 \
    X(no_share, reply->look.colours[1].share = 0)                                                          \
    X(shares_in_no_order, reply->look.colours[0].share = 39)                                               \
    X(more_than_all, reply->look.colours[0].share = 61)                                                    \
    X(texts_that_are_not_there, reply->text_bytes = 1)

#define DEFINE(name, statement) \
    static void spoil_##name(pd_decode_reply *reply) { statement; }
SPOILERS(DEFINE)
#define ROW(name, statement) { #name, spoil_##name },
static const struct {
    const char *name;
    spoiler spoil;
} spoilers[] = { SPOILERS(ROW) };

static void a_true_answer_is_taken(void)
{
    pd_decode_reply reply;
    pd_picture picture = { 0 };
    bool has_lied = true;
    fill_good_reply(&asked, &reply);
    REQUIRE(pd_reply_read(&reply, sizeof reply, &asked, slot, &picture, &has_lied, NULL) == PD_OK);
    CHECK(!has_lied && picture.has_pixels && picture.pixels == slot && picture.thumb == slot + 24);
    CHECK(picture.width == 8 && picture.height == 4 && picture.phash == 42 && picture.meta.orientation == 6);
    CHECK(picture.look.n_colours == 2 && picture.look.colours[1].share == 40 && picture.look.sharpness == 12.5F);
}

static void every_lie_is_noticed(void)
{
    for (size_t i = 0; i < PD_COUNT_OF(spoilers); i++) {
        pd_decode_reply reply;
        pd_picture picture = { .phash = 1234 };
        bool has_lied = false;
        fill_good_reply(&asked, &reply);
        spoilers[i].spoil(&reply);
        const pd_status status = pd_reply_read(&reply, sizeof reply, &asked, slot, &picture, &has_lied, NULL);
        if (status != PD_ERR_FORMAT || !has_lied)
            fprintf(stderr, "not noticed: %s\n", spoilers[i].name);
        CHECK(status == PD_ERR_FORMAT && has_lied && picture.phash == 1234);
    }
}

/* "\7robin\0\7sea\0": two keywords. */
static void texts_become_the_pictures(void)
{
    static const char texts[] = "\1A title\0\2line\nline\0\7robin\0\7sea";
    struct {
        pd_decode_reply reply;
        char texts[sizeof texts];
    } packet;
    pd_picture picture = { 0 };
    bool has_lied = true;
    fill_good_reply(&asked, &packet.reply);
    packet.reply.text_bytes = sizeof texts;
    memcpy(packet.texts, texts, sizeof texts);
    const size_t bytes = sizeof packet.reply + sizeof texts;
    REQUIRE(pd_reply_read(&packet, bytes, &asked, slot, &picture, &has_lied, NULL) == PD_OK && !has_lied);
    CHECK(picture.texts.bytes != packet.texts && picture.texts.len == sizeof texts);
    CHECK(strcmp(pd_texts_find(picture.texts, PD_TEXT_KEYWORD), "robin") == 0);
    pd_picture_release(&picture);
    CHECK(!picture.texts.bytes);
    packet.texts[3] = '\n'; /* in a title */
    CHECK(pd_reply_read(&packet, bytes, &asked, slot, &picture, &has_lied, NULL) == PD_ERR_FORMAT && has_lied);
    memcpy(packet.texts, texts, sizeof texts);
    packet.reply.text_bytes--;
    CHECK(pd_reply_read(&packet, bytes - 1, &asked, slot, &picture, &has_lied, NULL) == PD_ERR_FORMAT && has_lied);
    packet.reply.text_bytes++;
    packet.reply.status = PD_ERR_FORMAT;
    memcpy(packet.reply.message, "bad", 4);
    CHECK(pd_reply_read(&packet, bytes, &asked, slot, &picture, &has_lied, NULL) == PD_ERR_FORMAT && has_lied);
}

static void no_memory_for_texts_is_no_lie(void)
{
    struct {
        pd_decode_reply reply;
        char texts[3];
    } packet;
    pd_picture picture = { .phash = 1234 };
    bool has_lied = true;
    fill_good_reply(&asked, &packet.reply);
    packet.reply.text_bytes = 3;
    memcpy(packet.texts, "\7a", 3);
    (void)pd_mem_fail_at(1);
    CHECK(pd_reply_read(&packet, sizeof packet.reply + 3, &asked, slot, &picture, &has_lied, NULL) == PD_ERR_NOMEM);
    (void)pd_mem_fail_at(0);
    CHECK(!has_lied && picture.phash == 1234);
}

static void a_rendition_stands_alone(void)
{
    pd_decode_request request = asked;
    request.thumb = 0;
    request.rendition_side = 2048;
    pd_decode_reply good, reply;
    pd_picture picture = { 0 };
    bool has_lied = true;
    fill_good_reply(&request, &good);
    REQUIRE(pd_reply_read(&good, sizeof good, &request, slot, &picture, &has_lied, NULL) == PD_OK);
    CHECK(!has_lied && picture.rendition == slot && picture.rendition_bytes == 24);
    CHECK(!picture.has_pixels && !picture.pixels && !picture.thumb && !picture.pixels_error[0] && picture.width == 8);
    reply = good;
    reply.rendition_bytes = 0;
    memcpy(reply.message, "cut off", sizeof "cut off");
    picture = (pd_picture){ 0 };
    REQUIRE(pd_reply_read(&reply, sizeof reply, &request, slot, &picture, &has_lied, NULL) == PD_OK);
    CHECK(!picture.rendition && !picture.rendition_bytes && strcmp(picture.pixels_error, "cut off") == 0);
    for (int i = 0; i < 10; i++) {
        reply = good;
        switch (i) {
        case 0: reply.rendition_bytes = 0; break; /* and no word why */
        case 1: reply.rendition_bytes = PD_DECODE_SLOT_BYTES + 1; break;
        case 2: memcpy(reply.message, "no", 3); break;
        case 3: reply.has_pixels = 1; break;
        case 4: reply.pixel_width = 4; break;
        case 5: reply.pixel_height = 2; break;
        case 6: reply.thumb_offset = 24; break;
        case 7: reply.thumb_bytes = 100; break;
        case 8: reply.look.n_colours = 1; break;
        default: reply.phash = 42;
        }
        const pd_status status = pd_reply_read(&reply, sizeof reply, &request, slot, &picture, &has_lied, NULL);
        if (status != PD_ERR_FORMAT || !has_lied)
            fprintf(stderr, "not noticed: lie %d\n", i);
        CHECK(status == PD_ERR_FORMAT && has_lied);
    }
}

static void wrong_lengths_are_noticed(void)
{
    pd_decode_reply reply[2];
    pd_picture picture;
    fill_good_reply(&asked, reply);
    for (size_t bytes = 0; bytes < 2 * sizeof *reply; bytes++)
        if (bytes != sizeof *reply) {
            bool has_lied = false;
            CHECK(pd_reply_read(reply, bytes, &asked, slot, &picture, &has_lied, NULL) == PD_ERR_FORMAT && has_lied);
        }
}

static void a_picture_without_pixels_says_why(void)
{
    pd_decode_reply reply;
    pd_picture picture = { 0 };
    bool has_lied = true;
    fill_good_reply(&asked, &reply);
    reply.has_pixels = reply.pixel_width = reply.pixel_height = 0;
    reply.thumb_offset = reply.thumb_bytes = reply.phash = 0;
    reply.look = (pd_look){ 0 };
    memcpy(reply.message, "cut off", sizeof "cut off");
    REQUIRE(pd_reply_read(&reply, sizeof reply, &asked, slot, &picture, &has_lied, NULL) == PD_OK);
    CHECK(!has_lied && !picture.has_pixels && !picture.pixels && !picture.thumb);
    CHECK(strcmp(picture.pixels_error, "cut off") == 0 && picture.width == 8);
}

static void a_thumbnail_nobody_asked_for_is_a_lie(void)
{
    pd_decode_request request = asked;
    request.thumb = 0;
    pd_decode_reply reply;
    pd_picture picture = { 0 };
    bool has_lied = false;
    fill_good_reply(&request, &reply);
    CHECK(pd_reply_read(&reply, sizeof reply, &request, slot, &picture, &has_lied, NULL) == PD_OK);
    CHECK(!picture.thumb && !picture.thumb_bytes);
    reply.thumb_offset = 24;
    reply.thumb_bytes = 1;
    CHECK(pd_reply_read(&reply, sizeof reply, &request, slot, &picture, &has_lied, NULL) == PD_ERR_FORMAT);
}

static void requests_are_looked_at_too(void)
{
    pd_decode_request request = asked;
    CHECK(pd_decode_request_is_sound(&request));
    request.timeout_ms = 0;
    CHECK(!pd_decode_request_is_sound(&request));
    request = asked;
    request.thumb = 2;
    CHECK(!pd_decode_request_is_sound(&request));
    request = asked;
    request.version++;
    CHECK(!pd_decode_request_is_sound(&request));
    request = asked;
    request.rendition_side = 2048; /* and a thumbnail: one or the other */
    CHECK(!pd_decode_request_is_sound(&request));
    request.thumb = 0;
    CHECK(pd_decode_request_is_sound(&request));
    request.rendition_side = PD_MEDIA_RENDITION_SIDE_MAX + 1;
    CHECK(!pd_decode_request_is_sound(&request));
    request.rendition_side = 2048;
    request.meta_only = 1; /* one or the other */
    CHECK(!pd_decode_request_is_sound(&request));
    request.rendition_side = 0;
    CHECK(pd_decode_request_is_sound(&request));
    request.has_sidecar = 2;
    CHECK(!pd_decode_request_is_sound(&request));
}

int main(void)
{
    RUN(a_true_answer_is_taken);
    RUN(every_lie_is_noticed);
    RUN(texts_become_the_pictures);
    RUN(no_memory_for_texts_is_no_lie);
    RUN(a_rendition_stands_alone);
    RUN(wrong_lengths_are_noticed);
    RUN(a_picture_without_pixels_says_why);
    RUN(a_thumbnail_nobody_asked_for_is_a_lie);
    RUN(requests_are_looked_at_too);
    return TEST_RESULT();
}
