/* look.h: what a picture looks like in a few numbers: how sharp it is, and its colours. */
#ifndef PD_BASE_LOOK_H
#define PD_BASE_LOOK_H

#include <stdint.h>

#define PD_LOOK_COLOURS_MAX 5

typedef struct pd_look_colour {
    uint8_t red, green, blue; /* sRGB */
    uint8_t share;            /* per cent of the picture that is about so: 1..100 */
} pd_look_colour;

typedef struct pd_look {
    float sharpness;    /* levels of luma, 0 (plain) to about 1,000; decoder/appearance.h defines it. NAN: too small for
                           one */
    uint32_t n_colours; /* 0: not known, or as many colours as pixels */
    pd_look_colour colours[PD_LOOK_COLOURS_MAX]; /* the largest share first; zeros behind the last */
} pd_look;

#endif
