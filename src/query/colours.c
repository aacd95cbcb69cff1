#include <string.h>

#include "query/fields.h"
#include "query/values.h"

/* What people mean by these words, in sRGB: nearer to XKCD's survey than to the brightest form that CSS gives them. */
static const pd_query_colour colours[] = {
    { "black", 0x00, 0x00, 0x00 },     { "white", 0xFF, 0xFF, 0xFF },    { "gray", 0x80, 0x80, 0x80 },
    { "silver", 0xC0, 0xC0, 0xC0 },    { "red", 0xD6, 0x1F, 0x1F },      { "crimson", 0xB0, 0x10, 0x30 },
    { "maroon", 0x70, 0x10, 0x20 },    { "pink", 0xF5, 0x9A, 0xC0 },     { "coral", 0xF8, 0x78, 0x60 },
    { "salmon", 0xF4, 0x90, 0x80 },    { "orange", 0xF0, 0x80, 0x18 },   { "peach", 0xFA, 0xC8, 0xA0 },
    { "gold", 0xD8, 0xA8, 0x20 },      { "yellow", 0xF6, 0xE0, 0x30 },   { "cream", 0xFA, 0xF2, 0xD0 },
    { "beige", 0xE0, 0xD0, 0xB0 },     { "tan", 0xC8, 0xA8, 0x80 },      { "brown", 0x70, 0x48, 0x28 },
    { "khaki", 0xB0, 0xA0, 0x70 },     { "olive", 0x70, 0x74, 0x28 },    { "lime", 0x98, 0xE0, 0x30 },
    { "green", 0x2E, 0x8B, 0x30 },     { "mint", 0xA0, 0xE8, 0xC0 },     { "teal", 0x10, 0x80, 0x80 },
    { "turquoise", 0x30, 0xC8, 0xB8 }, { "cyan", 0x20, 0xD8, 0xF0 },     { "blue", 0x20, 0x50, 0xD0 },
    { "navy", 0x10, 0x18, 0x58 },      { "indigo", 0x38, 0x20, 0x90 },   { "purple", 0x78, 0x28, 0x90 },
    { "violet", 0x98, 0x50, 0xD8 },    { "lavender", 0xC8, 0xB0, 0xE8 }, { "magenta", 0xD0, 0x20, 0xA8 },
};

const pd_query_colour *pd_query_colours(size_t *ret_n)
{
    *ret_n = PD_COUNT_OF(colours);
    return colours;
}

static int digit_of(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* "369" and "336699" */
static bool read_hex(const char *text, pd_query_value *value)
{
    const size_t len = strlen(text);
    uint8_t levels[3];
    if (len != 3 && len != 6)
        return false;
    for (size_t i = 0; i < 3; i++) {
        const int high = digit_of(text[len == 3 ? i : 2 * i]), low = digit_of(text[len == 3 ? i : 2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        levels[i] = (uint8_t)(high * 16 + low);
    }
    value->red = levels[0];
    value->green = levels[1];
    value->blue = levels[2];
    return true;
}

bool pd_value_read_colour(const pd_field_row *row, const char *text, pd_query_value *ret_value)
{
    (void)row;
    if (*text == '#')
        return read_hex(text + 1, ret_value);
    const char *name = strcmp(text, "grey") == 0 ? "gray" : text;
    for (size_t i = 0; i < PD_COUNT_OF(colours); i++)
        if (strcmp(colours[i].name, name) == 0) {
            ret_value->red = colours[i].red;
            ret_value->green = colours[i].green;
            ret_value->blue = colours[i].blue;
            return true;
        }
    return false;
}
