#include "decoder/colour.h"

#include <stdbool.h>
#include <stdint.h>

enum { LINEAR_LIGHT_MAX = 16 }; /* four stops above white: more is no light but a count */

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

int pd_colour_flatten_early(VipsImage **image)
{
    if ((*image)->BandFmt != VIPS_FORMAT_UCHAR && (*image)->BandFmt != VIPS_FORMAT_USHORT)
        return 0;
    const VipsInterpretation space = vips_image_guess_interpretation(*image);
    if (space == VIPS_INTERPRETATION_sRGB || space == VIPS_INTERPRETATION_B_W)
        return flatten(image, 255);
    if (space == VIPS_INTERPRETATION_RGB16 || space == VIPS_INTERPRETATION_GREY16)
        return flatten(image, 65535);
    return 0;
}

/* 16 bits from `image`, `white` being full, in the space that they then are. */
static int scale_to_16_bits(VipsImage **image, double white)
{
    VipsImage *next = NULL;
    if (pd_image_replace(image, vips_linear1(*image, &next, 65535 / white, 0, NULL), &next) != 0 ||
        pd_image_replace(image, vips_cast_ushort(*image, &next, NULL), &next) != 0)
        return -1;
    const VipsInterpretation space = (*image)->Bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16;
    return pd_image_replace(image, vips_copy(*image, &next, "interpretation", space, NULL), &next);
}

/* One or two bands of linear light as three, which have a name. */
static int join_linear(VipsImage **image)
{
    VipsImage *grey = NULL, *next = NULL;
    if ((*image)->Bands < 3) {
        if (vips_extract_band(*image, &grey, 0, NULL) != 0)
            return -1;
        VipsImage *three[3] = { grey, grey, grey };
        const int result = vips_bandjoin(three, &next, 3, NULL);
        g_object_unref(grey);
        if (pd_image_replace(image, result, &next) != 0)
            return -1;
    }
    return pd_image_replace(image, vips_copy(*image, &next, "interpretation", VIPS_INTERPRETATION_scRGB, NULL), &next);
}

/* Numbers wider than 16 bits, of spaces where that says nothing yet (Lab and XYZ have units of their own). */
static bool has_wide_numbers(const VipsImage *image)
{
    switch ((int)vips_image_guess_interpretation(image)) {
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_scRGB:
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_MULTIBAND: break;
    default: return false;
    }
    return image->BandFmt == VIPS_FORMAT_UINT || image->BandFmt == VIPS_FORMAT_INT ||
           image->BandFmt == VIPS_FORMAT_FLOAT || image->BandFmt == VIPS_FORMAT_DOUBLE;
}

static int settle_numbers(VipsImage **image)
{
    if (!has_wide_numbers(*image))
        return 0;
    const bool is_whole = vips_band_format_isint((*image)->BandFmt);
    double max = 0;
    VipsImage *next = vips_image_copy_memory(*image); /* read twice */
    if (pd_image_replace(image, next ? 0 : -1, &next) != 0 || vips_max(*image, &max, NULL) != 0)
        return -1;
    if (!is_whole && max <= LINEAR_LIGHT_MAX)
        return join_linear(image);
    return scale_to_16_bits(image, max <= 255 ? 255 : max <= 65535 ? 65535 : is_whole ? UINT32_MAX : max);
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
    int result = settle_numbers(&image);
    if (result == 0)
        result = pd_colour_flatten_early(&image);
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
