/* EXIF and TIFF directories, Canon's old block, and the times and texts in them. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "decoder/ciff.h"
#include "decoder/ifd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    const size_t len = strnlen(text, size);
    if (len == size || !pd_utf8_valid(text, len))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20)
            abort();
}

static void check_meta(const pd_photo_meta *meta)
{
    check_text(meta->taken, sizeof meta->taken);
    check_text(meta->taken_source, sizeof meta->taken_source);
    check_text(meta->make, sizeof meta->make);
    check_text(meta->model, sizeof meta->model);
    check_text(meta->lens, sizeof meta->lens);
    if (meta->orientation < 1 || meta->orientation > 8 || fabs(meta->gps_lat) > 90 || fabs(meta->gps_lon) > 180 ||
        isnan(meta->gps_lat) != isnan(meta->gps_lon) || isinf(meta->gps_alt))
        abort();
    if (meta->exposure_s <= 0 || meta->fnumber <= 0 || meta->focal_mm <= 0 || isinf(meta->exposure_s))
        abort();
    const size_t len = strlen(meta->taken);
    if ((len != 0 && len != 19 && len != 25) || (len != 0) != (meta->taken_source[0] != '\0'))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_photo_meta meta, again;
    pd_meta_init(&meta);
    pd_meta_init(&again);
    const bool is_ours = pd_ifd_read(data, size, &meta);
    check_meta(&meta);
    if (pd_ifd_read(data, size, &again) != is_ours || memcmp(&meta, &again, sizeof meta) != 0)
        abort();
    pd_meta_init(&meta);
    pd_ciff_read(data, size, &meta);
    check_meta(&meta);
    return 0;
}
