#include "model/config.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "token/token.h"

#define CONFIG_FILE "config.json"
#define PREPROCESSOR_FILE "preprocessor_config.json"

/* One object of a config file, under the name that a person finds it by. */
typedef struct pd_section {
    const pd_json *json;
    const char *file;
    const char *name; /* "" for the top, else "text_config." */
    pd_error *err;
} pd_section;

static pd_status refuse_kind(const pd_section *section, const char *key, const char *kind)
{
    return pd_error_set(section->err, PD_ERR_FORMAT, "%s: \"%s%s\" is not %s", section->file, section->name, key, kind);
}

/* A whole number in [min, max]; `fallback` when it is absent or null. */
static pd_status read_size(const pd_section *section, const char *key, size_t fallback, size_t min, size_t max,
                           size_t *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    int64_t value = (int64_t)fallback;
    if (!pd_json_is_null(json) && !pd_json_read_int(json, &value))
        return refuse_kind(section, key, "a whole number");
    if (value < (int64_t)min || value > (int64_t)max)
        return pd_error_set(section->err, value < (int64_t)min ? PD_ERR_FORMAT : PD_ERR_LIMIT,
                            "%s: \"%s%s\" is %lld; %zu to %zu is handled", section->file, section->name, key,
                            (long long)value, min, max);
    *ret_value = (size_t)value;
    return PD_OK;
}

/* A number in (0, max]. */
static pd_status read_positive(const pd_section *section, const char *key, double fallback, double max,
                               double *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    double value = fallback;
    if (!pd_json_is_null(json) && !pd_json_read_number(json, &value))
        return refuse_kind(section, key, "a number");
    if (!(value > 0 && value <= max))
        return pd_error_set(section->err, value > max ? PD_ERR_LIMIT : PD_ERR_FORMAT,
                            "%s: \"%s%s\" is %g; more than 0 and at most %g is handled", section->file, section->name,
                            key, value, max);
    *ret_value = value;
    return PD_OK;
}

static pd_status read_flag(const pd_section *section, const char *key, bool fallback, bool *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    bool value = fallback;
    if (!pd_json_is_null(json) && !pd_json_read_bool(json, &value))
        return refuse_kind(section, key, "true or false");
    *ret_value = value;
    return PD_OK;
}

static pd_status read_text(const pd_section *section, const char *key, const char *fallback, pd_str *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    pd_str value = pd_str_of(fallback);
    if (!pd_json_is_null(json) && !pd_json_read_string(json, &value))
        return refuse_kind(section, key, "a text");
    *ret_value = value;
    return PD_OK;
}

/* A setting that has one handled value. */
static pd_status require_flag(const pd_section *section, const char *key, bool fallback, bool required)
{
    bool value = fallback;
    PD_TRY(read_flag(section, key, fallback, &value));
    if (value != required)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%s%s\" is %s; only %s is handled", section->file,
                            section->name, key, value ? "true" : "false", required ? "true" : "false");
    return PD_OK;
}

static pd_status read_activation(const pd_section *section, const char *fallback, pd_activation *ret_activation)
{
    static const struct {
        const char *name;
        pd_activation activation;
    } known[] = {
        { "quick_gelu", PD_ACTIVATION_QUICK_GELU },
        { "gelu", PD_ACTIVATION_GELU },
        { "gelu_python", PD_ACTIVATION_GELU }, /* the same function, written another way, here and below */
        { "gelu_pytorch_tanh", PD_ACTIVATION_GELU_TANH },
        { "gelu_python_tanh", PD_ACTIVATION_GELU_TANH },
        { "gelu_new", PD_ACTIVATION_GELU_TANH },
        { "gelu_fast", PD_ACTIVATION_GELU_TANH },
        { "gelu_accurate", PD_ACTIVATION_GELU_TANH },
    };
    pd_str name;
    PD_TRY(read_text(section, "hidden_act", fallback, &name));
    for (size_t i = 0; i < PD_COUNT_OF(known); i++)
        if (pd_str_equal(name, pd_str_of(known[i].name))) {
            *ret_activation = known[i].activation;
            return PD_OK;
        }
    return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                        "%s: \"%shidden_act\" is '%.*s'; quick_gelu, gelu and gelu_pytorch_tanh are handled",
                        section->file, section->name, (int)(name.len < 100 ? name.len : 100), name.ptr);
}

