#include "model/caption_config.h"

#include <math.h>
#include <string.h>

#include "model/config_fields.h"
#include "token/token.h"

#define CONFIG_FILE "config.json"
#define GENERATION_FILE "generation_config.json"
#define PREPROCESSOR_FILE "preprocessor_config.json"

/* Where generation_config.json says nothing: as search engines for words go, without loops. */
#define BEAMS 5
#define TOKENS 20
#define NGRAM 3

static pd_section find_part(const pd_section *top, const char *key, const char *name)
{
    return (pd_section){ .json = pd_json_get(top->json, key), .file = top->file, .name = name, .err = top->err };
}

/* The family, from "architectures", or "model_type" where that is absent. */
static pd_status read_family(const pd_section *top, bool *ret_blip)
{
    pd_str name;
    if (!pd_json_read_string(pd_json_at(pd_json_get(top->json, "architectures"), 0), &name))
        PD_TRY(pd_section_text(top, "model_type", "", &name));
    *ret_blip = pd_str_equal(name, pd_str_of("BlipForConditionalGeneration")) || pd_str_equal(name, pd_str_of("blip"));
    if (*ret_blip || pd_str_equal(name, pd_str_of("VisionEncoderDecoderModel")) ||
        pd_str_equal(name, pd_str_of("vision-encoder-decoder")))
        return PD_OK;
    return pd_error_set(
        top->err, PD_ERR_UNSUPPORTED,
        "%s: the captioner is a '%.*s'; BlipForConditionalGeneration and VisionEncoderDecoderModel are handled",
        top->file, (int)(name.len < 100 ? name.len : 100), name.ptr);
}

static pd_status read_shape(const pd_section *section, const pd_tower_config *fallback, pd_tower_config *ret_shape)
{
    pd_tower_config shape = *fallback;
    double eps = 0;
    PD_TRY(pd_section_size(section, "hidden_size", fallback->width, 1, PD_CONFIG_WIDTH_MAX, &shape.width));
    PD_TRY(pd_section_size(section, "intermediate_size", fallback->width_mlp, 1, PD_GEMM_K_MAX, &shape.width_mlp));
    PD_TRY(pd_section_size(section, "num_hidden_layers", fallback->n_layers, 1, PD_CONFIG_LAYERS_MAX, &shape.n_layers));
    PD_TRY(pd_section_size(section, "num_attention_heads", fallback->n_heads, 1, shape.width, &shape.n_heads));
    PD_TRY(pd_section_positive(section, "layer_norm_eps", fallback->eps, 1, &eps));
    PD_TRY(pd_section_activation(section, "gelu", &shape.activation));
    if (shape.width % shape.n_heads)
        return pd_error_set(section->err, PD_ERR_FORMAT,
                            "%s: \"%shidden_size\" is %zu, which %zu attention heads do not divide", section->file,
                            section->name, shape.width, shape.n_heads);
    shape.eps = (float)eps;
    *ret_shape = shape;
    return PD_OK;
}

/* BLIP and ViT resize both sides to one square. */
static pd_status read_processor(const pd_section *section, bool blip, pd_preprocess_config *ret_config)
{
    pd_preprocess_config config = { .square = true };
    size_t resample = 0;
    PD_TRY(pd_section_require_flag(section, "do_resize", true, true));
    PD_TRY(pd_section_require_flag(section, "do_center_crop", false, false));
    PD_TRY(pd_section_side(section, "size", "", true, blip ? 384 : 224, &config.side));
    config.short_side = config.side;
    PD_TRY(pd_section_size(section, "resample", blip ? 3 : 2, 0, 5, &resample));
    if (resample != 2 && resample != 3)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"resample\" is %zu; only 2 and 3 (Pillow's bilinear and bicubic) are handled",
                            section->file, resample);
    config.filter = resample == 2 ? PD_FILTER_BILINEAR : PD_FILTER_BICUBIC;
    PD_TRY(pd_section_normalisation(section, !blip, &config));
    *ret_config = config;
    return PD_OK;
}

