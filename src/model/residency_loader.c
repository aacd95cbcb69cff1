/* residency_loader.c: the thread that loads what is wanted, one part after the other. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/model_parts.h"
#include "model/residency_parts.h"

#define TELL_FRACTION_STEP 0.01 /* of loading, between two changes that are told */

typedef struct loading {
    pd_residency *residency;
    pd_residency_part *part;
    double told; /* fraction */
} loading;

static void watch_loading(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
    loading *l = user;
    pd_residency *r = l->residency;
    const double fraction = total_bytes ? (double)done_bytes / (double)total_bytes : 0;
    const bool is_news = fraction - l->told >= TELL_FRACTION_STEP;
    pthread_mutex_lock(&r->lock);
    l->part->fraction = fraction;
    pthread_mutex_unlock(&r->lock);
    if (is_news) {
        l->told = fraction;
        pd_residency_tell(r);
    }
}

/* A folder that a model is fetched into: what its weights are now says nothing, unless somebody knows what they will
 * be; and then its image tower alone is here. Anything else would be made of holes, and kept under an id that promises
 * more.
 */
static pd_status check_promise(const pd_residency_part *p, const char *weights_sha256, pd_error *err)
{
    static const char end[] = ".part";
    const char *dir = p->of->dir;
    const size_t len = strlen(dir), end_len = sizeof end - 1;
    if (len < end_len || strcmp(dir + len - end_len, end) != 0 || (weights_sha256[0] && p->kind == PD_PART_VISION))
        return PD_OK;
    return pd_error_set(err, PD_ERR_NOT_FOUND,
                        "the model in '%s' is not here as a whole: 'model pull' fetches the rest", dir);
}

static pd_status open_contents(loading *l, const char *weights_sha256, pd_residency_contents *ret, pd_error *err)
{
    const pd_residency *r = l->residency;
    PD_TRY(check_promise(l->part, weights_sha256, err));
    const pd_model_options options = { .towers = l->part->kind == PD_PART_TEXT ? PD_MODEL_TEXT : PD_MODEL_VISION,
                                       .cpu_mask = r->cpu_mask,
                                       .precision = r->precision,
                                       .cache_dir = r->cache_dir,
                                       .progress = watch_loading,
                                       .progress_user = l,
                                       .cancelled = &l->part->unasked,
                                       .weights_sha256 = weights_sha256[0] ? weights_sha256 : NULL };
    return l->part->kind == PD_PART_CAPTIONER ? pd_captioner_open(&ret->captioner, l->part->of->dir, &options, err)
                                              : pd_model_open(&ret->model, l->part->of->dir, &options, err);
}

/* What the end of a loading means. True: what was loaded is the part's now. */
static bool settle(pd_residency *r, pd_residency_part *p, pd_status status, const pd_residency_contents *c,
                   const pd_error *error)
{
    const bool is_asked_for = p->hinted || p->n_waiting > 0;
    if (status == PD_ERR_CANCELLED && is_asked_for && !r->closing) { /* somebody came in the last moment */
        p->state = PD_RESIDENCE_COLD;
        (void)pd_residency_want(r, p);
        return false;
    }
    if (status == PD_ERR_CANCELLED || (p->leaving && p->n_waiting == 0)) {
        pd_residency_give_up(p);
        return false;
    }
    p->hinted = false;
    if (status != PD_OK) {
        p->state = PD_RESIDENCE_FAILED;
        p->error = *error;
        p->error.status = status;
        p->n_failures++;
        p->leaving = false;
        return false;
    }
    p->state = PD_RESIDENCE_READY;
    p->was_ready = true;
    p->in_memory = *c;
    p->model_bytes = c->captioner ? pd_captioner_bytes(c->captioner) : pd_model_bytes(c->model);
    p->used_ns = pd_clock_ns();
    return true;
}

static void load(pd_residency *r, pd_residency_part *p)
{
    loading l = { .residency = r, .part = p };
    pd_residency_contents c = { 0 };
    pd_error error = { 0 };
    char weights_sha256[PD_SHA256_TEXT_BYTES];
    memcpy(weights_sha256, p->of->weights_sha256, sizeof weights_sha256);
    p->wanted = false;
    pthread_mutex_unlock(&r->lock);
    pd_residency_tell(r);
    const int64_t start_ns = pd_clock_ns();
    const pd_status status = open_contents(&l, weights_sha256, &c, &error);
    const double took_ms = (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS;
    pthread_mutex_lock(&r->lock);
    const bool taken = settle(r, p, status, &c, &error);
    if (taken)
        p->load_ms = took_ms;
    pd_residency_tell_keeper(r, p);
    pthread_cond_broadcast(&r->loaded);
    pthread_mutex_unlock(&r->lock);
    if (!taken) {
        pd_residency_close_contents(&c);
        pd_mem_trim();
    }
    pd_residency_tell(r);
    pthread_mutex_lock(&r->lock);
}

static bool is_wanted(const pd_residency_part *p) { return p->wanted; }

/* Those that somebody waits for come before hints. */
static pd_residency_part *next_wanted(const pd_residency *r)
{
    pd_residency_part *best = NULL;
    for (pd_residency_part *p = pd_residency_next_part(r, NULL, is_wanted); p;
         p = pd_residency_next_part(r, p, is_wanted)) {
        const bool is_urgent = p->n_waiting > 0, best_is_urgent = best && best->n_waiting > 0;
        if (!best || (is_urgent && !best_is_urgent) || (is_urgent == best_is_urgent && p->ticket < best->ticket))
            best = p;
    }
    return best;
}

void *pd_residency_run_loader(void *user)
{
    pd_residency *r = user;
    pthread_mutex_lock(&r->lock);
    while (!r->closing) {
        pd_residency_part *p = next_wanted(r);
        if (p)
            load(r, p);
        else
            pthread_cond_wait(&r->work, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}
