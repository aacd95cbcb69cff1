#include "query/fields.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"

static const pd_number_unit bytes[] = {
    { "", 1 },
    { "b", 1 },
    { "k", 1e3 },
    { "kb", 1e3 },
    { "m", 1e6 },
    { "mb", 1e6 },
    { "g", 1e9 },
    { "gb", 1e9 },
    { "t", 1e12 },
    { "tb", 1e12 },
    { "kib", 1024.0 },
    { "mib", 1048576.0 },
    { "gib", 1073741824.0 },
    { "tib", 1099511627776.0 },
};
static const pd_number_unit millimetres[] = { { "", 1 }, { "mm", 1 } };
static const pd_number_unit seconds[] = { { "", 1 }, { "s", 1 }, { "sec", 1 }, { "ms", 1e-3 } };
static const pd_number_unit pixels[] = { { "", 1 }, { "px", 1 } };
static const pd_number_unit none[] = { { "", 1 } };

static const pd_number_kind plain = { none, PD_COUNT_OF(none), 0, INFINITY, false, false, NULL };
static const pd_number_kind apertures = { none, PD_COUNT_OF(none), 0, INFINITY, false, false, "f/" };
static const pd_number_kind lengths = { millimetres, PD_COUNT_OF(millimetres), 0, INFINITY, false, false, NULL };
static const pd_number_kind times = { seconds, PD_COUNT_OF(seconds), 0, INFINITY, false, true, NULL };
static const pd_number_kind sizes = { bytes, PD_COUNT_OF(bytes), 0, INFINITY, false, false, NULL };
static const pd_number_kind sides = { pixels, PD_COUNT_OF(pixels), 0, INFINITY, false, false, NULL };
static const pd_number_kind stars = { none, PD_COUNT_OF(none), 0, 5, false, false, NULL };
static const pd_number_kind months = { none, PD_COUNT_OF(none), 1, 12, true, false, NULL };

#define YES_NOTE(field) field ": is yes or no"

