#include "model/config_fields.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>

#include "base/file.h"
#include "base/mem.h"

pd_status pd_section_refuse(const pd_section *section, const char *key, const char *kind)
{
    return pd_error_set(section->err, PD_ERR_FORMAT, "%s: \"%s%s\" is not %s", section->file, section->name, key, kind);
}

/* A whole number in [min, max]; `fallback` when it is absent or null. */
pd_status pd_section_size(const pd_section *section, const char *key, size_t fallback, size_t min, size_t max,
                          size_t *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    int64_t value = (int64_t)fallback;
    if (!pd_json_is_null(json) && !pd_json_read_int(json, &value))
        return pd_section_refuse(section, key, "a whole number");
    if (value < (int64_t)min || value > (int64_t)max)
        return pd_error_set(section->err, value < (int64_t)min ? PD_ERR_FORMAT : PD_ERR_LIMIT,
                            "%s: \"%s%s\" is %lld; %zu to %zu is handled", section->file, section->name, key,
                            (long long)value, min, max);
    *ret_value = (size_t)value;
    return PD_OK;
}

/* A number in (0, max]. */
pd_status pd_section_positive(const pd_section *section, const char *key, double fallback, double max,
                              double *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    double value = fallback;
    if (!pd_json_is_null(json) && !pd_json_read_number(json, &value))
        return pd_section_refuse(section, key, "a number");
    if (!(value > 0 && value <= max))
        return pd_error_set(section->err, value > max ? PD_ERR_LIMIT : PD_ERR_FORMAT,
                            "%s: \"%s%s\" is %g; more than 0 and at most %g is handled", section->file, section->name,
                            key, value, max);
    *ret_value = value;
    return PD_OK;
}

pd_status pd_section_flag(const pd_section *section, const char *key, bool fallback, bool *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    bool value = fallback;
    if (!pd_json_is_null(json) && !pd_json_read_bool(json, &value))
        return pd_section_refuse(section, key, "true or false");
    *ret_value = value;
    return PD_OK;
}

pd_status pd_section_text(const pd_section *section, const char *key, const char *fallback, pd_str *ret_value)
{
    const pd_json *json = pd_json_get(section->json, key);
    pd_str value = pd_str_of(fallback);
    if (!pd_json_is_null(json) && !pd_json_read_string(json, &value))
        return pd_section_refuse(section, key, "a text");
    *ret_value = value;
    return PD_OK;
}

/* A setting that has one handled value. */
pd_status pd_section_require_flag(const pd_section *section, const char *key, bool fallback, bool required)
{
    bool value = fallback;
    PD_TRY(pd_section_flag(section, key, fallback, &value));
    if (value != required)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%s%s\" is %s; only %s is handled", section->file,
                            section->name, key, value ? "true" : "false", required ? "true" : "false");
    return PD_OK;
}

pd_status pd_section_activation(const pd_section *section, const char *fallback, pd_activation *ret_activation)
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
    PD_TRY(pd_section_text(section, "hidden_act", fallback, &name));
    for (size_t i = 0; i < PD_COUNT_OF(known); i++)
        if (pd_str_equal(name, pd_str_of(known[i].name))) {
            *ret_activation = known[i].activation;
            return PD_OK;
        }
    return pd_error_set(section->err, PD_ERR_UNSUPPORTED,
                        "%s: \"%shidden_act\" is '%.*s'; quick_gelu, gelu and gelu_pytorch_tanh are handled",
                        section->file, section->name, (int)(name.len < 100 ? name.len : 100), name.ptr);
}

pd_status pd_section_require_type(const pd_section *section, const char *required)
{
    pd_str type;
    PD_TRY(pd_section_text(section, "model_type", required, &type));
    if (!pd_str_equal(type, pd_str_of(required)))
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%smodel_type\" is '%.*s'; only %s is handled",
                            section->file, section->name, (int)(type.len < 100 ? type.len : 100), type.ptr, required);
    return PD_OK;
}

/* A side in px, given as a number or as an object: { key: n }, or { "height": n, "width": n } when `square`. */
pd_status pd_section_side(const pd_section *section, const char *name, const char *key, bool square, size_t fallback,
                          size_t *ret_side)
{
    const pd_json *json = pd_json_get(section->json, name);
    if (!pd_json_is_object(json))
        return pd_section_size(section, name, fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, ret_side);
    const pd_section inner = { .json = json, .file = section->file, .name = name, .err = section->err };
    if (!pd_json_is_null(pd_json_get(json, key)) && !square)
        return pd_section_size(&inner, key, fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, ret_side);
    size_t height = 0, width = 0;
    if (!square)
        return pd_error_set(section->err, PD_ERR_UNSUPPORTED, "%s: \"%s\" has no \"%s\"; only that is handled",
                            section->file, name, key);
    PD_TRY(pd_section_size(&inner, "height", fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, &height));
    PD_TRY(pd_section_size(&inner, "width", fallback, 1, PD_MODEL_IMAGE_SIDE_MAX, &width));
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
            return pd_section_refuse(section, key, "a list of 3 numbers");
    }
    return PD_OK;
}

pd_status pd_section_normalisation(const pd_section *section, bool half, pd_preprocess_config *config)
{
    static const double clip_mean[3] = { 0.48145466, 0.4578275, 0.40821073 };
    static const double clip_std[3] = { 0.26862954, 0.26130258, 0.27577711 };
    static const double halves[3] = { 0.5, 0.5, 0.5 };
    double factor = 1, mean[3] = { 0, 0, 0 }, std[3] = { 1, 1, 1 };
    bool rescale = true, normalise = true;
    PD_TRY(pd_section_flag(section, "do_rescale", true, &rescale));
    PD_TRY(pd_section_flag(section, "do_normalize", true, &normalise));
    if (rescale)
        PD_TRY(pd_section_positive(section, "rescale_factor", 1.0 / 255, 1, &factor));
    if (normalise) {
        PD_TRY(read_channels(section, "image_mean", half ? halves : clip_mean, mean));
        PD_TRY(read_channels(section, "image_std", half ? halves : clip_std, std));
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

pd_status pd_section_parse(pd_json **ret_json, const char *file, pd_str bytes, pd_error *err)
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

/* Why a file is not there. */
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

pd_status pd_section_read_file(const char *dir, const char *name, pd_buf *buf, pd_error *err)
{
    char *path = pd_path_join(dir, name);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status =
        pd_file_exists(path) ? pd_file_read(path, PD_CONFIG_BYTES_MAX, buf, err) : refuse_missing(dir, name, err);
    pd_mem_free(path);
    return status;
}
