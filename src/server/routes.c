#include "server/routes.h"

#include <string.h>

#include "base/str.h"
#include "server/handlers.h"

static const char api_prefix[] = "/api/";

static const pd_route table[] = {
    { "GET", "/api/v1/status", .answer = pd_handle_status },
    { "GET", "/api/v1/snapshot", .answer = pd_handle_snapshot },
    { "GET", "/api/v1/events", .streams = true, .answer = pd_handle_events },
    { "GET", "/api/v1/search", .answer = pd_handle_search },
    { "POST", "/api/v1/similar", .body = PD_TAKES_PICTURE, .answer = pd_handle_similar },
    { "GET", "/api/v1/query", .answer = pd_handle_query },
    { "GET", "/api/v1/values", .answer = pd_handle_values },
    { "POST", "/api/v1/edit", .body = PD_TAKES_PHOTOS, .answer = pd_handle_edit },
    { "GET", "/api/v1/undo", .answer = pd_handle_undo_next },
    { "POST", "/api/v1/undo", .body = PD_TAKES_JSON, .answer = pd_handle_undo },
    { "GET", "/api/v1/albums", .answer = pd_handle_albums },
    { "POST", "/api/v1/albums", .body = PD_TAKES_JSON, .answer = pd_handle_album },
    { "GET", "/api/v1/saved", .answer = pd_handle_saved },
    { "POST", "/api/v1/saved", .body = PD_TAKES_JSON, .answer = pd_handle_save },
    { "GET", "/api/v1/history", .answer = pd_handle_history },
    { "POST", "/api/v1/history", .body = PD_TAKES_JSON, .answer = pd_handle_history_change },
    { "GET", "/api/v1/export", .streams = true, .answer = pd_handle_export },
    { "POST", "/api/v1/copy", .streams = true, .body = PD_TAKES_PHOTOS, .answer = pd_handle_copy },
    { "GET", "/api/v1/work", .answer = pd_handle_work },
    { "POST", "/api/v1/work", .body = PD_TAKES_WORK, .answer = pd_handle_work_take },
    { "GET", "/api/v1/photos/ID", .answer = pd_handle_photo },
    { "GET", "/api/v1/photos/ID/thumb", .answer = pd_handle_thumb },
    { "GET", "/api/v1/photos/ID/view", .answer = pd_handle_view },
    { "POST", "/api/v1/photos/ID/describe", .answer = pd_handle_describe },
    { "POST", "/api/v1/looking", .body = PD_TAKES_JSON, .answer = pd_handle_looking },
    { "POST", "/api/v1/annotate", .body = PD_TAKES_JSON, .answer = pd_handle_annotate },
    { "POST", "/api/v1/sidecars", .streams = true, .body = PD_TAKES_PHOTOS, .answer = pd_handle_sidecars },
    { "GET", "/api/v1/models", .answer = pd_handle_models },
    { "POST", "/api/v1/models/pull", .body = PD_TAKES_JSON, .answer = pd_handle_pull },
    { "POST", "/api/v1/models/pull/cancel", .answer = pd_handle_pull_cancel },
    { "POST", "/api/v1/models/KEY/load", .answer = pd_handle_model_load },
    { "POST", "/api/v1/models/KEY/unload", .answer = pd_handle_model_unload },
    { "POST", "/api/v1/models/KEY/use", .answer = pd_handle_model_use },
    { "POST", "/api/v1/models/KEY/remove", .body = PD_TAKES_JSON, .answer = pd_handle_model_remove },
    { "GET", "/api/v1/settings", .answer = pd_handle_settings },
    { "POST", "/api/v1/settings", .body = PD_TAKES_JSON, .answer = pd_handle_settings_change },
    { "GET", "/api/v1/errors", .answer = pd_handle_errors },
    { "POST", "/api/v1/job", .body = PD_TAKES_JSON, .answer = pd_handle_job },
    { "POST", "/api/v1/job/pause", .answer = pd_handle_job_pause },
    { "POST", "/api/v1/job/resume", .answer = pd_handle_job_resume },
    { "POST", "/api/v1/job/cancel", .answer = pd_handle_job_cancel },
    { "POST", "/api/v1/job/retry", .answer = pd_handle_job_retry },
    { "POST", "/api/v1/job/speed", .body = PD_TAKES_JSON, .answer = pd_handle_job_speed },
    { "GET", "/api/v1/folders", .answer = pd_handle_folders },
    { "GET", "/api/v1/folders/look", .answer = pd_handle_look },
    { "GET", "/api/v1/folders/count", .streams = true, .answer = pd_handle_count },
};

/* Everything that is not under /api/: the page and what it is made of. */
static const pd_route page = { "GET", "/", .open = true, .answer = pd_handle_page };

bool pd_path_is_api(const char *path) { return strncmp(path, api_prefix, sizeof api_prefix - 1) == 0; }

typedef enum match { MATCH_NONE, MATCH_FULL, MATCH_BAD_ID } match;

static match match_path(const char *pattern, const char *path, uint64_t *ret_id)
{
    char digits[24];
    match so_far = MATCH_FULL;
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        const size_t wanted = strcspn(pattern, "/"), given = strcspn(path, "/");
        if (wanted == 2 && memcmp(pattern, "ID", 2) == 0) {
            (void)memcpy(digits, path, given < sizeof digits ? given : 0);
            digits[given < sizeof digits ? given : 0] = '\0';
            if (!pd_parse_u64(digits, INT64_MAX, ret_id))
                so_far = MATCH_BAD_ID;
        } else if (wanted == 3 && memcmp(pattern, "KEY", 3) == 0) {
            if (given == 0)
                return MATCH_NONE;
        } else if (wanted != given || memcmp(pattern, path, given) != 0) {
            return MATCH_NONE;
        }
        pattern += wanted;
        path += given;
    }
    return *pattern || *path ? MATCH_NONE : so_far;
}

static bool serves(const pd_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static const pd_route *refuse_method(bool reads, bool writes, pd_reply *reply)
{
    pd_reply_refuse(reply, PD_REFUSAL_METHOD,
                    !writes  ? "this address is only for GET and HEAD"
                    : !reads ? "this address is only for POST"
                             : "this address is only for GET, HEAD and POST");
    reply->allow = !writes ? "GET, HEAD" : !reads ? "POST" : "GET, HEAD, POST";
    return NULL;
}

const pd_route *pd_route_find(const char *method, const char *path, uint64_t *ret_id, pd_reply *reply)
{
    bool reads = false, writes = false; /* at this path */
    uint64_t id = 0;
    if (!pd_path_is_api(path))
        return serves(&page, method) ? &page : refuse_method(true, false, reply);
    for (size_t i = 0; i < PD_COUNT_OF(table); i++) {
        const match found = match_path(table[i].path, path, &id);
        if (found == MATCH_BAD_ID) {
            pd_error error;
            (void)pd_error_set(&error, PD_ERR_USAGE, "the id of a photo is a whole number");
            pd_reply_error(reply, &error);
            return NULL;
        }
        if (found == MATCH_FULL && serves(&table[i], method)) {
            *ret_id = id;
            return &table[i];
        }
        const bool is_get = strcmp(table[i].method, "GET") == 0;
        reads |= found == MATCH_FULL && is_get;
        writes |= found == MATCH_FULL && !is_get;
    }
    if (reads || writes)
        return refuse_method(reads, writes, reply);
    pd_reply_refuse(reply, PD_REFUSAL_NOT_FOUND, "there is nothing at this address; docs/http.md lists what there is");
    return NULL;
}
