/* Entries of an accepted archive lie inside it, apart from each other, and are found by their names. */
#include <stdlib.h>

#include "weights/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_zip zip = { 0 };
    pd_error err;
    if (pd_zip_open(&zip, data, size, &err) != PD_OK)
        return 0;
    size_t total = 0, touched = 0;
    for (size_t i = 0; i < zip.n_entries; i++) {
        const pd_zip_entry *entry = &zip.entries[i];
        if (pd_zip_find(&zip, entry->name) != entry)
            abort();
        if (entry->data < data || entry->len > size || entry->data > data + size - entry->len)
            abort();
        total += entry->len + entry->name.len;
        for (size_t k = 0; k < entry->len; k++)
            touched += entry->data[k];
    }
    if (total > size || touched == SIZE_MAX) /* never the latter: it keeps the reads */
        abort();
    pd_zip_done(&zip);
    return 0;
}
