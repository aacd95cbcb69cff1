/* zip.h: the files of a zip archive that lies in memory; private to this room. Immutable after open.
 *
 * Stored entries only, which is what PyTorch writes; zip64 too. Every entry lies in the archive, no two overlap, no two
 * have the same name. Checksums are not looked at. Format: PKWARE's APPNOTE.TXT. */
#ifndef PD_WEIGHTS_ZIP_H
#define PD_WEIGHTS_ZIP_H

#include "base/error.h"
#include "base/str.h"

#define PD_ZIP_ENTRIES_MAX 65536

typedef struct pd_zip_entry {
    pd_str name; /* views into the archive */
    const uint8_t *data;
    size_t len;
} pd_zip_entry;

typedef struct pd_zip {
    pd_zip_entry *entries; /* sorted by name */
    size_t n_entries;
} pd_zip;

PD_MUST_USE pd_status pd_zip_open(pd_zip *ret_zip, const uint8_t *data, size_t len, pd_error *err);
void pd_zip_done(pd_zip *zip);

/* NULL when there is none of that name. */
const pd_zip_entry *pd_zip_find(const pd_zip *zip, pd_str name);

#endif
