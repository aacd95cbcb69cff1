#include "server/body.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

pd_status pd_body_object(const pd_request *request, pd_json **ret_json, pd_error *err)
{
    pd_json *json = NULL;
    PD_TRY(pd_json_parse(&json, request->body ? request->body : "", request->body_len, err));
    if (!pd_json_is_object(json)) {
        pd_json_free(&json);
        return pd_error_set(err, PD_ERR_USAGE, "the body is a JSON object");
    }
    *ret_json = json;
    return PD_OK;
}

pd_status pd_body_text(const pd_json *json, const char *name, const char **ret_text, pd_error *err)
{
    pd_str text = { 0 };
    const pd_json *member = pd_json_get(json, name);
    if (member && (!pd_json_read_string(member, &text) || memchr(text.ptr, '\0', text.len)))
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is a text", name);
    *ret_text = text.ptr;
    return PD_OK;
}

pd_status pd_body_bool(const pd_json *json, const char *name, bool *ret_value, pd_error *err)
{
    const pd_json *member = pd_json_get(json, name);
    if (member && !pd_json_read_bool(member, ret_value))
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is true or false", name);
    return PD_OK;
}

pd_status pd_body_number(const pd_json *json, const char *name, pd_body_range range, int64_t *ret_value, pd_error *err)
{
    const pd_json *member = pd_json_get(json, name);
    int64_t value;
    if (!member)
        return PD_OK;
    if (!pd_json_read_int(member, &value) || value < range.min || value > range.max)
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is a whole number from %" PRId64 " to %" PRId64, name, range.min,
                            range.max);
    *ret_value = value;
    return PD_OK;
}

pd_status pd_body_ids(const pd_json *list, const char *name, size_t n_max, int64_t **ret_ids, size_t *ret_n,
                      pd_error *err)
{
    const size_t n = pd_json_count(list);
    if (!pd_json_is_array(list) || n == 0)
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is a list of one or more ids of photos", name);
    if (n > n_max)
        return pd_error_set(err, PD_ERR_LIMIT, "'%s' names %zu photos; at most %zu can be named at once", name, n,
                            n_max);
    int64_t *ids = pd_mem_alloc(n, sizeof *ids);
    if (!ids)
        return pd_error_set_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!pd_json_read_int(pd_json_at(list, i), &ids[i]) || ids[i] < 0) {
            pd_mem_free(ids);
            return pd_error_set(err, PD_ERR_USAGE, "'%s' holds something that is no id of a photo", name);
        }
    *ret_ids = ids;
    *ret_n = n;
    return PD_OK;
}

pd_status pd_body_photos(pd_app *app, const pd_json *json, int64_t **ret_ids, size_t *ret_n, pd_error *err)
{
    static const pd_body_range any = { 0, INT64_MAX };
    const pd_json *photos = pd_json_get(json, "photos");
    int64_t result = 0, first = 0, n = PD_WORK_PHOTOS_MAX;
    if (photos)
        return pd_body_ids(photos, "photos", PD_WORK_PHOTOS_MAX, ret_ids, ret_n, err);
    PD_TRY(pd_body_number(json, "result", any, &result, err));
    PD_TRY(pd_body_number(json, "first", any, &first, err));
    PD_TRY(pd_body_number(json, "n", (pd_body_range){ 1, PD_WORK_PHOTOS_MAX }, &n, err));
    if (result == 0)
        return pd_error_set(err, PD_ERR_USAGE,
                            "say which photos: 'photos' is a list of ids, 'result' the number of one");
    const pd_result_range range = { (size_t)first, (size_t)n };
    return pd_library_result_photos(pd_app_options_of(app)->library, (uint64_t)result, &range, ret_ids, ret_n, err);
}