static pd_status read_tower(const pd_section *section, const pd_tower_config *fallback, pd_tower_config *ret_tower)
{
    pd_tower_config tower = *fallback;
    double eps = 0;
    PD_TRY(read_size(section, "hidden_size", fallback->width, 1, PD_CONFIG_WIDTH_MAX, &tower.width));
    PD_TRY(read_size(section, "intermediate_size", fallback->width_mlp, 1, PD_GEMM_K_MAX, &tower.width_mlp));
    PD_TRY(read_size(section, "num_hidden_layers", fallback->n_layers, 1, PD_CONFIG_LAYERS_MAX, &tower.n_layers));
    PD_TRY(read_size(section, "num_attention_heads", fallback->n_heads, 1, tower.width, &tower.n_heads));
    PD_TRY(read_positive(section, "layer_norm_eps", 1e-5, 1, &eps));
    PD_TRY(read_activation(section, "quick_gelu", &tower.activation));
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
    PD_TRY(read_size(section, "vocab_size", 49408, 1, PD_TOKEN_VOCABULARY_MAX, &text.vocabulary));
    PD_TRY(read_size(section, "max_position_embeddings", 77, 2, PD_MODEL_TOKENS_MAX, &text.n_positions));
    PD_TRY(read_size(section, "eos_token_id", 49407, 0, INT32_MAX, &eos));
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
    PD_TRY(read_size(section, "num_channels", 3, 3, 3, &channels));
    PD_TRY(read_size(section, "image_size", 224, 1, PD_MODEL_IMAGE_SIDE_MAX, &image_size));
    PD_TRY(read_size(section, "patch_size", 32, 1, image_size, &vit.patch));
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
    PD_TRY(read_size(section, "num_channels", 3, 3, 3, &channels));
    PD_TRY(read_positive(section, "depth_multiplier", 1, 8, &mobilenet.depth_multiplier));
    PD_TRY(read_positive(section, "expand_ratio", 6, 16, &mobilenet.expand_ratio));
    PD_TRY(read_size(section, "depth_divisible_by", 8, 1, 1024, &mobilenet.divisible_by));
    PD_TRY(read_size(section, "min_depth", 8, 1, 1024, &mobilenet.depth_min));
    PD_TRY(read_size(section, "output_stride", 32, 2, 32, &mobilenet.output_stride));
    PD_TRY(read_flag(section, "tf_padding", true, &mobilenet.tf_padding));
    PD_TRY(read_flag(section, "finegrained_output", true, &mobilenet.finegrained_output));
    PD_TRY(require_flag(section, "first_layer_is_expansion", true, true));
    PD_TRY(read_positive(section, "layer_norm_eps", 0.001, 1, &eps));
    PD_TRY(read_text(section, "hidden_act", "relu6", &act));
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

/* A side in px, given as a number or as an object: { key: n }, or { "height": n, "width": n } when `square`. */
static pd_status read_side(const pd_section *section, const char *name, const char *key, bool square, size_t fallback,
                           size_t *ret_side)
{
    const pd_json *json = pd_json_get(section->json, name);
    if (!pd_json_is_object(json))
        return read_size(section, name, fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, ret_side);
    const pd_section inner = { .json = json, .file = section->file, .name = name, .err = section->err };
    if (!pd_json_is_null(pd_json_get(json, key)) && !square)
        return read_size(&inner, key, fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, ret_side);
    size_t height = 0, width = 0;
    if (!square)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%s\" has no \"%s\"; only that is handled",
                            section->file, name, key);
    PD_TRY(read_size(&inner, "height", fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, &height));
    PD_TRY(read_size(&inner, "width", fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, &width));
    if (height != width)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%s\" is %zu x %zu; only squares are handled",
                            section->file, name, height, width);
    *ret_side = height;
    return PD_OK;
}

