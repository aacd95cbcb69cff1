#include "pipeline/thumbs.h"

#include <limits.h>
#include <stdio.h>

#include "base/file.h"

pd_status pd_thumbs_write(const char *dir, const uint8_t sha256[PD_SHA256_BYTES], const void *data, size_t len,
                          pd_error *err)
{
    char name[PD_SHA256_TEXT_BYTES], folder[PATH_MAX], path[PATH_MAX];
    pd_sha256_format(sha256, name);
    const int n_folder = snprintf(folder, sizeof folder, "%s/%.2s", dir, name);
    const int n = snprintf(path, sizeof path, "%s/%.2s/%s.webp", dir, name, name);
    if (n_folder < 0 || n < 0 || (size_t)n >= sizeof path)
        return pd_error_set(err, PD_ERR_LIMIT, "path too long: '%s'", dir);
    if (!pd_dir_exists(folder))
        PD_TRY(pd_dir_make(folder, err));
    return pd_file_replace(path, data, len, false, err);
}
