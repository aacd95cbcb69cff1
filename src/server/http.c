#include "server/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "server/connections.h"
#include "server/guard.h"
#include "server/routes.h"
#include "server/server.h"

enum {
    SOCKETS_SPARE = 512,   /* above PD_HTTP_SOCKETS_MAX: those that were told to go and have not gone yet */
    STACK_BYTES = 1 << 20, /* of a connection's thread; address space, not memory */
    LAST_WORDS_MS = 500,   /* who reads has got the end of its stream by then; who does not holds nobody up */
    STREAM_BLOCK_BYTES = 1 << 14,
    NUMBER_BYTES = 24,
};

struct pd_http {
    struct MHD_Daemon *daemon;
    pd_app *app;
    pd_connections connections;
};

/* A request from its first line to its end. One thread. */
typedef struct work {
    pd_request request;
    pd_error uri_error; /* status PD_OK: the address could be read */
    pd_status uri_status;
    const pd_route *route; /* NULL until the head was judged and found good */
    pd_connection *connection;
    bool counted, streams, uploads; /* shares that are taken */
    bool judged;
    bool takes_file; /* the body goes into body_fd, else into `text` */
    size_t body_max, body_seen;
    pd_buf text;
    int body_errno;
} work;

static const char *const header_names[PD_HEADER_COUNT] = {
    [PD_HEADER_HOST] = "Host",
    [PD_HEADER_ORIGIN] = "Origin",
    [PD_HEADER_SEC_FETCH_SITE] = "Sec-Fetch-Site",
    [PD_HEADER_AUTHORIZATION] = "Authorization",
    [PD_HEADER_COOKIE] = "Cookie",
    [PD_HEADER_CONTENT_TYPE] = "Content-Type",
    [PD_HEADER_CONTENT_LENGTH] = "Content-Length",
    [PD_HEADER_TRANSFER_ENCODING] = "Transfer-Encoding",
    [PD_HEADER_IF_NONE_MATCH] = "If-None-Match",
    [PD_HEADER_RANGE] = "Range",
    [PD_HEADER_IF_RANGE] = "If-Range",
    [PD_HEADER_ACCEPT_ENCODING] = "Accept-Encoding",
    [PD_HEADER_LAST_EVENT_ID] = "Last-Event-ID",
};

/* The first line has been read. What is returned comes back as *context. */
static void *begin_work(void *user, const char *target, struct MHD_Connection *connection)
{
    (void)user;
    (void)connection;
    work *w = pd_mem_alloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->request.body_fd = w->request.socket = -1;
    pd_buf_init(&w->text, PD_SERVER_BODY_BYTES_MAX);
    w->uri_status = pd_uri_parse(&w->request.uri, target, strlen(target), &w->uri_error);
    return w;
}

static void end_work(void *user, struct MHD_Connection *connection, void **context, enum MHD_RequestTerminationCode why)
{
    pd_http *http = user;
    work *w = *context;
    (void)connection;
    (void)why;
    if (!w)
        return;
    if (w->uploads)
        pd_connections_give(&http->connections, w->connection, PD_SHARE_UPLOAD);
    if (w->streams)
        pd_connections_give(&http->connections, w->connection, PD_SHARE_STREAM);
    if (w->counted)
        pd_connections_give(&http->connections, w->connection, PD_SHARE_REQUEST);
    if (w->request.body_fd >= 0)
        close(w->request.body_fd);
    pd_uri_done(&w->request.uri);
    pd_buf_done(&w->text);
    pd_mem_free(w);
    *context = NULL;
}

static void follow_socket(void *user, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    pd_http *http = user;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *context = info ? pd_connections_add(&http->connections, info->connect_fd) : NULL;
    } else if (*context) {
        pd_connections_remove(&http->connections, *context);
        *context = NULL;
    }
}

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
    pd_request *request = user;
    (void)kind;
    for (pd_header header = 0; header < PD_HEADER_COUNT; header++)
        if (strcasecmp(name, header_names[header]) == 0 && !request->headers[header])
            request->headers[header] = value ? value : "";
    request->n_hosts += strcasecmp(name, header_names[PD_HEADER_HOST]) == 0;
    return MHD_YES;
}

