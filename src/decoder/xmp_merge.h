/* xmp_merge.h: what the user says, put into an XMP sidecar without touching what others wrote there.
 *
 * Ours stands in one rdf:Description of its own, marked by an attribute of our namespace; it is replaced as a whole the
 * next time. Keywords that others have go where theirs are: missing ones are added to their list, none is taken away. A
 * title, a description or a rating is written only where nobody else has one. Every other byte stays as it is.
 * Properties, and why one subject has each of them once: Adobe XMP specification, part 1 (ISO 16684-1). */
#ifndef PD_DECODER_XMP_MERGE_H
#define PD_DECODER_XMP_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/texts.h"

/* What ought to be said. Sound texts; of the kinds TITLE, DESCRIPTION and KEYWORD, others are passed over. */
typedef struct pd_xmp_wishes {
    pd_texts texts;
    int32_t rating; /* 1..5, -1 rejected; PD_MEDIA_ABSENT: nothing is said about it */
} pd_xmp_wishes;

/* Appends the whole document to `buf`; equal to `data` when there is nothing to change. PD_ERR_FORMAT: no XMP, or
 * damaged; PD_ERR_UNSUPPORTED: not UTF-8, a document type, a shape that nothing can be added to; each with a sentence.
 */
PD_MUST_USE pd_status pd_xmp_merge(const uint8_t *data, size_t len, const pd_xmp_wishes *wishes, pd_buf *buf,
                                   pd_error *err);

#endif
