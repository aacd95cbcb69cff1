#include "model/model_parts.h"

#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/identity.h"
#include "model/tower_file.h"

void pd_model_options_init(pd_model_options *ret_options)
{
    *ret_options = (pd_model_options){ .towers = PD_MODEL_TEXT | PD_MODEL_VISION,
                                       .cpu_mask = pd_cpu_detect(),
                                       .precision = PD_PRECISION_INT8 };
}

const char *pd_towers_name(unsigned towers)
{
    if (towers == PD_MODEL_TEXT)
        return "its text tower";
    return towers == PD_MODEL_VISION ? "its image tower" : "both its towers";
}

static pd_status prepare_text(void *user, pd_preparer *preparer)
{
    pd_model *model = user;
    pd_text_tower_done(&model->text); /* of an attempt before */
    return pd_text_tower_prepare(&model->text, &model->config, preparer);
}

static pd_status prepare_vision(void *user, pd_preparer *preparer)
{
    pd_model *model = user;
    pd_vit_tower_done(&model->vit);
    if (model->config.vision == PD_VISION_VIT)
        return pd_vit_tower_prepare(&model->vit, &model->config, preparer);
    return pd_mobilenet_tower_prepare(&model->mobilenet, &model->config, preparer);
}

typedef struct tower_kind {
    const char *name; /* in the names of prepared files */
    pd_status (*prepare)(void *model, pd_preparer *preparer);
} tower_kind;

static const tower_kind text_kind = { "text", prepare_text }, vision_kind = { "vision", prepare_vision };

/* Bytes of the tensors of a tower: those of its prefix, and its projection. Others than floats are counters and places
 * that nobody reads. */
static uint64_t count_bytes(const pd_model *model, const char *prefix, const char *projection)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < pd_weights_count(model->weights); i++) {
        pd_tensor tensor;
        pd_weights_at(model->weights, i, &tensor);
        if (pd_is_of_tower(tensor.name, prefix, projection) && tensor.dtype <= PD_DTYPE_BF16)
            bytes += tensor.count * pd_dtype_bytes(tensor.dtype);
    }
    return bytes;
}

static pd_status open_tower(pd_model *model, const tower_kind *kind, const pd_model_options *options,
                            pd_prepare_progress *progress, pd_prepared **ret_prepared, pd_error *err)
{
    const pd_tower_file file = { .id = model->id,
                                 .dir = model->dir,
                                 .name = kind->name,
                                 .weights = model->weights,
                                 .kernels = &model->kernels,
                                 .options = options,
                                 .progress = progress,
                                 .prepare = kind->prepare,
                                 .user = model };
    return pd_tower_file_open(&file, ret_prepared, err);
}

static pd_status open_tokenizer(pd_model *model, pd_error *err)
{
    PD_TRY(pd_tokenizer_open_clip(&model->tokenizer, model->dir, err));
    const size_t entries = pd_tokenizer_vocabulary(model->tokenizer);
    const int32_t eos = pd_tokenizer_eos(model->tokenizer), pooled = model->config.text.eos;
    if (entries > model->config.text.vocabulary)
        return pd_error_set(err, PD_ERR_FORMAT,
                            "model '%s': its tokenizer has %zu words, its text tower %zu by config.json's "
                            "\"text_config.vocab_size\": they are not of one model",
                            model->dir, entries, model->config.text.vocabulary);
    if (pooled != PD_CONFIG_EOS_LEGACY && pooled != eos) /* every text would be pooled at its beginning */
        return pd_error_set(
            err, PD_ERR_FORMAT,
            "model '%s': its tokenizer ends a text with %d, its text tower looks for %d by config.json's "
            "\"text_config.eos_token_id\": they are not of one model",
            model->dir, (int)eos, (int)pooled);
    return PD_OK;
}

