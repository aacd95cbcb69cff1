/* residency.c: which directories and parts there are, the state of each, and what is told of them. */
#include "model/residency.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/residency_parts.h"

const char *pd_residence_name(pd_residence residence)
{
    static const char *const names[] = {
        [PD_RESIDENCE_COLD] = "cold", [PD_RESIDENCE_LOADING] = "loading", [PD_RESIDENCE_READY] = "ready",
        [PD_RESIDENCE_IDLE] = "idle", [PD_RESIDENCE_FAILED] = "failed",
    };
    return names[residence];
}

int pd_residence_rank(pd_residence residence)
{
    static const int ranks[] = { [PD_RESIDENCE_COLD] = 0,
                                 [PD_RESIDENCE_IDLE] = 1,
                                 [PD_RESIDENCE_FAILED] = 2,
                                 [PD_RESIDENCE_READY] = 3,
                                 [PD_RESIDENCE_LOADING] = 4 };
    return ranks[residence];
}

void pd_residency_tell(const pd_residency *residency)
{
    if (residency->changed)
        residency->changed(residency->changed_user);
}

void pd_residency_close_contents(pd_residency_contents *c)
{
    for (size_t i = 0; i < c->n_spares; i++)
        pd_session_free(&c->spares[i]);
    pd_captioner_close(&c->captioner);
    pd_model_close(&c->model);
    *c = (pd_residency_contents){ 0 };
}

pd_status pd_residency_create(pd_residency **ret_residency, const pd_residency_options *options, pd_error *err)
{
    pd_residency *r = pd_mem_alloc(1, sizeof *r);
    if (!r)
        return pd_error_set_nomem(err);
    r->cpu_mask = options->cpu_mask;
    r->precision = (pd_precision)options->precision;
    r->cache_dir = options->cache_dir ? pd_mem_dup_string(options->cache_dir) : NULL;
    r->system_root = pd_mem_dup_string(options->system_root ? options->system_root : "");
    r->look_s = options->look_s > 0 ? options->look_s : PD_RESIDENCY_LOOK_S;
    r->idle_s = options->idle_s != 0 ? options->idle_s : PD_RESIDENCY_IDLE_S;
    r->changed = options->changed;
    r->changed_user = options->changed_user;
    r->keeper_due_ns = PD_RESIDENCY_NEVER_NS;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->rested, &attributes);
    pthread_cond_init(&r->loaded, &attributes);
    pthread_condattr_destroy(&attributes);
    if (!r->system_root || (options->cache_dir && !r->cache_dir)) {
        pd_residency_free(&r);
        return pd_error_set_nomem(err);
    }
    *ret_residency = r;
    return PD_OK;
}

static void free_place(pd_residency_place *at)
{
    for (size_t i = 0; i < PD_PART_COUNT; i++) {
        PD_CHECK(at->parts[i].n_borrowed == 0 && at->parts[i].n_waiting == 0);
        pd_residency_close_contents(&at->parts[i].in_memory);
    }
    pd_mem_free(at->dir);
    pd_mem_free(at);
}

void pd_residency_stop(pd_residency *residency)
{
    pd_residency *r = residency;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    for (size_t i = 0; i < r->n_places; i++)
        for (size_t k = 0; k < PD_PART_COUNT; k++) {
            r->places[i]->parts[k].hinted = false;
            pd_residency_review(&r->places[i]->parts[k]);
        }
    pthread_cond_broadcast(&r->work);
    pthread_cond_broadcast(&r->rested);
    pthread_cond_broadcast(&r->loaded);
    pthread_mutex_unlock(&r->lock);
}

void pd_residency_free(pd_residency **residency)
{
    pd_residency *r = *residency;
    if (!r)
        return;
    pd_residency_stop(r);
    if (r->has_loader)
        pthread_join(r->loader, NULL);
    if (r->has_keeper)
        pthread_join(r->keeper, NULL);
    for (size_t i = 0; i < r->n_places; i++)
        free_place(r->places[i]);
    pthread_cond_destroy(&r->loaded);
    pthread_cond_destroy(&r->rested);
    pthread_cond_destroy(&r->work);
    pthread_mutex_destroy(&r->lock);
    pd_mem_free(r->cache_dir);
    pd_mem_free(r->system_root);
    pd_mem_free(r);
    *residency = NULL;
}

static pd_status need_threads(pd_residency *r, pd_error *err)
{
    if (!r->has_loader)
        PD_TRY(pd_thread_start(&r->loader, "pd-loader", pd_residency_run_loader, r, err));
    r->has_loader = true;
    if (!r->has_keeper)
        PD_TRY(pd_thread_start(&r->keeper, "pd-keeper", pd_residency_run_keeper, r, err));
    r->has_keeper = true;
    return PD_OK;
}

/* A slash at the end makes no other directory. */
static size_t length_of(const char *dir)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    return len;
}

