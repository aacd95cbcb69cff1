#include "server/guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

enum { HTTP_PORT = 80, ADDRESS_BYTES = 64 };

/* "127.4.5.6" or "::1", without brackets. */
static bool is_loopback_address(const char *text)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, text, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    return inet_pton(AF_INET6, text, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

static bool read_port(const char *text, uint16_t *ret_port)
{
    uint64_t port;
    if (!pd_parse_u64(text, UINT16_MAX, &port))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

bool pd_host_is_loopback(const char *host, uint16_t *ret_port)
{
    const bool bracketed = host[0] == '[';
    const char *name = host + bracketed;
    const size_t len = strcspn(name, bracketed ? "]" : ":");
    char address[ADDRESS_BYTES];
    if (len == 0 || len >= sizeof address || (bracketed && name[len] != ']'))
        return false;
    memcpy(address, name, len);
    address[len] = '\0';
    const char *rest = name + len + bracketed;
    uint16_t port = HTTP_PORT;
    if (*rest && !(*rest == ':' && read_port(rest + 1, &port)))
        return false;
    if (bracketed != (strchr(address, ':') != NULL))
        return false;
    if (strcasecmp(address, "localhost") != 0 && !is_loopback_address(address))
        return false;
    *ret_port = port;
    return true;
}

bool pd_guard_host(const pd_request *request, pd_reply *reply)
{
    uint16_t port;
    const char *host = request->headers[PD_HEADER_HOST];
    if (request->n_hosts == 1 && host && pd_host_is_loopback(host, &port))
        return true;
    pd_reply_refuse(reply, PD_REFUSAL_MISDIRECTED,
                    "this address belongs to this computer alone: ask for 127.0.0.1 or localhost");
    return false;
}

/* "http://" and what Host says. */
static bool is_own_origin(const char *origin, const char *host)
{
    static const char scheme[] = "http://";
    return strncasecmp(origin, scheme, sizeof scheme - 1) == 0 && host &&
           strcasecmp(origin + sizeof scheme - 1, host) == 0;
}

bool pd_guard_site(const pd_request *request, bool writes, pd_reply *reply)
{
    const char *site = request->headers[PD_HEADER_SEC_FETCH_SITE];
    if (site && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "none") != 0) {
        pd_reply_refuse(reply, PD_REFUSAL_FORBIDDEN, "another site made your browser ask this; that is refused");
        return false;
    }
    const char *origin = request->headers[PD_HEADER_ORIGIN];
    if (writes && origin && !is_own_origin(origin, request->headers[PD_HEADER_HOST])) {
        pd_reply_refuse(reply, PD_REFUSAL_FORBIDDEN,
                        "another page (its Origin is not this one) may change nothing here");
        return false;
    }
    return true;
}

bool pd_token_equal(const char *given, const char *token)
{
    if (strlen(given) != PD_TOKEN_DIGITS || strlen(token) != PD_TOKEN_DIGITS)
        return false;
    unsigned different = 0;
    for (size_t i = 0; i < PD_TOKEN_DIGITS; i++)
        different |= (unsigned char)given[i] ^ (unsigned char)token[i];
    return different == 0;
}

void pd_cookie_name(const pd_request *request, char ret_name[PD_COOKIE_NAME_BYTES])
{
    uint16_t port = HTTP_PORT;
    const char *host = request->headers[PD_HEADER_HOST];
    if (host)
        (void)pd_host_is_loopback(host, &port);
    (void)snprintf(ret_name, PD_COOKIE_NAME_BYTES, "pd_token_%u", port);
}

/* Any of the cookies of this name: a browser may send an older one of another path as well. */
static bool has_cookie(const char *cookies, const char *name, const char *token)
{
    const size_t name_len = strlen(name);
    while (*cookies) {
        cookies += strspn(cookies, "; \t");
        const size_t len = strcspn(cookies, ";");
        char value[PD_TOKEN_DIGITS + 1];
        if (len == name_len + 1 + PD_TOKEN_DIGITS && memcmp(cookies, name, name_len) == 0 && cookies[name_len] == '=') {
            memcpy(value, cookies + name_len + 1, PD_TOKEN_DIGITS);
            value[PD_TOKEN_DIGITS] = '\0';
            if (pd_token_equal(value, token))
                return true;
        }
        cookies += len;
    }
    return false;
}

bool pd_guard_token(const pd_request *request, const char *token, pd_reply *reply)
{
    static const char scheme[] = "Bearer ";
    const char *authorization = request->headers[PD_HEADER_AUTHORIZATION];
    if (authorization && strncasecmp(authorization, scheme, sizeof scheme - 1) == 0 &&
        pd_token_equal(authorization + sizeof scheme - 1, token))
        return true;
    char name[PD_COOKIE_NAME_BYTES];
    pd_cookie_name(request, name);
    const char *cookies = request->headers[PD_HEADER_COOKIE];
    if (cookies && has_cookie(cookies, name, token))
        return true;
    pd_reply_refuse(reply, PD_REFUSAL_UNAUTHORIZED,
                    "this needs the token of the address that 'pixel-detective serve' printed when it started");
    return false;
}
