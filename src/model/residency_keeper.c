/* residency_keeper.c: what goes out of memory: by the keeper's thread what has rested, and what rests when memory is
 * short; by whoever says so what is unloaded or exchanged. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/residency_parts.h"
#include "model/shortage.h"

static double idle_of(const pd_residency *r, const pd_residency_part *p)
{
    return isnan(p->of->idle_s) ? r->idle_s : p->of->idle_s;
}

/* When a resting part has rested long enough. */
static int64_t due_of(const pd_residency *r, const pd_residency_part *p)
{
    const double idle_s = idle_of(r, p);
    if (p->leaving)
        return 0;
    return idle_s < 0 || idle_s > 1e9 ? PD_RESIDENCY_NEVER_NS : p->used_ns + (int64_t)(idle_s * (double)PD_NS_PER_S);
}

void pd_residency_tell_keeper(pd_residency *r, const pd_residency_part *p)
{
    const int64_t look_ns = p->used_ns + (int64_t)(r->look_s * (double)PD_NS_PER_S), due_ns = due_of(r, p);
    if (p->n_borrowed == 0 && (due_ns < look_ns ? due_ns : look_ns) < r->keeper_due_ns)
        pthread_cond_signal(&r->rested);
}

/* Takes what is in memory of a resting part and gives its memory back; the lock is given up meanwhile. */
static void put_away(pd_residency *r, pd_residency_part *p)
{
    pd_residency_contents c = p->in_memory;
    p->in_memory = (pd_residency_contents){ 0 };
    p->n_sessions = 0;
    p->leaving = false;
    p->state = PD_RESIDENCE_IDLE;
    pthread_mutex_unlock(&r->lock);
    pd_residency_close_contents(&c);
    pd_mem_trim();
    pd_residency_tell(r);
    pthread_mutex_lock(&r->lock);
}

static pd_residency_part *next_resting(const pd_residency *r, const pd_residency_part *after)
{
    return pd_residency_next_part(r, after, pd_residency_is_resting);
}

static pd_residency_part *next_due(const pd_residency *r, int64_t now_ns)
{
    for (pd_residency_part *p = next_resting(r, NULL); p; p = next_resting(r, p))
        if (due_of(r, p) <= now_ns)
            return p;
    return NULL;
}

static void put_away_resting(pd_residency *r, bool captioners)
{
    pd_residency_part *p = next_resting(r, NULL);
    while (p) {
        pd_residency_part *next = next_resting(r, p);
        if ((p->kind == PD_PART_CAPTIONER) == captioners) {
            put_away(r, p);
            next = next_resting(r, NULL); /* others may have come and gone */
        }
        p = next;
    }
}

/* Captioners are the largest, and the least urgently missed: they go first, and often that is enough. */
static void relieve(pd_residency *r)
{
    for (int captioners = 1; captioners >= 0; captioners--) {
        pthread_mutex_unlock(&r->lock);
        const bool is_short = pd_shortage_look(r->system_root);
        pthread_mutex_lock(&r->lock);
        if (!is_short)
            return;
        put_away_resting(r, captioners);
    }
}

/* Sleeps until a part is due, or until it is time to look at the system's memory, which matters while something rests.
 */
static void sleep_keeper(pd_residency *r, int64_t *look_ns)
{
    int64_t due_ns = PD_RESIDENCY_NEVER_NS;
    for (const pd_residency_part *p = next_resting(r, NULL); p; p = next_resting(r, p)) {
        const int64_t part_ns = due_of(r, p);
        due_ns = part_ns < due_ns ? part_ns : due_ns;
        due_ns = *look_ns < due_ns ? *look_ns : due_ns;
    }
    r->keeper_due_ns = due_ns;
    if (due_ns == PD_RESIDENCY_NEVER_NS) {
        pthread_cond_wait(&r->rested, &r->lock);
    } else {
        const struct timespec when = { .tv_sec = due_ns / PD_NS_PER_S, .tv_nsec = due_ns % PD_NS_PER_S };
        (void)pthread_cond_timedwait(&r->rested, &r->lock, &when);
    }
}