static pd_status read_channels(const pd_section *section, const char *key, const double fallback[3], double ret[3])
{
    const pd_json *json = pd_json_get(section->json, key);
    for (size_t i = 0; i < 3; i++) {
        ret[i] = fallback[i];
        if (pd_json_is_null(json))
            continue;
        if (pd_json_count(json) != 3 || !pd_json_read_number(pd_json_at(json, i), &ret[i]) || !(fabs(ret[i]) < 1e6))
            return refuse_kind(section, key, "a list of 3 numbers");
    }
    return PD_OK;
}

static pd_status read_normalisation(const pd_section *section, bool mobilenet, pd_preprocess_config *config)
{
    static const double clip_mean[3] = { 0.48145466, 0.4578275, 0.40821073 };
    static const double clip_std[3] = { 0.26862954, 0.26130258, 0.27577711 };
    static const double half[3] = { 0.5, 0.5, 0.5 };
    double factor = 1, mean[3] = { 0, 0, 0 }, std[3] = { 1, 1, 1 };
    bool rescale = true, normalise = true;
    PD_TRY(read_flag(section, "do_rescale", true, &rescale));
    PD_TRY(read_flag(section, "do_normalize", true, &normalise));
    if (rescale)
        PD_TRY(read_positive(section, "rescale_factor", 1.0 / 255, 1, &factor));
    if (normalise) {
        PD_TRY(read_channels(section, "image_mean", mobilenet ? half : clip_mean, mean));
        PD_TRY(read_channels(section, "image_std", mobilenet ? half : clip_std, std));
    }
    for (size_t i = 0; i < 3; i++) {
        if (!(std[i] > 1e-6))
            return pd_error_set(section->err, PD_ERR_FORMAT, "%s: \"image_std\" holds %g; more than 0 is allowed",
                                section->file, std[i]);
        config->mul[i] = (float)(factor / std[i]);
        config->add[i] = (float)(-mean[i] / std[i]);
    }
    return PD_OK;
}

static pd_status read_preprocess(const pd_section *section, bool mobilenet, pd_preprocess_config *ret_config)
{
    pd_preprocess_config config = { 0 };
    size_t resample = 0;
    PD_TRY(require_flag(section, "do_resize", true, true));
    PD_TRY(require_flag(section, "do_center_crop", true, true));
    PD_TRY(read_side(section, "size", "shortest_edge", false, mobilenet ? 256 : 224, &config.short_side));
    PD_TRY(read_side(section, "crop_size", "", true, 224, &config.side));
    PD_TRY(read_size(section, "resample", mobilenet ? 2 : 3, 0, 5, &resample));
    if (resample != 3)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                            "%s: \"resample\" is %zu; only 3 (Pillow's bicubic) is handled", section->file, resample);
    PD_TRY(read_normalisation(section, mobilenet, &config));
    *ret_config = config;
    return PD_OK;
}

/* The family, from "architectures", or "model_type" where that is absent. */
static pd_status read_family(const pd_section *top, bool *ret_dual)
{
    pd_str name;
    if (!pd_json_read_string(pd_json_at(pd_json_get(top->json, "architectures"), 0), &name))
        PD_TRY(read_text(top, "model_type", "", &name));
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

static pd_status require_type(const pd_section *section, const char *required)
{
    pd_str type;
    PD_TRY(read_text(section, "model_type", required, &type));
    if (!pd_str_equal(type, pd_str_of(required)))
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%smodel_type\" is '%.*s'; only %s is handled",
                            section->file, section->name, (int)(type.len < 100 ? type.len : 100), type.ptr, required);
    return PD_OK;
}

