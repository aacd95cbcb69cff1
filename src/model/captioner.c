#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/captioner_parts.h"
#include "model/identity.h"
#include "model/tower_file.h"

#define DRAWN_VECTORS 49 /* of a map that another tower would give */

/* What another directory's tower would give, [DRAWN_VECTORS, width]: behind relu6 most values are 0, others small. The
 * projection behind it stays in floats, so that only what it mixes of them matters. */
static void draw_map(size_t width, float *ret_map)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < DRAWN_VECTORS * width; i++) {
        seed = seed * 1664525u + 1013904223u;
        const float value = (float)(seed >> 8) / (float)(1 << 24);
        ret_map[i] = value > 0.7F ? (value - 0.7F) * 5 : 0;
    }
}

static pd_status prepare_networks(pd_captioner *captioner, float *map, size_t n_map, pd_preparer *preparer)
{
    const pd_caption_config *config = &captioner->config;
    if (config->own_tower)
        PD_TRY(pd_vit_map_prepare(&captioner->tower, config, map, preparer));
    else if (map)
        draw_map(config->width_memory, map);
    return pd_caption_decoder_prepare(&captioner->decoder, config, map, n_map, preparer);
}

static pd_status prepare(void *user, pd_preparer *preparer)
{
    pd_captioner *captioner = user;
    const pd_caption_config *config = &captioner->config;
    const size_t n_map = config->own_tower ? pd_vit_map_tokens(config) : DRAWN_VECTORS;
    float *map = NULL;
    pd_vit_map_done(&captioner->tower); /* of an attempt before */
    pd_caption_decoder_done(&captioner->decoder);
    if (pd_prepared_is_fresh(preparer->prepared) && !(map = pd_mem_alloc(n_map * config->width_memory, sizeof *map)))
        return pd_error_set_nomem(preparer->err);
    const pd_status status = prepare_networks(captioner, map, n_map, preparer);
    pd_mem_free(map);
    return status;
}

/* "<dir>/<folder>" without the "..": two names of one directory would be two models. NULL: out of memory. */
static char *join_folder(const char *dir, const char *folder)
{
    size_t len = strlen(dir);
    while (strncmp(folder, "../", 3) == 0 && len > 0) {
        while (len > 0 && dir[len - 1] != '/')
            len--;
        while (len > 1 && dir[len - 1] == '/')
            len--;
        folder += 3;
    }
    if (len == 0)
        return pd_mem_dup_string(folder);
    char *parent = pd_mem_dup_text(dir, len);
    char *joined = parent ? pd_path_join(parent, folder) : NULL;
    pd_mem_free(parent);
    return joined;
}

static pd_status open_words(pd_captioner *captioner, pd_error *err)
{
    PD_TRY(pd_wordpiece_open(&captioner->wordpiece, captioner->dir, err));
    const size_t entries = pd_wordpiece_vocabulary(captioner->wordpiece);
    if (entries > captioner->config.vocabulary)
        return pd_error_set(err, PD_ERR_FORMAT, "model '%s': vocab.txt has %zu entries, config.json allows %zu",
                            captioner->dir, entries, captioner->config.vocabulary);
    return PD_OK;
}

/* Bytes of what is read when nothing is prepared; a tensor that is two things is read twice. */
static uint64_t count_bytes(const pd_captioner *captioner)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < pd_weights_count(captioner->weights); i++) {
        pd_tensor tensor;
        pd_weights_at(captioner->weights, i, &tensor);
        const bool words = strstr(tensor.name, "word_embeddings.weight") != NULL;
        if (tensor.dtype <= PD_DTYPE_BF16)
            bytes += tensor.count * pd_dtype_bytes(tensor.dtype) * (words ? 2 : 1);
    }
    return bytes;
}

static pd_status open_parts(pd_captioner *captioner, const pd_model_options *options, pd_error *err)
{
    pd_identity identity;
    PD_TRY(pd_caption_config_read(&captioner->config, captioner->dir, err));
    if (!captioner->config.own_tower &&
        !(captioner->encoder_dir = join_folder(captioner->dir, captioner->config.encoder_folder)))
        return pd_error_set_nomem(err);
    PD_TRY(pd_weights_open(&captioner->weights, captioner->dir, err));
    if (options->cache_dir) {
        const pd_status made = pd_dir_make(options->cache_dir, NULL);
        (void)made; /* a cache that cannot be written is no reason not to write captions */
    }
    const pd_identity_source source = { .dir = captioner->dir,
                                        .weights = captioner->weights,
                                        .weights_sha256 = options->weights_sha256,
                                        .cache_dir = options->cache_dir,
                                        .cancelled = options->cancelled };
    PD_TRY(pd_identity_find(&source, &identity, err));
    pd_sha256_format(identity.all, captioner->id);
    PD_TRY(open_words(captioner, err));
    pd_prepare_progress progress = { .tell = options->progress,
                                     .user = options->progress_user,
                                     .total = count_bytes(captioner) };
    const pd_tower_file file = { .id = captioner->id,
                                 .dir = captioner->dir,
                                 .name = "caption",
                                 .weights = captioner->weights,
                                 .kernels = &captioner->kernels,
                                 .options = options,
                                 .progress = &progress,
                                 .prepare = prepare,
                                 .user = captioner };
    return pd_tower_file_open(&file, &captioner->prepared, err);
}

pd_status pd_captioner_open(pd_captioner **ret_captioner, const char *dir, const pd_model_options *options,
                            pd_error *err)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    pd_captioner *captioner = pd_mem_alloc(1, sizeof *captioner);
    if (!captioner)
        return pd_error_set_nomem(err);
    pd_kernels_init(&captioner->kernels, options->cpu_mask);
    captioner->dir = pd_mem_dup_text(dir, len);
    const pd_status status = captioner->dir ? open_parts(captioner, options, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        *ret_captioner = captioner;
    else
        pd_captioner_close(&captioner);
    return status;
}

void pd_captioner_close(pd_captioner **captioner)
{
    pd_captioner *closing = *captioner;
    if (!closing)
        return;
    pd_caption_decoder_done(&closing->decoder);
    pd_vit_map_done(&closing->tower);
    pd_prepared_close(&closing->prepared);
    pd_wordpiece_close(&closing->wordpiece);
    pd_weights_close(&closing->weights);
    pd_mem_free(closing->encoder_dir);
    pd_mem_free(closing->dir);
    pd_mem_free(closing);
    *captioner = NULL;
}

const char *pd_captioner_name(const pd_captioner *captioner) { return pd_path_name(captioner->dir); }
const char *pd_captioner_id(const pd_captioner *captioner) { return captioner->id; }
const char *pd_captioner_encoder_dir(const pd_captioner *captioner) { return captioner->encoder_dir; }
size_t pd_captioner_image_side(const pd_captioner *captioner) { return captioner->config.preprocess.side; }

/* The words are read where the file has them; all else was prepared. */
size_t pd_captioner_bytes(const pd_captioner *captioner)
{
    const pd_tensor *words = &captioner->decoder.words;
    return pd_prepared_bytes(captioner->prepared) + words->count * pd_dtype_bytes(words->dtype);
}

void pd_captioner_advice(const pd_captioner *captioner, pd_caption_advice *ret_advice)
{
    *ret_advice = captioner->config.advice;
}

void pd_caption_options_init(const pd_captioner *captioner, pd_caption_options *ret_options)
{
    *ret_options = captioner->config.options;
}
