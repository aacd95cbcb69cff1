#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "server/server.h"

typedef union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} address;

static void set_port(address *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET6)
        a->six.sin6_port = htons(port);
    else
        a->four.sin_port = htons(port);
}

static socklen_t length_of(const address *a) { return a->any.sa_family == AF_INET6 ? sizeof a->six : sizeof a->four; }

static bool parse_host(const char *host, bool bracketed, address *ret_address)
{
    address a = { 0 };
    if (bracketed) {
        a.any.sa_family = AF_INET6;
        if (inet_pton(AF_INET6, host, &a.six.sin6_addr) != 1 || !IN6_IS_ADDR_LOOPBACK(&a.six.sin6_addr))
            return false;
    } else {
        a.any.sa_family = AF_INET;
        if (inet_pton(AF_INET, strcasecmp(host, "localhost") == 0 ? "127.0.0.1" : host, &a.four.sin_addr) != 1 ||
            ntohl(a.four.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
            return false;
    }
    *ret_address = a;
    return true;
}

static pd_status parse_address(const char *text, address *ret_address, uint16_t *ret_port, pd_error *err)
{
    const bool bracketed = text[0] == '[';
    const char *colon = strrchr(text, ':');
    const char *end = bracketed ? strchr(text, ']') : colon;
    char host[PD_LISTEN_HOST_BYTES];
    uint64_t port;
    const bool shaped = colon && end && end + bracketed == colon && pd_parse_u64(colon + 1, UINT16_MAX, &port);
    const size_t len = shaped ? (size_t)(end - text) - bracketed : 0;
    if (!shaped || len >= sizeof host)
        return pd_error_set(err, PD_ERR_USAGE, "'%s' is no address to listen on: it looks like 127.0.0.1:7733", text);
    memcpy(host, text + bracketed, len);
    host[len] = '\0';
    if (!parse_host(host, bracketed, ret_address))
        return pd_error_set(err, PD_ERR_USAGE,
                            "'%s' is not an address of this computer alone (127.0.0.1, [::1], localhost); to reach the "
                            "page from another machine, use ssh -L",
                            host);
    *ret_port = (uint16_t)port;
    return PD_OK;
}

/* 0 or an errno. */
static int try_port(const address *a, int *ret_fd)
{
    const int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int yes = 1; /* a port whose last connections still linger is free; one that is listened on stays taken */
    if (fd < 0)
        return errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 || bind(fd, &a->any, length_of(a)) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
        const int sys_errno = errno;
        close(fd);
        return sys_errno;
    }
    *ret_fd = fd;
    return 0;
}

static pd_status describe(const address *asked, int fd, pd_listener *ret_listener, pd_error *err)
{
    address a = *asked;
    socklen_t len = sizeof a;
    char host[INET6_ADDRSTRLEN];
    const bool six = a.any.sa_family == AF_INET6;
    if (getsockname(fd, &a.any, &len) != 0)
        return pd_error_set_errno(err, errno, "cannot tell the port");
    (void)inet_ntop(a.any.sa_family, six ? (const void *)&a.six.sin6_addr : (const void *)&a.four.sin_addr, host,
                    sizeof host);
    ret_listener->fd = fd;
    ret_listener->port = ntohs(six ? a.six.sin6_port : a.four.sin_port);
    (void)snprintf(ret_listener->host, sizeof ret_listener->host, six ? "[%s]" : "%s", host);
    return PD_OK;
}

pd_status pd_listen(pd_listener *ret_listener, const char *text, pd_error *err)
{
    address a = { .four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };
    uint16_t port = PD_SERVER_PORT;
    int fd = -1;
    if (text)
        PD_TRY(parse_address(text, &a, &port, err));
    set_port(&a, port);
    int failed = try_port(&a, &fd);
    for (int i = 1; !text && failed == EADDRINUSE && i <= PD_SERVER_PORT_TRIES; i++) {
        set_port(&a, (uint16_t)(port + i));
        failed = try_port(&a, &fd);
    }
    if (failed == EADDRINUSE && text)
        return pd_error_set(err, PD_ERR_IO, "the port of %s is taken by another program", text);
    if (failed)
        return pd_error_set_errno(err, failed, "cannot listen on %s", text ? text : "127.0.0.1");
    const pd_status status = describe(&a, fd, ret_listener, err);
    if (status != PD_OK)
        close(fd);
    return status;
}
