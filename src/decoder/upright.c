#include "decoder/upright.h"

#include <stdbool.h>

#include "decoder/colour.h"

int pd_image_turn_upright(VipsImage **image, uint32_t orientation)
{
    static const struct {
        VipsAngle angle;
        bool is_mirrored; /* left to right, after turning */
    } turns[9] = {
        [1] = { VIPS_ANGLE_D0, false },  [2] = { VIPS_ANGLE_D0, true },    [3] = { VIPS_ANGLE_D180, false },
        [4] = { VIPS_ANGLE_D180, true }, [5] = { VIPS_ANGLE_D90, true },   [6] = { VIPS_ANGLE_D90, false },
        [7] = { VIPS_ANGLE_D270, true }, [8] = { VIPS_ANGLE_D270, false },
    };
    if (orientation == 1)
        return 0;
    VipsImage *next = vips_image_copy_memory(*image);
    if (pd_image_replace(image, next ? 0 : -1, &next) != 0)
        return -1;
    if (turns[orientation].angle != VIPS_ANGLE_D0 &&
        pd_image_replace(image, vips_rot(*image, &next, turns[orientation].angle, NULL), &next) != 0)
        return -1;
    if (turns[orientation].is_mirrored)
        return pd_image_replace(image, vips_flip(*image, &next, VIPS_DIRECTION_HORIZONTAL, NULL), &next);
    return 0;
}