static pd_status read_vit(const pd_section *section, pd_caption_config *config)
{
    const pd_tower_config fallback = {
        .width = 768, .width_mlp = 3072, .n_layers = 12, .n_heads = 12, .eps = config->blip ? 1e-5F : 1e-12F
    };
    size_t side = 0, channels = 0;
    PD_TRY(read_shape(section, &fallback, &config->vit.tower));
    PD_TRY(pd_section_size(section, "num_channels", 3, 3, 3, &channels));
    PD_TRY(pd_section_size(section, "image_size", config->blip ? 384 : 224, 1, PD_MODEL_IMAGE_SIDE_MAX, &side));
    PD_TRY(pd_section_size(section, "patch_size", 16, 1, side, &config->vit.patch));
    PD_TRY(pd_section_require_flag(section, "qkv_bias", true, true));
    if (side != config->preprocess.side)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"%simage_size\" is %zu, but %s resizes to %zu: the tower takes one size only",
                            section->file, section->name, side, PREPROCESSOR_FILE, config->preprocess.side);
    const size_t n = side / config->vit.patch;
    if (n * n + 1 > PD_CONFIG_IMAGE_TOKENS_MAX || config->vit.patch * config->vit.patch * 3 > PD_GEMM_K_MAX)
        return pd_error_set(section->err, PD_ERR_LIMIT,
                            "%s: \"%spatch_size\" %zu gives %zu patches of %zu values; at most %d and %d are handled",
                            section->file, section->name, config->vit.patch, n * n,
                            config->vit.patch * config->vit.patch * 3, PD_CONFIG_IMAGE_TOKENS_MAX - 1, PD_GEMM_K_MAX);
    config->width_memory = config->vit.tower.width;
    config->own_tower = true;
    return PD_OK;
}

static pd_status copy_text(const pd_section *section, const char *key, char *ret_text, size_t bytes)
{
    pd_str text;
    PD_TRY(pd_section_text(section, key, "", &text));
    if (text.len == 0 || text.len >= bytes || memchr(text.ptr, 0, text.len))
        return pd_section_refuse(section, key, "a text of a length that is handled");
    memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
    return PD_OK;
}

/* The image tower of another directory: its last map. */
static pd_status read_other_tower(const pd_section *top, const pd_section *encoder, pd_caption_config *config)
{
    const pd_section weights = find_part(top, "encoder_weights", "encoder_weights.");
    PD_TRY(pd_section_require_type(encoder, "mobilenet_v2"));
    if (!pd_json_is_object(weights.json))
        return pd_error_set(top->err, PD_ERR_UNSUPPORTED,
                            "%s: the image tower is a mobilenet_v2, and no \"encoder_weights\" says where its weights "
                            "are; only a ViT's are read from the captioner's own file",
                            top->file);
    PD_TRY(pd_section_size(encoder, "hidden_size", 1280, 1, PD_CONFIG_WIDTH_MAX, &config->width_memory));
    PD_TRY(copy_text(&weights, "folder", config->encoder_folder, sizeof config->encoder_folder));
    if (config->encoder_folder[0] == '/')
        return pd_section_refuse(&weights, "folder", "relative to the captioner's directory");
    return copy_text(&weights, "sha256", config->encoder_sha256, sizeof config->encoder_sha256);
}

static pd_status read_id(const pd_section *section, const char *key, size_t fallback, size_t vocabulary,
                         int32_t *ret_id)
{
    size_t id = 0;
    PD_TRY(pd_section_size(section, key, fallback, 0, INT32_MAX, &id));
    if (id >= vocabulary)
        return pd_error_set(section->err, PD_ERR_FORMAT, "%s: \"%s%s\" is %zu, which is not among the %zu words",
                            section->file, section->name, key, id, vocabulary);
    *ret_id = (int32_t)id;
    return PD_OK;
}

static pd_status read_decoder(const pd_section *section, pd_caption_config *config)
{
    /* BlipTextConfig's 8 heads and BertConfig's 12: configs rely on both */
    const pd_tower_config fallback = {
        .width = 768, .width_mlp = 3072, .n_layers = 12, .n_heads = config->blip ? 8 : 12, .eps = 1e-12F
    };
    pd_str positions;
    PD_TRY(read_shape(section, &fallback, &config->decoder));
    PD_TRY(pd_section_size(section, "vocab_size", config->blip ? 30524 : 30522, 1, PD_TOKEN_VOCABULARY_MAX,
                           &config->vocabulary));
    PD_TRY(pd_section_size(section, "max_position_embeddings", 512, 2, 1 << 20, &config->n_positions));
    PD_TRY(pd_section_text(section, "position_embedding_type", "absolute", &positions));
    if (!pd_str_equal(positions, pd_str_of("absolute")))
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"%sposition_embedding_type\" is '%.*s'; only absolute is handled", section->file,
                            section->name, (int)(positions.len < 100 ? positions.len : 100), positions.ptr);
    if (!config->blip)
        PD_TRY(pd_section_size(section, "type_vocab_size", 2, 1, 1024, &config->n_types));
    return PD_OK;
}

