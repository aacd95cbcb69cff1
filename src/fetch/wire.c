#include "fetch/wire.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { REDIRECTS_MAX = 8, HEADER_BYTES = 64, HOST_BYTES = 256 };

struct pd_wire {
    CURL *curl;
    pd_wire_options options;
    CURLU *endpoint;
    bool is_loopback; /* the endpoint is, by HTTP */
    char host[HOST_BYTES];
    int retry_after_s;
    /* of the request that runs */
    const pd_get *get;
    pd_response *response;
    bool has_begun, was_ended; /* by the caller */
};

static size_t take_header(char *line, size_t size, size_t n, void *user)
{
    pd_wire *wire = user;
    pd_response_take(wire->response, line, size * n);
    return size * n;
}

static size_t take_body(char *data, size_t size, size_t n, void *user)
{
    pd_wire *wire = user;
    const int code = wire->response->code;
    if (code != 200 && code != 206)
        return size * n; /* the page that explains an error */
    if (!wire->has_begun) {
        wire->has_begun = true;
        if (!wire->get->begin(wire->get->user, wire->response)) {
            wire->was_ended = true;
            return CURL_WRITEFUNC_ERROR;
        }
    }
    if (wire->get->take(wire->get->user, data, size * n))
        return size * n;
    wire->was_ended = true;
    return CURL_WRITEFUNC_ERROR;
}

static int look_for_cancel(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    (void)total, (void)now, (void)up_total, (void)up_now;
    const pd_wire *wire = user;
    return wire->options.is_cancelled(wire->options.user);
}

static bool part_is(CURLU *url, CURLUPart part, const char *text)
{
    char *value = NULL;
    const bool same = curl_url_get(url, part, &value, 0) == CURLUE_OK && strcmp(value, text) == 0;
    curl_free(value);
    return same;
}

static bool is_loopback(CURLU *url)
{
    char *host = NULL;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return false;
    const bool is = strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                    (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host));
    curl_free(host);
    return is;
}

/* Scheme, host and port, with the scheme's own port written out. */
static bool same_origin(CURLU *a, CURLU *b)
{
    static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
    bool same = true;
    for (size_t i = 0; i < PD_COUNT_OF(parts) && same; i++) {
        char *value = NULL;
        same = curl_url_get(a, parts[i], &value, CURLU_DEFAULT_PORT) == CURLUE_OK;
        if (same) {
            char *other = NULL;
            same = curl_url_get(b, parts[i], &other, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(value, other) == 0;
            curl_free(other);
        }
        curl_free(value);
    }
    return same;
}

static bool may_ask(const pd_wire *wire, CURLU *url)
{
    return part_is(url, CURLUPART_SCHEME, "https") ||
           (wire->is_loopback && part_is(url, CURLUPART_SCHEME, "http") && is_loopback(url));
}

/* libcurl would look at what it was built with, and at no variable. One that is not named stays the system's. */
static CURLcode set_trust(CURL *curl, const pd_trust *trust)
{
    CURLcode failed = CURLE_OK;
    if (trust->file) {
        failed |= curl_easy_setopt(curl, CURLOPT_CAINFO, trust->file);
        failed |= curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, trust->file);
    }
    if (trust->dir) {
        failed |= curl_easy_setopt(curl, CURLOPT_CAPATH, trust->dir);
        failed |= curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, trust->dir);
    }
    return failed;
}

static bool set_options(pd_wire *wire)
{
    CURL *curl = wire->curl;
    CURLcode failed = CURLE_OK;
    failed |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    failed |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
    failed |= curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    failed |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)wire->options.connect_ms);
    failed |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    failed |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, wire);
    failed |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    failed |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, wire);
    failed |= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    failed |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_cancel);
    failed |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, wire);
    failed |= curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
    failed |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "pixel-detective-fetch");
    failed |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    failed |= curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)((wire->options.stall_ms + 999) / 1000));
    failed |= set_trust(curl, &wire->options.trust);
    return failed == CURLE_OK;
}