static pd_status open_parts(pd_model *model, const pd_model_options *options, pd_error *err)
{
    PD_TRY(pd_config_read(&model->config, model->dir, err));
    PD_TRY(pd_weights_open(&model->weights, model->dir, err));
    if (options->cache_dir) {
        const pd_status made = pd_dir_make(options->cache_dir, NULL);
        (void)made; /* a cache that cannot be written is no reason not to search */
    }
    pd_identity identity;
    const pd_identity_source source = { .dir = model->dir,
                                        .weights = model->weights,
                                        .weights_sha256 = options->weights_sha256,
                                        .cache_dir = options->cache_dir,
                                        .cancelled = options->cancelled };
    PD_TRY(pd_identity_find(&source, &identity, err));
    pd_sha256_format(identity.all, model->id);
    pd_sha256_format(identity.weights, model->weights_sha256);
    const uint64_t text_bytes = count_bytes(model, model->config.text_prefix, "text_projection");
    const uint64_t vision_bytes = count_bytes(model, model->config.vision_prefix, "visual_projection");
    pd_prepare_progress progress = { .tell = options->progress,
                                     .user = options->progress_user,
                                     .total = (model->towers & PD_MODEL_TEXT ? text_bytes : 0) +
                                              (model->towers & PD_MODEL_VISION ? vision_bytes : 0) };
    if (model->towers & PD_MODEL_TEXT) {
        PD_TRY(open_tokenizer(model, err));
        PD_TRY(open_tower(model, &text_kind, options, &progress, &model->prepared_text, err));
        progress.done = text_bytes; /* whatever of it was there before */
    }
    if (model->towers & PD_MODEL_VISION)
        PD_TRY(open_tower(model, &vision_kind, options, &progress, &model->prepared_vision, err));
    return PD_OK;
}

pd_status pd_model_open(pd_model **ret_model, const char *dir, const pd_model_options *options, pd_error *err)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    if (!(options->towers & (PD_MODEL_TEXT | PD_MODEL_VISION)))
        return pd_error_set(err, PD_ERR_USAGE, "model '%s' was opened without any tower", dir);
    pd_model *model = pd_mem_alloc(1, sizeof *model);
    if (!model)
        return pd_error_set_nomem(err);
    model->towers = options->towers;
    pd_kernels_init(&model->kernels, options->cpu_mask);
    model->dir = pd_mem_dup_text(dir, len);
    pd_status status = model->dir ? open_parts(model, options, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        *ret_model = model;
    else
        pd_model_close(&model);
    return status;
}

void pd_model_close(pd_model **model)
{
    pd_model *closing = *model;
    if (!closing)
        return;
    pd_text_tower_done(&closing->text);
    pd_vit_tower_done(&closing->vit);
    pd_prepared_close(&closing->prepared_vision);
    pd_prepared_close(&closing->prepared_text);
    pd_tokenizer_close(&closing->tokenizer);
    pd_weights_close(&closing->weights);
    pd_mem_free(closing->dir);
    pd_mem_free(closing);
    *model = NULL;
}

size_t pd_model_dim(const pd_model *model) { return model->config.dim; }
size_t pd_model_image_side(const pd_model *model) { return model->config.preprocess.side; }
size_t pd_model_text_tokens(const pd_model *model) { return model->config.text.n_positions; }
const char *pd_model_name(const pd_model *model) { return pd_path_name(model->dir); }
const char *pd_model_id(const pd_model *model) { return model->id; }

size_t pd_model_bytes(const pd_model *model)
{
    return (model->prepared_text ? pd_prepared_bytes(model->prepared_text) : 0) +
           (model->prepared_vision ? pd_prepared_bytes(model->prepared_vision) : 0);
}

pd_status pd_model_tokenize(const pd_model *model, const char *text, size_t len, int32_t *ret_ids, size_t *ret_n_used,
                            pd_error *err)
{
    if (!model->tokenizer)
        return pd_error_set(err, PD_ERR_USAGE, "model '%s' was opened without its text tower", model->dir);
    return pd_tokenizer_encode(model->tokenizer, text, len, model->config.text.n_positions, ret_ids, ret_n_used, err);
}
