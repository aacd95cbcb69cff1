#include "decoder/decode.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vips/vips.h>

#include "decoder/colour.h"
#include "decoder/exif_text.h"
#include "decoder/load.h"
#include "decoder/meta.h"
#include "decoder/phash.h"
#include "decoder/sniff.h"

enum {
    THUMB_QUALITY = 75,
    THUMB_EFFORT = 1, /* of 0..6 */
    FLAT_BYTES_MAX = 65536,
};

pd_status pd_decode_init(pd_error *err)
{
    (void)mallopt(M_ARENA_MAX, 1);               /* each arena would reserve 64 MiB of address space */
    (void)setenv("VIPSHOME", "/nonexistent", 1); /* no modules: pd_load_init */
    (void)setenv("VIPS_NOVECTOR", "1", 1);       /* it would write machine code, and nothing new may be executed */
    if (vips_init("pixel-detective-decoder") != 0)
        return pd_error_set(err, PD_ERR_INTERNAL, "libvips does not start");
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    pd_load_init();
    return PD_OK;
}

void pd_decode_message_set(pd_decode_reply *reply, const char *message)
{
    pd_text_clean((const uint8_t *)message, strlen(message), reply->message, sizeof reply->message);
    if (!reply->message[0])
        memcpy(reply->message, "unknown", sizeof "unknown");
}

static pd_status refuse_unknown(const uint8_t *data, size_t len, pd_error *err)
{
    const char *other = pd_sniff_other(data, len);
    if (other)
        return pd_error_set(err, PD_ERR_FORMAT, "the content is %s, not a picture", other);
    return pd_error_set(err, PD_ERR_FORMAT, "the content is not a picture of a known kind");
}

static pd_status check_size(const pd_loaded *loaded, pd_error *err)
{
    if (loaded->width > PD_DECODE_SIDE_MAX || loaded->height > PD_DECODE_SIDE_MAX ||
        (uint64_t)loaded->width * loaded->height > PD_MEDIA_PIXELS_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the picture has %u x %u pixels: up to %llu million are decoded",
                            loaded->width, loaded->height, (unsigned long long)PD_MEDIA_PIXELS_MAX / 1000000);
    return PD_OK;
}

/* What the codec left too large: averages of whole squares, then what must be to fit into the slot. */
static int reduce(VipsImage **image, uint32_t short_side_min)
{
    VipsImage *next = NULL;
    const int width = (*image)->Xsize, height = (*image)->Ysize;
    const int factor = (width < height ? width : height) / (int)(short_side_min ? short_side_min : 1);
    if (factor >= 2 && pd_image_replace(image, vips_shrink(*image, &next, factor, factor, NULL), &next) != 0)
        return -1;
    const double bytes = 3.0 * (*image)->Xsize * (*image)->Ysize;
    if (bytes <= (double)PD_DECODE_PIXEL_BYTES_MAX)
        return 0;
    const double scale = 0.99 * sqrt((double)PD_DECODE_PIXEL_BYTES_MAX / bytes);
    return pd_image_replace(image, vips_resize(*image, &next, scale, NULL), &next);
}

/* EXIF 1..8 to upright. Turns read in any order: the picture must be in memory by now. */
static int turn_upright(VipsImage **image, uint32_t orientation)
{
    static const struct {
        VipsAngle angle;
        bool is_mirrored; /* left to right, after turning */
    } turns[9] = {
        [1] = { VIPS_ANGLE_D0, false },  [2] = { VIPS_ANGLE_D0, true },    [3] = { VIPS_ANGLE_D180, false },
        [4] = { VIPS_ANGLE_D180, true }, [5] = { VIPS_ANGLE_D90, true },   [6] = { VIPS_ANGLE_D90, false },
        [7] = { VIPS_ANGLE_D270, true }, [8] = { VIPS_ANGLE_D270, false },
    };
    VipsImage *next = NULL;
    if (turns[orientation].angle != VIPS_ANGLE_D0 &&
        pd_image_replace(image, vips_rot(*image, &next, turns[orientation].angle, NULL), &next) != 0)
        return -1;
    if (turns[orientation].is_mirrored)
        return pd_image_replace(image, vips_flip(*image, &next, VIPS_DIRECTION_HORIZONTAL, NULL), &next);
    return 0;
}

/* The chain from the loader to finished pixels in the slot. */
static int render(VipsImage *loaded, uint32_t short_side_min, uint32_t orientation, uint8_t *slot,
                  pd_decode_reply *reply)
{
    VipsImage *image = loaded, *next = NULL;
    g_object_ref(image);
    int result = reduce(&image, short_side_min);
    if (result == 0)
        result = pd_image_replace(&image, pd_colour_to_srgb(image, &next), &next);
    if (result == 0 && orientation != 1) {
        next = vips_image_copy_memory(image);
        result = next ? pd_image_replace(&image, 0, &next) : -1;
        if (result == 0)
            result = turn_upright(&image, orientation);
    }
    size_t bytes = 0;
    void *pixels = result == 0 ? vips_image_write_to_memory(image, &bytes) : NULL;
    if (pixels && bytes == (size_t)3 * image->Xsize * image->Ysize && bytes <= PD_DECODE_PIXEL_BYTES_MAX) {
        memcpy(slot, pixels, bytes);
        reply->pixel_width = (uint32_t)image->Xsize;
        reply->pixel_height = (uint32_t)image->Ysize;
    } else {
        result = -1;
    }
    g_free(pixels);
    g_object_unref(image);
    return result;
}

