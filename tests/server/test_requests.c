/* What comes from outside, before anybody answers: addresses, ranges, names of hosts, tokens; and the tables. */
#include <string.h>

#include "base/mem.h"
#include "server/guard.h"
#include "server/range.h"
#include "server/response.h"
#include "server/routes.h"
#include "server/uri.h"
#include "test.h"

static pd_status parse(pd_uri *uri, const char *target, pd_error *err)
{
    *uri = (pd_uri){ 0 };
    return pd_uri_parse(uri, target, strlen(target), err);
}

static void an_address_is_decoded_once(void)
{
    pd_uri uri;
    REQUIRE(parse(&uri, "/a%2fb%252e?q=one+two%26three&n=5&n=6&flag&=x&&path=%2Fh%C3%A9", NULL) == PD_OK);
    CHECK(strcmp(uri.path, "/a/b%2e") == 0);
    CHECK(strcmp(pd_uri_text(&uri, "q"), "one two&three") == 0);
    CHECK(strcmp(pd_uri_text(&uri, "n"), "5") == 0);
    CHECK(strcmp(pd_uri_text(&uri, "flag"), "") == 0);
    CHECK(strcmp(pd_uri_text(&uri, "path"), "/h\xc3\xa9") == 0);
    CHECK(pd_uri_text(&uri, "nothing") == NULL);
    pd_uri_done(&uri);
    REQUIRE(parse(&uri, "/a+b", NULL) == PD_OK);
    CHECK(strcmp(uri.path, "/a+b") == 0);
    CHECK(uri.n_params == 0);
    pd_uri_done(&uri);
}

static void broken_addresses_are_refused_with_a_sentence(void)
{
    static const char *const broken[] = { "",      "x",       "http://h/", "/%",     "/%4",      "/%zz",
                                          "/%00x", "/?q=%00", "/?q=%",     "/?%0=x", "/?q=a%4g", "/?%=" };
    pd_uri uri;
    for (size_t i = 0; i < PD_COUNT_OF(broken); i++) {
        pd_error err = { 0 };
        CHECK(parse(&uri, broken[i], &err) == PD_ERR_USAGE);
        CHECK(strlen(err.message) > 20);
        CHECK(uri.text == NULL);
    }
    CHECK(pd_uri_parse(&uri, "/a\0b", 4, NULL) == PD_ERR_USAGE);
    char many[PD_URI_PARAMS_MAX * 4 + 8] = "/?";
    for (int i = 0; i <= PD_URI_PARAMS_MAX; i++)
        memcpy(many + 2 + 3 * i, "a=&", 4);
    CHECK(parse(&uri, many, NULL) == PD_ERR_USAGE);
}

static void numbers_in_an_address_have_bounds(void)
{
    static const pd_uri_range range = { .preset = 7, .min = 1, .max = 10 };
    static const char *const wrong[] = {
        "/?n=0", "/?n=11", "/?n=", "/?n=x", "/?n=1x", "/?n=-1", "/?n=99999999999999999999"
    };
    pd_uri uri;
    uint64_t value = 0;
    REQUIRE(parse(&uri, "/?n=10", NULL) == PD_OK);
    CHECK(pd_uri_number(&uri, "n", &range, &value, NULL) == PD_OK && value == 10);
    CHECK(pd_uri_number(&uri, "m", &range, &value, NULL) == PD_OK && value == 7);
    pd_uri_done(&uri);
    for (size_t i = 0; i < PD_COUNT_OF(wrong); i++) {
        pd_error err = { 0 };
        REQUIRE(parse(&uri, wrong[i], NULL) == PD_OK);
        CHECK(pd_uri_number(&uri, "n", &range, &value, &err) == PD_ERR_USAGE);
        CHECK(strstr(err.message, "'n' is a whole number from 1 to 10") != NULL);
        pd_uri_done(&uri);
    }
}

static void an_address_without_memory_leaves_nothing(void)
{
    const size_t before = pd_mem_live();
    pd_uri uri = { 0 };
    pd_mem_fail_at(1);
    CHECK(parse(&uri, "/a?b=c", NULL) == PD_ERR_NOMEM);
    pd_mem_fail_at(0);
    CHECK(pd_mem_live() == before);
}

