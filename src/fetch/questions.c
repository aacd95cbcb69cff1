/* Questions to the hub whose answers are small. */
#include <string.h>

#include "fetch/ask.h"

enum { URL_BYTES_MAX = 4096 };

static pd_status begin_url(const pd_puller *puller, pd_buf *url)
{
    const char *endpoint = puller->request.endpoint;
    size_t len = strlen(endpoint);
    while (len && endpoint[len - 1] == '/')
        len--;
    return pd_buf_append(url, endpoint, len);
}

static pd_status check_url(const pd_buf *url, pd_error *err)
{
    if (url->status == PD_ERR_LIMIT)
        return pd_error_set(err, PD_ERR_LIMIT, "the address of the repository is too long");
    return url->status == PD_OK ? PD_OK : pd_error_set_nomem(err);
}

pd_status pd_puller_append_url(const pd_puller *puller, pd_buf *url, const char *name, pd_error *err)
{
    url->len_max = URL_BYTES_MAX;
    (void)begin_url(puller, url);
    (void)pd_buf_appendf(url, "/%s/resolve/%s/%s", puller->request.repository, puller->record.commit, name);
    return check_url(url, err);
}

static pd_status append_list_url(const pd_puller *puller, pd_buf *url, pd_error *err)
{
    (void)begin_url(puller, url);
    (void)pd_buf_appendf(url, "/api/models/%s/revision/", puller->request.repository);
    if (url->status == PD_OK && pd_wire_append_escaped(puller->wire, url, puller->request.revision) != PD_OK)
        return pd_error_set_nomem(err);
    (void)pd_buf_append_string(url, "?blobs=true");
    return check_url(url, err);
}

static bool begin_text(void *user, const pd_response *response)
{
    (void)response;
    pd_buf_clear(user);
    return true;
}

static bool take_text(void *user, const void *data, size_t len) { return pd_buf_append(user, data, len) == PD_OK; }

pd_status pd_puller_list(pd_puller *puller, pd_listing *ret_listing, pd_error *err)
{
    pd_buf url, answer;
    pd_buf_init(&url, URL_BYTES_MAX);
    pd_buf_init(&answer, PD_LISTING_BYTES_MAX);
    pd_response response;
    int n_tries = 0;
    bool again = true;
    pd_status status = append_list_url(puller, &url, err);
    while (status == PD_OK && again) {
        const pd_get get = { .url = url.data, .begin = begin_text, .take = take_text, .user = &answer };
        status = pd_ask(puller, &get, &n_tries, &response, &again, err);
    }
    if (status == PD_OK && answer.status == PD_ERR_NOMEM)
        status = pd_error_set_nomem(err);
    else if (status == PD_OK && answer.status != PD_OK)
        status = pd_error_set(err, PD_ERR_LIMIT, "the hub's list of %s is too long", puller->request.repository);
    if (status == PD_OK) {
        status = pd_listing_parse(ret_listing, answer.data ? answer.data : "", answer.len, err);
        if (status != PD_OK && status != PD_ERR_NOMEM)
            pd_error_prefix(err, "%s", puller->request.repository);
    }
    pd_buf_done(&url);
    pd_buf_done(&answer);
    return status;
}

/* Only the head of the answer is wanted. */
static bool begin_measure(void *user, const pd_response *response)
{
    (void)user, (void)response;
    return false;
}

static int64_t size_of(const pd_response *response)
{
    if (response->linked_size >= 0)
        return response->linked_size;
    return response->code == 206 ? response->range_total : response->length;
}

pd_status pd_puller_measure(pd_puller *puller, pd_piece *piece, pd_error *err)
{
    pd_buf url;
    pd_buf_init(&url, URL_BYTES_MAX);
    pd_response response = { 0 };
    int n_tries = 0;
    bool again = true;
    pd_status status = pd_puller_append_url(puller, &url, piece->file.name, err);
    while (status == PD_OK && again) {
        const pd_get get = { .url = url.data, .range = { 0, 1 }, .begin = begin_measure, .take = take_text };
        status = pd_ask(puller, &get, &n_tries, &response, &again, err);
    }
    pd_buf_done(&url);
    PD_TRY(status);
    const int64_t size = size_of(&response);
    const int64_t max = piece->file.is_weights ? PD_LISTING_TOTAL_BYTES_MAX : PD_LISTING_SMALL_BYTES_MAX;
    if (size < 0 || size > max)
        return pd_error_set(err, PD_ERR_LIMIT, "%s does not say how long %s is, or it is too long",
                            pd_wire_host(puller->wire), piece->file.name);
    piece->file.size = size;
    if (!piece->file.sha256[0] && pd_is_sha256_text(response.linked_etag))
        memcpy(piece->file.sha256, response.linked_etag, sizeof piece->file.sha256);
    return PD_OK;
}
