/* Bitmaps: what the header reader accepts, the pixel reader must manage inside the promised bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decoder/bmp.h"

enum { PIXELS_MAX = 1 << 20 }; /* keeps one input under a millisecond; the arithmetic is the same beyond */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pd_bmp_info info;
    if (pd_bmp_read_header(data, size, &info, NULL) != PD_OK)
        return 0;
    const uint64_t n = (uint64_t)info.width * info.height;
    if (!info.width || !info.height || n * pd_bmp_channels(&info) > PD_BMP_BYTES_MAX)
        abort();
    if (info.profile_bytes > size || info.profile_at > size - info.profile_bytes)
        abort();
    if (n > PIXELS_MAX)
        return 0;
    /* exactly as large as promised, at the end of an allocation: a sanitizer sees one byte too many */
    uint8_t *pixels = pd_mem_alloc((size_t)n, pd_bmp_channels(&info));
    if (pixels)
        (void)!pd_bmp_read_pixels(data, size, &info, pixels, NULL);
    pd_mem_free(pixels);
    return 0;
}
