/* residency.c: parts of models, loaded by one thread, put away by another.
 *
 *     cold ──needed──► loading ──► ready ──rested, unloaded, memory short──► idle ──needed──► loading
 *                        │  ▲
 *                        ▼  │ needed again
 *                       failed
 *
 * One lock. Nothing is opened, closed or told while it is held. */
#include "model/residency.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/model_parts.h"
#include "model/shortage.h"

#define SPARES_MAX 8            /* sessions of a part that are kept for the next borrowers */
#define TELL_FRACTION_STEP 0.01 /* of loading, between two changes that are told */
#define CANCELLED_LOOK_MS 20    /* a borrower who may be cancelled looks this often */
#define NEVER_NS INT64_MAX

/* What is in memory for a part. */
typedef struct contents {
    pd_model *model;
    pd_captioner *captioner; /* of the captioner's part, in place of a model */
    pd_session *spares[SPARES_MAX];
    size_t n_spares;
} contents;

typedef struct place place;

typedef struct part {
    place *of;
    pd_model_part kind;
    bool needed; /* ever */
    pd_residence state;
    bool wanted;         /* LOADING: waits for its turn; else it is being loaded */
    bool hinted;         /* LOADING: for somebody who does not wait */
    bool leaving;        /* to be put away as soon as nobody has it */
    bool was_ready;      /* it is IDLE, not COLD, when it is not there */
    uint64_t ticket;     /* of the want: the lowest is served first */
    uint64_t n_failures; /* loadings that failed */
    unsigned n_waiting, n_borrowed;
    int64_t used_ns; /* when the last borrower left */
    double load_ms, fraction;
    size_t model_bytes, session_bytes, n_sessions;
    contents in_memory;
    pd_error error; /* FAILED */
} part;

struct place {
    char *dir;
    bool is_old;                               /* what lies there now is another: nobody finds this one any more */
    double idle_s;                             /* NAN: as the residency's */
    char weights_sha256[PD_SHA256_TEXT_BYTES]; /* "": nothing is promised */
    part parts[PD_PART_COUNT];
};

struct pd_residency {
    unsigned cpu_mask;
    pd_precision precision;
    char *cache_dir, *system_root;
    double look_s;
    void (*changed)(void *user);
    void *changed_user;

    pthread_mutex_t lock;
    pthread_cond_t work;   /* for the loader */
    pthread_cond_t rested; /* for the keeper */
    pthread_cond_t loaded; /* for borrowers: some loading came to its end */
    double idle_s;
    place *places[PD_RESIDENCY_DIRS_MAX];
    size_t n_places;
    uint64_t n_tickets;
    int64_t keeper_due_ns; /* when the keeper looks next; NEVER_NS: when it is told to */
    bool closing, has_threads;
    pthread_t loader, keeper;
};

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

static void tell(const pd_residency *residency)
{
    if (residency->changed)
        residency->changed(residency->changed_user);
}