static const pd_field_row rows[PD_FIELD_COUNT] = {
    [PD_FIELD_CAMERA] = { { "camera", "", "camera:canon", "camera or its maker", PD_VALUE_WORDS, true },
                          "camera",
                          NULL,
                          pd_value_read_words,
                          NULL },
    [PD_FIELD_LENS] = { { "lens", "", "lens:50mm", "lens", PD_VALUE_WORDS, true },
                        "lens",
                        NULL,
                        pd_value_read_words,
                        NULL },
    [PD_FIELD_ISO] = { { "iso", "", "iso:>=800", "sensitivity (ISO)", PD_VALUE_RANGE, false },
                       "ISO",
                       "iso: is a number or a range, as in iso:>=800",
                       pd_value_read_number,
                       &plain },
    [PD_FIELD_APERTURE] = { { "f", "aperture", "f:<2.8", "aperture (f-number)", PD_VALUE_RANGE, false },
                            "f-number",
                            "f: is a number or a range, as in f:<2.8",
                            pd_value_read_number,
                            &apertures },
    [PD_FIELD_FOCAL] = { { "focal", "", "focal:24..70", "focal length in mm", PD_VALUE_RANGE, false },
                         "focal length",
                         "focal: is a number of millimetres or a range, as in focal:24..70",
                         pd_value_read_number,
                         &lengths },
    [PD_FIELD_EXPOSURE] = { { "exposure", "", "exposure:<=1/60", "exposure time in seconds", PD_VALUE_RANGE, false },
                            "exposure",
                            "exposure: is a number of seconds or a range, as in exposure:<=1/60",
                            pd_value_read_number,
                            &times },
    [PD_FIELD_FLASH] = { { "flash", "", "flash:yes", "whether the flash fired", PD_VALUE_YES, true },
                         "flash",
                         YES_NOTE("flash"),
                         pd_value_read_yes,
                         NULL },
    [PD_FIELD_DATE] = { { "date", "", "date:2019-06..2019-08", "when it was taken", PD_VALUE_RANGE, false },
                        "date",
                        "date: is a year, a month or a day, as in date:2019-06, or a range of them",
                        pd_value_read_date,
                        NULL },
    [PD_FIELD_YEAR] = { { "year", "", "year:2020", "year it was taken", PD_VALUE_RANGE, true },
                        "year",
                        "year: is a year or a range, as in year:2018..2020",
                        pd_value_read_date,
                        NULL },
    [PD_FIELD_MONTH] = { { "month", "", "month:7", "month it was taken, of any year", PD_VALUE_RANGE, true },
                         "month",
                         "month: is a number from 1 to 12 or a name, as in month:july",
                         pd_value_read_month,
                         &months },
    [PD_FIELD_IN] = { { "in", "folder", "in:holidays/2019", "folder", PD_VALUE_WORDS, true },
                      "folder",
                      NULL,
                      pd_value_read_words,
                      NULL },
    [PD_FIELD_NAME] = { { "name", "", "name:*.png", "name of the file, or a part of it", PD_VALUE_WORDS, false },
                        "file name",
                        NULL,
                        pd_value_read_words,
                        NULL },
    [PD_FIELD_TYPE] = { { "type", "", "type:raw,heic", "kind of file", PD_VALUE_WORDS, true },
                        "type",
                        "type: is one of jpeg, png, webp, gif, bmp, tiff, heif, avif, jxl, jp2 and raw; "
                        "name:*.nef looks at the file's name",
                        pd_value_read_type,
                        NULL },
    [PD_FIELD_SIZE] = { { "size", "", "size:>5mb", "size of the file", PD_VALUE_RANGE, false },
                        "size",
                        "size: is a number of bytes or a range, as in size:>5mb",
                        pd_value_read_number,
                        &sizes },
    [PD_FIELD_WIDTH] = { { "width", "", "width:>=4000", "width in pixels", PD_VALUE_RANGE, false },
                         "width",
                         "width: is a number of pixels or a range, as in width:>=4000",
                         pd_value_read_number,
                         &sides },
    [PD_FIELD_HEIGHT] = { { "height", "", "height:<1000", "height in pixels", PD_VALUE_RANGE, false },
                          "height",
                          "height: is a number of pixels or a range, as in height:<1000",
                          pd_value_read_number,
                          &sides },
    [PD_FIELD_ORIENTATION] = { { "orientation", "", "orientation:portrait", "landscape, portrait or square",
                                 PD_VALUE_CODE, true },
                               "orientation",
                               "orientation: is landscape, portrait or square",
                               pd_value_read_shape,
                               NULL },
    [PD_FIELD_TAG] = { { "tag", "", "tag:beach", "tag", PD_VALUE_WORDS, true },
                       "tag",
                       NULL,
                       pd_value_read_words,
                       NULL },
    [PD_FIELD_PERSON] = { { "person", "", "person:anna", "name of a person that another program wrote", PD_VALUE_WORDS,
                            true },
                          "person",
                          NULL,
                          pd_value_read_words,
                          NULL },
    [PD_FIELD_CAPTION] = { { "caption", "", "caption:boat", "words in caption, title or description", PD_VALUE_WORDS,
                             false },
                           "caption",
                           NULL,
                           pd_value_read_words,
                           NULL },
    [PD_FIELD_RATING] = { { "rating", "", "rating:>=4", "stars, 0 to 5", PD_VALUE_RANGE, true },
                          "rating",
                          "rating: is a number from 0 to 5 or a range, as in rating:>=4",
                          pd_value_read_number,
                          &stars },
    [PD_FIELD_FAVORITE] = { { "favorite", "favourite", "favorite:yes", "marked as a favourite", PD_VALUE_YES, true },
                            "favourite",
                            YES_NOTE("favorite"),
                            pd_value_read_yes,
                            NULL },
    [PD_FIELD_ALBUM] = { { "album", "", "album:wedding", "album", PD_VALUE_WORDS, true },
                         "album",
                         NULL,
                         pd_value_read_words,
                         NULL },
    [PD_FIELD_HAS] = { { "has", "", "has:gps", "what is known: gps, date, tag, caption, rating, album", PD_VALUE_CODE,
                         true },
                       "has",
                       "has: is one of gps, date, tag, caption, rating and album",
                       pd_value_read_has,
                       NULL },
    [PD_FIELD_NEAR] = { { "near", "", "near:48.85,2.35,10km", "latitude, longitude and how far from there",
                          PD_VALUE_PLACE, false },
                        "near",
                        "near: is latitude, longitude and a distance, as in near:48.85,2.35,10km",
                        pd_value_read_place,
                        NULL },
    [PD_FIELD_COLOR] = { { "color", "colour", "color:red", "one of its main colours: a name or #rrggbb",
                           PD_VALUE_COLOUR, true },
                         "colour",
                         "color: is a name such as red, or #rrggbb",
                         pd_value_read_colour,
                         NULL },
    [PD_FIELD_GRAY] = { { "gray", "grey", "gray:yes", "black and white", PD_VALUE_YES, true },
                        "black and white",
                        YES_NOTE("gray"),
                        pd_value_read_yes,
                        NULL },
};

const pd_field_row *pd_field_row_of(pd_field field) { return &rows[field]; }

const pd_field_info *pd_field_info_of(pd_field field) { return &rows[field].info; }

static bool is_named(const char *known, const char *name, size_t len)
{
    return strlen(known) == len && strncasecmp(known, name, len) == 0;
}

bool pd_field_find(const char *name, size_t len, pd_field *ret_field)
{
    for (size_t i = 0; len && i < PD_FIELD_COUNT; i++)
        if (is_named(rows[i].info.name, name, len) || is_named(rows[i].info.alias, name, len)) {
            *ret_field = (pd_field)i;
            return true;
        }
    return false;
}
