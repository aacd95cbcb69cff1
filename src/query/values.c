#include "query/values.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "query/fields.h"

/* Several words may mean the same; the first one of a code is what the others are short for. */
typedef struct word {
    const char *text;
    int code;
} word;

static bool find_code(const word *words, size_t n, const char *text, int *ret_code)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i].text, text) == 0) {
            *ret_code = words[i].code;
            return true;
        }
    return false;
}

bool pd_value_read_words(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    (void)row;
    ret_value->words = text;
    return true;
}

/* The catalogue's names (media/media.h) and others that people use for them; the first of a type, which is the shortest
 * too, is printed. */
static const struct {
    const char *text, *type;
} types[] = {
    { "jpg", "jpeg" },  { "jpeg", "jpeg" }, { "jpe", "jpeg" },  { "png", "png" },
    { "webp", "webp" }, { "gif", "gif" },   { "bmp", "bmp" },   { "tif", "tiff" },
    { "tiff", "tiff" }, { "heic", "heif" }, { "heif", "heif" }, { "avif", "avif" },
    { "jxl", "jxl" },   { "jp2", "jp2" },   { "j2k", "jp2" },   { "raw", "raw" },
};

bool pd_value_read_type(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    (void)row;
    for (size_t i = 0; i < PD_COUNT_OF(types); i++)
        if (strcasecmp(types[i].text, text) == 0) {
            ret_value->words = types[i].type;
            return true;
        }
    return false;
}

const char *pd_type_short(const char *type)
{
    size_t i = 0;
    while (i + 1 < PD_COUNT_OF(types) && strcmp(types[i].type, type) != 0)
        i++;
    return types[i].text;
}

bool pd_value_read_yes(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    static const word words[] = { { "yes", 1 }, { "no", 0 }, { "true", 1 }, { "false", 0 }, { "on", 1 },
                                  { "off", 0 }, { "1", 1 },  { "0", 0 },    { "y", 1 },     { "n", 0 } };
    (void)row;
    return find_code(words, PD_COUNT_OF(words), text, &ret_value->code);
}

bool pd_value_read_shape(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    static const word words[] = { { "landscape", PD_SHAPE_LANDSCAPE }, { "portrait", PD_SHAPE_PORTRAIT },
                                  { "square", PD_SHAPE_SQUARE },       { "horizontal", PD_SHAPE_LANDSCAPE },
                                  { "vertical", PD_SHAPE_PORTRAIT },   { "wide", PD_SHAPE_LANDSCAPE },
                                  { "tall", PD_SHAPE_PORTRAIT } };
    (void)row;
    return find_code(words, PD_COUNT_OF(words), text, &ret_value->code);
}

bool pd_value_read_has(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    static const word words[] = { { "gps", PD_HAS_GPS },         { "date", PD_HAS_DATE },     { "tag", PD_HAS_TAG },
                                  { "caption", PD_HAS_CAPTION }, { "rating", PD_HAS_RATING }, { "album", PD_HAS_ALBUM },
                                  { "tags", PD_HAS_TAG },        { "place", PD_HAS_GPS } };
    (void)row;
    return find_code(words, PD_COUNT_OF(words), text, &ret_value->code);
}

static const word orders[] = {
    { "score", PD_ORDER_SCORE },     { "date", PD_ORDER_OLDEST },       { "-date", PD_ORDER_NEWEST },
    { "name", PD_ORDER_NAME },       { "size", PD_ORDER_SMALLEST },     { "-name", PD_ORDER_NAME_BACKWARDS },
    { "-size", PD_ORDER_LARGEST },   { "oldest", PD_ORDER_OLDEST },     { "newest", PD_ORDER_NEWEST },
    { "largest", PD_ORDER_LARGEST }, { "smallest", PD_ORDER_SMALLEST },
};

bool pd_order_find(const char *text, pd_order *ret_order)
{
    int code;
    if (!find_code(orders, PD_COUNT_OF(orders), text, &code))
        return false;
    *ret_order = (pd_order)code;
    return true;
}

const char *pd_order_name(pd_order order)
{
    for (size_t i = 0; i < PD_COUNT_OF(orders); i++)
        if (orders[i].code == (int)order)
            return orders[i].text;
    return "";
}