static bool says_json(const pd_request *request)
{
    static const char json[] = "application/json";
    const char *type = request->headers[PD_HEADER_CONTENT_TYPE];
    return type && strncasecmp(type, json, sizeof json - 1) == 0 && strchr("; \t", type[sizeof json - 1]);
}

typedef struct body_limit {
    size_t bytes_max;
    const char *sentence;
} body_limit;

static const body_limit *limit_of(const work *w)
{
    static const body_limit picture = { PD_SERVER_UPLOAD_BYTES_MAX, "the picture is larger than 64 MiB" };
    static const body_limit text = { PD_SERVER_BODY_BYTES_MAX, "the body is larger than 64 KiB" };
    static const body_limit photos = { PD_SERVER_PHOTOS_BYTES_MAX, "the body is larger than 16 MiB" };
    static const body_limit exported = { PD_SERVER_WORK_BYTES_MAX, "the work is larger than 64 MiB" };
    if (w->takes_file)
        return &picture;
    return w->route->body == PD_TAKES_PHOTOS ? &photos : w->route->body == PD_TAKES_WORK ? &exported : &text;
}

/* Makes room for the body that is announced, or refuses it before it comes. */
static bool judge_body(pd_http *http, work *w, pd_reply *reply)
{
    const char *length = w->request.headers[PD_HEADER_CONTENT_LENGTH];
    uint64_t bytes = 0;
    w->takes_file = w->route->body == PD_TAKES_PICTURE && !says_json(&w->request);
    const body_limit *limit = limit_of(w);
    w->body_max = limit->bytes_max;
    w->text.len_max = limit->bytes_max;
    if (w->request.headers[PD_HEADER_TRANSFER_ENCODING] || (w->takes_file && !length)) {
        pd_reply_refuse(reply, PD_REFUSAL_LENGTH, "a body must say its length (Content-Length)");
        return false;
    }
    if (length && (!pd_parse_u64(length, UINT64_MAX, &bytes) || bytes > w->body_max)) {
        pd_reply_refuse(reply, PD_REFUSAL_LIMIT, limit->sentence);
        return false;
    }
    if (!w->takes_file)
        return true;
    w->uploads = pd_connections_take(&http->connections, w->connection, PD_SHARE_UPLOAD);
    if (!w->uploads) {
        pd_reply_refuse(reply, PD_REFUSAL_BUSY, "several pictures are being uploaded already; try again in a moment");
        return false;
    }
    w->request.body_fd = memfd_create("upload", MFD_CLOEXEC);
    if (w->request.body_fd < 0) {
        pd_error err;
        (void)pd_error_set_errno(&err, errno, "there is no room for the picture");
        pd_reply_error(reply, &err);
        return false;
    }
    return true;
}

/* Everything that can be said before the body is read. False: the reply says no. */
static bool judge(pd_http *http, work *w, pd_reply *reply)
{
    pd_request *request = &w->request;
    w->counted = pd_connections_take(&http->connections, w->connection, PD_SHARE_REQUEST);
    if (!w->counted) {
        pd_reply_refuse(reply, PD_REFUSAL_BUSY, "too many requests at once; try again in a moment");
        return false;
    }
    if (!pd_guard_host(request, reply))
        return false;
    if (w->uri_status != PD_OK) {
        pd_reply_error(reply, &w->uri_error);
        return false;
    }
    const bool api = pd_path_is_api(request->uri.path);
    const bool writes = strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;
    if (api &&
        !(pd_guard_site(request, writes, reply) && pd_guard_token(request, pd_app_options_of(http->app)->token, reply)))
        return false;
    w->route = pd_route_find(request->method, request->uri.path, &request->id, reply);
    if (!w->route)
        return false;
    if (w->route->streams && strcmp(request->method, "HEAD") != 0) {
        w->streams = pd_connections_take(&http->connections, w->connection, PD_SHARE_STREAM);
        if (!w->streams) {
            pd_reply_refuse(reply, PD_REFUSAL_BUSY, "too many pages are open at once; close some of them");
            return false;
        }
    }
    return !writes || judge_body(http, w, reply);
}

