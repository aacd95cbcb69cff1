#include "decoder/decode.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <vips/vips.h>

#include "base/attr.h"
#include "decoder/colour.h"
#include "decoder/exif_text.h"
#include "decoder/load.h"
#include "decoder/appearance.h"
#include "decoder/meta.h"
#include "decoder/phash.h"
#include "decoder/rendition.h"
#include "decoder/sniff.h"
#include "decoder/upright.h"

enum {
    THUMB_QUALITY = 75,
    THUMB_EFFORT = 1, /* of 0..6 */
    FLAT_BYTES_MAX = 65536,
    STRIP_ROWS = 64,
};

/* One file, its header read. */
typedef struct picture_source {
    const uint8_t *data;
    size_t len;
    pd_image_type type;
    const pd_loaded *header;
    uint32_t orientation; /* EXIF 1..8 that is still to be applied */
} picture_source;

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

/* What is larger than the rendition may be, to exactly its long side. */
static int fit(VipsImage **image, uint32_t side)
{
    VipsImage *next = NULL;
    const int width = (*image)->Xsize, height = (*image)->Ysize, long_side = width > height ? width : height;
    if ((uint32_t)long_side <= side)
        return 0;
    return pd_image_replace(image, vips_resize(*image, &next, (double)side / long_side, NULL), &next);
}

/* From what a loader opened to finished pixels: small enough, sRGB, upright; a new reference in *ret_image. */
static int finish(VipsImage *loaded, const pd_decode_request *request, uint32_t short_side_min, uint32_t orientation,
                  VipsImage **ret_image)
{
    VipsImage *image = loaded, *next = NULL;
    g_object_ref(image);
    int result = pd_colour_flatten_early(&image);
    if (result == 0)
        result = request->rendition_side ? fit(&image, request->rendition_side) : reduce(&image, short_side_min);
    if (result == 0)
        result = pd_image_replace(&image, pd_colour_to_srgb(image, &next), &next);
    if (result == 0)
        result = pd_image_turn_upright(&image, orientation);
    if (result == 0)
        *ret_image = image;
    else
        g_object_unref(image);
    return result;
}

