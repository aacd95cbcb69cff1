#include "model/config.h"

#include "model/config_fields.h"
#include "token/token.h"

#define CONFIG_FILE "config.json"
#define PREPROCESSOR_FILE "preprocessor_config.json"

static pd_status read_tower(const pd_section *section, const pd_tower_config *fallback, pd_tower_config *ret_tower)
{
    pd_tower_config tower = *fallback;
    double eps = 0;
    PD_TRY(pd_section_size(section, "hidden_size", fallback->width, 1, PD_CONFIG_WIDTH_MAX, &tower.width));
    PD_TRY(pd_section_size(section, "intermediate_size", fallback->width_mlp, 1, PD_GEMM_K_MAX, &tower.width_mlp));
    PD_TRY(pd_section_size(section, "num_hidden_layers", fallback->n_layers, 1, PD_CONFIG_LAYERS_MAX, &tower.n_layers));
    PD_TRY(pd_section_size(section, "num_attention_heads", fallback->n_heads, 1, tower.width, &tower.n_heads));
    PD_TRY(pd_section_positive(section, "layer_norm_eps", 1e-5, 1, &eps));
    PD_TRY(pd_section_activation(section, "quick_gelu", &tower.activation));
    if (tower.width % tower.n_heads)
        return pd_error_set(section->err, PD_ERR_FORMAT,
                            "%s: \"%shidden_size\" is %zu, which %zu attention heads do not divide", section->file,
                            section->name, tower.width, tower.n_heads);
    tower.eps = (float)eps;
    *ret_tower = tower;
    return PD_OK;
}

static pd_status read_text_tower(const pd_section *section, pd_text_config *ret_text)
{
    static const pd_tower_config fallback = { .width = 512, .width_mlp = 2048, .n_layers = 12, .n_heads = 8 };
    pd_text_config text = { 0 };
    size_t eos = 0;
    PD_TRY(read_tower(section, &fallback, &text.tower));
    PD_TRY(pd_section_size(section, "vocab_size", 49408, 1, PD_TOKEN_VOCABULARY_MAX, &text.vocabulary));
    PD_TRY(pd_section_size(section, "max_position_embeddings", 77, 2, PD_MODEL_TOKENS_MAX, &text.n_positions));
    PD_TRY(pd_section_size(section, "eos_token_id", 49407, 0, INT32_MAX, &eos));
    text.eos = (int32_t)eos;
    *ret_text = text;
    return PD_OK;
}

static pd_status read_vit(const pd_section *section, size_t side, pd_vit_config *ret_vit)
{
    static const pd_tower_config fallback = { .width = 768, .width_mlp = 3072, .n_layers = 12, .n_heads = 12 };
    pd_vit_config vit = { 0 };
    size_t image_size = 0, channels = 0;
    PD_TRY(read_tower(section, &fallback, &vit.tower));
    PD_TRY(pd_section_size(section, "num_channels", 3, 3, 3, &channels));
    PD_TRY(pd_section_size(section, "image_size", 224, 1, PD_MODEL_IMAGE_SIDE_MAX, &image_size));
    PD_TRY(pd_section_size(section, "patch_size", 32, 1, image_size, &vit.patch));
    if (image_size != side)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"%simage_size\" is %zu, but %s crops to %zu: the tower takes one size only",
                            section->file, section->name, image_size, PREPROCESSOR_FILE, side);
    const size_t n = side / vit.patch;
    if (n * n + 1 > PD_CONFIG_IMAGE_TOKENS_MAX || vit.patch * vit.patch * 3 > PD_GEMM_K_MAX)
        return pd_error_set(section->err, PD_ERR_LIMIT,
                            "%s: \"%spatch_size\" %zu gives %zu patches of %zu values; at most %d and %d are handled",
                            section->file, section->name, vit.patch, n * n, vit.patch * vit.patch * 3,
                            PD_CONFIG_IMAGE_TOKENS_MAX - 1, PD_GEMM_K_MAX);
    *ret_vit = vit;
    return PD_OK;
}

