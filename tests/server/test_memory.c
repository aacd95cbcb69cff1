/* Requests, jobs and the server itself when memory runs out at every single place: an answer that says so, or none; and
 * afterwards everything is as before. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "scene.h"
#include "server/app.h"
#include "server/routes.h"
#include "server/server.h"
#include "test.h"

#define TRIES_MAX 6000
#define TOKEN "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char model_dir[4096];
static const char *decoder;
static pd_library *library;

static pd_status open_library(void)
{
    static char data[4096], cache[4096];
    (void)snprintf(data, sizeof data, "%s", scene_path("data"));
    (void)snprintf(cache, sizeof cache, "%s", scene_path("cache"));
    pd_library_options options;
    pd_library_options_init(&options);
    options.data_home = data;
    options.cache_home = cache;
    options.model = model_dir;
    options.decoder_path = decoder;
    return pd_library_open(&library, &options, NULL);
}

static pd_progress learn(void)
{
    const char *const folders[] = { scene_path("photos") };
    const pd_index_options options = { .folders = folders, .n_folders = 1, .speed = PD_SPEED_FULL };
    pd_progress last = { .outcome = PD_ERR_INTERNAL };
    if (pd_library_index(library, &options, NULL) == PD_OK)
        pd_library_job_finish(library, &last);
    return last;
}

/* A library that has learned four pictures, and then met a file that is none. */
static bool begin(void)
{
    bool made = scene_begin();
    for (unsigned i = 0; i < 4; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "photos/%u/picture-%u.bmp", i % 2, i);
        made = made && scene_picture(name, i);
    }
    return made && open_library() == PD_OK && learn().learned == 4 &&
           scene_write("photos/broken.jpg", "no picture", 10) && learn().failed == 1;
}

static pd_app_options app_options(void)
{
    return (pd_app_options){ .library = library, .version = "1", .home = scene_path("."), .token = TOKEN };
}

typedef struct question {
    const char *method, *target, *body;
    unsigned code;
} question;

/* Reads a stream of counts to its end, one of events for its first event. */
static void read_stream(const pd_reply *reply)
{
    char text[4096];
    while (reply->stream.read(reply->stream.user, text, sizeof text) == sizeof text) {
    }
}

/* One request from its address to the last byte of its answer; the code. */
static unsigned ask(pd_app *app, const question *q, const char *target)
{
    pd_request request = { .method = q->method, .body_fd = -1, .body = q->body, .n_hosts = 1 };
    pd_reply reply = { 0 };
    pd_error err = { 0 };
    request.headers[PD_HEADER_HOST] = "127.0.0.1:7733";
    request.body_len = q->body ? strlen(q->body) : 0;
    const pd_status status = pd_uri_parse(&request.uri, target, strlen(target), &err);
    const pd_route *route = status == PD_OK ? pd_route_find(q->method, request.uri.path, &request.id, &reply) : NULL;
    if (status != PD_OK)
        pd_reply_error(&reply, &err);
    else if (route)
        route->answer(app, &request, &reply);
    if (reply.kind == PD_BODY_STREAM)
        read_stream(&reply);
    const unsigned code = reply.code;
    pd_reply_done(&reply);
    pd_uri_done(&request.uri);
    return code;
}

/* The target with the scene's folder in place of '@'. */
static const char *fill_in(const char *target, char *ret_text, size_t size)
{
    const char *at = strchr(target, '@');
    if (at)
        (void)snprintf(ret_text, size, "%.*s%s%s", (int)(at - target), target, scene_path("photos"), at + 1);
    return at ? ret_text : target;
}

