/* library_pull.c: a model that arrives, and the library that begins to learn with it before all of it is here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "library/library_parts.h"

enum { LOOK_MS = 200 };

static char *copy_or_null(const char *text, bool *failed)
{
    char *copy = text ? pd_mem_dup_string(text) : NULL;
    *failed |= text && !copy;
    return copy;
}

pd_status pd_library_fetching_init(pd_library_fetching *fetching, const pd_library_options *options, pd_error *err)
{
    bool failed = false;
    fetching->endpoint = copy_or_null(options->hub_endpoint, &failed);
    fetching->token = copy_or_null(options->hub_token, &failed);
    fetching->fetch_path = copy_or_null(options->fetch_path, &failed);
    fetching->offline = options->hub_offline;
    pd_hub_name(options->hub_endpoint, fetching->hub);
    return failed ? pd_error_set_nomem(err) : PD_OK;
}

const char *pd_library_hub(const pd_library *library, bool *ret_offline)
{
    *ret_offline = library->fetching.offline;
    return library->fetching.hub;
}

/* The thread that watched the last pull, if there is one, is waited for. */
static void join(pd_library_fetching *fetching)
{
    pthread_mutex_lock(&fetching->lock);
    const bool has_thread = fetching->has_thread;
    fetching->closing = true;
    pthread_mutex_unlock(&fetching->lock);
    if (has_thread)
        (void)pthread_join(fetching->thread, NULL);
    fetching->has_thread = false;
    fetching->closing = false;
}

void pd_library_fetching_done(pd_library *library)
{
    pd_library_fetching *fetching = &library->fetching;
    pd_library_pull_cancel(library);
    join(fetching);
    pd_mem_free(fetching->endpoint);
    pd_mem_free(fetching->token);
    pd_mem_free(fetching->fetch_path);
    pthread_cond_destroy(&fetching->changed);
    pthread_mutex_destroy(&fetching->lock);
}

/* What the watching thread knows besides the state. */
typedef struct watch {
    pd_library *library;
    char part_dir[4096];
    bool began;         /* to use it, before all of it was here */
    bool has_job;       /* a job was begun for it */
    bool wants_job;     /* one is to be begun, as soon as there is none */
    const char *before; /* what the library used before; lives as long as the library */
    unsigned n_revoked;
    pd_status status; /* of using it, and its sentence */
    pd_error error;
} watch;

static void publish(pd_library_fetching *fetching, const pd_pull_state *state)
{
    pthread_mutex_lock(&fetching->lock);
    const uint64_t seq = fetching->state.seq;
    fetching->state = *state;
    fetching->state.seq = seq + 1;
    pthread_cond_broadcast(&fetching->changed);
    pthread_mutex_unlock(&fetching->lock);
}

static bool is_closing(pd_library_fetching *fetching)
{
    pthread_mutex_lock(&fetching->lock);
    const bool closing = fetching->closing;
    pthread_mutex_unlock(&fetching->lock);
    return closing;
}

/* A library without folders has nothing to learn, which is no failure; one that learns already does so first. */
static void begin_job(watch *w)
{
    const pd_index_options options = { .speed = PD_SPEED_NORMAL };
    if (!w->wants_job)
        return;
    const pd_status status = pd_library_index(w->library, &options, NULL);
    w->wants_job = status == PD_ERR_BUSY;
    w->has_job |= status == PD_OK;
}

/* One that is not here as a whole was begun with by somebody who was stopped: what answers is what was used. */
static void note_before(watch *w)
{
    static const pd_library_which uses[] = { PD_LIBRARY_CHOSEN, PD_LIBRARY_ANSWERING };
    w->before = NULL;
    for (size_t i = 0; i < PD_COUNT_OF(uses) && !w->before; i++) {
        pd_library_choice choice;
        if (pd_library_choose(w->library, uses[i], &choice, NULL) == PD_OK && !pd_library_is_arriving(choice.dir))
            w->before = choice.name;
        pd_library_choice_done(&choice);
    }
}

