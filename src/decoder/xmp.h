/* xmp.h: XMP, embedded or in a sidecar: RDF in XML, read with expat.
 *
 * A packet with a document type is refused whole (XMP has none; entities that grow or reach out need one), as are
 * elements deeper than 64; what was read before damage counts. The only includer of expat.h is xmp.c. */
#ifndef PD_DECODER_XMP_H
#define PD_DECODER_XMP_H

#include "decoder/claims.h"

#define PD_XMP_BYTES_MAX ((size_t)4 << 20) /* a packet; a longer one is not read */

/* Adds what the packet says. claims->times: exif:DateTimeOriginal and photoshop:DateCreated say when it was taken,
 * xmp:CreateDate when it was made. False when it is too long or not XMP at all. */
bool pd_xmp_read(const uint8_t *data, size_t len, pd_claims *claims);

#endif
