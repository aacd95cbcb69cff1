/* claims.h: what one source (an EXIF block, an XMP packet, IPTC, a sidecar) says about a photo, before anything is
 * decided. One struct for all of them, so that meta.c can weigh them field by field. */
#ifndef PD_DECODER_CLAIMS_H
#define PD_DECODER_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/texts.h"
#include "media/media.h"

typedef enum pd_when {
    PD_WHEN_TAKEN,   /* says "when the photo was taken" */
    PD_WHEN_MADE,    /* when the file was first made: a scan's time, for instance */
    PD_WHEN_CHANGED, /* when some program last wrote it */
    PD_WHEN_COUNT
} pd_when;

typedef struct pd_claimed_time {
    char text[32]; /* as pd_photo_meta.taken, or "" */
    char subsec[PD_MEDIA_SUBSEC_BYTES];
} pd_claimed_time;

typedef struct pd_claims {
    pd_photo_meta facts; /* all but `taken`: absent where the source does not say */
    pd_claimed_time times[PD_WHEN_COUNT];
    pd_buf texts;       /* records of texts.h in any order; a single kind once, PD_TEXT_ARTIST often */
    char extension[33]; /* XMP: the name of the packet that continues this one, or "" */
} pd_claims;

/* Everything absent; orientation 0. */
void pd_claims_init(pd_claims *ret_claims);
void pd_claims_done(pd_claims *claims);

/* Cleans `text` (UTF-8, else Latin-1) and keeps it, unless it is empty, there already, of a single kind that is there
 * already, or beyond a limit of texts.h. Out of memory is remembered in claims->texts.status. */
void pd_claims_add(pd_claims *claims, pd_text_kind kind, const void *text, size_t len);

/* The same for UTF-16, ended by a zero or by `len` bytes. Keywords are separated by ';' there. */
void pd_claims_add_utf16(pd_claims *claims, pd_text_kind kind, const uint8_t *text, size_t len, bool is_big_endian);

bool pd_claims_has(const pd_claims *claims, pd_text_kind kind);

/* Sets a place when it is one: degrees inside the globe, both of them. */
void pd_claims_set_place(pd_claims *claims, double lat, double lon);

#endif