/* The sum cannot be more than was announced, and that was judged; it is looked at all the same. */
static void take_body(work *w, const char *data, size_t len)
{
    if (!w->route || w->body_errno || len > w->body_max - w->body_seen) {
        w->body_errno = w->body_errno ? w->body_errno : EFBIG;
        return;
    }
    w->body_seen += len;
    if (w->takes_file) {
        if (pd_fd_write_all(w->request.body_fd, data, len) != PD_OK)
            w->body_errno = errno;
    } else if (pd_buf_append(&w->text, data, len) != PD_OK) {
        w->body_errno = ENOMEM;
    }
}

static void answer(pd_http *http, work *w, pd_reply *reply)
{
    if (w->body_errno) {
        pd_error err;
        (void)pd_error_set_errno(&err, w->body_errno, "there is no room for what was sent");
        pd_reply_error(reply, &err);
        return;
    }
    if (w->takes_file && lseek(w->request.body_fd, 0, SEEK_SET) != 0) {
        pd_reply_json_take(reply, 0, NULL);
        return;
    }
    w->request.body = w->text.data;
    w->request.body_len = w->text.len;
    w->route->answer(http->app, &w->request, reply);
}

static ssize_t read_stream(void *user, uint64_t position, char *buf, size_t max)
{
    const pd_stream *stream = user;
    (void)position;
    const size_t n = stream->read(stream->user, buf, max);
    if (n == PD_STREAM_BROKEN)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void free_stream(void *user)
{
    pd_stream *stream = user;
    stream->free(stream->user);
    pd_mem_free(stream);
}

static struct MHD_Response *make_stream(pd_reply *reply)
{
    pd_stream *stream = pd_mem_alloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    *stream = reply->stream;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, stream, free_stream);
    if (!response)
        pd_mem_free(stream);
    return response;
}

/* The body goes over to the response; on failure it is still the reply's. */
static struct MHD_Response *make_response(pd_reply *reply)
{
    struct MHD_Response *response = NULL;
    switch (reply->kind) {
    case PD_BODY_NONE:
        response = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
        break;
    case PD_BODY_OWNED:
        response = MHD_create_response_from_buffer_with_free_callback(reply->len, reply->owned, pd_mem_free);
        break;
    case PD_BODY_CONSTANT: /* it is only read, whatever the type says */
        response =
            MHD_create_response_from_buffer(reply->len, (void *)(uintptr_t)reply->constant, MHD_RESPMEM_PERSISTENT);
        break;
    case PD_BODY_FILE:
        response = MHD_create_response_from_fd_at_offset64(reply->len, reply->fd, (uint64_t)reply->offset);
        break;
    case PD_BODY_STREAM: response = make_stream(reply); break;
    }
    if (response)
        reply->kind = PD_BODY_NONE;
    return response;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && *value)
        (void)MHD_add_response_header(response, name, value); /* fails only without memory */
}

/* What every answer says, whatever it is. */
static void add_policies(struct MHD_Response *response, const pd_reply *reply)
{
    static const char page_policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'; sandbox";
    static const char picture_policy[] = "default-src 'none'; sandbox";
    add(response, "Content-Security-Policy",
        reply->is_page      ? page_policy
        : reply->is_picture ? picture_policy
                            : data_policy);
    add(response, "X-Content-Type-Options", "nosniff");
    add(response, "Referrer-Policy", "no-referrer");
    add(response, "X-Frame-Options", "DENY");
    add(response, "Cross-Origin-Opener-Policy", "same-origin");
    add(response, "Cross-Origin-Resource-Policy", "same-origin");
    add(response, "Cache-Control",
        reply->is_picture                     ? "private, no-cache"
        : reply->is_page && !reply->cookie[0] ? "no-cache"
                                              : "no-store");
}