static void every_request_survives_a_lack_of_memory(void)
{
    static const question questions[] = {
        { "GET", "/api/v1/snapshot", NULL, 200 },
        { "GET", "/api/v1/status", NULL, 200 },
        { "GET", "/api/v1/errors?n=5", NULL, 200 },
        { "GET", "/api/v1/search?q=&n=3&sort=name", NULL, 200 },
        { "GET", "/api/v1/search?q=a+picture&n=3", NULL, 200 },
        { "POST", "/api/v1/similar", "{\"ids\":[1,2],\"n\":2}", 200 },
        { "GET", "/api/v1/photos/1", NULL, 200 },
        { "GET", "/api/v1/photos/1/thumb", NULL, 200 },
        { "GET", "/api/v1/photos/1/view?size=320", NULL, 200 },
        { "GET", "/api/v1/photos/999", NULL, 404 },
        { "POST", "/api/v1/job/pause", NULL, 409 },
        { "POST", "/api/v1/job/speed", "{\"speed\":\"full\"}", 202 },
        { "GET", "/api/v1/folders?path=@", NULL, 200 },
        { "GET", "/api/v1/folders", NULL, 200 },
        { "GET", "/api/v1/folders/look?path=@x", NULL, 200 },
        { "GET", "/api/v1/folders/count?path=@", NULL, 200 },
        { "GET", "/api/v1/nothing", NULL, 404 },
    };
    REQUIRE(begin());
    pd_app *app = NULL;
    const pd_app_options options = app_options();
    REQUIRE(pd_app_create(&app, &options, NULL) == PD_OK);
    for (size_t i = 0; i < PD_COUNT_OF(questions); i++) {
        const question *q = &questions[i];
        char text[4200];
        const char *target = fill_in(q->target, text, sizeof text);
        const unsigned first = ask(app, q, target); /* what is opened once is open */
        if (first != q->code)
            fprintf(stderr, "%s %s: %u\n", q->method, target, first);
        CHECK(ask(app, q, target) == q->code);
        const size_t live = pd_mem_live();
        size_t tries = 1, seen = TRIES_MAX;
        for (; tries <= seen && tries < TRIES_MAX; tries++) {
            (void)pd_mem_fail_at(tries);
            const unsigned code = ask(app, q, target);
            seen = pd_mem_fail_at(0);
            CHECK(code == q->code || code == 500);
            if (code != q->code && code != 500)
                fprintf(stderr, "%s %s: %u at allocation %zu\n", q->method, q->target, code, tries);
        }
        CHECK(tries > 1 && tries < TRIES_MAX);
        CHECK(ask(app, q, target) == q->code);
        CHECK(pd_mem_live() <= live); /* a cache may have been dropped */
        if (pd_mem_live() > live)
            fprintf(stderr, "%s %s: %zu allocations are left\n", q->method, q->target, pd_mem_live() - live);
    }
    pd_app_stop(app);
    pd_app_free(&app);
    pd_library_close(&library);
    CHECK(pd_mem_live() == 0);
}

/* Until the job that was asked for last has ended. */
static bool wait_for_end(pd_app *app)
{
    const int64_t deadline_ns = pd_clock_ns() + 60 * PD_NS_PER_S;
    pd_app_cursor cursor = { 0 };
    while (pd_clock_ns() < deadline_ns) {
        pd_buf buf;
        pd_buf_init(&buf, 4 << 20);
        (void)pd_app_next(app, &cursor, 100, &buf);
        const bool ended = buf.len > 0 && !memmem(buf.data, buf.len, "\"state\":\"LOADING\"", 17);
        pd_buf_done(&buf);
        if (ended)
            return true;
    }
    return false;
}

/* The job's own threads run out of memory too (and what looks at it meanwhile allocates as well, so the places vary):
 * it ends with an error that is told, and the next one is well. */
static void every_job_survives_a_lack_of_memory(void)
{
    static const question again = { "POST", "/api/v1/job/retry", NULL, 202 };
    static const question events = { "GET", "/api/v1/events", NULL, 200 };
    REQUIRE(begin());
    pd_app *app = NULL;
    const pd_app_options options = app_options();
    char body[4200];
    (void)snprintf(body, sizeof body, "{\"roots\":[\"%s\"]}", scene_path("photos"));
    const question learn = { "POST", "/api/v1/job", body, 202 };
    REQUIRE(pd_app_create(&app, &options, NULL) == PD_OK);
    CHECK(ask(app, &events, events.target) == 200); /* the threads of the app run from here on */
    CHECK(ask(app, &learn, learn.target) == 202 && wait_for_end(app));
    size_t tries = 1, seen = TRIES_MAX, n_failed = 0;
    for (; tries <= seen && tries < TRIES_MAX; tries += 1 + tries / 16) {
        const question *q = tries % 3 ? &learn : &again;
        (void)pd_mem_fail_at(tries);
        const unsigned code = ask(app, q, q->target);
        CHECK(code == 202 || code == 500);
        (void)ask(app, &events, events.target);
        CHECK(wait_for_end(app));
        seen = pd_mem_fail_at(0);
        n_failed += code == 500;
    }
    printf("# up to allocation %zu; %zu requests were refused\n", tries, n_failed);
    CHECK(tries > 100 && n_failed > 5);
    CHECK(ask(app, &learn, learn.target) == 202 && wait_for_end(app));
    pd_buf buf;
    pd_app_cursor cursor = { 0 };
    pd_buf_init(&buf, 4 << 20);
    CHECK(pd_app_next(app, &cursor, 0, &buf) == PD_APP_SNAPSHOT);
    CHECK(buf.len > 0 && memmem(buf.data, buf.len, "\"state\":\"ADVANCED\"", 18));
    CHECK(buf.len > 0 && memmem(buf.data, buf.len, "\"error\":null", 12));
    pd_buf_done(&buf);
    pd_app_stop(app);
    pd_app_free(&app);
    pd_library_close(&library);
    CHECK(pd_mem_live() == 0);
}