static pd_status read_mobilenet(const pd_section *section, pd_mobilenet_config *ret_mobilenet)
{
    pd_mobilenet_config mobilenet = { 0 };
    size_t channels = 0;
    double eps = 0;
    pd_str act;
    PD_TRY(pd_section_size(section, "num_channels", 3, 3, 3, &channels));
    PD_TRY(pd_section_positive(section, "depth_multiplier", 1, 8, &mobilenet.depth_multiplier));
    PD_TRY(pd_section_positive(section, "expand_ratio", 6, 16, &mobilenet.expand_ratio));
    PD_TRY(pd_section_size(section, "depth_divisible_by", 8, 1, 1024, &mobilenet.divisible_by));
    PD_TRY(pd_section_size(section, "min_depth", 8, 1, 1024, &mobilenet.depth_min));
    PD_TRY(pd_section_size(section, "output_stride", 32, 2, 32, &mobilenet.output_stride));
    PD_TRY(pd_section_flag(section, "tf_padding", true, &mobilenet.tf_padding));
    PD_TRY(pd_section_flag(section, "finegrained_output", true, &mobilenet.finegrained_output));
    PD_TRY(pd_section_require_flag(section, "first_layer_is_expansion", true, true));
    PD_TRY(pd_section_positive(section, "layer_norm_eps", 0.001, 1, &eps));
    PD_TRY(pd_section_text(section, "hidden_act", "relu6", &act));
    if (!pd_str_equal(act, pd_str_of("relu6")))
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%shidden_act\" is '%.*s'; only relu6 is handled",
                            section->file, section->name, (int)(act.len < 100 ? act.len : 100), act.ptr);
    mobilenet.eps = (float)eps;
    *ret_mobilenet = mobilenet;
    return PD_OK;
}

/* The part of the config for one tower. A "<name>_dict", where it is not null, replaces the other (CLIPConfig). */
static pd_section find_section(const pd_section *top, const char *key, const char *key_dict, const char *name)
{
    const pd_json *json = pd_json_get(top->json, key_dict);
    if (pd_json_is_null(json))
        json = pd_json_get(top->json, key);
    return (pd_section){ .json = json, .file = top->file, .name = name, .err = top->err };
}

static pd_status read_preprocess(const pd_section *section, bool mobilenet, pd_preprocess_config *ret_config)
{
    pd_preprocess_config config = { 0 };
    size_t resample = 0;
    PD_TRY(pd_section_require_flag(section, "do_resize", true, true));
    PD_TRY(pd_section_require_flag(section, "do_center_crop", true, true));
    PD_TRY(pd_section_side(section, "size", "shortest_edge", false, mobilenet ? 256 : 224, &config.short_side));
    PD_TRY(pd_section_side(section, "crop_size", "", true, 224, &config.side));
    PD_TRY(pd_section_size(section, "resample", mobilenet ? 2 : 3, 0, 5, &resample));
    if (resample != 3)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"resample\" is %zu; only 3 (Pillow's bicubic) is handled", section->file, resample);
    PD_TRY(pd_section_normalisation(section, mobilenet, &config));
    *ret_config = config;
    return PD_OK;
}

/* The family, from "architectures", or "model_type" where that is absent. */
static pd_status read_family(const pd_section *top, bool *ret_dual)
{
    pd_str name;
    if (!pd_json_read_string(pd_json_at(pd_json_get(top->json, "architectures"), 0), &name))
        PD_TRY(pd_section_text(top, "model_type", "", &name));
    const bool clip = pd_str_equal(name, pd_str_of("CLIPModel")) || pd_str_equal(name, pd_str_of("clip"));
    const bool dual = pd_str_equal(name, pd_str_of("VisionTextDualEncoderModel")) ||
                      pd_str_equal(name, pd_str_of("vision-text-dual-encoder"));
    if (name.len == 0)
        return pd_error_set(top->err, PD_ERR_FORMAT,
                            "%s: neither \"architectures\" nor \"model_type\" says what the model is", top->file);
    if (!clip && !dual)
        return pd_error_set(top->err, PD_ERR_UNSUPPORTED,
                            "%s: the model is a '%.*s'; CLIPModel and VisionTextDualEncoderModel are handled",
                            top->file, (int)(name.len < 100 ? name.len : 100), name.ptr);
    *ret_dual = dual;
    return PD_OK;
}

