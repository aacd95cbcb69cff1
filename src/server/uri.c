#include "server/uri.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes in place what lies between two pointers into a NUL-terminated copy; the result is never longer. */
static pd_status decode_part(char *text, char *end, bool plus_is_space, pd_error *err)
{
    char *out = text;
    for (const char *in = text; in < end; in++) {
        char c = *in;
        if (c == '%') {
            const int high = end - in > 2 ? hex_digit(in[1]) : -1;
            const int low = end - in > 2 ? hex_digit(in[2]) : -1;
            if (high < 0 || low < 0)
                return pd_error_set(err, PD_ERR_USAGE, "a '%%' in the address is not followed by two hex digits");
            c = (char)(high << 4 | low);
            in += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0')
            return pd_error_set(err, PD_ERR_USAGE, "the address holds a NUL (%%00)");
        *out++ = c;
    }
    *out = '\0';
    return PD_OK;
}

static pd_status split_params(pd_uri *uri, char *query, pd_error *err)
{
    for (char *rest = query; rest;) {
        char *const part = rest;
        rest = strchr(part, '&');
        char *const end = rest ? rest : part + strlen(part);
        if (rest)
            *rest++ = '\0';
        if (end == part)
            continue;
        if (uri->n_params == PD_URI_PARAMS_MAX)
            return pd_error_set(err, PD_ERR_USAGE, "the address has more than %d parameters", PD_URI_PARAMS_MAX);
        char *equals = strchr(part, '=');
        char *const name_end = equals ? equals : end;
        char *const value = equals ? equals + 1 : end;
        if (equals)
            *equals = '\0';
        PD_TRY(decode_part(part, name_end, true, err));
        PD_TRY(decode_part(value, end, true, err));
        uri->params[uri->n_params++] = (pd_uri_param){ .name = part, .value = value };
    }
    return PD_OK;
}

pd_status pd_uri_parse(pd_uri *ret_uri, const char *target, size_t len, pd_error *err)
{
    if (len == 0 || target[0] != '/' || memchr(target, '\0', len))
        return pd_error_set(err, PD_ERR_USAGE, "the address of a request begins with '/'");
    pd_uri uri = { .text = pd_mem_dup_text(target, len) };
    if (!uri.text)
        return pd_error_set_nomem(err);
    uri.path = uri.text;
    char *query = strchr(uri.text, '?');
    char *const path_end = query ? query : uri.text + len;
    if (query)
        *query++ = '\0';
    pd_status status = decode_part(uri.text, path_end, false, err);
    if (status == PD_OK)
        status = split_params(&uri, query, err);
    if (status == PD_OK)
        *ret_uri = uri;
    else
        pd_uri_done(&uri);
    return status;
}

void pd_uri_done(pd_uri *uri)
{
    pd_mem_free(uri->text);
    *uri = (pd_uri){ 0 };
}

const char *pd_uri_text(const pd_uri *uri, const char *name)
{
    for (size_t i = 0; i < uri->n_params; i++)
        if (strcmp(uri->params[i].name, name) == 0)
            return uri->params[i].value;
    return NULL;
}

pd_status pd_uri_number(const pd_uri *uri, const char *name, const pd_uri_range *range, uint64_t *ret_value,
                        pd_error *err)
{
    const char *text = pd_uri_text(uri, name);
    uint64_t value = range->preset;
    if (text && !(pd_parse_u64(text, range->max, &value) && value >= range->min))
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is a whole number from %" PRIu64 " to %" PRIu64, name, range->min,
                            range->max);
    *ret_value = value;
    return PD_OK;
}
