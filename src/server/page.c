/* page.c: the page and the files it is made of: the same for everybody, no user data in it. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "server/guard.h"
#include "server/handlers.h"
#include "web/web.h"

enum { HTTP_OK = 200, HTTP_SEE_OTHER = 303, HTTP_NOT_MODIFIED = 304, HTTP_NOT_FOUND = 404 };

/* Addresses that the page itself gives to what it shows; the server answers them all with the page. */
static bool is_page_path(const char *path)
{
    static const char *const paths[] = { "/",           "/start", "/loading", "/search", "/similar",  "/library",
                                         "/duplicates", "/map",   "/game",    "/models", "/settings", "/error" };
    static const char photo[] = "/photo/";
    for (size_t i = 0; i < PD_COUNT_OF(paths); i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    uint64_t id;
    return strncmp(path, photo, sizeof photo - 1) == 0 && pd_parse_u64(path + sizeof photo - 1, INT64_MAX, &id);
}

/* An address that a person may have typed: the page says in words that there is nothing. Files have a dot in their
 * names. */
static bool may_be_typed(const char *path) { return !strpbrk(path, ".%") && !strstr(path, "//"); }

static const pd_web_file *find_file(const char *path)
{
    size_t n;
    const pd_web_file *files = pd_web_files(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

/* Whether "gzip" stands in Accept-Encoding, and not to say that it is unwanted. */
static bool accepts_gzip(const char *header)
{
    const char *at = header ? strstr(header, "gzip") : NULL;
    if (!at)
        return false;
    at += strlen("gzip");
    at += strspn(at, " ");
    if (strncmp(at, ";q=0", 4) != 0)
        return true;
    at += 4;
    at += *at == '.';
    return at[strspn(at, "0")] >= '1' && at[strspn(at, "0")] <= '9';
}

/* The address that was printed: the right token becomes a cookie; either way it leaves the address bar. */
static void answer_token(pd_app *app, const pd_request *request, const char *given, pd_reply *reply)
{
    const char *token = pd_app_options_of(app)->token;
    *reply = (pd_reply){ .code = HTTP_SEE_OTHER, .is_page = true, .location = "/" };
    if (!pd_token_equal(given, token))
        return;
    char name[PD_COOKIE_NAME_BYTES];
    pd_cookie_name(request, name);
    (void)snprintf(reply->cookie, sizeof reply->cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict", name, token);
}

/* The browser keeps the page as long as it is the same. */
static void answer_file(const pd_request *request, const pd_web_file *file, bool found, pd_reply *reply)
{
    const bool small = file->gzip && accepts_gzip(request->headers[PD_HEADER_ACCEPT_ENCODING]);
    *reply = (pd_reply){ .code = found ? HTTP_OK : HTTP_NOT_FOUND,
                         .mime = file->mime,
                         .is_page = true,
                         .kind = PD_BODY_CONSTANT,
                         .constant = small ? file->gzip : file->data,
                         .len = small ? file->gzip_len : file->len,
                         .gzip = small,
                         .varies = file->gzip != NULL };
    (void)snprintf(reply->etag, sizeof reply->etag, "\"%s%s\"", file->etag, small ? "-gz" : "");
    const char *known = request->headers[PD_HEADER_IF_NONE_MATCH];
    if (found && known && strstr(known, reply->etag)) {
        reply->code = HTTP_NOT_MODIFIED;
        reply->kind = PD_BODY_NONE;
        reply->len = 0;
    }
}

void pd_handle_page(pd_app *app, const pd_request *request, pd_reply *reply)
{
    const char *token = pd_uri_text(&request->uri, "token");
    const char *path = request->uri.path;
    const bool is_page = is_page_path(path);
    if (token && is_page) {
        answer_token(app, request, token, reply);
        return;
    }
    const pd_web_file *file = find_file(is_page ? "/index.html" : path);
    const bool found = file != NULL;
    if (!found && may_be_typed(path))
        file = find_file("/index.html");
    if (!file) {
        pd_reply_refuse(reply, PD_REFUSAL_NOT_FOUND, "the page has nothing at this address");
        return;
    }
    if (is_page)
        pd_app_wake(app);
    answer_file(request, file, found, reply);
}
