/* config_fields.h: fields of a Hugging Face config, read with a default and checked, one sentence each for what is
 * wrong. Private to the room.
 *
 * A field that is absent or null has its fallback. Sentences name the file and the field. */
#ifndef PD_MODEL_CONFIG_FIELDS_H
#define PD_MODEL_CONFIG_FIELDS_H

#include "base/error.h"
#include "base/json.h"
#include "model/config.h"

/* One object of a config file, under the name that a person finds it by. */
typedef struct pd_section {
    const pd_json *json;
    const char *file;
    const char *name; /* "" for the top, else "text_config." */
    pd_error *err;
} pd_section;

/* "<field> is not <kind>". */
pd_status pd_section_refuse(const pd_section *section, const char *key, const char *kind);

/* A whole number in [min, max]. */
PD_MUST_USE pd_status pd_section_size(const pd_section *section, const char *key, size_t fallback, size_t min,
                                      size_t max, size_t *ret_value);
/* A number in (0, max]. */
PD_MUST_USE pd_status pd_section_positive(const pd_section *section, const char *key, double fallback, double max,
                                          double *ret_value);
PD_MUST_USE pd_status pd_section_flag(const pd_section *section, const char *key, bool fallback, bool *ret_value);
PD_MUST_USE pd_status pd_section_text(const pd_section *section, const char *key, const char *fallback,
                                      pd_str *ret_value);
/* "hidden_act". */
PD_MUST_USE pd_status pd_section_activation(const pd_section *section, const char *fallback,
                                            pd_activation *ret_activation);

/* Settings that have one handled value. */
PD_MUST_USE pd_status pd_section_require_flag(const pd_section *section, const char *key, bool fallback, bool required);
PD_MUST_USE pd_status pd_section_require_type(const pd_section *section, const char *required); /* "model_type" */

/* A side in px, given as a number or as an object: { key: n }, or { "height": n, "width": n } when `square`. */
PD_MUST_USE pd_status pd_section_side(const pd_section *section, const char *name, const char *key, bool square,
                                      size_t fallback, size_t *ret_side);

/* mul and add of `config`, from do_rescale, do_normalize and theirs. half: mean and deviation are 0.5 where nothing is
 * said, else CLIP's. */
PD_MUST_USE pd_status pd_section_normalisation(const pd_section *section, bool half, pd_preprocess_config *config);

/* A file of a model's directory into `buf`, and its text as an object. */
PD_MUST_USE pd_status pd_section_read_file(const char *dir, const char *name, pd_buf *buf, pd_error *err);
PD_MUST_USE pd_status pd_section_parse(pd_json **ret_json, const char *file, pd_str bytes, pd_error *err);

#endif
