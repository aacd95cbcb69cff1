/* photo_promises.h: what every reader of metadata promises, whatever it was given: a broken promise aborts. */
#ifndef PD_FUZZ_PHOTO_PROMISES_H
#define PD_FUZZ_PHOTO_PROMISES_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/texts.h"
#include "media/media.h"

static inline void check_chars(const char *text, size_t size)
{
    const size_t len = strnlen(text, size);
    if (len == size || !pd_utf8_valid(text, len))
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            abort();
}

static inline void check_number(double value, double min, double max)
{
    if (!isnan(value) && !(value >= min && value <= max))
        abort();
}

static inline void check_whole(int32_t value, int32_t min, int32_t max)
{
    if (value != PD_MEDIA_ABSENT && (value < min || value > max))
        abort();
}

static inline void check_facts(const pd_photo_meta *meta)
{
    check_chars(meta->taken, sizeof meta->taken);
    check_chars(meta->taken_source, sizeof meta->taken_source);
    check_chars(meta->subsec, sizeof meta->subsec);
    check_chars(meta->make, sizeof meta->make);
    check_chars(meta->model, sizeof meta->model);
    check_chars(meta->lens, sizeof meta->lens);
    check_number(meta->exposure_s, 0, 1e9);
    check_number(meta->fnumber, 0, 1e6);
    check_number(meta->focal_mm, 0, 1e9);
    check_number(meta->focal35_mm, 0, 1e9);
    check_number(meta->gps_lat, -90, 90);
    check_number(meta->gps_lon, -180, 180);
    check_number(meta->gps_alt, -1e6, 1e9);
    check_whole(meta->flash, 0, 0xffff);
    check_whole(meta->white_balance, 0, 1);
    check_whole(meta->rating, -1, 5);
    const size_t len = strlen(meta->taken);
    if (meta->orientation > 8 || isnan(meta->gps_lat) != isnan(meta->gps_lon) || meta->unused ||
        (len != 0 && len != 19 && len != 25) || (len != 0) != (meta->taken_source[0] != '\0') ||
        (meta->subsec[0] && !len))
        abort();
}

#endif
