/* A model of which the image tower is here before the rest is: what was learned with it is worth something if these
 * were the right bytes. */
#include <string.h>

#include "base/file.h"
#include "model/config.h"
#include "model/model_parts.h"

bool pd_is_of_tower(const char *tensor, const char *prefix, const char *projection)
{
    return strncmp(tensor, prefix, strlen(prefix)) == 0 || strncmp(tensor, projection, strlen(projection)) == 0;
}

static void hash_tower(const pd_weights *weights, const char *prefix, uint8_t ret_digest[PD_SHA256_BYTES])
{
    pd_sha256 sha;
    pd_sha256_init(&sha);
    for (size_t i = 0; i < pd_weights_count(weights); i++) {
        pd_tensor tensor;
        pd_weights_at(weights, i, &tensor);
        if (!pd_is_of_tower(tensor.name, prefix, "visual_projection"))
            continue;
        const size_t bytes = tensor.count * pd_dtype_bytes(tensor.dtype);
        pd_sha256_update(&sha, tensor.name, strlen(tensor.name) + 1);
        pd_sha256_update(&sha, tensor.data, bytes);
        pd_file_map_forget(tensor.data, bytes);
    }
    pd_sha256_finish(&sha, ret_digest);
}

pd_status pd_model_hash_vision(const char *dir, char ret_text[PD_SHA256_TEXT_BYTES], pd_error *err)
{
    pd_config config;
    pd_weights *weights = NULL;
    uint8_t digest[PD_SHA256_BYTES];
    PD_TRY(pd_config_read(&config, dir, err));
    PD_TRY(pd_weights_open(&weights, dir, err));
    hash_tower(weights, config.vision_prefix, digest);
    pd_weights_close(&weights);
    pd_sha256_format(digest, ret_text);
    return PD_OK;
}
