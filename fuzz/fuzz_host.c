/* The headers that decide who may ask. Input: Host, Origin and Cookie, a line each. Nobody comes in without the token.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char token[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    char text[1024];
    if (size >= sizeof text || memchr(data, '\0', size))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *origin = strchr(text, '\n'), *cookie = origin ? strchr(origin + 1, '\n') : NULL;
    if (!cookie)
        return 0;
    *origin++ = *cookie++ = '\0';
    pd_request request = { .method = "POST", .n_hosts = 1 };
    request.headers[PD_HEADER_HOST] = text;
    request.headers[PD_HEADER_ORIGIN] = origin;
    request.headers[PD_HEADER_COOKIE] = cookie;
    pd_reply reply = { 0 };
    const bool site = pd_guard_host(&request, &reply) && pd_guard_site(&request, true, &reply);
    if (site && strncmp(origin, "http://", 7) != 0 && strncmp(origin, "HTTP://", 7) != 0 && !strchr("hH", origin[0]))
        abort();
    if (pd_guard_token(&request, token, &reply) && !strstr(cookie, token))
        abort();
    pd_reply_done(&reply);
    return 0;
}