pd_status pd_wire_create(pd_wire **ret_wire, const pd_wire_options *options, pd_error *err)
{
    pd_wire *wire = pd_mem_alloc(1, sizeof *wire);
    if (!wire)
        return pd_error_set_nomem(err);
    wire->options = *options;
    pd_status status = PD_OK;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(wire->curl = curl_easy_init()) ||
        !(wire->endpoint = curl_url()) || !set_options(wire))
        status = pd_error_set_nomem(err);
    else if (curl_url_set(wire->endpoint, CURLUPART_URL, options->endpoint, 0) != CURLUE_OK)
        status = pd_error_set(err, PD_ERR_USAGE, "HF_ENDPOINT is no address: '%.200s'", options->endpoint);
    if (status == PD_OK) {
        wire->is_loopback = part_is(wire->endpoint, CURLUPART_SCHEME, "http") && is_loopback(wire->endpoint);
        if (!may_ask(wire, wire->endpoint))
            status = pd_error_set(err, PD_ERR_USAGE,
                                  "HF_ENDPOINT must begin with https:// (http:// for this computer only), not '%.200s'",
                                  options->endpoint);
        if (wire->is_loopback) /* no proxy finds this computer, and it would read what is not encrypted */
            (void)curl_easy_setopt(wire->curl, CURLOPT_PROXY, "");
    }
    if (status == PD_OK)
        *ret_wire = wire;
    else
        pd_wire_free(&wire);
    return status;
}

void pd_wire_free(pd_wire **wire)
{
    if (!*wire)
        return;
    curl_url_cleanup((*wire)->endpoint);
    curl_easy_cleanup((*wire)->curl);
    curl_global_cleanup();
    pd_mem_free(*wire);
    *wire = NULL;
}

int pd_wire_retry_after_s(const pd_wire *wire) { return wire->retry_after_s; }

const char *pd_wire_host(const pd_wire *wire) { return wire->host; }

pd_status pd_wire_append_escaped(pd_wire *wire, pd_buf *buf, const char *text)
{
    char *escaped = curl_easy_escape(wire->curl, text, 0);
    if (!escaped)
        return PD_ERR_NOMEM;
    const pd_status status = pd_buf_append_string(buf, escaped);
    curl_free(escaped);
    return status;
}

/* What OpenSSL found (numbers of its x509_vfy.h). Names are compared by libcurl, which leaves one of the first there.
 */
static pd_status explain_certificate(const pd_wire *wire, pd_error *err)
{
    enum { VERIFIED = 0, UNSPECIFIED = 1, OTHER_NAME = 62, OTHER_ADDRESS = 64, NOT_YET = 9, EXPIRED = 10 };
    enum { NO_ISSUER = 2, SELF_SIGNED = 18, SELF_SIGNED_ISSUER = 19, NO_LOCAL_ISSUER = 20, NOT_VERIFIED = 21 };
    long why = VERIFIED;
    (void)curl_easy_getinfo(wire->curl, CURLINFO_PROXY_SSL_VERIFYRESULT, &why);
    const bool is_proxy = why != VERIFIED;
    if (!is_proxy)
        (void)curl_easy_getinfo(wire->curl, CURLINFO_SSL_VERIFYRESULT, &why);
    const char *who = is_proxy ? "the proxy" : wire->host, *variable = is_proxy ? "HTTPS_PROXY" : "HF_ENDPOINT";
    switch (why) {
    case VERIFIED:
    case UNSPECIFIED:
    case OTHER_NAME:
    case OTHER_ADDRESS:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the certificate of %s is made for another name: is %s right, or does somebody listen in?",
                            who, variable);
    case NOT_YET:
    case EXPIRED:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the certificate of %s %s: is the clock of this computer right? If it is, whoever runs %s "
                            "has to renew it",
                            who, why == NOT_YET ? "is not valid yet" : "has run out", who);
    case NO_ISSUER:
    case SELF_SIGNED:
    case SELF_SIGNED_ISSUER:
    case NO_LOCAL_ISSUER:
    case NOT_VERIFIED:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the certificate of %s is signed by nobody whom this computer trusts: name the certificate "
                            "of your company's proxy in SSL_CERT_FILE; where there is none, somebody may listen in",
                            who);
    default:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the certificate of %s is not to be trusted (X.509 error %ld): is %s right, or does "
                            "somebody listen in?",
                            who, why, variable);
    }
}

