/* One question to the hub, with patience: what is worth another try, and what is said when it is not. */
#include "fetch/ask.h"

#include <string.h>

static pd_status explain_refusal(const pd_puller *puller, int code, const char *error_code, pd_error *err)
{
    const char *repository = puller->request.repository, *host = pd_wire_host(puller->wire);
    const bool has_token = puller->request.token[0] != '\0';
    if (strcmp(error_code, "GatedRepo") == 0 || code == 403)
        return pd_error_set(err, PD_ERR_NETWORK,
                            "%s does not give %s to everybody (403): accept its conditions on its page there%s", host,
                            repository, has_token ? ", with the account of your HF_TOKEN" : ", and set HF_TOKEN");
    if (code == 401)
        return pd_error_set(err, PD_ERR_NETWORK,
                            has_token ? "%s knows no public model %s, or does not accept your HF_TOKEN (401)"
                                      : "%s knows no public model %s (401): is the name right? A private one needs "
                                        "HF_TOKEN",
                            host, repository);
    if (code == 404 && strcmp(error_code, "RevisionNotFound") == 0)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "%s has no revision '%s' on %s", repository,
                            puller->request.revision, host);
    if (code == 404)
        return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no model %s (revision '%s') on %s: is the name right?",
                            repository, puller->request.revision, host);
    if (code == 429)
        return pd_error_set(err, PD_ERR_NETWORK,
                            "%s asks to wait (429: too many requests); what is here is kept, pull again later", host);
    if (code >= 500)
        return pd_error_set(err, PD_ERR_NETWORK,
                            "%s has trouble of its own (%d); what is here is kept, pull again later", host, code);
    return pd_error_set(err, PD_ERR_NETWORK, "%s answered %d where a file of %s was asked for", host, code, repository);
}

static bool is_worth_another(int code) { return code == 408 || code == 425 || code == 429 || code >= 500; }

/* Before anything came, it is more likely that there is no network than that it broke: said soon. */
static int tries_max(const pd_puller *puller)
{
    return puller->phase == PD_PULL_LIST ? PD_FETCH_FIRST_TRIES_MAX : PD_FETCH_TRIES_MAX;
}

/* 0.5, 1, 2 ... s; or as long as the hub asks, unless that is too long. */
static bool wait_for_next(pd_puller *puller, int *n_tries, int asked_s)
{
    if (++*n_tries >= tries_max(puller) || asked_s > PD_FETCH_WAIT_S_MAX)
        return false;
    int64_t ms = (int64_t)puller->request.retry_ms << (*n_tries - 1);
    if (asked_s * INT64_C(1000) > ms)
        ms = asked_s * INT64_C(1000);
    return pd_talk_wait(&puller->talk, ms);
}

bool pd_ask_wait(pd_puller *puller, int *n_tries) { return wait_for_next(puller, n_tries, 0); }

pd_status pd_ask(pd_puller *puller, const pd_get *get, int *n_tries, pd_response *ret_response, bool *ret_again,
                 pd_error *err)
{
    pd_error attempt = { 0 };
    bool worth = false;
    const pd_status status = pd_wire_get(puller->wire, get, ret_response, &worth, &attempt);
    const int code = ret_response->code;
    *ret_again = false;
    if (status == PD_OK && (code == 200 || code == 206 || code == 416))
        return PD_OK;
    if (status == PD_OK)
        worth = is_worth_another(code);
    if (worth && wait_for_next(puller, n_tries, status == PD_OK ? pd_wire_retry_after_s(puller->wire) : 0)) {
        *ret_again = true;
        return PD_OK;
    }
    if (pd_talk_is_cancelled(&puller->talk))
        return pd_error_set(err, PD_ERR_CANCELLED, "cancelled; what is here is kept");
    return status == PD_OK ? explain_refusal(puller, code, ret_response->error_code, err)
                           : pd_error_hand_on(err, &attempt);
}
