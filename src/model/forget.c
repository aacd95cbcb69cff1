/* What is kept in the cache for a model that goes. */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "model/identity.h"
#include "model/model_parts.h"

/* Files of the cache bear the beginning of the model's id. */
static void remove_prepared(const char *cache_dir, const char *id)
{
    DIR *dir = opendir(cache_dir);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, id, PD_PREPARED_NAME_BYTES) == 0 && entry->d_name[PD_PREPARED_NAME_BYTES] == '-')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

pd_status pd_model_forget(const char *dir, const char *cache_dir, char ret_id[PD_SHA256_TEXT_BYTES], pd_error *err)
{
    pd_weights *weights = NULL;
    pd_identity identity;
    PD_TRY(pd_weights_open(&weights, dir, err));
    const pd_status status = pd_identity_find(dir, weights, NULL, cache_dir, &identity, err);
    pd_weights_close(&weights);
    PD_TRY(status);
    pd_sha256_format(identity.all, ret_id);
    if (cache_dir)
        remove_prepared(cache_dir, ret_id);
    return PD_OK;
}
