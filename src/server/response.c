#include "server/response.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    HTTP_BAD_REQUEST = 400,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_METHOD_NOT_ALLOWED = 405,
    HTTP_CONFLICT = 409,
    HTTP_LENGTH_REQUIRED = 411,
    HTTP_CONTENT_TOO_LARGE = 413,
    HTTP_UNSUPPORTED_MEDIA_TYPE = 415,
    HTTP_RANGE_NOT_SATISFIABLE = 416,
    HTTP_MISDIRECTED_REQUEST = 421,
    HTTP_INTERNAL_SERVER_ERROR = 500,
    HTTP_BAD_GATEWAY = 502,
    HTTP_SERVICE_UNAVAILABLE = 503,
    HTTP_GATEWAY_TIMEOUT = 504,
    HTTP_INSUFFICIENT_STORAGE = 507,
    RETRY_AFTER_S = 2,
};

/* What a request's own status means; a handler that knows better says so with pd_reply_error_as. */
static const unsigned codes[PD_STATUS_COUNT] = {
    [PD_OK] = 200,
    [PD_ERR_NOMEM] = HTTP_INTERNAL_SERVER_ERROR,
    [PD_ERR_IO] = HTTP_INTERNAL_SERVER_ERROR,
    [PD_ERR_FORMAT] = HTTP_BAD_REQUEST,
    [PD_ERR_UNSUPPORTED] = HTTP_UNSUPPORTED_MEDIA_TYPE,
    [PD_ERR_LIMIT] = HTTP_CONTENT_TOO_LARGE,
    [PD_ERR_NOT_FOUND] = HTTP_NOT_FOUND,
    [PD_ERR_BUSY] = HTTP_CONFLICT,
    [PD_ERR_CANCELLED] = HTTP_SERVICE_UNAVAILABLE, /* by the server's end; who hung up reads nothing */
    [PD_ERR_CORRUPT] = HTTP_INTERNAL_SERVER_ERROR,
    [PD_ERR_FULL] = HTTP_INSUFFICIENT_STORAGE,
    [PD_ERR_USAGE] = HTTP_BAD_REQUEST,
    [PD_ERR_NO_MATCH] = HTTP_NOT_FOUND,
    [PD_ERR_PARTIAL] = HTTP_INTERNAL_SERVER_ERROR, /* no request ends so */
    [PD_ERR_CRASHED] = HTTP_BAD_GATEWAY,
    [PD_ERR_TIMEOUT] = HTTP_GATEWAY_TIMEOUT,
    [PD_ERR_NETWORK] = HTTP_BAD_GATEWAY,
    [PD_ERR_INTERNAL] = HTTP_INTERNAL_SERVER_ERROR,
};

static const struct {
    unsigned code;
    const char *name;
} refusals[PD_REFUSAL_COUNT] = {
    [PD_REFUSAL_UNAUTHORIZED] = { HTTP_UNAUTHORIZED, "unauthorized" },
    [PD_REFUSAL_FORBIDDEN] = { HTTP_FORBIDDEN, "forbidden" },
    [PD_REFUSAL_NOT_FOUND] = { HTTP_NOT_FOUND, "not_found" },
    [PD_REFUSAL_METHOD] = { HTTP_METHOD_NOT_ALLOWED, "method" },
    [PD_REFUSAL_NO_JOB] = { HTTP_CONFLICT, "no_job" },
    [PD_REFUSAL_LENGTH] = { HTTP_LENGTH_REQUIRED, "length" },
    [PD_REFUSAL_LIMIT] = { HTTP_CONTENT_TOO_LARGE, "limit" },
    [PD_REFUSAL_RANGE] = { HTTP_RANGE_NOT_SATISFIABLE, "range" },
    [PD_REFUSAL_MISDIRECTED] = { HTTP_MISDIRECTED_REQUEST, "misdirected" },
    [PD_REFUSAL_BUSY] = { HTTP_SERVICE_UNAVAILABLE, "busy" },
};

unsigned pd_http_code(pd_status status)
{
    return (unsigned)status < PD_STATUS_COUNT ? codes[status] : HTTP_INTERNAL_SERVER_ERROR;
}

/* What is said when there is no memory left to say anything. */
static void answer_nomem(pd_reply *reply)
{
    static const char text[] = "{\"error\":{\"status\":\"nomem\",\"message\":\"out of memory\"}}\n";
    reply->code = HTTP_INTERNAL_SERVER_ERROR;
    reply->mime = "application/json";
    reply->kind = PD_BODY_CONSTANT;
    reply->constant = text;
    reply->len = sizeof text - 1;
}

static void answer_error(pd_reply *reply, unsigned code, const char *name, const char *sentence)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *error = pd_json_object();
    failed |= pd_json_set_text(error, "status", name);
    failed |= pd_json_set_text(error, "message", sentence && *sentence ? sentence : name);
    failed |= pd_json_set_take(json, "error", error);
    if (failed)
        pd_json_free(&json);
    pd_reply_json_take(reply, code, json);
    if (code == HTTP_SERVICE_UNAVAILABLE)
        reply->retry_after_s = RETRY_AFTER_S;
}

void pd_reply_refuse(pd_reply *reply, pd_refusal refusal, const char *sentence)
{
    answer_error(reply, refusals[refusal].code, refusals[refusal].name, sentence);
}

void pd_reply_error_as(pd_reply *reply, unsigned code, const pd_error *error)
{
    answer_error(reply, code, pd_status_name(error->status), error->message);
}

void pd_reply_error(pd_reply *reply, const pd_error *error)
{
    pd_reply_error_as(reply, pd_http_code(error->status), error);
}

void pd_reply_text_take(pd_reply *reply, unsigned code, char *text, size_t len)
{
    pd_reply_done(reply);
    *reply = (pd_reply){ .code = code, .mime = "application/json", .kind = PD_BODY_OWNED, .owned = text, .len = len };
    if (!text)
        answer_nomem(reply);
}

void pd_reply_json_take(pd_reply *reply, unsigned code, pd_json *json)
{
    pd_buf buf;
    pd_buf_init(&buf, PD_JSON_BYTES_MAX);
    const bool written = json && pd_json_write(json, false, &buf) == PD_OK && pd_buf_append(&buf, "\n", 1) == PD_OK;
    pd_json_free(&json);
    const size_t len = buf.len;
    char *text = written ? pd_buf_take(&buf) : NULL;
    pd_buf_done(&buf);
    pd_reply_text_take(reply, code, text, len);
}

void pd_reply_done(pd_reply *reply)
{
    if (reply->kind == PD_BODY_OWNED)
        pd_mem_free(reply->owned);
    if (reply->kind == PD_BODY_FILE)
        close(reply->fd);
    if (reply->kind == PD_BODY_STREAM)
        reply->stream.free(reply->stream.user);
    *reply = (pd_reply){ 0 };
}