static pd_status read_blip(const pd_section *top, pd_caption_config *config)
{
    const pd_section text = find_part(top, "text_config", "text_config.");
    const pd_section vision = find_part(top, "vision_config", "vision_config.");
    PD_TRY(pd_section_require_type(&text, "blip_text_model"));
    PD_TRY(pd_section_require_type(&vision, "blip_vision_model"));
    PD_TRY(read_vit(&vision, config));
    PD_TRY(read_decoder(&text, config));
    config->width_cross = config->width_memory;
    PD_TRY(read_id(&text, "bos_token_id", 30522, config->vocabulary, &config->start));
    return read_id(&text, "sep_token_id", 102, config->vocabulary, &config->stop);
}

static pd_status read_pair(const pd_section *top, pd_caption_config *config)
{
    const pd_section encoder = find_part(top, "encoder", "encoder.");
    const pd_section decoder = find_part(top, "decoder", "decoder.");
    pd_str type;
    size_t width_cross = 0;
    PD_TRY(pd_section_text(&encoder, "model_type", "", &type));
    if (pd_str_equal(type, pd_str_of("vit")))
        PD_TRY(read_vit(&encoder, config));
    else if (pd_str_equal(type, pd_str_of("mobilenet_v2")))
        PD_TRY(read_other_tower(top, &encoder, config));
    else
        return pd_error_set(top->err, PD_ERR_UNSUPPORTED,
                            "%s: \"encoder.model_type\" is '%.*s'; vit and mobilenet_v2 are handled", top->file,
                            (int)(type.len < 100 ? type.len : 100), type.ptr);
    PD_TRY(pd_section_require_type(&decoder, "bert"));
    PD_TRY(pd_section_require_flag(&decoder, "add_cross_attention", true, true));
    PD_TRY(read_decoder(&decoder, config));
    PD_TRY(pd_section_size(&decoder, "cross_attention_hidden_size", config->decoder.width, 1, PD_CONFIG_WIDTH_MAX,
                           &width_cross));
    if (width_cross != config->decoder.width)
        return pd_error_set(top->err, PD_ERR_UNSUPPORTED,
                            "%s: \"decoder.cross_attention_hidden_size\" is %zu; only the decoder's own width is "
                            "handled",
                            top->file, width_cross);
    config->projects = config->width_memory != config->decoder.width;
    config->width_cross = config->decoder.width;
    PD_TRY(read_id(top, "decoder_start_token_id", 101, config->vocabulary, &config->start));
    return read_id(top, "eos_token_id", 102, config->vocabulary, &config->stop);
}

static pd_status read_number(const pd_section *section, const char *key, double fallback, double limit,
                             float *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    double value = fallback;
    if (!pd_json_is_null(json) && (!pd_json_read_number(json, &value) || !(fabs(value) <= limit)))
        return pd_section_refuse(section, key, "a number that is handled");
    *ret_value = (float)value;
    return PD_OK;
}

static pd_status read_suppressed(const pd_section *section, pd_caption_config *config)
{
    const pd_json *list = pd_json_get(section->json, "suppress_tokens");
    const size_t n = pd_json_count(list);
    if (pd_json_is_null(list))
        return PD_OK;
    if (!pd_json_is_array(list) || n > PD_CAPTION_SUPPRESSED_MAX)
        return pd_section_refuse(section, "suppress_tokens", "a list of at most 64 ids");
    for (size_t i = 0; i < n; i++) {
        int64_t id = 0;
        if (!pd_json_read_int(pd_json_at(list, i), &id) || id < 0 || (size_t)id >= config->vocabulary)
            return pd_section_refuse(section, "suppress_tokens", "a list of ids of the vocabulary");
        config->suppressed[i] = (int32_t)id;
    }
    config->n_suppressed = n;
    return PD_OK;
}

/* "early_stopping" may be "never", which is a matter of cost, not of what is written: as false. */
static void read_early_stopping(const pd_section *section, bool *ret_early)
{
    *ret_early = false;
    (void)pd_json_read_bool(pd_json_get(section->json, "early_stopping"), ret_early);
}