static void add_headers(struct MHD_Response *response, const pd_reply *reply)
{
    char number[NUMBER_BYTES];
    add_policies(response, reply);
    add(response, "Content-Type", reply->mime);
    add(response, "ETag", reply->etag);
    add(response, "Location", reply->location);
    add(response, "Allow", reply->allow);
    add(response, "Set-Cookie", reply->cookie);
    add(response, "Content-Range", reply->content_range);
    add(response, "Content-Disposition", reply->disposition);
    add(response, "Content-Encoding", reply->gzip ? "gzip" : NULL);
    add(response, "Vary", reply->varies ? "Accept-Encoding" : NULL);
    add(response, "Accept-Ranges", reply->ranges ? "bytes" : NULL);
    add(response, "WWW-Authenticate", reply->code == MHD_HTTP_UNAUTHORIZED ? "Bearer" : NULL);
    if (reply->retry_after_s) {
        (void)snprintf(number, sizeof number, "%u", reply->retry_after_s);
        add(response, "Retry-After", number);
    }
}

/* Puts the reply on the wire. MHD_NO: the connection is closed without an answer; there is no memory for one. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, pd_reply *reply)
{
    struct MHD_Response *response = make_response(reply);
    enum MHD_Result result = MHD_NO;
    if (response) {
        add_headers(response, reply);
        result = MHD_queue_response(connection, reply->code, response);
        MHD_destroy_response(response);
    }
    pd_reply_done(reply);
    return result;
}

static enum MHD_Result go_on(pd_http *http, struct MHD_Connection *connection, work *w, const char *data,
                             size_t *data_len)
{
    pd_reply reply = { 0 };
    if (!w->judged) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        w->judged = true;
        w->connection = info ? info->socket_context : NULL;
        w->request.socket = w->connection ? w->connection->fd : -1;
        (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, &w->request);
        return judge(http, w, &reply) ? MHD_YES : send_reply(connection, &reply);
    }
    if (*data_len) {
        take_body(w, data, *data_len);
        *data_len = 0;
        return MHD_YES;
    }
    answer(http, w, &reply);
    return send_reply(connection, &reply);
}

/* Called for the head, for every piece of the body, and once more at the end. */
static enum MHD_Result handle(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *data_len, void **context)
{
    work *w = *context;
    (void)url; /* decoded by another's rules: a NUL would end it */
    (void)version;
    if (!w)
        return MHD_NO; /* there was no memory when it began */
    w->request.method = method;
    return go_on(user, connection, w, data, data_len);
}

pd_status pd_http_start(pd_http **ret_http, int listen_fd, pd_app *app, pd_error *err)
{
    pd_http *http = pd_mem_alloc(1, sizeof *http);
    if (!http) {
        close(listen_fd);
        return pd_error_set_nomem(err);
    }
    http->app = app;
    pd_connections_init(&http->connections, PD_HTTP_SOCKETS_MAX);
    const unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    http->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, handle, http, MHD_OPTION_LISTEN_SOCKET, listen_fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)(PD_HTTP_SOCKETS_MAX + SOCKETS_SPARE),
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PD_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)PD_HTTP_HEAD_BYTES_MAX, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
                         MHD_OPTION_URI_LOG_CALLBACK, begin_work, http, MHD_OPTION_NOTIFY_COMPLETED, end_work, http,
                         MHD_OPTION_NOTIFY_CONNECTION, follow_socket, http, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
                         MHD_OPTION_END);
    if (!http->daemon) {
        close(listen_fd);
        pd_connections_done(&http->connections);
        pd_mem_free(http);
        return pd_error_set(err, PD_ERR_IO, "the HTTP server could not be started");
    }
    *ret_http = http;
    return PD_OK;
}

void pd_http_stop(pd_http **http)
{
    pd_http *h = *http;
    if (!h)
        return;
    pd_connections_wait_streams(&h->connections, LAST_WORDS_MS);
    MHD_stop_daemon(h->daemon);
    pd_connections_done(&h->connections);
    pd_mem_free(h);
    *http = NULL;
}