/* Finished pixels into the slot, strip by strip: no second copy of them, and no threads. */
static int render(VipsImage *image, uint8_t *slot, pd_decode_reply *reply)
{
    const size_t row_bytes = (size_t)3 * image->Xsize;
    VipsRegion *region = vips_region_new(image);
    int result = region && row_bytes * image->Ysize <= PD_DECODE_PIXEL_BYTES_MAX ? 0 : -1;
    for (int y = 0; y < image->Ysize && result == 0; y += STRIP_ROWS) {
        const int rows = image->Ysize - y < STRIP_ROWS ? image->Ysize - y : STRIP_ROWS;
        result = vips_region_prepare(region, &(VipsRect){ 0, y, image->Xsize, rows });
        for (int i = 0; i < rows && result == 0; i++)
            memcpy(slot + row_bytes * (y + i), VIPS_REGION_ADDR(region, 0, y + i), row_bytes);
    }
    g_clear_object(&region);
    if (result == 0) {
        reply->pixel_width = (uint32_t)image->Xsize;
        reply->pixel_height = (uint32_t)image->Ysize;
    }
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
static bool may_be_lost(pd_image_type type, size_t file_bytes)
{
    return (type == PD_IMAGE_HEIF || type == PD_IMAGE_AVIF) && file_bytes > FLAT_BYTES_MAX;
}

static pd_status refuse_flat(const uint8_t *pixels, uint64_t n_pixels, pd_error *err)
{
    if (memcmp(pixels, pixels + 3, 3 * (n_pixels - 1)) == 0)
        return pd_error_set(err, PD_ERR_FORMAT, "the picture is damaged (all its pixels have one colour)");
    return PD_OK;
}

static pd_status decode_pixels(const picture_source *source, const pd_decode_request *request, uint8_t *slot,
                               pd_decode_reply *reply, pd_error *err)
{
    uint32_t side_min = request->short_side_min ? request->short_side_min : 1;
    if (request->thumb && side_min < PD_MEDIA_THUMB_SIDE)
        side_min = PD_MEDIA_THUMB_SIDE;
    pd_loaded loaded = { 0 };
    VipsImage *image = NULL;
    PD_TRY(pd_load_pixels(source->data, source->len, source->type, side_min, source->header, &loaded, err));
    int result = finish(loaded.image, request, side_min, source->orientation, &image);
    if (result == 0)
        result = render(image, slot, reply);
    g_clear_object(&image);
    pd_loaded_done(&loaded);
    if (result != 0)
        return pd_load_error_set(err, "the picture is damaged");
    if (may_be_lost(source->type, source->len))
        PD_TRY(refuse_flat(slot, (uint64_t)reply->pixel_width * reply->pixel_height, err));
    if (request->thumb && render_thumb(slot, reply) != 0)
        return pd_load_error_set(err, "no thumbnail can be made");
    reply->phash = pd_phash_of_rgb(slot, reply->pixel_width, reply->pixel_height);
    if (pd_look_of_rgb(slot, reply->pixel_width, reply->pixel_height, &reply->look) != PD_OK)
        return pd_error_set_nomem(err);
    return PD_OK;
}

/* One try at the rendition; *ret_n as of pd_rendition_write. */
static pd_status write_rendition(const picture_source *source, const pd_decode_request *request, int quality,
                                 uint8_t *slot, size_t *ret_n, pd_error *err)
{
    const uint64_t width = source->header->width, height = source->header->height;
    const uint64_t short_side = width < height ? width : height, long_side = width < height ? height : width;
    const uint32_t side_min = (uint32_t)((request->rendition_side * short_side + long_side - 1) / long_side);
    pd_loaded loaded = { 0 };
    VipsImage *image = NULL, *next = NULL;
    PD_TRY(pd_load_pixels(source->data, source->len, source->type, side_min, source->header, &loaded, err));
    int result = finish(loaded.image, request, side_min, source->orientation, &image);
    if (result == 0 && may_be_lost(source->type, source->len)) {
        next = vips_image_copy_memory(image);
        result = pd_image_replace(&image, next ? 0 : -1, &next);
    }
    pd_status status = result == 0 ? PD_OK : pd_load_error_set(err, "the picture is damaged");
    if (status == PD_OK && may_be_lost(source->type, source->len))
        status = refuse_flat(VIPS_IMAGE_ADDR(image, 0, 0), (uint64_t)image->Xsize * image->Ysize, err);
    if (status == PD_OK)
        status = pd_rendition_write(image, quality, PD_DECODE_SLOT_BYTES, slot, ret_n, err);
    g_clear_object(&image);
    pd_loaded_done(&loaded);
    return status;
}

/* Pictures are read in one pass, so that one that does not fit is read again for the next quality. */
static pd_status decode_rendition(const picture_source *source, const pd_decode_request *request, uint8_t *slot,
                                  pd_decode_reply *reply, pd_error *err)
{
    static const int qualities[] = { 90, 60, 30 }; /* of 100 */
    pd_status status = PD_OK;
    size_t n = SIZE_MAX;
    for (size_t i = 0; i < PD_COUNT_OF(qualities) && n > PD_DECODE_SLOT_BYTES; i++) {
        n = 0;
        status = write_rendition(source, request, qualities[i], slot, &n, err);
    }
    if (status == PD_OK)
        reply->rendition_bytes = (uint32_t)n;
    return status;
}

static void decode_into(const picture_source *source, const pd_decode_request *request, uint8_t *slot,
                        pd_decode_reply *reply)
{
    const pd_loaded *header = source->header;
    const bool is_turned = source->orientation >= 5;
    pd_error error = { .status = PD_ERR_UNSUPPORTED, .message = "only the metadata was asked for" };
    pd_status status = PD_ERR_UNSUPPORTED;
    reply->width = is_turned ? header->height : header->width;
    reply->height = is_turned ? header->width : header->height;
    if (request->rendition_side)
        status = decode_rendition(source, request, slot, reply, &error);
    else if (!request->meta_only)
        status = decode_pixels(source, request, slot, reply, &error);
    reply->has_pixels = status == PD_OK && !request->rendition_side;
    if (status == PD_OK)
        return;
    reply->pixel_width = reply->pixel_height = 0;
    reply->thumb_offset = reply->thumb_bytes = reply->phash = 0;
    reply->look = (pd_look){ 0 };
    pd_decode_message_set(reply, error.message);
}

static uint32_t choose_orientation(const pd_loaded *header, const pd_photo_meta *meta)
{
    if (header->is_upright)
        return 1;
    return header->orientation ? header->orientation : meta->orientation;
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
    if (status == PD_OK) {
        const picture_source source = { .data = input->data,
                                        .len = input->len,
                                        .type = type,
                                        .header = &header,
                                        .orientation = choose_orientation(&header, &reply->meta) };
        decode_into(&source, request, output->slot, reply);
    }
    pd_loaded_done(&header);
    return status;
}
