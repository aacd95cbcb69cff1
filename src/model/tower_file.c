#include "model/tower_file.h"

#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/identity.h"

static const char *precision_name(pd_precision precision) { return precision == PD_PRECISION_INT8 ? "int8" : "fp32"; }

/* Everything that the bytes of a prepared file depend on. */
static void make_key(const pd_tower_file *file, uint8_t ret_key[PD_SHA256_BYTES])
{
    char text[PD_SHA256_TEXT_BYTES + 64];
    const int len = snprintf(text, sizeof text, "%s %s %s layout %d version %d", file->id, file->name,
                             precision_name(file->options->precision), PD_KERNELS_LAYOUT, PD_PREPARE_VERSION);
    pd_sha256 sha;
    pd_sha256_init(&sha);
    pd_sha256_update(&sha, text, (size_t)len);
    pd_sha256_finish(&sha, ret_key);
}

/* "<cache_dir>/<id>-text-int8.prepared"; NULL where there is no cache, or where the weights are still arriving: an id
 * that is only promised is no name for what was made of other bytes. */
static pd_status make_path(const pd_tower_file *file, char **ret_path, pd_error *err)
{
    const pd_model_options *options = file->options;
    char name[PD_PREPARED_NAME_BYTES + 32];
    *ret_path = NULL;
    if (!options->cache_dir || options->weights_sha256)
        return PD_OK;
    snprintf(name, sizeof name, "%.*s-%s-%s.prepared", PD_PREPARED_NAME_BYTES, file->id, file->name,
             precision_name(options->precision));
    *ret_path = pd_path_join(options->cache_dir, name);
    return *ret_path ? PD_OK : pd_error_set_nomem(err);
}

pd_status pd_tower_file_open(const pd_tower_file *file, pd_prepared **ret_prepared, pd_error *err)
{
    uint8_t key[PD_SHA256_BYTES];
    char *path = NULL;
    pd_prepared *prepared = NULL;
    pd_error attempt_error; /* a damaged file is made again, and nobody need hear of it */
    make_key(file, key);
    pd_status status = make_path(file, &path, err);
    for (int attempt = 0; status == PD_OK; attempt++) {
        status = pd_prepared_open(&prepared, path, key, &attempt_error);
        if (status != PD_OK) {
            (void)pd_error_hand_on(err, &attempt_error);
            break;
        }
        pd_preparer preparer = { .weights = file->weights,
                                 .prepared = prepared,
                                 .kernels = file->kernels,
                                 .precision = file->options->precision,
                                 .progress = file->progress,
                                 .cancelled = file->options->cancelled,
                                 .dir = file->dir,
                                 .err = &attempt_error };
        status = file->prepare(file->user, &preparer);
        if (status == PD_OK)
            status = pd_prepare_check_cancelled(&preparer); /* the disk may take its time from here on */
        if (status == PD_OK)
            status = pd_prepared_seal(prepared, &attempt_error);
        if (status != PD_OK && (status != PD_ERR_CORRUPT || attempt > 0))
            (void)pd_error_hand_on(err, &attempt_error);
        if (status != PD_ERR_CORRUPT || attempt > 0)
            break;
        pd_prepared_discard(&prepared);
        status = PD_OK;
    }
    if (status == PD_OK)
        *ret_prepared = prepared;
    else
        pd_prepared_close(&prepared);
    pd_mem_free(path);
    return status;
}