static pd_status explain_trust(const pd_trust *trust, pd_error *err)
{
    if (trust->file)
        return pd_error_set(err, PD_ERR_NETWORK,
                            "SSL_CERT_FILE names '%.200s', in which no certificate can be read: it has to be a file of "
                            "them (PEM)",
                            trust->file);
    return pd_error_set(err, PD_ERR_NETWORK,
                        "the certificates that this system trusts cannot be read: install the package ca-certificates, "
                        "or name a file of them in SSL_CERT_FILE");
}

/* What it answered when it was asked to lead on; 0: nothing, or that it does. */
static int refusal_of_proxy(const pd_wire *wire)
{
    long code = 0;
    (void)curl_easy_getinfo(wire->curl, CURLINFO_HTTP_CONNECTCODE, &code);
    return code >= 300 ? (int)code : 0;
}

static pd_status explain_proxy(const pd_wire *wire, int code, pd_error *err)
{
    if (code == 407)
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the proxy wants to know who asks (407): write it into HTTPS_PROXY, as in "
                            "http://name:password@host:port");
    return pd_error_set(err, PD_ERR_NETWORK,
                        "the proxy does not lead to %s (%d): is HTTPS_PROXY right, or should NO_PROXY name that host?",
                        wire->host, code);
}

static bool was_connected(const pd_wire *wire)
{
    curl_off_t connected_us = 0;
    (void)curl_easy_getinfo(wire->curl, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    return connected_us > 0;
}

static pd_status explain_silence(const pd_wire *wire, pd_error *err)
{
    if (was_connected(wire))
        return pd_error_set(err, PD_ERR_NETWORK, "%s sends nothing any more; what is here is kept, pull again later",
                            wire->host);
    return pd_error_set(err, PD_ERR_NETWORK,
                        "%s does not answer: is this computer online, and HTTPS_PROXY right (one may be needed, or not "
                        "be there)?",
                        wire->host);
}

static bool is_worth_another(const pd_wire *wire, CURLcode code)
{
    const int refusal = refusal_of_proxy(wire);
    if (refusal)
        return refusal >= 500;
    return code != CURLE_ABORTED_BY_CALLBACK && code != CURLE_OUT_OF_MEMORY && code != CURLE_PEER_FAILED_VERIFICATION &&
           code != CURLE_SSL_CACERT_BADFILE;
}

static pd_status explain(const pd_wire *wire, CURLcode code, pd_error *err)
{
    switch ((int)code) {
    case CURLE_ABORTED_BY_CALLBACK: return pd_error_set(err, PD_ERR_CANCELLED, "cancelled");
    case CURLE_OUT_OF_MEMORY: return pd_error_set_nomem(err);
    case CURLE_COULDNT_RESOLVE_HOST:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "%s cannot be found: is this computer online? (What is here is kept; pull again later)",
                            wire->host);
    case CURLE_COULDNT_RESOLVE_PROXY:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "the proxy cannot be found: look at HTTPS_PROXY, or unset it where none is needed");
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT: return explain_silence(wire, err);
    case CURLE_SSL_CONNECT_ERROR:
        return pd_error_set(err, PD_ERR_NETWORK,
                            "no encrypted connection to %s comes about: is HF_ENDPOINT right, and HTTPS_PROXY (that of "
                            "most proxies begins with http://)? What is here is kept",
                            wire->host);
    case CURLE_PEER_FAILED_VERIFICATION: return explain_certificate(wire, err);
    case CURLE_SSL_CACERT_BADFILE: return explain_trust(&wire->options.trust, err);
    default: break;
    }
    const int refusal = refusal_of_proxy(wire);
    if (refusal)
        return explain_proxy(wire, refusal, err);
    return pd_error_set(err, PD_ERR_NETWORK, "the connection to %s broke (%s); what is here is kept, pull again later",
                        wire->host, curl_easy_strerror(code));
}