/* Notes, before anything is learned, what it is learned with; of a model that is here as a whole that is known. */
static pd_status note_early(watch *w)
{
    pd_library_choice choice;
    pd_status status = pd_library_choose(w->library, PD_LIBRARY_CHOSEN, &choice, &w->error);
    if (status == PD_OK && choice.is_known && pd_library_is_arriving(choice.dir))
        status = pd_library_early_begin(w->library, &choice, &w->error);
    pd_library_choice_done(&choice);
    return status;
}

/* What lies at its place now may be another model than the one that was known there, which is said once. */
static pd_status open_and_use(watch *w, const pd_pull_state *state)
{
    enum { TRIES = 2 };
    pd_status status = PD_ERR_BUSY;
    for (int i = 0; i < TRIES && status == PD_ERR_BUSY; i++)
        status = pd_library_model_use(w->library, state->reference.key, NULL, NULL, &w->error);
    return status;
}

static void use(watch *w, const pd_pull_state *state)
{
    w->status = open_and_use(w, state);
    if (w->status == PD_OK)
        w->status = note_early(w);
    if (w->status != PD_OK)
        return;
    w->wants_job = true;
    begin_job(w);
}

/* The image tower is here. What cannot be used yet may be once all is here: then it is tried again. */
static void begin_early(watch *w, const pd_pull_state *state)
{
    if (w->began || !state->vision_ready || !state->sha256[0] || !state->running)
        return;
    w->began = true;
    w->n_revoked = state->n_revoked;
    note_before(w);
    pd_residency_promise(w->library->shelf.residency, w->part_dir, state->sha256);
    use(w, state);
}

/* What was learned so far stays, for the next time, until there is something to judge it by. */
static void take_back(watch *w)
{
    if (w->has_job) {
        pd_library_job_cancel(w->library);
        pd_library_job_finish(w->library, NULL);
    }
    w->has_job = w->wants_job = w->began = false;
    pd_residency_promise(w->library->shelf.residency, w->part_dir, "");
    if (w->before)
        (void)!pd_library_model_use_again(w->library, w->before, NULL); /* it was in use: it is here */
}

static void follow(watch *w, const pd_pull_state *state)
{
    if (w->began && state->n_revoked != w->n_revoked)
        take_back(w);
    begin_early(w, state);
    begin_job(w);
}

static bool is_chosen(pd_library *library, const char *key)
{
    pd_library_choice choice;
    const bool is =
        pd_library_choose(library, PD_LIBRARY_CHOSEN, &choice, NULL) == PD_OK && strcmp(choice.name, key) == 0;
    pd_library_choice_done(&choice);
    return is;
}

/* All is here, or nothing more will come. */
static void conclude(watch *w, bool wants_use, pd_pull_state *state)
{
    if (w->began && (state->outcome != PD_OK || state->n_revoked != w->n_revoked))
        take_back(w);
    if (state->outcome == PD_ERR_CORRUPT) /* if this fails, what is wrong is found when the right one is here */
        (void)!pd_library_early_revoke(w->library, state->reference.key, NULL);
    if (state->outcome != PD_OK)
        return;
    pd_residency_renew(w->library->shelf.residency, state->dir); /* what lay there before is not asked any more */
    const bool is_renewed = is_chosen(w->library, state->reference.key) && !w->began;
    if (is_renewed) /* opened, so that what cannot be used says so; it knows nothing yet: that is its user's business */
        w->status = open_and_use(w, state);
    if (!wants_use && !is_renewed)
        return;
    if (w->began)
        pd_residency_promise(w->library->shelf.residency, w->part_dir, "");
    if (wants_use && (!is_renewed || w->status == PD_OK))
        use(w, state);
    if (w->status == PD_OK)
        return;
    state->outcome = w->status;
    (void)snprintf(state->message, sizeof state->message, "%s", w->error.message);
}

static void *run(void *user)
{
    pd_library *library = user;
    pd_library_fetching *fetching = &library->fetching;
    watch w = { .library = library };
    pd_pull_state state;
    pd_pull_look(fetching->pull, &state);
    (void)snprintf(w.part_dir, sizeof w.part_dir, "%s", state.dir);
    while (state.running) {
        publish(fetching, &state);
        if (fetching->use)
            follow(&w, &state);
        pd_pull_wait(fetching->pull, state.seq, LOOK_MS, &state);
    }
    pthread_mutex_lock(&fetching->lock);
    pd_pull *pull = fetching->pull;
    fetching->pull = NULL;
    pthread_mutex_unlock(&fetching->lock);
    pd_pull_finish(&pull);
    conclude(&w, fetching->use, &state);
    publish(fetching, &state);
    while (w.wants_job && !is_closing(fetching)) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * PD_NS_PER_MS }, NULL);
        begin_job(&w);
    }
    return NULL;
}

