#include "decoder/raw.h"

#include <libraw/libraw.h>

#include "base/mem.h"
#include "media/media.h"

enum {
    PREVIEW_SIDE_ENOUGH = 1000, /* px: from here on the preview is better than what we develop, whatever is asked for */
    DEMOSAIC_PPG = 2,           /* half of the time of AHD, and not to be told apart once scaled down */
};

struct pd_raw {
    libraw_data_t *libraw; /* NULL: it does not know the file */
    libraw_processed_image_t *developed;
    pd_preview preview; /* jpeg NULL: none */
    uint32_t width, height, orientation;
};

/* dcraw's bits: 1 mirrored left to right, 2 upside down, 4 rows and columns exchanged, in this order. */
static uint32_t orientation_of_flip(int flip)
{
    static const uint8_t orientations[8] = { 1, 2, 4, 3, 5, 8, 6, 7 };
    return orientations[flip & 7];
}

static void open_libraw(pd_raw *raw, const uint8_t *data, size_t len)
{
    libraw_data_t *libraw = libraw_init(LIBRAW_OPTIONS_NONE);
    if (!libraw)
        return;
    libraw->params.max_raw_memory_mb = (int)(PD_MEDIA_DECODER_BYTES_MAX >> 20);
    if (libraw_open_buffer(libraw, (void *)(uintptr_t)data, len) != LIBRAW_SUCCESS || !libraw->sizes.width ||
        !libraw->sizes.height) {
        libraw_close(libraw);
        return;
    }
    raw->libraw = libraw;
    raw->width = libraw->sizes.width;
    raw->height = libraw->sizes.height;
    raw->orientation = orientation_of_flip(libraw->sizes.flip);
}

/* LibRaw's first: it knows which of several is meant. The search takes over where there is none that is large enough.
 */
static void find_preview(pd_raw *raw, const uint8_t *data, size_t len)
{
    const uint32_t short_side = raw->width < raw->height ? raw->width : raw->height;
    double aspect = 0;
    if (raw->libraw) {
        const libraw_thumbnail_t *thumb = &raw->libraw->thumbnail;
        if (libraw_unpack_thumb(raw->libraw) == LIBRAW_SUCCESS && thumb->tformat == LIBRAW_THUMBNAIL_JPEG)
            (void)pd_preview_measure((const uint8_t *)thumb->thumb, thumb->tlength, &raw->preview);
        aspect = (double)(raw->width + raw->height - short_side) / short_side;
    }
    pd_preview found;
    const uint32_t have = raw->preview.width < raw->preview.height ? raw->preview.width : raw->preview.height;
    if (have < PREVIEW_SIDE_ENOUGH && pd_preview_find(data, len, aspect, &found) && found.width > raw->preview.width &&
        found.height > raw->preview.height)
        raw->preview = found;
}

pd_status pd_raw_open(pd_raw **ret_raw, const uint8_t *data, size_t len, pd_error *err)
{
    pd_raw *raw = pd_mem_alloc(1, sizeof *raw);
    if (!raw)
        return pd_error_set_nomem(err);
    *raw = (pd_raw){ 0 };
    open_libraw(raw, data, len);
    find_preview(raw, data, len);
    if (!raw->libraw && !raw->preview.jpeg) {
        pd_mem_free(raw);
        return pd_error_set(err, PD_ERR_FORMAT, "the raw file is damaged, or of a camera that is not known");
    }
    /* the sensor has a few columns more than the picture that the camera makes of it */
    if (raw->preview.jpeg && (uint64_t)raw->preview.width * 100 >= (uint64_t)raw->width * 95 &&
        (uint64_t)raw->preview.height * 100 >= (uint64_t)raw->height * 95) {
        raw->width = raw->preview.width;
        raw->height = raw->preview.height;
    }
    *ret_raw = raw;
    return PD_OK;
}

void pd_raw_close(pd_raw **raw)
{
    if (!*raw)
        return;
    if ((*raw)->developed)
        libraw_dcraw_clear_mem((*raw)->developed);
    if ((*raw)->libraw)
        libraw_close((*raw)->libraw);
    pd_mem_free(*raw);
    *raw = NULL;
}

void pd_raw_size(const pd_raw *raw, uint32_t *ret_width, uint32_t *ret_height)
{
    *ret_width = raw->width;
    *ret_height = raw->height;
}

uint32_t pd_raw_orientation(const pd_raw *raw) { return raw->orientation; }

const pd_preview *pd_raw_choose_preview(const pd_raw *raw, uint32_t short_side_min)
{
    const pd_preview *preview = &raw->preview;
    const uint32_t side = preview->width < preview->height ? preview->width : preview->height;
    const bool is_whole = preview->width == raw->width && preview->height == raw->height;
    if (!preview->jpeg)
        return NULL;
    return !raw->libraw || is_whole || side >= short_side_min || side >= PREVIEW_SIDE_ENOUGH ? preview : NULL;
}

static pd_status explain(int error, pd_error *err)
{
    if (error == LIBRAW_UNSUFFICIENT_MEMORY || error == LIBRAW_TOO_BIG)
        return pd_error_set(err, PD_ERR_LIMIT, "decoding it takes more than %llu MiB of memory",
                            (unsigned long long)PD_MEDIA_DECODER_BYTES_MAX >> 20);
    return pd_error_set(err, PD_ERR_FORMAT, "the picture is damaged (%s)", libraw_strerror(error));
}

static int develop(pd_raw *raw, uint32_t short_side_min)
{
    libraw_output_params_t *params = &raw->libraw->params;
    const uint32_t side = raw->width < raw->height ? raw->width : raw->height;
    params->half_size = side / 2 >= short_side_min;
    params->user_qual = DEMOSAIC_PPG;
    params->user_flip = 0; /* turned later, like any other */
    params->use_camera_wb = 1;
    params->output_bps = 8;
    params->gamm[0] = 1 / 2.4; /* sRGB */
    params->gamm[1] = 12.92;
    int error = libraw_unpack(raw->libraw);
    if (error == LIBRAW_SUCCESS)
        error = libraw_dcraw_process(raw->libraw);
    if (error == LIBRAW_SUCCESS)
        raw->developed = libraw_dcraw_make_mem_image(raw->libraw, &error);
    return error;
}

pd_status pd_raw_develop(pd_raw *raw, uint32_t short_side_min, VipsImage **ret_image, pd_error *err)
{
    const int error = raw->developed ? LIBRAW_SUCCESS : develop(raw, short_side_min);
    const libraw_processed_image_t *made = raw->developed;
    if (error != LIBRAW_SUCCESS || !made)
        return explain(error, err);
    if (made->type != LIBRAW_IMAGE_BITMAP || made->bits != 8 || (made->colors != 1 && made->colors != 3))
        return pd_error_set(err, PD_ERR_UNSUPPORTED, "the raw file has %u colours of %u bits", made->colors,
                            made->bits);
    VipsImage *image = vips_image_new_from_memory(made->data, made->data_size, made->width, made->height, made->colors,
                                                  VIPS_FORMAT_UCHAR);
    if (!image)
        return pd_error_set(err, PD_ERR_FORMAT, "the picture is damaged (it has other sizes than it says)");
    image->Type = made->colors == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    *ret_image = image;
    return PD_OK;
}
