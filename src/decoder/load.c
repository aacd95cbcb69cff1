#include "decoder/load.h"

#include <dlfcn.h>
#include <gmodule.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "decoder/bmp.h"
#include "decoder/bytes.h"
#include "decoder/heif_groups.h"
#include "media/protocol.h"

enum { JPEG_REDUCE_MAX = 8 }; /* what libjpeg scales by while it decodes */
#define ASPECT_ERROR 0.01     /* sides are rounded: 512 x 236 of 4,000 x 1,848 is 0.2 % off */

/* vips_init would load every module it finds: those for PDF, SVG and microscopes too. It is told of an empty place
 * instead (pd_decode_init), and the two modules with pictures of cameras are loaded here, from beside the library. */
void pd_load_init(void)
{
    static const char *const modules[] = { "vips-heif.so", "vips-jxl.so" };
    Dl_info info;
    if (!dladdr((void *)(uintptr_t)vips_version, &info) || !info.dli_fname)
        return;
    const char *slash = strrchr(info.dli_fname, '/');
    const int dir_len = slash ? (int)(slash - info.dli_fname) : 0;
    for (size_t i = 0; i < PD_COUNT_OF(modules); i++) {
        char path[4096];
        const int n = snprintf(path, sizeof path, "%.*s/vips-modules-%d.%d/%s", dir_len, info.dli_fname,
                               VIPS_MAJOR_VERSION, VIPS_MINOR_VERSION, modules[i]);
        GModule *module = n < (int)sizeof path ? g_module_open(path, G_MODULE_BIND_LAZY) : NULL;
        if (module)
            g_module_make_resident(module);
    }
}

pd_status pd_load_error_set(pd_error *err, const char *what)
{
    char text[160];
    const char *newest = vips_error_buffer();
    (void)snprintf(text, sizeof text, "%.*s", (int)strcspn(newest, "\n"), newest);
    vips_error_clear();
    const bool is_memory = strstr(text, "out of memory") || strstr(text, "Insufficient memory");
    if (is_memory)
        return pd_error_set(err, PD_ERR_LIMIT, "decoding it takes more than %llu MiB of memory",
                            (unsigned long long)PD_MEDIA_DECODER_BYTES_MAX >> 20);
    return pd_error_set(err, PD_ERR_FORMAT, text[0] ? "%s (%s)" : "%s", what, text);
}

/* What a loader is asked for: `reduce` a power of two, 1 for the whole picture. */
static int open_image(const uint8_t *data, size_t len, pd_image_type type, int reduce, VipsImage **ret_image)
{
    void *bytes = (void *)(uintptr_t)data;
    const VipsFailOn fail_on = VIPS_FAIL_ON_ERROR;
    const VipsAccess access = VIPS_ACCESS_SEQUENTIAL;
    switch (type) {
    case PD_IMAGE_JPEG:
        return vips_jpegload_buffer(bytes, len, ret_image, "shrink", reduce, "fail_on", fail_on, "access", access,
                                    NULL);
    case PD_IMAGE_PNG: return vips_pngload_buffer(bytes, len, ret_image, "fail_on", fail_on, "access", access, NULL);
    case PD_IMAGE_WEBP:
        return vips_webpload_buffer(bytes, len, ret_image, "scale", 1.0 / reduce, "fail_on", fail_on, "access", access,
                                    NULL);
    case PD_IMAGE_GIF: return vips_gifload_buffer(bytes, len, ret_image, "fail_on", fail_on, "access", access, NULL);
    case PD_IMAGE_TIFF: return vips_tiffload_buffer(bytes, len, ret_image, "fail_on", fail_on, "access", access, NULL);
    case PD_IMAGE_HEIF:
    case PD_IMAGE_AVIF: return vips_heifload_buffer(bytes, len, ret_image, "fail_on", fail_on, "access", access, NULL);
    case PD_IMAGE_JXL: return vips_jxlload_buffer(bytes, len, ret_image, "fail_on", fail_on, "access", access, NULL);
    case PD_IMAGE_JP2: {
        int page = 0;
        while (1 << page < reduce)
            page++;
        return vips_jp2kload_buffer(bytes, len, ret_image, "page", page, "fail_on", fail_on, "access", access, NULL);
    }
    case PD_IMAGE_BMP:
    case PD_IMAGE_RAW:
    case PD_IMAGE_UNKNOWN:
    case PD_IMAGE_TYPE_COUNT: break;
    }
    vips_error("pixel-detective", "no loader");
    return -1;
}