static bool add_header(struct curl_slist **list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*list, text);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool prepare(pd_wire *wire, CURLU *url, struct curl_slist **ret_headers)
{
    char range[HEADER_BYTES] = "", line[PD_RESPONSE_ETAG_BYTES + HEADER_BYTES];
    const pd_get *get = wire->get;
    const bool has_range = get->range.end > get->range.begin;
    if (has_range)
        (void)snprintf(range, sizeof range, "%lld-%lld", (long long)get->range.begin, (long long)get->range.end - 1);
    bool good = true;
    if (has_range && get->if_range && get->if_range[0]) {
        (void)snprintf(line, sizeof line, "If-Range: %s", get->if_range);
        good = add_header(ret_headers, line);
    }
    const char *token = wire->options.token;
    if (token && token[0] && same_origin(url, wire->endpoint)) {
        pd_buf authorization;
        pd_buf_init(&authorization, 8192);
        good = good && pd_buf_appendf(&authorization, "Authorization: Bearer %s", token) == PD_OK &&
               add_header(ret_headers, authorization.data);
        pd_buf_done(&authorization);
    }
    CURL *curl = wire->curl;
    return good && curl_easy_setopt(curl, CURLOPT_CURLU, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_RANGE, has_range ? range : NULL) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *ret_headers) == CURLE_OK;
}

static void remember_host(pd_wire *wire, CURLU *url)
{
    char *host = NULL;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        (void)snprintf(wire->host, sizeof wire->host, "%s", host);
    curl_free(host);
}

static pd_status ask(pd_wire *wire, CURLU *url, bool *ret_again, pd_error *err)
{
    struct curl_slist *headers = NULL;
    remember_host(wire, url);
    if (!prepare(wire, url, &headers)) {
        curl_slist_free_all(headers);
        *ret_again = false;
        return pd_error_set_nomem(err);
    }
    const CURLcode code = curl_easy_perform(wire->curl);
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(wire->curl, CURLINFO_RETRY_AFTER, &retry_after);
    wire->retry_after_s = retry_after > 0 && retry_after < 86400 ? (int)retry_after : 0;
    (void)curl_easy_setopt(wire->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code == CURLE_OK || wire->was_ended)
        return PD_OK;
    *ret_again = is_worth_another(wire, code);
    return explain(wire, code, err);
}

static bool leads_on(const pd_response *response)
{
    const int code = response->code;
    return (code == 301 || code == 302 || code == 303 || code == 307 || code == 308) && response->location[0];
}

static pd_status follow(pd_wire *wire, CURLU *url, bool *ret_again, pd_error *err)
{
    pd_response *response = wire->response;
    for (int n = 0;; n++) {
        pd_response_follow(response);
        PD_TRY(ask(wire, url, ret_again, err));
        if (!leads_on(response))
            return PD_OK;
        *ret_again = false;
        if (n == REDIRECTS_MAX)
            return pd_error_set(err, PD_ERR_NETWORK, "%s leads from one address to the next without an end",
                                wire->host);
        if (curl_url_set(url, CURLUPART_URL, response->location, 0) != CURLUE_OK || !may_ask(wire, url))
            return pd_error_set(err, PD_ERR_NETWORK,
                                "%s leads on to an address without https, which is not asked: is HF_ENDPOINT right?",
                                wire->host);
    }
}

pd_status pd_wire_get(pd_wire *wire, const pd_get *get, pd_response *ret_response, bool *ret_again, pd_error *err)
{
    pd_response_init(ret_response);
    wire->get = get;
    wire->response = ret_response;
    wire->has_begun = wire->was_ended = false;
    *ret_again = false;
    CURLU *url = curl_url();
    if (!url)
        return pd_error_set_nomem(err);
    pd_status status = PD_OK;
    if (curl_url_set(url, CURLUPART_URL, get->url, 0) != CURLUE_OK)
        status = pd_error_set(err, PD_ERR_USAGE, "'%.200s' is no address", get->url);
    else
        status = follow(wire, url, ret_again, err);
    (void)curl_easy_setopt(wire->curl, CURLOPT_CURLU, NULL);
    curl_url_cleanup(url);
    wire->get = NULL;
    wire->response = NULL;
    return status;
}
