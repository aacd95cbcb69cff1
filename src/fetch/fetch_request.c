#include "fetch/fetch_request.h"

#include <string.h>

#include "base/json.h"

enum { MS_MAX = 600000 };

static bool copy_text(const pd_json *object, const char *key, char *ret_text, size_t size)
{
    pd_str text;
    if (!pd_json_read_string(pd_json_get(object, key), &text) || text.len >= size || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
    return true;
}

static int read_ms(const pd_json *object, const char *key, int preset)
{
    int64_t value;
    return pd_json_read_int(pd_json_get(object, key), &value) && value > 0 && value <= MS_MAX ? (int)value : preset;
}

/* What goes into addresses and paths is checked on this side, too. */
static bool is_sound(const pd_fetch_request *request)
{
    const char *slash = strchr(request->repository, '/');
    return slash && pd_fetch_is_name(request->repository, (size_t)(slash - request->repository)) &&
           pd_fetch_is_name(slash + 1, strlen(slash + 1)) && request->revision[0] && request->key[0] &&
           request->key[0] != '.' && !strchr(request->key, '/') && request->models_dir[0] == '/' &&
           !strpbrk(request->token, "\r\n");
}

pd_status pd_fetch_request_parse(pd_fetch_request *ret_request, const char *line, size_t len, pd_error *err)
{
    pd_json *json = NULL;
    PD_TRY(pd_json_parse(&json, line, len, err));
    pd_fetch_request request = { 0 };
    int64_t version = 0;
    const bool right_version = pd_json_read_int(pd_json_get(json, "version"), &version) && version == PD_FETCH_VERSION;
    const bool complete = copy_text(json, "endpoint", request.endpoint, sizeof request.endpoint) &&
                          copy_text(json, "repository", request.repository, sizeof request.repository) &&
                          copy_text(json, "revision", request.revision, sizeof request.revision) &&
                          copy_text(json, "key", request.key, sizeof request.key) &&
                          copy_text(json, "models_dir", request.models_dir, sizeof request.models_dir);
    (void)copy_text(json, "token", request.token, sizeof request.token);
    request.stall_ms = read_ms(json, "stall_ms", PD_FETCH_STALL_MS);
    request.connect_ms = read_ms(json, "connect_ms", PD_FETCH_CONNECT_MS);
    request.retry_ms = read_ms(json, "retry_ms", PD_FETCH_RETRY_MS);
    pd_json_free(&json);
    if (!right_version)
        return pd_error_set(err, PD_ERR_FORMAT,
                            PD_FETCH_PROGRAM " is of another version of Pixel Detective: install both together");
    if (!complete || !is_sound(&request))
        return pd_error_set(err, PD_ERR_USAGE, "this is no request for " PD_FETCH_PROGRAM);
    *ret_request = request;
    return PD_OK;
}
