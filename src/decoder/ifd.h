/* ifd.h: what EXIF says: an EXIF block, a whole TIFF file, or a raw file that is one.
 *
 * Damaged, hostile or missing parts cost only the fields that live there. Only three directories are looked at (the
 * first, EXIF, GPS), and one of the maker note, each once, so that no chain of pointers can go in circles. */
#ifndef PD_DECODER_IFD_H
#define PD_DECODER_IFD_H

#include "decoder/claims.h"

/* What the first directory of `data` is: of everything, or (Canon's CR3) of one kind alone. */
typedef enum pd_ifd_kind { PD_IFD_ALL, PD_IFD_EXIF, PD_IFD_GPS, PD_IFD_CANON } pd_ifd_kind;

/* Other sources inside a TIFF file; NULL when not there. Views into the data. */
typedef struct pd_ifd_blocks {
    const uint8_t *xmp, *iptc, *photoshop;
    size_t xmp_bytes, iptc_bytes, photoshop_bytes;
} pd_ifd_blocks;

/* Adds what `data` tells and `claims` do not have yet; it begins with "II" or "MM", or with "Exif\0\0" before that.
 * False when it does not. ret_blocks: may be NULL. */
bool pd_ifd_read(const uint8_t *data, size_t len, pd_ifd_kind kind, pd_claims *claims, pd_ifd_blocks *ret_blocks);

#endif