/* Sends one request over a connection of its own; the code, 0 when there came no answer. */
static unsigned ask_over_wire(const char *url)
{
    static const char before_port[] = "http://127.0.0.1:", before_code[] = "HTTP/1.1 ";
    const unsigned port = (unsigned)strtoul(url + sizeof before_port - 1, NULL, 10);
    unsigned code = 0;
    char text[512];
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int len = snprintf(text, sizeof text,
                             "POST /api/v1/job/speed HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
                             "Content-Type: application/json\r\nContent-Length: 18\r\nConnection: close\r\n\r\n"
                             "{\"speed\":\"normal\"}",
                             port, strstr(url, "token=") + 6);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, text, (size_t)len, MSG_NOSIGNAL) == len) {
        const ssize_t n = recv(fd, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        if (strncmp(text, before_code, sizeof before_code - 1) == 0)
            code = (unsigned)strtoul(text + sizeof before_code - 1, NULL, 10);
    }
    close(fd);
    return code;
}

static void a_server_survives_a_lack_of_memory(void)
{
    REQUIRE(scene_begin() && open_library() == PD_OK);
    const pd_server_options options = { .library = library, .listen = "127.0.0.1:0", .version = "1" };
    const size_t live = pd_mem_live();
    pd_server *server = NULL;
    size_t tries = 1;
    for (pd_status status = PD_ERR_NOMEM; status != PD_OK && tries < TRIES_MAX; tries++) {
        pd_error err = { 0 };
        (void)pd_mem_fail_at(tries);
        status = pd_server_start(&server, &options, &err);
        (void)pd_mem_fail_at(0);
        CHECK(status == PD_OK || (status == PD_ERR_NOMEM && !server && err.message[0]));
        CHECK(status == PD_OK || pd_mem_live() == live);
    }
    CHECK(tries > 4);
    REQUIRE(server);
    CHECK(ask_over_wire(pd_server_url(server)) == 202);
    unsigned n_refused = 0;
    for (tries = 1; tries < 300; tries++) {
        (void)pd_mem_fail_at(tries);
        const unsigned code = ask_over_wire(pd_server_url(server));
        const bool reached = pd_mem_fail_at(0) >= tries;
        CHECK(code == 202 || (reached && (code == 0 || code == 500)));
        n_refused += code != 202;
    }
    printf("# %u requests over the wire were refused\n", n_refused);
    CHECK(n_refused > 3 && n_refused < 290); /* measured 11 */
    CHECK(ask_over_wire(pd_server_url(server)) == 202);
    pd_server_stop(&server);
    CHECK(pd_mem_live() == live);
    pd_library_close(&library);
}

int main(void)
{
    const char *source = getenv("PD_SOURCE");
    decoder = getenv("PD_DECODER");
    if (!source || !decoder)
        SKIP_ALL("PD_SOURCE and PD_DECODER are not set: run it through meson test");
    (void)snprintf(model_dir, sizeof model_dir, "%s/models/tiny", source);
    RUN(every_request_survives_a_lack_of_memory);
    RUN(every_job_survives_a_lack_of_memory);
    RUN(a_server_survives_a_lack_of_memory);
    scene_end();
    return TEST_RESULT();
}