static pd_status read_generation(const pd_section *section, pd_caption_config *config)
{
    pd_caption_options *options = &config->options;
    const size_t longest =
        config->n_positions - 1 < PD_CAPTION_TOKENS_MAX ? config->n_positions - 1 : PD_CAPTION_TOKENS_MAX - 1;
    double repetition = 1;
    PD_TRY(pd_section_size(section, "num_beams", BEAMS, 1, PD_CAPTION_BEAMS_MAX, &options->n_beams));
    PD_TRY(pd_section_size(section, "max_new_tokens", TOKENS < longest ? TOKENS : longest, 1, longest,
                           &options->max_tokens));
    PD_TRY(pd_section_size(section, "min_new_tokens", 0, 0, options->max_tokens, &options->min_tokens));
    PD_TRY(
        pd_section_size(section, "no_repeat_ngram_size", NGRAM, 0, PD_CAPTION_TOKENS_MAX, &options->no_repeat_ngram));
    PD_TRY(read_number(section, "length_penalty", 1, 100, &options->length_penalty));
    PD_TRY(pd_section_positive(section, "repetition_penalty", 1, 100, &repetition));
    options->repetition_penalty = (float)repetition;
    options->n_captions = 1;
    read_early_stopping(section, &options->early_stopping);
    PD_TRY(read_suppressed(section, config));
    const pd_section rerank = find_part(section, "rerank", "rerank."), doubt = find_part(section, "doubt", "doubt.");
    PD_TRY(read_number(&rerank, "weight", NAN, 1e6, &config->advice.rerank_weight));
    return read_number(&doubt, "cosine_below", NAN, 1e6, &config->advice.doubt_cosine_below);
}

static pd_status read_all(pd_caption_config *ret_config, const pd_section *top, const pd_section *generation,
                          const pd_section *preprocessor)
{
    pd_caption_config config = { 0 };
    PD_TRY(read_family(top, &config.blip));
    PD_TRY(read_processor(preprocessor, config.blip, &config.preprocess));
    PD_TRY(config.blip ? read_blip(top, &config) : read_pair(top, &config));
    PD_TRY(read_generation(generation, &config));
    *ret_config = config;
    return PD_OK;
}

/* An empty file is one that is not there: all its fields have their defaults. */
static pd_status parse_optional(pd_json **ret_json, const char *file, pd_str bytes, pd_error *err)
{
    return bytes.len ? pd_section_parse(ret_json, file, bytes, err) : PD_OK;
}

pd_status pd_caption_config_parse(pd_caption_config *ret_config, pd_str config, pd_str generation, pd_str preprocessor,
                                  pd_error *err)
{
    pd_json *top = NULL, *gen = NULL, *pre = NULL;
    pd_status status = pd_section_parse(&top, CONFIG_FILE, config, err);
    if (status == PD_OK)
        status = parse_optional(&gen, GENERATION_FILE, generation, err);
    if (status == PD_OK)
        status = parse_optional(&pre, PREPROCESSOR_FILE, preprocessor, err);
    if (status == PD_OK)
        status =
            read_all(ret_config, &(pd_section){ top, CONFIG_FILE, "", err },
                     &(pd_section){ gen, GENERATION_FILE, "", err }, &(pd_section){ pre, PREPROCESSOR_FILE, "", err });
    pd_json_free(&pre);
    pd_json_free(&gen);
    pd_json_free(&top);
    return status;
}

static pd_status read_optional(const char *dir, const char *name, pd_buf *buf, pd_error *err)
{
    pd_error reading;
    const pd_status status = pd_section_read_file(dir, name, buf, &reading);
    return status == PD_OK || status == PD_ERR_NOT_FOUND ? PD_OK : pd_error_hand_on(err, &reading);
}

pd_status pd_caption_config_read(pd_caption_config *ret_config, const char *dir, pd_error *err)
{
    pd_buf config, generation, preprocessor;
    pd_buf_init(&config, PD_CONFIG_BYTES_MAX);
    pd_buf_init(&generation, PD_CONFIG_BYTES_MAX);
    pd_buf_init(&preprocessor, PD_CONFIG_BYTES_MAX);
    pd_status status = pd_section_read_file(dir, CONFIG_FILE, &config, err);
    if (status == PD_OK)
        status = read_optional(dir, GENERATION_FILE, &generation, err);
    if (status == PD_OK)
        status = read_optional(dir, PREPROCESSOR_FILE, &preprocessor, err);
    if (status == PD_OK) {
        status = pd_caption_config_parse(ret_config, (pd_str){ config.data, config.len },
                                         (pd_str){ generation.data, generation.len },
                                         (pd_str){ preprocessor.data, preprocessor.len }, err);
        if (status != PD_OK && status != PD_ERR_NOMEM)
            pd_error_prefix(err, "model '%s'", dir);
    }
    pd_buf_done(&preprocessor);
    pd_buf_done(&generation);
    pd_buf_done(&config);
    return status;
}
