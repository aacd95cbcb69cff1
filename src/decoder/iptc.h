/* iptc.h: IPTC-IIM, what agencies and photo managers wrote before XMP. */
#ifndef PD_DECODER_IPTC_H
#define PD_DECODER_IPTC_H

#include "decoder/claims.h"

/* Records of IIM: title, description, keywords, author, copyright, program. UTF-8 where the block says so (1:90) or it
 * is valid, Latin-1 otherwise. Stops at the first damage. */
void pd_iptc_read(const uint8_t *data, size_t len, pd_claims *claims);

/* Photoshop's resources ("8BIM"...), as in APP13 of JPEG after its name, and in TIFF: finds IIM among them. */
void pd_iptc_read_photoshop(const uint8_t *data, size_t len, pd_claims *claims);

#endif