static void ranges_are_those_of_rfc_9110(void)
{
    static const struct {
        const char *header;
        int64_t bytes;
        pd_range_kind kind;
        int64_t first, last;
    } rows[] = {
        { NULL, 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=0-0", 10, PD_RANGE_PART, 0, 0 },
        { "bytes=2-5", 10, PD_RANGE_PART, 2, 5 },
        { "Bytes= 2-5 ", 10, PD_RANGE_PART, 2, 5 },
        { "bytes=2-", 10, PD_RANGE_PART, 2, 9 },
        { "bytes=2-99", 10, PD_RANGE_PART, 2, 9 },
        { "bytes=9-9", 10, PD_RANGE_PART, 9, 9 },
        { "bytes=-3", 10, PD_RANGE_PART, 7, 9 },
        { "bytes=-99", 10, PD_RANGE_PART, 0, 9 },
        { "bytes=10-", 10, PD_RANGE_OUTSIDE, 0, 0 },
        { "bytes=99999999999999999999-", 10, PD_RANGE_OUTSIDE, 0, 0 },
        { "bytes=1-99999999999999999999", 10, PD_RANGE_PART, 1, 9 },
        { "bytes=-0", 10, PD_RANGE_OUTSIDE, 0, 0 },
        { "bytes=0-", 0, PD_RANGE_OUTSIDE, 0, 0 },
        { "bytes=-5", 0, PD_RANGE_OUTSIDE, 0, 0 },
        { "bytes=5-2", 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=-", 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=", 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=a-b", 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=1-2,4-5", 10, PD_RANGE_WHOLE, 0, 0 },
        { "items=1-2", 10, PD_RANGE_WHOLE, 0, 0 },
        { "bytes=--1", 10, PD_RANGE_WHOLE, 0, 0 },
    };
    for (size_t i = 0; i < PD_COUNT_OF(rows); i++) {
        int64_t first = -1, last = -1;
        const pd_range_kind kind = pd_range_parse(rows[i].header, rows[i].bytes, &first, &last);
        CHECK(kind == rows[i].kind);
        CHECK(kind != PD_RANGE_PART || (first == rows[i].first && last == rows[i].last));
        if (kind != rows[i].kind)
            fprintf(stderr, "%s\n", rows[i].header);
    }
}

static void only_names_of_this_computer_are_hosts(void)
{
    static const char *const good[] = { "127.0.0.1:7733", "127.0.0.1",  "127.1.2.3:1", "localhost:8000",
                                        "LocalHost",      "[::1]:7733", "[::1]" };
    static const char *const bad[] = { "",
                                       "evil.example",
                                       "evil.example:7733",
                                       "127.0.0.1.evil.example",
                                       "10.0.0.1",
                                       "localhost.evil",
                                       "localhost:",
                                       "localhost:99999",
                                       "[::2]",
                                       "[::1",
                                       "::1",
                                       "[127.0.0.1]",
                                       "127.0.0.1:x",
                                       "localhost:80:80",
                                       "127.1",
                                       "0.0.0.0",
                                       "@localhost",
                                       "localhost/",
                                       "2130706433",
                                       "[::ffff:127.0.0.1]" };
    uint16_t port = 0;
    for (size_t i = 0; i < PD_COUNT_OF(good); i++)
        CHECK(pd_host_is_loopback(good[i], &port));
    for (size_t i = 0; i < PD_COUNT_OF(bad); i++) {
        if (pd_host_is_loopback(bad[i], &port))
            fprintf(stderr, "%s\n", bad[i]);
        CHECK(!pd_host_is_loopback(bad[i], &port));
    }
    CHECK(pd_host_is_loopback("localhost:8000", &port) && port == 8000);
    CHECK(pd_host_is_loopback("127.0.0.1", &port) && port == 80);
}

static const char token[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static void tokens_are_compared_whole(void)
{
    char other[sizeof token];
    CHECK(pd_token_equal(token, token));
    for (size_t i = 0; i < PD_TOKEN_DIGITS; i++) {
        memcpy(other, token, sizeof token);
        other[i] ^= 1;
        CHECK(!pd_token_equal(other, token));
    }
    CHECK(!pd_token_equal("", token));
    CHECK(!pd_token_equal("0123456789abcdef", token));
    CHECK(!pd_token_equal("", ""));
}

static unsigned code_with(const char *authorization, const char *cookie)
{
    pd_request request = { .method = "GET", .n_hosts = 1 };
    pd_reply reply = { 0 };
    request.headers[PD_HEADER_HOST] = "localhost:7733";
    request.headers[PD_HEADER_AUTHORIZATION] = authorization;
    request.headers[PD_HEADER_COOKIE] = cookie;
    const bool good = pd_guard_token(&request, token, &reply);
    const unsigned code = good ? 200 : reply.code;
    pd_reply_done(&reply);
    return code;
}

static void a_token_comes_as_bearer_or_in_the_cookie_of_the_port(void)
{
    char text[256];
    (void)snprintf(text, sizeof text, "Bearer %s", token);
    CHECK(code_with(text, NULL) == 200);
    CHECK(code_with("Bearer ", NULL) == 401);
    (void)snprintf(text, sizeof text, "Basic %s", token);
    CHECK(code_with(text, NULL) == 401);
    (void)snprintf(text, sizeof text, "a=b; pd_token_7733=%s; c=d", token);
    CHECK(code_with(NULL, text) == 200);
    (void)snprintf(text, sizeof text, "pd_token_7733=old; pd_token_7733=%s", token);
    CHECK(code_with(NULL, text) == 200);
    (void)snprintf(text, sizeof text, "pd_token_7734=%s", token);
    CHECK(code_with(NULL, text) == 401);
    (void)snprintf(text, sizeof text, "xpd_token_7733=%s", token);
    CHECK(code_with(NULL, text) == 401);
    CHECK(code_with(NULL, ";;; ;") == 401);
    CHECK(code_with(NULL, NULL) == 401);
}

static void every_status_and_every_refusal_has_a_code(void)
{
    for (pd_status status = 0; status < PD_STATUS_COUNT; status++)
        CHECK(status == PD_OK ? pd_http_code(status) == 200
                              : pd_http_code(status) >= 400 && pd_http_code(status) < 600);
    CHECK(pd_http_code(PD_STATUS_COUNT) == 500);
    CHECK(pd_http_code(PD_ERR_USAGE) == 400 && pd_http_code(PD_ERR_FULL) == 507 && pd_http_code(PD_ERR_BUSY) == 409);
    for (pd_refusal refusal = 0; refusal < PD_REFUSAL_COUNT; refusal++) {
        pd_reply reply = { 0 };
        pd_reply_refuse(&reply, refusal, "a sentence");
        CHECK(reply.code >= 400 && reply.code < 600);
        CHECK(reply.kind == PD_BODY_OWNED && !memmem(reply.owned, reply.len, "\"status\":null", 13));
        CHECK(reply.kind == PD_BODY_OWNED && memmem(reply.owned, reply.len, "a sentence", 10));
        pd_reply_done(&reply);
    }
}

static void answers_without_memory_still_say_something(void)
{
    const size_t before = pd_mem_live();
    for (size_t nth = 1; nth < 40; nth++) {
        pd_reply reply = { 0 };
        pd_mem_fail_at(nth);
        pd_reply_refuse(&reply, PD_REFUSAL_FORBIDDEN, "no");
        const size_t seen = pd_mem_fail_at(0);
        CHECK(reply.code == 403 || reply.code == 500);
        CHECK(reply.len > 10);
        pd_reply_done(&reply);
        CHECK(pd_mem_live() == before);
        if (seen < nth)
            break;
    }
}

static unsigned route_code(const char *method, const char *path)
{
    pd_reply reply = { 0 };
    uint64_t id = 0;
    const unsigned code = pd_route_find(method, path, &id, &reply) ? 200 : reply.code;
    pd_reply_done(&reply);
    return code;
}

static void routes_are_found_by_method_and_path(void)
{
    pd_reply reply = { 0 };
    uint64_t id = 0;
    const pd_route *route = pd_route_find("HEAD", "/api/v1/photos/12/thumb", &id, &reply);
    REQUIRE(route != NULL);
    CHECK(id == 12 && strcmp(route->path, "/api/v1/photos/ID/thumb") == 0 && !route->open);
    CHECK(route_code("GET", "/") == 200);
    CHECK(route_code("GET", "/anything/else") == 200);
    CHECK(route_code("POST", "/") == 405);
    CHECK(route_code("GET", "/api/v1/photos/x") == 400);
    CHECK(route_code("GET", "/api/v1/photos/") == 400);
    CHECK(route_code("GET", "/api/v1/photos/-1/thumb") == 400);
    CHECK(route_code("GET", "/api/v1/photos/99999999999999999999") == 400);
    CHECK(route_code("GET", "/api/v1/photos/1/other") == 404);
    CHECK(route_code("GET", "/api/v1/search/") == 404);
    CHECK(route_code("GET", "/api/") == 404);
    CHECK(route_code("GET", "/api/v1/../v1/search") == 404);
    CHECK(route_code("POST", "/api/v1/models/owner--name/use") == 200);
    CHECK(route_code("GET", "/api/v1/models/owner--name/use") == 405);
    CHECK(route_code("POST", "/api/v1/models//use") == 404);
    CHECK(route_code("POST", "/api/v1/models/a/b/use") == 404);
    CHECK(route_code("DELETE", "/api/v1/search") == 405);
    CHECK(route_code("GET", "/api/v1/job") == 405);
    CHECK(route_code("HEAD", "/api/v1/job/pause") == 405);
}

int main(void)
{
    RUN(an_address_is_decoded_once);
    RUN(broken_addresses_are_refused_with_a_sentence);
    RUN(numbers_in_an_address_have_bounds);
    RUN(an_address_without_memory_leaves_nothing);
    RUN(ranges_are_those_of_rfc_9110);
    RUN(only_names_of_this_computer_are_hosts);
    RUN(tokens_are_compared_whole);
    RUN(a_token_comes_as_bearer_or_in_the_cookie_of_the_port);
    RUN(every_status_and_every_refusal_has_a_code);
    RUN(answers_without_memory_still_say_something);
    RUN(routes_are_found_by_method_and_path);
    return TEST_RESULT();
}