static pd_status read_all(pd_config *ret_config, const pd_section *top, const pd_section *preprocessor)
{
    pd_config config = { 0 };
    bool dual = false;
    PD_TRY(read_family(top, &dual));
    const pd_section text = find_section(top, "text_config", "text_config_dict", "text_config.");
    const pd_section vision = find_section(top, "vision_config", "vision_config_dict", "vision_config.");
    PD_TRY(pd_section_size(top, "projection_dim", 512, 1, PD_MODEL_DIM_MAX, &config.dim));
    PD_TRY(read_preprocess(preprocessor, dual, &config.preprocess));
    PD_TRY(read_text_tower(&text, &config.text));
    config.text_prefix = dual ? "text_model.text_model." : "text_model.";
    config.vision_prefix = "vision_model.";
    config.vision = dual ? PD_VISION_MOBILENET_V2 : PD_VISION_VIT;
    if (dual) {
        PD_TRY(pd_section_require_type(&text, "clip_text_model"));
        PD_TRY(pd_section_require_type(&vision, "mobilenet_v2"));
        PD_TRY(read_mobilenet(&vision, &config.mobilenet));
    } else {
        PD_TRY(read_vit(&vision, config.preprocess.side, &config.vit));
    }
    *ret_config = config;
    return PD_OK;
}

pd_status pd_config_parse(pd_config *ret_config, pd_str config, pd_str preprocessor, pd_error *err)
{
    pd_json *top = NULL, *pre = NULL;
    pd_status status = pd_section_parse(&top, CONFIG_FILE, config, err);
    if (status == PD_OK)
        status = pd_section_parse(&pre, PREPROCESSOR_FILE, preprocessor, err);
    if (status == PD_OK)
        status = read_all(ret_config, &(pd_section){ top, CONFIG_FILE, "", err },
                          &(pd_section){ pre, PREPROCESSOR_FILE, "", err });
    pd_json_free(&pre);
    pd_json_free(&top);
    return status;
}

/* Said before anything is missed that such a model never has. */
static pd_status check_family(pd_str config, pd_error *err)
{
    pd_json *top = NULL;
    bool dual;
    PD_TRY(pd_section_parse(&top, CONFIG_FILE, config, err));
    const pd_status status = read_family(&(pd_section){ top, CONFIG_FILE, "", err }, &dual);
    pd_json_free(&top);
    return status;
}

static pd_status parse_files(pd_config *ret_config, const char *dir, const pd_buf *config, pd_error *err)
{
    pd_buf preprocessor;
    const pd_str text = { config->data, config->len };
    pd_buf_init(&preprocessor, PD_CONFIG_BYTES_MAX);
    pd_status status = check_family(text, err);
    if (status != PD_OK && status != PD_ERR_NOMEM)
        pd_error_prefix(err, "model '%s'", dir);
    PD_TRY(status);
    status = pd_section_read_file(dir, PREPROCESSOR_FILE, &preprocessor, err);
    if (status == PD_OK) {
        status = pd_config_parse(ret_config, text, (pd_str){ preprocessor.data, preprocessor.len }, err);
        if (status != PD_OK && status != PD_ERR_NOMEM)
            pd_error_prefix(err, "model '%s'", dir);
    }
    pd_buf_done(&preprocessor);
    return status;
}

pd_status pd_config_read(pd_config *ret_config, const char *dir, pd_error *err)
{
    pd_buf config;
    pd_buf_init(&config, PD_CONFIG_BYTES_MAX);
    pd_status status = pd_section_read_file(dir, CONFIG_FILE, &config, err);
    if (status == PD_OK)
        status = parse_files(ret_config, dir, &config, err);
    pd_buf_done(&config);
    return status;
}