static pd_status read_all(pd_config *ret_config, const pd_section *top, const pd_section *preprocessor)
{
    pd_config config = { 0 };
    bool dual = false;
    PD_TRY(read_family(top, &dual));
    const pd_section text = find_section(top, "text_config", "text_config_dict", "text_config.");
    const pd_section vision = find_section(top, "vision_config", "vision_config_dict", "vision_config.");
    PD_TRY(read_size(top, "projection_dim", 512, 1, PD_MODEL_DIM_MAX, &config.dim));
    PD_TRY(read_preprocess(preprocessor, dual, &config.preprocess));
    PD_TRY(read_text_tower(&text, &config.text));
    config.text_prefix = dual ? "text_model.text_model." : "text_model.";
    config.vision_prefix = "vision_model.";
    config.vision = dual ? PD_VISION_MOBILENET_V2 : PD_VISION_VIT;
    if (dual) {
        PD_TRY(require_type(&text, "clip_text_model"));
        PD_TRY(require_type(&vision, "mobilenet_v2"));
        PD_TRY(read_mobilenet(&vision, &config.mobilenet));
    } else {
        PD_TRY(read_vit(&vision, config.preprocess.side, &config.vit));
    }
    *ret_config = config;
    return PD_OK;
}

static pd_status parse_file(pd_json **ret_json, const char *file, pd_str bytes, pd_error *err)
{
    pd_json *json = NULL;
    pd_status status = pd_json_parse(&json, bytes.ptr, bytes.len, err);
    if (status == PD_OK && !pd_json_is_object(json))
        status = pd_error_set(err, PD_ERR_FORMAT, "it holds no JSON object");
    if (status == PD_OK)
        *ret_json = json;
    else {
        pd_error_prefix(err, "%s", file);
        pd_json_free(&json);
    }
    return status;
}

pd_status pd_config_parse(pd_config *ret_config, pd_str config, pd_str preprocessor, pd_error *err)
{
    pd_json *top = NULL, *pre = NULL;
    pd_status status = parse_file(&top, CONFIG_FILE, config, err);
    if (status == PD_OK)
        status = parse_file(&pre, PREPROCESSOR_FILE, preprocessor, err);
    if (status == PD_OK)
        status = read_all(ret_config, &(pd_section){ top, CONFIG_FILE, "", err },
                          &(pd_section){ pre, PREPROCESSOR_FILE, "", err });
    pd_json_free(&pre);
    pd_json_free(&top);
    return status;
}

/* Why one of the two files is not there. */
static pd_status refuse_missing(const char *dir, const char *name, pd_error *err)
{
    DIR *files = opendir(dir);
    bool is_empty = true;
    for (const struct dirent *file; files && (file = readdir(files));)
        is_empty = is_empty && file->d_name[0] == '.';
    if (!files)
        return pd_error_set_errno(err, errno, "model '%s'", dir);
    closedir(files);
    if (is_empty)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "model '%s': the directory is empty", dir);
    return pd_error_set(err, PD_ERR_NOT_FOUND,
                        "model '%s': no %s in it; a model in Hugging Face's layout has one beside its weights", dir,
                        name);
}

static pd_status read_file(const char *dir, const char *name, pd_buf *buf, pd_error *err)
{
    char *path = pd_path_join(dir, name);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status =
        pd_file_exists(path) ? pd_file_read(path, PD_CONFIG_BYTES_MAX, buf, err) : refuse_missing(dir, name, err);
    pd_mem_free(path);
    return status;
}

pd_status pd_config_read(pd_config *ret_config, const char *dir, pd_error *err)
{
    pd_buf config, preprocessor;
    pd_buf_init(&config, PD_CONFIG_BYTES_MAX);
    pd_buf_init(&preprocessor, PD_CONFIG_BYTES_MAX);
    pd_status status = read_file(dir, CONFIG_FILE, &config, err);
    if (status == PD_OK)
        status = read_file(dir, PREPROCESSOR_FILE, &preprocessor, err);
    if (status == PD_OK) {
        status = pd_config_parse(ret_config, (pd_str){ config.data, config.len },
                                 (pd_str){ preprocessor.data, preprocessor.len }, err);
        if (status != PD_OK && status != PD_ERR_NOMEM)
            pd_error_prefix(err, "model '%s'", dir);
    }
    pd_buf_done(&preprocessor);
    pd_buf_done(&config);
    return status;
}
