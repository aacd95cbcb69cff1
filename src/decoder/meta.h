/* meta.h: everything that a file and its sidecar say about a photo, decided.
 *
 * Sources, and what is taken from whom, first that says so:
 *
 *   make, model, lens, exposure ...   EXIF (its maker note where it is silent), XMP, sidecar, CIFF
 *   taken      sidecar's and EXIF's original time, XMP's (exif:DateTimeOriginal, photoshop:DateCreated), EXIF's time of
 *              digitizing, xmp:CreateDate (XMP, sidecar), EXIF's time of change
 *   place      sidecar, EXIF, XMP
 *   title, description, label, rating      sidecar, XMP, IPTC, EXIF, texts of PNG
 *   artist, copyright, software            sidecar, EXIF, XMP, IPTC, texts of PNG
 *   keywords   sidecar's when it has any; else all of XMP, IPTC and EXIF (Windows), each once. Levels of a hierarchy
 *              are keywords of their own kind; where only they are written, their last levels are the keywords
 *   persons    sidecar's when it has any; else XMP's: regions of faces, IPTC's persons, Microsoft's regions
 *   orientation   EXIF alone
 *
 * Why: EXIF is what the camera knew; a sidecar is the last place where a person corrected it; IPTC is what XMP
 * replaced; cameras fill EXIF's description with their own names.
 *
 * Containers: JPEG (APP1, extended XMP, APP13, CIFF), TIFF, BigTIFF and the raw files that are TIFF, RAF, PNG (eXIf,
 * XMP, ImageMagick's raw profiles, its own texts), WebP, GIF, and what boxes.h reads. */
#ifndef PD_DECODER_META_H
#define PD_DECODER_META_H

#include "base/error.h"
#include "media/media.h"

typedef struct pd_meta_input {
    const uint8_t *data;
    size_t len;
    const uint8_t *sidecar; /* an XMP file; NULL: none */
    size_t sidecar_bytes;
} pd_meta_input;

/* ret_texts: empty, its ceiling at least PD_TEXTS_BYTES_MAX; becomes a sound block of texts. Fails only without memory:
 * a file that says nothing, or nonsense, has no metadata. */
PD_MUST_USE pd_status pd_meta_read(const pd_meta_input *input, pd_photo_meta *ret_meta, pd_buf *ret_texts);

#endif
