#include "decoder/colour.h"

#include <stdbool.h>

int pd_image_replace(VipsImage **image, int result, VipsImage **next)
{
    if (result == 0) {
        g_object_unref(*image);
        *image = *next;
    }
    return result;
}

static int flatten(VipsImage **image, double white)
{
    VipsImage *next = NULL;
    if (!vips_image_hasalpha(*image))
        return 0;
    VipsArrayDouble *background = vips_array_double_newv(1, white);
    const int result = vips_flatten(*image, &next, "background", background, "max_alpha", white, NULL);
    vips_area_unref(VIPS_AREA(background));
    return pd_image_replace(image, result, &next);
}

/* Flattening first is the same for these, in far fewer bytes than after a conversion. */
static int flatten_early(VipsImage **image)
{
    const VipsInterpretation space = vips_image_guess_interpretation(*image);
    if (space == VIPS_INTERPRETATION_sRGB || space == VIPS_INTERPRETATION_B_W)
        return flatten(image, 255);
    if (space == VIPS_INTERPRETATION_RGB16 || space == VIPS_INTERPRETATION_GREY16)
        return flatten(image, 65535);
    return 0;
}

/* A profile that does not work out is not an error: the picture is shown as if it had none. */
static int apply_profile(VipsImage **image)
{
    const bool is_cmyk = vips_image_guess_interpretation(*image) == VIPS_INTERPRETATION_CMYK;
    VipsImage *next = NULL;
    if (!vips_image_get_typeof(*image, VIPS_META_ICC_NAME) && !is_cmyk)
        return 0;
    const int result = vips_icc_transform(*image, &next, "srgb", "embedded", TRUE, "input_profile",
                                          is_cmyk ? "cmyk" : "srgb", "intent", VIPS_INTENT_RELATIVE, NULL);
    if (result != 0)
        vips_error_clear();
    (void)pd_image_replace(image, result, &next);
    return 0;
}

static int convert_space(VipsImage **image)
{
    VipsImage *next = NULL;
    const VipsInterpretation from = vips_image_guess_interpretation(*image);
    if (from == VIPS_INTERPRETATION_sRGB)
        return 0;
    return pd_image_replace(image,
                            vips_colourspace(*image, &next, VIPS_INTERPRETATION_sRGB, "source_space", from, NULL),
                            &next);
}

/* Exactly three 8-bit bands, whatever was there: extra inks and channels are dropped, grey is repeated. */
static int settle_bands(VipsImage **image)
{
    VipsImage *next = NULL;
    int result = 0;
    if ((*image)->Bands > 3) {
        result = vips_extract_band(*image, &next, 0, "n", 3, NULL);
        result = pd_image_replace(image, result, &next);
    } else if ((*image)->Bands < 3) {
        VipsImage *grey = NULL;
        result = vips_extract_band(*image, &grey, 0, NULL);
        if (result == 0) {
            VipsImage *three[3] = { grey, grey, grey };
            result = vips_bandjoin(three, &next, 3, NULL);
            g_object_unref(grey);
            result = pd_image_replace(image, result, &next);
        }
    }
    if (result == 0 && (*image)->BandFmt != VIPS_FORMAT_UCHAR)
        result = pd_image_replace(image, vips_cast_uchar(*image, &next, NULL), &next);
    return result;
}

int pd_colour_to_srgb(VipsImage *image, VipsImage **ret_image)
{
    g_object_ref(image);
    int result = flatten_early(&image);
    if (result == 0)
        result = apply_profile(&image);
    if (result == 0)
        result = convert_space(&image);
    if (result == 0)
        result = flatten(&image, 255);
    if (result == 0)
        result = settle_bands(&image);
    if (result == 0)
        *ret_image = image;
    else
        g_object_unref(image);
    return result;
}
