/* pictures.c: one photo: what is known about it, and its pictures as bytes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/handlers.h"
#include "server/range.h"
#include "server/server.h"

enum {
    HTTP_OK = 200,
    HTTP_PARTIAL_CONTENT = 206,
    HTTP_NOT_MODIFIED = 304,
    HTTP_UNSUPPORTED_MEDIA_TYPE = 415,
    TAG_BYTES = 96,
    VIEW_PX = 2048,
};

void pd_handle_photo(pd_app *app, const pd_request *request, pd_reply *reply)
{
    pd_json *json = NULL;
    pd_error err = { 0 };
    if (pd_app_photo(app, request->id, &json, &err) == PD_OK)
        pd_reply_json_take(reply, HTTP_OK, json);
    else
        pd_reply_error(reply, &err);
}

/* The one tag of If-None-Match without its quotes; "" when there is none or several. */
static void read_only_tag(const char *header, char ret_tag[TAG_BYTES])
{
    ret_tag[0] = '\0';
    if (!header)
        return;
    if (strncmp(header, "W/", 2) == 0)
        header += 2;
    const size_t len = header[0] == '"' ? strcspn(header + 1, "\"") : 0;
    if (len == 0 || len >= TAG_BYTES || strcmp(header + 1 + len, "\"") != 0)
        return;
    memcpy(ret_tag, header + 1, len);
    ret_tag[len] = '\0';
}

static void answer_part(pd_reply *reply, const pd_request *request, const pd_rendition *rendition)
{
    const char *condition = request->headers[PD_HEADER_IF_RANGE];
    const char *header = request->headers[PD_HEADER_RANGE];
    int64_t first = 0, last = rendition->bytes - 1;
    if (condition && strcmp(condition, reply->etag) != 0)
        header = NULL; /* of another picture: the whole of this one */
    const pd_range_kind kind = pd_range_parse(header, rendition->bytes, &first, &last);
    if (kind == PD_RANGE_OUTSIDE) {
        pd_reply_refuse(reply, PD_REFUSAL_RANGE, "the picture ends before the range that was asked for");
        (void)snprintf(reply->content_range, sizeof reply->content_range, "bytes */%lld", (long long)rendition->bytes);
        return;
    }
    if (kind == PD_RANGE_PART) {
        reply->code = HTTP_PARTIAL_CONTENT;
        (void)snprintf(reply->content_range, sizeof reply->content_range, "bytes %lld-%lld/%lld", (long long)first,
                       (long long)last, (long long)rendition->bytes);
    }
    reply->offset = first;
    reply->len = (size_t)(last - first + 1);
}

static void answer_picture(pd_app *app, const pd_request *request, uint32_t side, pd_reply *reply)
{
    char known[TAG_BYTES];
    pd_error err = { 0 };
    pd_rendition rendition = { .fd = -1 };
    read_only_tag(request->headers[PD_HEADER_IF_NONE_MATCH], known);
    const pd_status status = pd_library_rendition(pd_app_options_of(app)->library, (int64_t)request->id, side,
                                                  known[0] ? known : NULL, &rendition, &err);
    if (status == PD_ERR_FORMAT) { /* of the original */
        pd_reply_error_as(reply, HTTP_UNSUPPORTED_MEDIA_TYPE, &err);
        return;
    }
    if (status != PD_OK) {
        pd_reply_error(reply, &err);
        return;
    }
    *reply = (pd_reply){ .code = HTTP_OK, .mime = rendition.mime, .is_picture = true, .ranges = true };
    (void)snprintf(reply->etag, sizeof reply->etag, "\"%s\"", rendition.fd < 0 ? known : rendition.tag);
    const char *header = request->headers[PD_HEADER_IF_NONE_MATCH];
    if (rendition.fd < 0 || (header && (strstr(header, reply->etag) || strcmp(header, "*") == 0))) {
        if (rendition.fd >= 0)
            close(rendition.fd);
        reply->code = HTTP_NOT_MODIFIED;
        return;
    }
    reply->kind = PD_BODY_FILE;
    reply->fd = rendition.fd;
    answer_part(reply, request, &rendition);
}

void pd_handle_thumb(pd_app *app, const pd_request *request, pd_reply *reply)
{
    answer_picture(app, request, 0, reply);
}

void pd_handle_view(pd_app *app, const pd_request *request, pd_reply *reply)
{
    static const pd_uri_range sizes = { .preset = VIEW_PX, .min = PD_SERVER_VIEW_PX_MIN, .max = PD_SERVER_VIEW_PX_MAX };
    uint64_t side;
    pd_error err = { 0 };
    if (pd_uri_number(&request->uri, "size", &sizes, &side, &err) == PD_OK)
        answer_picture(app, request, (uint32_t)side, reply);
    else
        pd_reply_error(reply, &err);
}
