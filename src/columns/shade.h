/* shade.h: the dominant colours of a picture as bytes that can be compared: OKLab, where equal distances look equally
 * far, and the twelve names that people use. */
#ifndef PD_COLUMNS_SHADE_H
#define PD_COLUMNS_SHADE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/look.h"

/* L times 255; a and b times 400 (sRGB stays within 0.32). */
typedef struct pd_shade {
    uint8_t light;
    int8_t a, b;
} pd_shade;

#define PD_SHADE_NONE ((pd_shade){ 0, INT8_MAX, INT8_MAX })

/* Of those that cover enough of the picture to be asked for by colour, the largest first. 16 bytes. */
typedef struct pd_shades {
    pd_shade at[PD_LOOK_COLOURS_MAX]; /* behind the last: PD_SHADE_NONE, which is near no colour */
    uint8_t n;
} pd_shades;

typedef enum pd_shade_name {
    PD_SHADE_RED,
    PD_SHADE_ORANGE,
    PD_SHADE_YELLOW,
    PD_SHADE_GREEN,
    PD_SHADE_CYAN,
    PD_SHADE_BLUE,
    PD_SHADE_PURPLE,
    PD_SHADE_PINK,
    PD_SHADE_BROWN,
    PD_SHADE_BLACK,
    PD_SHADE_GRAY,
    PD_SHADE_WHITE,
    PD_SHADE_COUNT
} pd_shade_name;

enum {
    PD_NAMED_KNOWN = 1 << 14,    /* the picture's colours are known */
    PD_NAMED_COLOURED = 1 << 15, /* and one of them, however small, is a colour: the picture is not gray */
};

/* Linear light of an sRGB level. */
typedef struct pd_shade_table {
    float linear[256];
} pd_shade_table;
void pd_shade_table_init(pd_shade_table *table);

pd_shade pd_shade_of(const pd_shade_table *table, uint8_t red, uint8_t green, uint8_t blue);
/* ret_named: bits of pd_shade_name, and PD_NAMED_... */
pd_shades pd_shades_of(const pd_shade_table *table, const pd_look *look, uint16_t *ret_named);

/* Names under which a colour goes, as bits: sometimes two. */
uint16_t pd_shade_names(pd_shade shade);
const char *pd_shade_word(pd_shade_name name); /* "red" */

/* Somebody who asks for the one would be content with the other. */
static inline bool pd_shade_is_near(pd_shade x, pd_shade y)
{
    /* 0.08 in OKLab, lightness counting half (light and shade on one thing are one colour): four times what the eye
     * can just tell apart, and as far as the shades of one cloth in one picture lie. In units of a and b: 32; one of
     * light is 400 / 255 / 2 of them. */
    const int light = (x.light - y.light) * 201 / 256, a = x.a - y.a, b = x.b - y.b;
    return light * light + a * a + b * b <= 32 * 32;
}

#endif
