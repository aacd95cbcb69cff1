#include "fetch/http_head.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

void pd_response_init(pd_response *ret_response)
{
    *ret_response = (pd_response){ .length = -1, .range_begin = -1, .range_total = -1, .linked_size = -1 };
}

void pd_response_follow(pd_response *response)
{
    pd_response next;
    pd_response_init(&next);
    next.linked_size = response->linked_size;
    memcpy(next.linked_etag, response->linked_etag, sizeof next.linked_etag);
    *response = next;
}

static pd_str trim(pd_str text)
{
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    while (text.len && strchr(" \t", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* Too long, or with a NUL in it: as if it were not there. */
static void copy(char *ret_text, size_t size, pd_str value)
{
    if (value.len >= size || memchr(value.ptr, '\0', value.len))
        return;
    memcpy(ret_text, value.ptr, value.len);
    ret_text[value.len] = '\0';
}

static int64_t read_number(pd_str text)
{
    char digits[24] = "";
    uint64_t value;
    copy(digits, sizeof digits, text);
    return pd_parse_u64(digits, INT64_MAX, &value) ? (int64_t)value : -1;
}

/* "bytes 0-99/1234" */
static void read_range(pd_response *response, pd_str value)
{
    static const char unit[] = "bytes ";
    const size_t unit_len = sizeof unit - 1;
    if (value.len < unit_len || strncasecmp(value.ptr, unit, unit_len) != 0)
        return;
    const char *begin = value.ptr + unit_len, *end = value.ptr + value.len;
    const char *dash = memchr(begin, '-', (size_t)(end - begin)), *slash = memchr(begin, '/', (size_t)(end - begin));
    if (dash)
        response->range_begin = read_number((pd_str){ begin, (size_t)(dash - begin) });
    if (slash)
        response->range_total = read_number((pd_str){ slash + 1, (size_t)(end - slash - 1) });
}

/* HTTP/1.1 200 OK, HTTP/2 200 */
static void read_status(pd_response *response, pd_str line)
{
    const char *space = memchr(line.ptr, ' ', line.len);
    if (!space || line.len - (size_t)(space - line.ptr) < 4)
        return;
    const int64_t code = read_number((pd_str){ space + 1, 3 });
    response->code = code >= 100 && code <= 599 ? (int)code : 0;
}

static void read_etag(pd_response *response, pd_str value)
{
    if (value.len > 2 && value.ptr[0] == '"') /* a weak one does not tell that the bytes are the same */
        copy(response->etag, sizeof response->etag, value);
}

static void read_linked_etag(pd_response *response, pd_str value)
{
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
        value = (pd_str){ value.ptr + 1, value.len - 2 };
    copy(response->linked_etag, sizeof response->linked_etag, value);
}

void pd_response_take(pd_response *response, const char *line, size_t len)
{
    const pd_str whole = trim((pd_str){ line, len });
    if (whole.len >= 5 && strncasecmp(whole.ptr, "HTTP/", 5) == 0) {
        pd_response_follow(response); /* after "100 Continue", or a proxy's own answer, the real one begins */
        read_status(response, whole);
        return;
    }
    const char *colon = whole.len ? memchr(whole.ptr, ':', whole.len) : NULL;
    if (!colon)
        return;
    const pd_str name = { whole.ptr, (size_t)(colon - whole.ptr) };
    const pd_str value = trim((pd_str){ colon + 1, whole.len - name.len - 1 });
#define IS(text) (name.len == sizeof(text) - 1 && strncasecmp(name.ptr, text, name.len) == 0)
    if (IS("content-length"))
        response->length = read_number(value);
    else if (IS("content-range"))
        read_range(response, value);
    else if (IS("etag"))
        read_etag(response, value);
    else if (IS("location"))
        copy(response->location, sizeof response->location, value);
    else if (IS("x-error-code"))
        copy(response->error_code, sizeof response->error_code, value);
    else if (IS("x-linked-size"))
        response->linked_size = read_number(value);
    else if (IS("x-linked-etag"))
        read_linked_etag(response, value);
#undef IS
}
