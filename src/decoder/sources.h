/* sources.h: finds the sources of metadata in a file, whatever its kind, and reads each into its claims. */
#ifndef PD_DECODER_SOURCES_H
#define PD_DECODER_SOURCES_H

#include "decoder/claims.h"

typedef enum pd_source {
    PD_SOURCE_SIDECAR,
    PD_SOURCE_EXIF, /* and the blocks of cameras older than it */
    PD_SOURCE_XMP,
    PD_SOURCE_IPTC,
    PD_SOURCE_FORMAT, /* texts that belong to the file format: PNG's */
    PD_SOURCE_COUNT
} pd_source;

typedef struct pd_sources {
    pd_claims claims[PD_SOURCE_COUNT];
} pd_sources;

/* `sources` initialised; adds to all but the sidecar's. Out of memory is remembered in the claims. */
void pd_sources_read(const uint8_t *data, size_t len, pd_sources *sources);

/* The readers by kind of file, each given the whole of it. */
void pd_sources_read_jpeg(const uint8_t *data, size_t len, pd_sources *sources);
void pd_sources_read_png(const uint8_t *data, size_t len, pd_sources *sources);

#endif