pd_residency_place *pd_residency_find_place(const pd_residency *r, const char *dir)
{
    const size_t len = length_of(dir);
    for (size_t i = 0; i < r->n_places; i++)
        if (!r->places[i]->is_old && strlen(r->places[i]->dir) == len && memcmp(r->places[i]->dir, dir, len) == 0)
            return r->places[i];
    return NULL;
}

pd_status pd_residency_need_place(pd_residency *r, const char *dir, pd_residency_place **ret_place, pd_error *err)
{
    pd_residency_place *at = pd_residency_find_place(r, dir);
    if (at) {
        *ret_place = at;
        return PD_OK;
    }
    if (r->n_places == PD_RESIDENCY_DIRS_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%d models were used since the program began: start it again for more",
                            PD_RESIDENCY_DIRS_MAX);
    at = pd_mem_alloc(1, sizeof *at);
    char *copy = at ? pd_mem_dup_text(dir, length_of(dir)) : NULL;
    if (!copy) {
        pd_mem_free(at);
        return pd_error_set_nomem(err);
    }
    at->dir = copy;
    at->idle_s = NAN;
    for (size_t i = 0; i < PD_PART_COUNT; i++) {
        at->parts[i].of = at;
        at->parts[i].kind = (pd_model_part)i;
    }
    r->places[r->n_places++] = at;
    *ret_place = at;
    return PD_OK;
}

pd_status pd_residency_need_part(pd_residency *r, const char *dir, pd_model_part kind, pd_residency_part **ret_part,
                                 pd_error *err)
{
    pd_residency_place *at;
    PD_CHECK(kind < PD_PART_COUNT);
    PD_TRY(need_threads(r, err));
    PD_TRY(pd_residency_need_place(r, dir, &at, err));
    *ret_part = &at->parts[kind];
    return PD_OK;
}

pd_residency_part *pd_residency_next_part(const pd_residency *r, const pd_residency_part *after,
                                          bool (*choose)(const pd_residency_part *p))
{
    bool passed = !after;
    for (size_t i = 0; i < r->n_places; i++)
        for (size_t k = 0; k < PD_PART_COUNT; k++) {
            pd_residency_part *p = &r->places[i]->parts[k];
            if (passed && choose(p))
                return p;
            passed = passed || p == after;
        }
    return NULL;
}

/* Loaded just now, it is not put away before those who waited have it. */
bool pd_residency_is_resting(const pd_residency_part *p)
{
    return p->state == PD_RESIDENCE_READY && p->n_borrowed == 0 && p->n_waiting == 0;
}

bool pd_residency_want(pd_residency *r, pd_residency_part *p)
{
    p->needed = true;
    if (p->state == PD_RESIDENCE_LOADING)
        p->leaving = false;
    if (p->state == PD_RESIDENCE_READY || p->state == PD_RESIDENCE_LOADING)
        return false;
    p->state = PD_RESIDENCE_LOADING;
    p->wanted = true;
    p->ticket = ++r->n_tickets;
    p->fraction = 0;
    pthread_cond_signal(&r->work);
    return true;
}

void pd_residency_give_up(pd_residency_part *p)
{
    p->wanted = p->hinted = p->leaving = false;
    p->state = p->was_ready ? PD_RESIDENCE_IDLE : PD_RESIDENCE_COLD;
}

void pd_residency_review(pd_residency_part *p)
{
    const bool is_unasked = !p->hinted && p->n_waiting == 0;
    atomic_store(&p->unasked, is_unasked);
    if (p->wanted && is_unasked) /* it is not being loaded yet */
        pd_residency_give_up(p);
}

static void describe(const pd_residency_part *p, int64_t now_ns, pd_resident *ret, pd_error *ret_error)
{
    const bool is_there = p->state == PD_RESIDENCE_READY;
    *ret_error = p->error;
    *ret =
        (pd_resident){ .dir = p->of->dir,
                       .part = p->kind,
                       .state = p->state,
                       .fraction = p->state == PD_RESIDENCE_LOADING ? p->fraction : 0,
                       .load_ms = p->load_ms,
                       .idle_s = p->n_borrowed || !p->used_ns ? 0 : (double)(now_ns - p->used_ns) / (double)PD_NS_PER_S,
                       .bytes = is_there ? (int64_t)(p->model_bytes + p->n_sessions * p->session_bytes) : 0,
                       .n_borrowed = p->n_borrowed,
                       .error = p->state == PD_RESIDENCE_FAILED ? ret_error->message : NULL };
}

void pd_residency_visit(pd_residency *residency, void (*visit)(void *user, const pd_resident *resident), void *user)
{
    pd_residency *r = residency;
    const int64_t now_ns = pd_clock_ns();
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n_places; i++)
        for (size_t k = 0; k < PD_PART_COUNT; k++) {
            pd_resident resident;
            pd_error error;
            if (!r->places[i]->parts[k].needed || r->places[i]->is_old)
                continue;
            describe(&r->places[i]->parts[k], now_ns, &resident, &error);
            pthread_mutex_unlock(&r->lock);
            visit(user, &resident);
            pthread_mutex_lock(&r->lock);
        }
    pthread_mutex_unlock(&r->lock);
}
