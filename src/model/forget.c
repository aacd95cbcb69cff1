/* What is kept in the cache for a model that goes. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/identity.h"
#include "model/model_parts.h"

pd_status pd_model_find_id(const char *dir, const char *cache_dir, char ret_id[PD_SHA256_TEXT_BYTES], pd_error *err)
{
    pd_weights *weights = NULL;
    pd_identity identity;
    PD_TRY(pd_weights_open(&weights, dir, err));
    const pd_identity_source source = { .dir = dir, .weights = weights, .cache_dir = cache_dir };
    const pd_status status = pd_identity_find(&source, &identity, err);
    pd_weights_close(&weights);
    if (status == PD_OK)
        pd_sha256_format(identity.all, ret_id);
    return status;
}

/* Files of the cache bear the beginning of the model's id. */
int64_t pd_model_forget(const char *cache_dir, const char *id, bool only_counts)
{
    DIR *dir = opendir(cache_dir);
    const struct dirent *entry;
    int64_t bytes = 0;
    while (dir && (entry = readdir(dir)) != NULL) {
        struct stat info;
        if (strncmp(entry->d_name, id, PD_PREPARED_NAME_BYTES) != 0 || entry->d_name[PD_PREPARED_NAME_BYTES] != '-' ||
            fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (only_counts || unlinkat(dirfd(dir), entry->d_name, 0) == 0)
            bytes += (int64_t)info.st_size;
    }
    if (dir)
        closedir(dir);
    return bytes;
}
