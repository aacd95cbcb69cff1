#include "decoder/rendition.h"

#include <string.h>

#include "decoder/load.h"

pd_status pd_rendition_write(VipsImage *image, int quality, size_t bytes_max, uint8_t *ret_bytes, size_t *ret_n,
                             pd_error *err)
{
    void *jpeg = NULL;
    size_t n = 0;
    /* neither progressive nor optimised: both would hold all coefficients in memory, three bytes a pixel */
    if (vips_jpegsave_buffer(image, &jpeg, &n, "Q", quality, "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_ON, "strip", TRUE,
                             NULL) != 0)
        return pd_load_error_set(err, "the picture is damaged");
    const pd_status status =
        n <= bytes_max
            ? PD_OK
            : pd_error_set(err, PD_ERR_LIMIT, "as a JPEG of %d x %d pixels it takes %zu MiB: up to %zu MiB are made",
                           image->Xsize, image->Ysize, n >> 20, bytes_max >> 20);
    if (status == PD_OK)
        memcpy(ret_bytes, jpeg, n);
    *ret_n = n;
    g_free(jpeg);
    return status;
}
