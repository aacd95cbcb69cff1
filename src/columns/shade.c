#include "columns/shade.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"

enum {
    /* A tenth of the picture is what somebody sees who looks for red photos; less is a detail. The decoder lists what
     * covers 3 % and more. */
    SHARE_MIN = 10,
    LIGHT_SCALE = 255,
    CHROMA_SCALE = 400,
};

void pd_shade_table_init(pd_shade_table *table)
{
    for (int i = 0; i < 256; i++) {
        const float level = (float)i / 255;
        table->linear[i] = level <= 0.04045F ? level / 12.92F : powf((level + 0.055F) / 1.055F, 2.4F);
    }
}

/* https://bottosson.github.io/posts/oklab */
pd_shade pd_shade_of(const pd_shade_table *table, uint8_t red, uint8_t green, uint8_t blue)
{
    const float r = table->linear[red], g = table->linear[green], b = table->linear[blue];
    const float l = cbrtf(0.4122214708F * r + 0.5363325363F * g + 0.0514459929F * b);
    const float m = cbrtf(0.2119034982F * r + 0.6806995451F * g + 0.1073969566F * b);
    const float s = cbrtf(0.0883024619F * r + 0.2817188376F * g + 0.6299787005F * b);
    return (pd_shade){
        .light = (uint8_t)lrintf(LIGHT_SCALE * (0.2104542553F * l + 0.7936177850F * m - 0.0040720468F * s)),
        .a = (int8_t)lrintf(CHROMA_SCALE * (1.9779984951F * l - 2.4285922050F * m + 0.4505937099F * s)),
        .b = (int8_t)lrintf(CHROMA_SCALE * (0.0259040371F * l + 0.7827717662F * m - 0.8086757660F * s)),
    };
}

/* Below this chroma nobody says that something has a colour; above the second everybody does. Dark things need less
 * light to look coloured, so the bounds are for light 0.5 and more, and fall with it. */
#define GRAY_CHROMA 0.03F
#define COLOUR_CHROMA 0.045F

/* Hue in degrees -> name. Where one begins the other ends; the twelve of the page's palette and CSS's own basic colours
 * lie well inside. */
static const struct {
    float until;
    pd_shade_name name;
} hues[] = {
    { 12, PD_SHADE_PINK },    { 42, PD_SHADE_RED },     { 78, PD_SHADE_ORANGE },
    { 115, PD_SHADE_YELLOW }, { 168, PD_SHADE_GREEN },  { 222, PD_SHADE_CYAN },
    { 287, PD_SHADE_BLUE },   { 332, PD_SHADE_PURPLE }, { 361, PD_SHADE_PINK },
};

static uint16_t name_hue(float hue, float light, float chroma)
{
    size_t i = 0;
    while (i + 1 < PD_COUNT_OF(hues) && hue >= hues[i].until)
        i++;
    switch ((int)hues[i].name) {
    case PD_SHADE_RED: /* light red is pink; dark and dull it goes brown */
        if (light > 0.72F)
            return 1 << PD_SHADE_PINK;
        return chroma < 0.09F ? 1 << PD_SHADE_BROWN : 1 << PD_SHADE_RED;
    case PD_SHADE_ORANGE: /* dark orange is what brown is; skin and sand are neither */
        if (light < 0.62F)
            return 1 << PD_SHADE_BROWN;
        return chroma < 0.09F ? 0 : 1 << PD_SHADE_ORANGE;
    case PD_SHADE_YELLOW: /* dark yellow is olive: green to some, brown to others */
        if (light < 0.45F)
            return 1 << PD_SHADE_BROWN | 1 << PD_SHADE_GREEN;
        if (light < 0.62F)
            return hue > 100 ? 1 << PD_SHADE_GREEN : 1 << PD_SHADE_BROWN;
        return chroma < 0.07F ? 0 : 1 << PD_SHADE_YELLOW;
    case PD_SHADE_PINK: return light < 0.45F ? 1 << PD_SHADE_PURPLE : 1 << PD_SHADE_PINK;
    default: return (uint16_t)(1 << hues[i].name);
    }
}

static float find_chroma(pd_shade shade)
{
    return sqrtf((float)(shade.a * shade.a + shade.b * shade.b)) / CHROMA_SCALE;
}

static float scale_bound(float bound, float light) { return bound * fminf(1, 0.4F + 1.2F * light); }

uint16_t pd_shade_names(pd_shade shade)
{
    const float light = (float)shade.light / LIGHT_SCALE, chroma = find_chroma(shade);
    uint16_t names = 0;
    if (chroma < scale_bound(COLOUR_CHROMA, light))
        names |= (uint16_t)(light < 0.28F  ? 1 << PD_SHADE_BLACK
                            : light > 0.9F ? 1 << PD_SHADE_WHITE
                                           : 1 << PD_SHADE_GRAY);
    else if (light < 0.2F)
        names |= 1 << PD_SHADE_BLACK;
    if (chroma < scale_bound(GRAY_CHROMA, light))
        return names;
    const float hue = atan2f(shade.b, shade.a) * 57.29578F;
    return names | name_hue(hue < 0 ? hue + 360 : hue, light, chroma);
}

pd_shades pd_shades_of(const pd_shade_table *table, const pd_look *look, uint16_t *ret_named)
{
    pd_shades shades = { 0 };
    uint16_t named = look->n_colours ? PD_NAMED_KNOWN : 0;
    for (uint32_t i = 0; i < look->n_colours && i < PD_LOOK_COLOURS_MAX; i++) {
        const pd_look_colour *colour = &look->colours[i];
        const pd_shade shade = pd_shade_of(table, colour->red, colour->green, colour->blue);
        if (find_chroma(shade) >= scale_bound(GRAY_CHROMA, (float)shade.light / LIGHT_SCALE))
            named |= PD_NAMED_COLOURED;
        if (colour->share < SHARE_MIN)
            continue;
        shades.at[shades.n++] = shade;
        named |= pd_shade_names(shade);
    }
    for (unsigned i = shades.n; i < PD_LOOK_COLOURS_MAX; i++)
        shades.at[i] = PD_SHADE_NONE;
    *ret_named = named;
    return shades;
}

const char *pd_shade_word(pd_shade_name name)
{
    static const char words[PD_SHADE_COUNT][8] = { "red",    "orange", "yellow", "green", "cyan", "blue",
                                                   "purple", "pink",   "brown",  "black", "gray", "white" };
    return words[name];
}
