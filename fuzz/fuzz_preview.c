/* The search for a JPEG in a raw file, and what a file is by its first bytes and directories. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/preview.h"
#include "decoder/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size, const pd_preview *preview)
{
    if (preview->jpeg < data || preview->len < 4 || preview->len > size || preview->jpeg + preview->len > data + size)
        abort();
    pd_preview again;
    if (!preview->width || !preview->height || memcmp(preview->jpeg, "\xff\xd8\xff", 3) != 0 ||
        !pd_preview_measure(preview->jpeg, preview->len, &again) || again.width != preview->width ||
        again.height != preview->height)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_preview preview, any = { 0 };
    if (pd_sniff_type(data, size) >= PD_IMAGE_TYPE_COUNT)
        abort();
    const bool is_found = pd_preview_find(data, size, 0, &any);
    if (is_found)
        check(data, size, &any);
    if (pd_preview_find(data, size, 1.5, &preview)) {
        check(data, size, &preview);
        if (!is_found || (uint64_t)preview.width * preview.height > (uint64_t)any.width * any.height)
            abort();
    }
    return 0;
}
