#include "server/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/app.h"
#include "server/guard.h"
#include "server/http.h"
#include "server/listen.h"
#include "server/server_lock.h"

enum { URL_BYTES = PD_LISTEN_HOST_BYTES + PD_TOKEN_DIGITS + 32 };

struct pd_server {
    char token[PD_TOKEN_DIGITS + 1];
    char url[URL_BYTES];
    char *home, *browse_root, *version;
    const char *dir; /* the library's */
    int lock_fd;
    pd_app *app;
    pd_http *http;
};

static pd_status make_token(char ret_token[PD_TOKEN_DIGITS + 1], pd_error *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[PD_TOKEN_DIGITS / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return pd_error_set_errno(err, errno, "the system gives no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++) {
        ret_token[2 * i] = digits[bytes[i] >> 4];
        ret_token[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_token[PD_TOKEN_DIGITS] = '\0';
    return PD_OK;
}

static pd_status copy_options(pd_server *server, const pd_server_options *options, pd_error *err)
{
    char real[PATH_MAX];
    if (options->browse_root && !realpath(options->browse_root, real))
        return pd_error_set_errno(err, errno, "cannot use '%s' as the folder to browse", options->browse_root);
    server->version = pd_mem_dup_string(options->version);
    server->home = options->home ? pd_mem_dup_string(options->home) : NULL;
    server->browse_root = options->browse_root ? pd_mem_dup_string(real) : NULL;
    if (!server->version || (options->home && !server->home) || (options->browse_root && !server->browse_root))
        return pd_error_set_nomem(err);
    return PD_OK;
}

/* From the lock on: what is half done is undone by pd_server_stop. */
static pd_status begin(pd_server *server, const pd_server_options *options, pd_error *err)
{
    pd_listener listener;
    PD_TRY(make_token(server->token, err));
    PD_TRY(pd_server_lock_take(&server->lock_fd, server->dir, err));
    PD_TRY(pd_listen(&listener, options->listen, err));
    (void)snprintf(server->url, sizeof server->url, "http://%s:%u/?token=%s", listener.host, listener.port,
                   server->token);
    const pd_app_options app_options = { .library = options->library,
                                         .version = server->version,
                                         .home = server->home,
                                         .browse_root = server->browse_root,
                                         .token = server->token };
    const pd_status status = pd_app_create(&server->app, &app_options, err);
    if (status != PD_OK) {
        close(listener.fd);
        return status;
    }
    PD_TRY(pd_http_start(&server->http, listener.fd, server->app, err));
    return pd_server_lock_tell(server->dir, server->url, err);
}

pd_status pd_server_start(pd_server **ret_server, const pd_server_options *options, pd_error *err)
{
    pd_server *server = pd_mem_alloc(1, sizeof *server);
    if (!server)
        return pd_error_set_nomem(err);
    server->lock_fd = -1;
    server->dir = pd_library_dir(options->library);
    pd_status status = copy_options(server, options, err);
    if (status == PD_OK)
        status = begin(server, options, err);
    if (status == PD_OK)
        *ret_server = server;
    else
        pd_server_stop(&server);
    return status;
}

const char *pd_server_url(const pd_server *server) { return server->url; }

pd_status pd_server_learn(pd_server *server, const char *const *folders, size_t n, pd_error *err)
{
    return pd_app_learn(server->app, folders, n, err);
}

void pd_server_stop(pd_server **server)
{
    pd_server *s = *server;
    if (!s)
        return;
    if (s->app)
        pd_app_stop(s->app);
    pd_http_stop(&s->http);
    pd_app_free(&s->app);
    pd_server_lock_release(&s->lock_fd, s->dir);
    pd_mem_free(s->home);
    pd_mem_free(s->browse_root);
    pd_mem_free(s->version);
    pd_mem_free(s);
    *server = NULL;
}