/* APNG: libvips knows nothing of the frames behind the first picture. */
static uint32_t count_png_frames(const uint8_t *data, size_t len)
{
    for (size_t at = 8; at <= len && len - at >= 16;) {
        const uint32_t bytes = pd_be32(data + at);
        if (memcmp(data + at + 4, "acTL", 4) == 0)
            return pd_be32(data + at + 8);
        if (memcmp(data + at + 4, "IDAT", 4) == 0 || bytes > len - at - 12)
            return 1;
        at += 12 + (size_t)bytes;
    }
    return 1;
}

static uint32_t count_pages(const uint8_t *data, size_t len, pd_image_type type, VipsImage *image)
{
    uint32_t n = 1;
    if (type == PD_IMAGE_PNG)
        n = count_png_frames(data, len);
    else if (type != PD_IMAGE_JP2) /* whose pages are levels of resolution */
        n = (uint32_t)vips_image_get_n_pages(image);
    return n < 1 ? 1 : n > PD_DECODE_PAGES_MAX ? PD_DECODE_PAGES_MAX : n;
}

/* Our own reader decodes at once: a bitmap is as large as its pixels, there is no header to look at first. */
static pd_status open_bitmap(const uint8_t *data, size_t len, pd_loaded *ret_loaded, pd_error *err)
{
    pd_bmp_info info;
    PD_TRY(pd_bmp_read_header(data, len, &info, err));
    const unsigned channels = pd_bmp_channels(&info);
    const size_t bytes = (size_t)info.width * info.height * channels;
    pd_loaded loaded = { .width = info.width, .height = info.height, .pages = 1 };
    loaded.pixels = pd_mem_alloc(bytes, 1);
    if (!loaded.pixels)
        return pd_error_set(err, PD_ERR_LIMIT, "decoding it takes %zu MiB of memory", bytes >> 20);
    const pd_status status = pd_bmp_read_pixels(data, len, &info, loaded.pixels, err);
    if (status != PD_OK) {
        pd_mem_free(loaded.pixels);
        return status;
    }
    loaded.image = vips_image_new_from_memory(loaded.pixels, bytes, (int)info.width, (int)info.height, (int)channels,
                                              VIPS_FORMAT_UCHAR);
    if (!loaded.image) {
        pd_mem_free(loaded.pixels);
        return pd_load_error_set(err, "the picture is damaged");
    }
    loaded.image->Type = VIPS_INTERPRETATION_sRGB;
    if (info.profile_bytes)
        vips_image_set_blob_copy(loaded.image, VIPS_META_ICC_NAME, data + info.profile_at, info.profile_bytes);
    *ret_loaded = loaded;
    return PD_OK;
}

static pd_status open_raw(const uint8_t *data, size_t len, pd_loaded *ret_loaded, pd_error *err)
{
    pd_loaded loaded = { .pages = 1 };
    PD_TRY(pd_raw_open(&loaded.raw, data, len, err));
    pd_raw_size(loaded.raw, &loaded.width, &loaded.height);
    loaded.orientation = pd_raw_orientation(loaded.raw);
    *ret_loaded = loaded;
    return PD_OK;
}

pd_status pd_load_header(const uint8_t *data, size_t len, pd_image_type type, pd_loaded *ret_loaded, pd_error *err)
{
    pd_loaded loaded = { .is_upright = type == PD_IMAGE_HEIF || type == PD_IMAGE_AVIF || type == PD_IMAGE_JXL };
    if (type == PD_IMAGE_BMP)
        return open_bitmap(data, len, ret_loaded, err);
    if (type == PD_IMAGE_RAW)
        return open_raw(data, len, ret_loaded, err);
    int result = open_image(data, len, type, 1, &loaded.image);
    if (result != 0 && (type == PD_IMAGE_HEIF || type == PD_IMAGE_AVIF)) {
        loaded.pixels = pd_heif_hide_groups(data, len);
        if (loaded.pixels) {
            vips_error_clear();
            result = open_image(loaded.pixels, len, type, 1, &loaded.image);
        }
    }
    if (result != 0) {
        pd_mem_free(loaded.pixels);
        return pd_load_error_set(err, "the picture is damaged");
    }
    loaded.width = (uint32_t)vips_image_get_width(loaded.image);
    loaded.height = (uint32_t)vips_image_get_page_height(loaded.image);
    loaded.pages = loaded.pixels ? 1 : count_pages(data, len, type, loaded.image); /* of a group: one picture */
    *ret_loaded = loaded;
    return PD_OK;
}