static pd_status start(pd_library *library, const char *reference, bool wants_use, pd_error *err)
{
    pd_library_fetching *fetching = &library->fetching;
    const pd_pull_options options = { .reference = reference,
                                      .models_dir = library->paths.models,
                                      .fetch_path = fetching->fetch_path,
                                      .endpoint = fetching->endpoint,
                                      .token = fetching->token,
                                      .offline = fetching->offline };
    pd_pull *pull = NULL;
    PD_TRY(pd_pull_start(&pull, &options, err));
    pd_pull_state state;
    pd_pull_look(pull, &state);
    publish(fetching, &state);
    pthread_mutex_lock(&fetching->lock);
    fetching->pull = pull;
    fetching->use = wants_use;
    fetching->was_started = true;
    const pd_status status = pd_thread_start(&fetching->thread, "pd-fetching", run, library, err);
    fetching->has_thread = status == PD_OK;
    if (status != PD_OK) {
        fetching->pull = NULL;
        fetching->state.running = false;
        fetching->state.outcome = status;
    }
    pthread_mutex_unlock(&fetching->lock);
    if (status != PD_OK)
        pd_pull_finish(&pull);
    return status;
}

/* For one of many callers, until its pull has begun. */
static pd_status claim(pd_library_fetching *fetching, pd_error *err)
{
    pd_status status = PD_OK;
    pthread_mutex_lock(&fetching->lock);
    const bool runs = fetching->was_started && fetching->state.running;
    if (runs && fetching->state.reference.repository[0])
        status = pd_error_set(err, PD_ERR_BUSY, "%s is being fetched: one model at a time",
                              fetching->state.reference.repository);
    else if (runs || fetching->is_claimed)
        status = pd_error_set(err, PD_ERR_BUSY, "another model is being fetched: one at a time");
    else
        fetching->is_claimed = true;
    pthread_mutex_unlock(&fetching->lock);
    return status;
}

pd_status pd_library_pull(pd_library *library, const char *reference, bool wants_use, pd_error *err)
{
    pd_library_fetching *fetching = &library->fetching;
    PD_TRY(claim(fetching, err));
    join(fetching);
    const pd_status status = start(library, reference, wants_use, err);
    pthread_mutex_lock(&fetching->lock);
    fetching->is_claimed = false;
    pthread_mutex_unlock(&fetching->lock);
    return status;
}

bool pd_library_pull_look(pd_library *library, pd_pull_state *ret_state)
{
    pd_library_fetching *fetching = &library->fetching;
    pthread_mutex_lock(&fetching->lock);
    const bool was_started = fetching->was_started;
    if (was_started)
        *ret_state = fetching->state;
    pthread_mutex_unlock(&fetching->lock);
    return was_started;
}

bool pd_library_pull_wait(pd_library *library, uint64_t seq, int timeout_ms, pd_pull_state *ret_state)
{
    pd_library_fetching *fetching = &library->fetching;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    const int64_t ns = until.tv_nsec + timeout_ms * PD_NS_PER_MS;
    until.tv_sec += ns / PD_NS_PER_S;
    until.tv_nsec = ns % PD_NS_PER_S;
    pthread_mutex_lock(&fetching->lock);
    while (fetching->was_started && fetching->state.running && fetching->state.seq <= seq &&
           pthread_cond_timedwait(&fetching->changed, &fetching->lock, &until) != ETIMEDOUT)
        continue;
    const bool was_started = fetching->was_started;
    if (was_started)
        *ret_state = fetching->state;
    pthread_mutex_unlock(&fetching->lock);
    return was_started;
}

void pd_library_pull_cancel(pd_library *library)
{
    pthread_mutex_lock(&library->fetching.lock);
    if (library->fetching.pull)
        pd_pull_cancel(library->fetching.pull);
    pthread_mutex_unlock(&library->fetching.lock);
}