/* WebP of at most PD_MEDIA_THUMB_SIDE, never larger than the picture, behind the pixels. */
static int render_thumb(uint8_t *slot, pd_decode_reply *reply)
{
    const size_t pixel_bytes = (size_t)3 * reply->pixel_width * reply->pixel_height;
    VipsImage *image = vips_image_new_from_memory(slot, pixel_bytes, (int)reply->pixel_width, (int)reply->pixel_height,
                                                  3, VIPS_FORMAT_UCHAR);
    if (!image)
        return -1;
    image->Type = VIPS_INTERPRETATION_sRGB;
    const uint32_t long_side = reply->pixel_width > reply->pixel_height ? reply->pixel_width : reply->pixel_height;
    VipsImage *next = NULL;
    int result = 0;
    if (long_side > PD_MEDIA_THUMB_SIDE)
        result =
            pd_image_replace(&image, vips_resize(image, &next, (double)PD_MEDIA_THUMB_SIDE / long_side, NULL), &next);
    void *webp = NULL;
    size_t bytes = 0;
    if (result == 0)
        result =
            vips_webpsave_buffer(image, &webp, &bytes, "Q", THUMB_QUALITY, "effort", THUMB_EFFORT, "strip", TRUE, NULL);
    if (result == 0 && bytes <= PD_DECODE_THUMB_BYTES_MAX) {
        memcpy(slot + pixel_bytes, webp, bytes);
        reply->thumb_offset = pixel_bytes;
        reply->thumb_bytes = bytes;
    } else {
        result = -1;
    }
    g_free(webp);
    g_object_unref(image);
    return result;
}

/* libheif passes over tiles that it cannot decode: a photo of which nothing is left comes out in one colour. A picture
 * that really is of one colour takes less than FLAT_BYTES_MAX. */
static bool is_lost(const uint8_t *slot, const pd_decode_reply *reply, pd_image_type type, size_t file_bytes)
{
    const size_t bytes = (size_t)3 * reply->pixel_width * reply->pixel_height;
    return (type == PD_IMAGE_HEIF || type == PD_IMAGE_AVIF) && file_bytes > FLAT_BYTES_MAX &&
           memcmp(slot, slot + 3, bytes - 3) == 0;
}

static pd_status decode_pixels(const uint8_t *data, size_t len, pd_image_type type, const pd_loaded *header,
                               const pd_decode_request *request, uint8_t *slot, pd_decode_reply *reply, pd_error *err)
{
    uint32_t side_min = request->short_side_min ? request->short_side_min : 1;
    if (request->thumb && side_min < PD_MEDIA_THUMB_SIDE)
        side_min = PD_MEDIA_THUMB_SIDE;
    const uint32_t orientation = header->is_upright ? 1 : reply->meta.orientation;
    pd_loaded loaded = { 0 };
    PD_TRY(pd_load_pixels(data, len, type, side_min, header, &loaded, err));
    const int result = render(loaded.image, side_min, orientation, slot, reply);
    pd_loaded_done(&loaded);
    if (result != 0)
        return pd_load_error_set(err, "the picture is damaged");
    if (is_lost(slot, reply, type, len))
        return pd_error_set(err, PD_ERR_FORMAT, "the picture is damaged (all its pixels have one colour)");
    if (request->thumb && render_thumb(slot, reply) != 0)
        return pd_load_error_set(err, "no thumbnail can be made");
    reply->phash = pd_phash_of_rgb(slot, reply->pixel_width, reply->pixel_height);
    return PD_OK;
}

static void decode_into(const pd_decode_input *input, pd_image_type type, const pd_loaded *header,
                        const pd_decode_request *request, pd_decode_output *output)
{
    pd_decode_reply *reply = &output->reply;
    const bool is_turned = !header->is_upright && reply->meta.orientation >= 5;
    reply->width = is_turned ? header->height : header->width;
    reply->height = is_turned ? header->width : header->height;
    pd_error error = { .message = "only the metadata was asked for" };
    reply->has_pixels = !request->meta_only && decode_pixels(input->data, input->len, type, header, request,
                                                             output->slot, reply, &error) == PD_OK;
    if (reply->has_pixels)
        return;
    reply->pixel_width = reply->pixel_height = 0;
    reply->thumb_offset = reply->thumb_bytes = reply->phash = 0;
    pd_decode_message_set(reply, error.message);
}

pd_status pd_decode_file(const pd_decode_input *input, const pd_decode_request *request, pd_decode_output *output,
                         pd_error *err)
{
    const pd_image_type type = pd_sniff_type(input->data, input->len);
    if (type == PD_IMAGE_UNKNOWN)
        return refuse_unknown(input->data, input->len, err);
    pd_loaded header = { 0 };
    PD_TRY(pd_load_header(input->data, input->len, type, &header, err));
    pd_decode_reply *reply = &output->reply;
    reply->status = PD_OK;
    reply->pages = header.pages ? header.pages : 1;
    memcpy(reply->type, pd_image_type_name(type), strlen(pd_image_type_name(type)));
    const pd_meta_input sources = { input->data, input->len, input->sidecar, input->sidecar_bytes };
    pd_status status = check_size(&header, err);
    if (status == PD_OK && pd_meta_read(&sources, &reply->meta, &output->texts) != PD_OK)
        status = pd_error_set_nomem(err);
    if (status == PD_OK)
        decode_into(input, type, &header, request, output);
    pd_loaded_done(&header);
    return status;
}