static void close_contents(contents *c)
{
    for (size_t i = 0; i < c->n_spares; i++)
        pd_session_free(&c->spares[i]);
    pd_captioner_close(&c->captioner);
    pd_model_close(&c->model);
    *c = (contents){ 0 };
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
    r->keeper_due_ns = NEVER_NS;
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

static void free_place(place *at)
{
    for (size_t i = 0; i < PD_PART_COUNT; i++) {
        PD_CHECK(at->parts[i].n_borrowed == 0 && at->parts[i].n_waiting == 0);
        close_contents(&at->parts[i].in_memory);
    }
    pd_mem_free(at->dir);
    pd_mem_free(at);
}

void pd_residency_free(pd_residency **residency)
{
    pd_residency *r = *residency;
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_cond_broadcast(&r->work);
    pthread_cond_broadcast(&r->rested);
    const bool has_threads = r->has_threads;
    pthread_mutex_unlock(&r->lock);
    if (has_threads) {
        pthread_join(r->loader, NULL);
        pthread_join(r->keeper, NULL);
    }
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

/* All below, but the threads and the contract's functions, are called with the lock held. */

/* A slash at the end makes no other directory. */
static size_t length_of(const char *dir)
{
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    return len;
}

/* NULL: never heard of. */
static place *find_place(const pd_residency *r, const char *dir)
{
    const size_t len = length_of(dir);
    for (size_t i = 0; i < r->n_places; i++)
        if (!r->places[i]->is_old && strlen(r->places[i]->dir) == len && memcmp(r->places[i]->dir, dir, len) == 0)
            return r->places[i];
    return NULL;
}

static pd_status need_place(pd_residency *r, const char *dir, place **ret_place, pd_error *err)
{
    place *at = find_place(r, dir);
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

/* The next part for which `choose` holds, `after` it (NULL: the first); NULL: no more. */
static part *next_part(const pd_residency *r, const part *after, bool (*choose)(const part *p))
{
    bool passed = !after;
    for (size_t i = 0; i < r->n_places; i++)
        for (size_t k = 0; k < PD_PART_COUNT; k++) {
            part *p = &r->places[i]->parts[k];
            if (passed && choose(p))
                return p;
            passed = passed || p == after;
        }
    return NULL;
}

static bool is_wanted(const part *p) { return p->wanted; }
/* Loaded just now, it is not put away before those who waited have it. */
static bool is_resting(const part *p)
{
    return p->state == PD_RESIDENCE_READY && p->n_borrowed == 0 && p->n_waiting == 0;
}

static double idle_of(const pd_residency *r, const part *p) { return isnan(p->of->idle_s) ? r->idle_s : p->of->idle_s; }

/* When a resting part has rested long enough. */
static int64_t due_of(const pd_residency *r, const part *p)
{
    const double idle_s = idle_of(r, p);
    if (p->leaving)
        return 0;
    return idle_s < 0 || idle_s > 1e9 ? NEVER_NS : p->used_ns + (int64_t)(idle_s * (double)PD_NS_PER_S);
}

/* True: its state is another now. */
static bool want(pd_residency *r, part *p)
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

static void give_up_loading(part *p)
{
    p->wanted = p->hinted = p->leaving = false;
    p->state = p->was_ready ? PD_RESIDENCE_IDLE : PD_RESIDENCE_COLD;
}

/* Takes what is in memory of a resting part and gives its memory back; the lock is given up meanwhile. */
static void put_away(pd_residency *r, part *p)
{
    contents c = p->in_memory;
    p->in_memory = (contents){ 0 };
    p->n_sessions = 0;
    p->leaving = false;
    p->state = PD_RESIDENCE_IDLE;
    pthread_mutex_unlock(&r->lock);
    close_contents(&c);
    pd_mem_trim();
    tell(r);
    pthread_mutex_lock(&r->lock);
}

typedef struct loading {
    pd_residency *residency;
    part *part;
    double told; /* fraction */
} loading;

/* By the loader, while it prepares: false when nobody wants it any more. */
static bool watch_loading(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
    loading *l = user;
    pd_residency *r = l->residency;
    const double fraction = total_bytes ? (double)done_bytes / (double)total_bytes : 0;
    const bool is_news = fraction - l->told >= TELL_FRACTION_STEP;
    pthread_mutex_lock(&r->lock);
    l->part->fraction = fraction;
    const bool goes_on = !r->closing && (l->part->hinted || l->part->n_waiting > 0);
    pthread_mutex_unlock(&r->lock);
    if (is_news) {
        l->told = fraction;
        tell(r);
    }
    return goes_on;
}

/* A folder that a model is fetched into: what its weights are now says nothing, unless somebody knows what they will
 * be; and then its image tower alone is here. Anything else would be made of holes, and kept under an id that promises
 * more.
 */
static pd_status check_promise(const part *p, const char *weights_sha256, pd_error *err)
{
    static const char end[] = ".part";
    const char *dir = p->of->dir;
    const size_t len = strlen(dir), end_len = sizeof end - 1;
    if (len < end_len || strcmp(dir + len - end_len, end) != 0 || (weights_sha256[0] && p->kind == PD_PART_VISION))
        return PD_OK;
    return pd_error_set(err, PD_ERR_NOT_FOUND,
                        "the model in '%s' is not here as a whole: 'model pull' fetches the rest", dir);
}

static pd_status open_contents(loading *l, const char *weights_sha256, contents *ret, pd_error *err)
{
    const pd_residency *r = l->residency;
    PD_TRY(check_promise(l->part, weights_sha256, err));
    const pd_model_options options = { .towers = l->part->kind == PD_PART_TEXT ? PD_MODEL_TEXT : PD_MODEL_VISION,
                                       .cpu_mask = r->cpu_mask,
                                       .precision = r->precision,
                                       .cache_dir = r->cache_dir,
                                       .progress = watch_loading,
                                       .progress_user = l,
                                       .weights_sha256 = weights_sha256[0] ? weights_sha256 : NULL };
    return l->part->kind == PD_PART_CAPTIONER ? pd_captioner_open(&ret->captioner, l->part->of->dir, &options, err)
                                              : pd_model_open(&ret->model, l->part->of->dir, &options, err);
}

/* What the end of a loading means. True: what was loaded is the part's now. */
static bool settle(pd_residency *r, part *p, pd_status status, const contents *c, const pd_error *error)
{
    const bool is_asked_for = p->hinted || p->n_waiting > 0;
    if (status == PD_ERR_CANCELLED && is_asked_for && !r->closing) { /* somebody came in the last moment */
        p->state = PD_RESIDENCE_COLD;
        (void)want(r, p);
        return false;
    }
    if (status == PD_ERR_CANCELLED || (p->leaving && p->n_waiting == 0)) {
        give_up_loading(p);
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

/* The keeper looks at the latest when this part is due. */
static void tell_keeper(pd_residency *r, const part *p)
{
    const int64_t look_ns = p->used_ns + (int64_t)(r->look_s * (double)PD_NS_PER_S), due_ns = due_of(r, p);
    if (p->n_borrowed == 0 && (due_ns < look_ns ? due_ns : look_ns) < r->keeper_due_ns)
        pthread_cond_signal(&r->rested);
}

static void load(pd_residency *r, part *p)
{
    loading l = { .residency = r, .part = p };
    contents c = { 0 };
    pd_error error = { 0 };
    char weights_sha256[PD_SHA256_TEXT_BYTES];
    memcpy(weights_sha256, p->of->weights_sha256, sizeof weights_sha256);
    p->wanted = false;
    pthread_mutex_unlock(&r->lock);
    tell(r);
    const int64_t start_ns = pd_clock_ns();
    const pd_status status = open_contents(&l, weights_sha256, &c, &error);
    const double took_ms = (double)(pd_clock_ns() - start_ns) / (double)PD_NS_PER_MS;
    pthread_mutex_lock(&r->lock);
    const bool taken = settle(r, p, status, &c, &error);
    if (taken)
        p->load_ms = took_ms;
    tell_keeper(r, p);
    pthread_cond_broadcast(&r->loaded);
    pthread_mutex_unlock(&r->lock);
    if (!taken) {
        close_contents(&c);
        pd_mem_trim();
    }
    tell(r);
    pthread_mutex_lock(&r->lock);
}

/* Those that somebody waits for come before hints. */
static part *next_wanted(const pd_residency *r)
{
    part *best = NULL;
    for (part *p = next_part(r, NULL, is_wanted); p; p = next_part(r, p, is_wanted)) {
        const bool is_urgent = p->n_waiting > 0, best_is_urgent = best && best->n_waiting > 0;
        if (!best || (is_urgent && !best_is_urgent) || (is_urgent == best_is_urgent && p->ticket < best->ticket))
            best = p;
    }
    return best;
}

static void *run_loader(void *user)
{
    pd_residency *r = user;
    pthread_mutex_lock(&r->lock);
    while (!r->closing) {
        part *p = next_wanted(r);
        if (p)
            load(r, p);
        else
            pthread_cond_wait(&r->work, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static part *next_due(const pd_residency *r, int64_t now_ns)
{
    for (part *p = next_part(r, NULL, is_resting); p; p = next_part(r, p, is_resting))
        if (due_of(r, p) <= now_ns)
            return p;
    return NULL;
}

static void put_away_resting(pd_residency *r, bool captioners)
{
    part *p = next_part(r, NULL, is_resting);
    while (p) {
        part *next = next_part(r, p, is_resting);
        if ((p->kind == PD_PART_CAPTIONER) == captioners) {
            put_away(r, p);
            next = next_part(r, NULL, is_resting); /* others may have come and gone */
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
    int64_t due_ns = NEVER_NS;
    for (const part *p = next_part(r, NULL, is_resting); p; p = next_part(r, p, is_resting)) {
        const int64_t part_ns = due_of(r, p);
        due_ns = part_ns < due_ns ? part_ns : due_ns;
        due_ns = *look_ns < due_ns ? *look_ns : due_ns;
    }
    r->keeper_due_ns = due_ns;
    if (due_ns == NEVER_NS) {
        pthread_cond_wait(&r->rested, &r->lock);
    } else {
        const struct timespec when = { .tv_sec = due_ns / PD_NS_PER_S, .tv_nsec = due_ns % PD_NS_PER_S };
        (void)pthread_cond_timedwait(&r->rested, &r->lock, &when);
    }
}

static void *run_keeper(void *user)
{
    pd_residency *r = user;
    const int64_t step_ns = (int64_t)(r->look_s * (double)PD_NS_PER_S);
    int64_t look_ns = pd_clock_ns() + step_ns;
    pthread_mutex_lock(&r->lock);
    while (!r->closing) {
        const int64_t now_ns = pd_clock_ns();
        part *due = next_due(r, now_ns);
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

static pd_status need_threads(pd_residency *r, pd_error *err)
{
    if (r->has_threads)
        return PD_OK;
    PD_TRY(pd_thread_start(&r->loader, "pd-loader", run_loader, r, err));
    const pd_status status = pd_thread_start(&r->keeper, "pd-keeper", run_keeper, r, err);
    if (status != PD_OK) { /* not ours to join later: nothing was wanted yet, so it ends at once */
        r->closing = true;
        pthread_cond_broadcast(&r->work);
        pthread_mutex_unlock(&r->lock);
        pthread_join(r->loader, NULL);
        pthread_mutex_lock(&r->lock);
        r->closing = false;
        return status;
    }
    r->has_threads = true;
    return PD_OK;
}

static pd_status need_part(pd_residency *r, const char *dir, pd_model_part kind, part **ret_part, pd_error *err)
{
    place *at;
    PD_CHECK(kind < PD_PART_COUNT);
    PD_TRY(need_threads(r, err));
    PD_TRY(need_place(r, dir, &at, err));
    *ret_part = &at->parts[kind];
    return PD_OK;
}

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
static pd_status wait_until_ready(pd_residency *r, part *p, const atomic_bool *cancelled, pd_error *err)
{
    const uint64_t n_failures = p->n_failures;
    pd_status status = PD_OK;
    p->n_waiting++;
    if (want(r, p)) {
        pthread_mutex_unlock(&r->lock);
        tell(r);
        pthread_mutex_lock(&r->lock);
    }
    while (status == PD_OK && p->state != PD_RESIDENCE_READY) {
        if (p->n_failures != n_failures)
            status = pd_error_hand_on(err, &p->error);
        else if (cancelled && atomic_load(cancelled))
            status = pd_error_set(err, PD_ERR_CANCELLED, "waiting for the model was cancelled");
        else
            wait_for_loading(r, cancelled != NULL);
    }
    p->n_waiting--;
    if (status == PD_OK)
        p->n_borrowed++;
    else if (status == PD_ERR_CANCELLED && p->wanted && !p->hinted && p->n_waiting == 0)
        give_up_loading(p);
    return status;
}

static pd_status find_session(pd_residency *r, part *p, pd_lease *lease, pd_error *err)
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
static pd_session *come_back(pd_residency *r, part *p, pd_session *session)
{
    contents *c = &p->in_memory;
    if (session && c->n_spares < SPARES_MAX) {
        c->spares[c->n_spares++] = session;
        session = NULL;
    } else if (session) {
        p->n_sessions--;
    }
    p->n_borrowed--;
    p->used_ns = pd_clock_ns();
    tell_keeper(r, p);
    return session;
}

pd_status pd_residency_borrow(pd_residency *residency, const char *dir, pd_model_part part_kind,
                              const atomic_bool *cancelled, pd_lease *ret_lease, pd_error *err)
{
    part *p = NULL;
    pd_lease lease = { 0 };
    pthread_mutex_lock(&residency->lock);
    pd_status status = need_part(residency, dir, part_kind, &p, err);
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
    part *p = lease->entry;
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
    part *p = NULL;
    pthread_mutex_lock(&residency->lock);
    bool is_news = false;
    if (need_part(residency, dir, part_kind, &p, NULL) == PD_OK) { /* else the hint is lost, and the borrower is told */
        is_news = want(residency, p);
        p->hinted = p->state == PD_RESIDENCE_LOADING;
    }
    pthread_mutex_unlock(&residency->lock);
    if (is_news)
        tell(residency);
}

/* Puts a part away, now or as soon as that is possible. False: it is in use. */
static bool let_go(pd_residency *r, part *p)
{
    if (is_resting(p)) {
        put_away(r, p);
        return true;
    }
    if (p->state != PD_RESIDENCE_READY && p->state != PD_RESIDENCE_LOADING)
        return true;
    p->hinted = false;
    p->leaving = true;
    if (p->wanted && p->n_waiting == 0)
        give_up_loading(p);
    return p->n_borrowed == 0 && p->n_waiting == 0;
}

pd_status pd_residency_unload(pd_residency *residency, const char *dir, pd_error *err)
{
    pd_residency *r = residency;
    const char *in_use = NULL;
    pd_status status = PD_OK;
    pthread_mutex_lock(&r->lock);
    const place *only = dir ? find_place(r, dir) : NULL;
    for (size_t i = 0; i < r->n_places; i++) /* places stay where they are, whatever happens meanwhile */
        for (size_t k = 0; k < PD_PART_COUNT; k++)
            if ((!dir || r->places[i] == only) && !let_go(r, &r->places[i]->parts[k]))
                in_use = r->places[i]->dir;
    if (in_use)
        status =
            pd_error_set(err, PD_ERR_BUSY, "the model '%s' is in use; it is put away as soon as it is not", in_use);
    pthread_mutex_unlock(&r->lock);
    tell(r);
    return status;
}

void pd_residency_promise(pd_residency *residency, const char *dir, const char *weights_sha256)
{
    place *at = NULL;
    pthread_mutex_lock(&residency->lock);
    if (need_place(residency, dir, &at, NULL) == PD_OK && strcmp(at->weights_sha256, weights_sha256) != 0) {
        (void)snprintf(at->weights_sha256, sizeof at->weights_sha256, "%s", weights_sha256);
        for (size_t k = 0; k < PD_PART_COUNT; k++)
            (void)let_go(residency, &at->parts[k]);
    }
    pthread_mutex_unlock(&residency->lock);
}

/* Only what is in use, or being loaded, has to be told from what will be. */
void pd_residency_renew(pd_residency *residency, const char *dir)
{
    place *at, *next = NULL;
    pthread_mutex_lock(&residency->lock);
    at = find_place(residency, dir);
    for (size_t k = 0; at && k < PD_PART_COUNT; k++)
        at->is_old |= !let_go(residency, &at->parts[k]) || at->parts[k].state == PD_RESIDENCE_LOADING;
    if (at && at->is_old && need_place(residency, dir, &next, NULL) == PD_OK)
        next->idle_s = at->idle_s;
    pthread_mutex_unlock(&residency->lock);
    tell(residency);
}

void pd_residency_set_idle(pd_residency *residency, const char *dir, double idle_s)
{
    place *at = NULL;
    const double meant_s = idle_s != 0 ? idle_s : PD_RESIDENCY_IDLE_S;
    pthread_mutex_lock(&residency->lock);
    if (!dir)
        residency->idle_s = meant_s;
    else if (need_place(residency, dir, &at, NULL) == PD_OK) /* else the residency's own holds */
        at->idle_s = meant_s;
    pthread_cond_signal(&residency->rested);
    pthread_mutex_unlock(&residency->lock);
}

static void describe(const part *p, int64_t now_ns, pd_resident *ret, pd_error *ret_error)
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
