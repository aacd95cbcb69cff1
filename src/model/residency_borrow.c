/* residency_borrow.c: who needs a part: waiting for it, having it, giving it back. */
#include "base/clock.h"
#include "model/model_parts.h"
#include "model/residency_parts.h"

#define CANCELLED_LOOK_MS 20 /* a borrower who may be cancelled looks this often */

static void wait_for_loading(pd_residency *r, bool may_be_cancelled)
{
    if (!may_be_cancelled) {
        pthread_cond_wait(&r->loaded, &r->lock);
        return;
    }
    const int64_t until_ns = pd_clock_ns() + CANCELLED_LOOK_MS * PD_NS_PER_MS;
    const struct timespec when = { .tv_sec = until_ns / PD_NS_PER_S, .tv_nsec = until_ns % PD_NS_PER_S };
    (void)pthread_cond_timedwait(&r->loaded, &r->lock, &when);
}

/* Waits until the part is there, and counts the caller among its borrowers. */
static pd_status wait_until_ready(pd_residency *r, pd_residency_part *p, const atomic_bool *cancelled, pd_error *err)
{
    const uint64_t n_failures = p->n_failures;
    pd_status status = PD_OK;
    p->n_waiting++;
    const bool is_news = pd_residency_want(r, p);
    pd_residency_review(p);
    if (is_news) {
        pthread_mutex_unlock(&r->lock);
        pd_residency_tell(r);
        pthread_mutex_lock(&r->lock);
    }
    while (status == PD_OK && p->state != PD_RESIDENCE_READY) {
        if (p->n_failures != n_failures)
            status = pd_error_hand_on(err, &p->error);
        else if (r->closing || (cancelled && atomic_load(cancelled)))
            status = pd_error_set(err, PD_ERR_CANCELLED, "waiting for the model was cancelled");
        else
            wait_for_loading(r, cancelled != NULL);
    }
    p->n_waiting--;
    if (status == PD_OK)
        p->n_borrowed++;
    pd_residency_review(p);
    return status;
}

static pd_status find_session(pd_residency *r, pd_residency_part *p, pd_lease *lease, pd_error *err)
{
    if (p->kind == PD_PART_CAPTIONER) /* its sessions are its borrowers' own */
        return PD_OK;
    if (p->in_memory.n_spares > 0) {
        lease->session = p->in_memory.spares[--p->in_memory.n_spares];
        return PD_OK;
    }
    const pd_session_options options = { .towers = p->kind == PD_PART_TEXT ? PD_MODEL_TEXT : PD_MODEL_VISION };
    pthread_mutex_unlock(&r->lock);
    const pd_status status = pd_session_create(&lease->session, lease->model, &options, err);
    pthread_mutex_lock(&r->lock);
    if (status == PD_OK) {
        p->session_bytes = pd_session_bytes(lease->session);
        p->n_sessions++;
    }
    return status;
}

/* NULL, or the session that is not kept: the caller frees it without the lock. */
static pd_session *come_back(pd_residency *r, pd_residency_part *p, pd_session *session)
{
    pd_residency_contents *c = &p->in_memory;
    if (session && c->n_spares < PD_RESIDENCY_SPARES_MAX) {
        c->spares[c->n_spares++] = session;
        session = NULL;
    } else if (session) {
        p->n_sessions--;
    }
    p->n_borrowed--;
    p->used_ns = pd_clock_ns();
    pd_residency_tell_keeper(r, p);
    return session;
}

pd_status pd_residency_borrow(pd_residency *residency, const char *dir, pd_model_part part_kind,
                              const atomic_bool *cancelled, pd_lease *ret_lease, pd_error *err)
{
    pd_residency_part *p = NULL;
    pd_lease lease = { 0 };
    pthread_mutex_lock(&residency->lock);
    pd_status status = pd_residency_need_part(residency, dir, part_kind, &p, err);
    if (status == PD_OK)
        status = wait_until_ready(residency, p, cancelled, err);
    if (status == PD_OK) {
        lease = (pd_lease){ .model = p->in_memory.model, .captioner = p->in_memory.captioner, .entry = p };
        status = find_session(residency, p, &lease, err);
        if (status != PD_OK)
            (void)come_back(residency, p, NULL);
    }
    pthread_mutex_unlock(&residency->lock);
    if (status == PD_OK)
        *ret_lease = lease;
    return status;
}

void pd_residency_return(pd_residency *residency, pd_lease *lease)
{
    pd_residency_part *p = lease->entry;
    if (!p)
        return;
    pthread_mutex_lock(&residency->lock);
    pd_session *extra = come_back(residency, p, lease->session);
    pthread_mutex_unlock(&residency->lock);
    pd_session_free(&extra);
    *lease = (pd_lease){ 0 };
}

void pd_residency_prefetch(pd_residency *residency, const char *dir, pd_model_part part_kind)
{
    pd_residency_part *p = NULL;
    pthread_mutex_lock(&residency->lock);
    bool is_news = false;
    /* else the hint is lost, and the borrower is told */
    if (pd_residency_need_part(residency, dir, part_kind, &p, NULL) == PD_OK) {
        is_news = pd_residency_want(residency, p);
        p->hinted = p->state == PD_RESIDENCE_LOADING && !residency->closing;
        pd_residency_review(p);
    }
    pthread_mutex_unlock(&residency->lock);
    if (is_news)
        pd_residency_tell(residency);
}