void *pd_residency_run_keeper(void *user)
{
    pd_residency *r = user;
    const int64_t step_ns = (int64_t)(r->look_s * (double)PD_NS_PER_S);
    int64_t look_ns = pd_clock_ns() + step_ns;
    pthread_mutex_lock(&r->lock);
    while (!r->closing) {
        const int64_t now_ns = pd_clock_ns();
        pd_residency_part *due = next_due(r, now_ns);
        if (due) {
            put_away(r, due);
        } else if (now_ns >= look_ns) {
            relieve(r);
            look_ns = pd_clock_ns() + step_ns;
        } else {
            sleep_keeper(r, &look_ns);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Puts a part away, now or as soon as that is possible. False: it is in use. */
static bool let_go(pd_residency *r, pd_residency_part *p)
{
    if (pd_residency_is_resting(p)) {
        put_away(r, p);
        return true;
    }
    if (p->state != PD_RESIDENCE_READY && p->state != PD_RESIDENCE_LOADING)
        return true;
    p->hinted = false;
    p->leaving = true;
    pd_residency_review(p);
    return p->n_borrowed == 0 && p->n_waiting == 0;
}

pd_status pd_residency_unload(pd_residency *residency, const char *dir, pd_error *err)
{
    pd_residency *r = residency;
    const char *in_use = NULL;
    pd_status status = PD_OK;
    pthread_mutex_lock(&r->lock);
    const pd_residency_place *only = dir ? pd_residency_find_place(r, dir) : NULL;
    for (size_t i = 0; i < r->n_places; i++) /* places stay where they are, whatever happens meanwhile */
        for (size_t k = 0; k < PD_PART_COUNT; k++)
            if ((!dir || r->places[i] == only) && !let_go(r, &r->places[i]->parts[k]))
                in_use = r->places[i]->dir;
    if (in_use)
        status =
            pd_error_set(err, PD_ERR_BUSY, "the model '%s' is in use; it is put away as soon as it is not", in_use);
    pthread_mutex_unlock(&r->lock);
    pd_residency_tell(r);
    return status;
}

void pd_residency_promise(pd_residency *residency, const char *dir, const char *weights_sha256)
{
    pd_residency_place *at = NULL;
    pthread_mutex_lock(&residency->lock);
    if (pd_residency_need_place(residency, dir, &at, NULL) == PD_OK &&
        strcmp(at->weights_sha256, weights_sha256) != 0) {
        (void)snprintf(at->weights_sha256, sizeof at->weights_sha256, "%s", weights_sha256);
        for (size_t k = 0; k < PD_PART_COUNT; k++)
            (void)let_go(residency, &at->parts[k]);
    }
    pthread_mutex_unlock(&residency->lock);
}

/* Only what is in use, or being loaded, has to be told from what will be. */
void pd_residency_renew(pd_residency *residency, const char *dir)
{
    pd_residency_place *at, *next = NULL;
    pthread_mutex_lock(&residency->lock);
    at = pd_residency_find_place(residency, dir);
    for (size_t k = 0; at && k < PD_PART_COUNT; k++)
        at->is_old |= !let_go(residency, &at->parts[k]) || at->parts[k].state == PD_RESIDENCE_LOADING;
    if (at && at->is_old && pd_residency_need_place(residency, dir, &next, NULL) == PD_OK)
        next->idle_s = at->idle_s;
    pthread_mutex_unlock(&residency->lock);
    pd_residency_tell(residency);
}

void pd_residency_set_idle(pd_residency *residency, const char *dir, double idle_s)
{
    pd_residency_place *at = NULL;
    const double meant_s = idle_s != 0 ? idle_s : PD_RESIDENCY_IDLE_S;
    pthread_mutex_lock(&residency->lock);
    if (!dir)
        residency->idle_s = meant_s;
    else if (pd_residency_need_place(residency, dir, &at, NULL) == PD_OK) /* else the residency's own holds */
        at->idle_s = meant_s;
    pthread_cond_signal(&residency->rested);
    pthread_mutex_unlock(&residency->lock);
}