/* The largest power of two up to `reduce_max` that leaves the short side long enough. */
static int choose_reduction(uint32_t width, uint32_t height, uint32_t short_side_min, int reduce_max)
{
    const uint32_t short_side = width < height ? width : height;
    int reduce = 1;
    while (2 * reduce <= reduce_max && short_side / (2 * (uint32_t)reduce) >= short_side_min)
        reduce *= 2;
    return reduce;
}

/* The preview as the JPEG that it is, or what LibRaw makes of the sensor's values. */
static pd_status load_raw(const pd_loaded *header, uint32_t short_side_min, VipsImage **ret_image, pd_error *err)
{
    const pd_preview *preview = pd_raw_choose_preview(header->raw, short_side_min);
    if (!preview)
        return pd_raw_develop(header->raw, short_side_min, ret_image, err);
    const int reduce = choose_reduction(preview->width, preview->height, short_side_min, JPEG_REDUCE_MAX);
    if (open_image(preview->jpeg, preview->len, PD_IMAGE_JPEG, reduce, ret_image) != 0)
        return pd_load_error_set(err, "the picture is damaged");
    return PD_OK;
}

/* The smaller picture that cameras put into a HEIF file beside the whole one, decoded; NULL when it is none of that
 * shape, too small, or damaged. A hundredth of the work: cameras of 50 megapixels have one of 1,616 x 1,080. */
static VipsImage *load_heif_thumbnail(const uint8_t *data, size_t len, uint32_t short_side_min, const pd_loaded *header)
{
    VipsImage *thumbnail = NULL, *pixels = NULL;
    if (vips_heifload_buffer((void *)(uintptr_t)data, len, &thumbnail, "thumbnail", TRUE, "fail_on", VIPS_FAIL_ON_ERROR,
                             NULL) == 0) {
        const double width = thumbnail->Xsize, height = thumbnail->Ysize;
        const double aspect = width / height * header->height / header->width;
        if (fmin(width, height) >= short_side_min && width < header->width && fabs(aspect - 1) < ASPECT_ERROR)
            pixels = vips_image_copy_memory(thumbnail);
        g_object_unref(thumbnail);
    }
    if (!pixels)
        vips_error_clear();
    return pixels;
}

pd_status pd_load_pixels(const uint8_t *data, size_t len, pd_image_type type, uint32_t short_side_min,
                         const pd_loaded *header, pd_loaded *ret_loaded, pd_error *err)
{
    int reduce_max = 1;
    if (type == PD_IMAGE_JPEG)
        reduce_max = JPEG_REDUCE_MAX;
    else if (type == PD_IMAGE_WEBP)
        reduce_max = 16;
    else if (type == PD_IMAGE_JP2) /* the loader's pages are its resolution levels */
        reduce_max = 1 << ((vips_image_get_n_pages(header->image) - 1) & 7);
    const int reduce = choose_reduction(header->width, header->height, short_side_min, reduce_max);
    pd_loaded loaded = *header;
    VipsImage *thumbnail = NULL;
    loaded.pixels = NULL;
    loaded.raw = NULL;
    if (type == PD_IMAGE_RAW)
        PD_TRY(load_raw(header, short_side_min, &loaded.image, err));
    else if ((type == PD_IMAGE_HEIF || type == PD_IMAGE_AVIF) && !header->pixels &&
             (thumbnail = load_heif_thumbnail(data, len, short_side_min, header)))
        loaded.image = thumbnail;
    else if (reduce == 1)
        g_object_ref(loaded.image);
    else if (open_image(data, len, type, reduce, &loaded.image) != 0)
        return pd_load_error_set(err, "the picture is damaged");
    *ret_loaded = loaded;
    return PD_OK;
}

void pd_loaded_done(pd_loaded *loaded)
{
    if (loaded->image)
        g_object_unref(loaded->image);
    pd_mem_free(loaded->pixels);
    pd_raw_close(&loaded->raw);
    *loaded = (pd_loaded){ 0 };
}
