#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "pipeline/pipeline.h"

char *pd_thumbs_path(const char *dir, const uint8_t sha256[PD_SHA256_BYTES])
{
    char name[PD_SHA256_TEXT_BYTES];
    pd_sha256_format(sha256, name);
    const size_t bytes = strlen(dir) + sizeof "/ab/.webp" + PD_SHA256_TEXT_BYTES;
    char *path = pd_mem_alloc(bytes, 1);
    if (path)
        snprintf(path, bytes, "%s/%.2s/%s.webp", dir, name, name);
    return path;
}

pd_status pd_thumbs_write(const char *dir, const uint8_t sha256[PD_SHA256_BYTES], const void *data, size_t len,
                          pd_error *err)
{
    char *path = pd_thumbs_path(dir, sha256);
    char *folder = path ? pd_mem_dup_text(path, (size_t)(pd_path_name(path) - path)) : NULL;
    pd_status status = PD_OK;
    if (!folder)
        status = pd_error_set_nomem(err);
    else if (!pd_dir_exists(folder))
        status = pd_dir_make(folder, err);
    if (status == PD_OK)
        status = pd_file_replace(path, data, len, false, err);
    pd_mem_free(folder);
    pd_mem_free(path);
    return status;
}
