/* load.h: from bytes to a vips image, through the one loader that belongs to the type. Private to the decoder. */
#ifndef PD_DECODER_LOAD_H
#define PD_DECODER_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vips/vips.h>

#include "base/error.h"
#include "decoder/raw.h"
#include "decoder/sniff.h"

typedef struct pd_loaded {
    VipsImage *image; /* lazy; reads `data` while it lives, `pixels` and `raw`; NULL for the header of a raw file */
    uint32_t width, height; /* of the whole picture as stored, before any reduction */
    uint32_t pages;
    bool is_upright;      /* the codec has applied the orientation: EXIF's does not count any more */
    uint32_t orientation; /* 1..8 that the codec found and leaves to be applied; 0: the metadata says it */
    uint8_t *pixels;      /* pd_mem: behind the image of our own readers */
    pd_raw *raw;          /* behind the image of a raw file; NULL for all else */
} pd_loaded;

/* Loads the modules of formats that libvips keeps apart. A format whose module is missing fails later, by itself. */
void pd_load_init(void);

/* Reads the header only. */
PD_MUST_USE pd_status pd_load_header(const uint8_t *data, size_t len, pd_image_type type, pd_loaded *ret_loaded,
                                     pd_error *err);

/* Opens again for the pixels, reduced by the codec where it can, the short side staying >= short_side_min. */
PD_MUST_USE pd_status pd_load_pixels(const uint8_t *data, size_t len, pd_image_type type, uint32_t short_side_min,
                                     const pd_loaded *header, pd_loaded *ret_loaded, pd_error *err);

void pd_loaded_done(pd_loaded *loaded);

/* The newest vips error as one sentence after `what`, and forgets it. */
pd_status pd_load_error_set(pd_error *err, const char *what);

#endif
