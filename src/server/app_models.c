/* app_models.c: what is in memory of models, which one comes next, and what is fetched, as the snapshot tells it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "server/app_parts.h"

int64_t pd_app_resident_bytes(void)
{
    char text[128];
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *second = strchr(text, ' '); /* pages: all that is mapped, what of it is in memory ... */
    return second ? strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

void pd_app_models_done(pd_app_models *models)
{
    for (size_t i = 0; i < models->n; i++)
        pd_mem_free(models->list[i].dir);
    pd_mem_free(models->list);
    models->list = NULL;
    models->n = 0;
}

typedef struct gathering {
    pd_app_models models;
    bool failed; /* out of memory */
} gathering;

static pd_app_resident *find_resident(pd_app_models *models, const char *dir)
{
    for (size_t i = 0; i < models->n; i++)
        if (strcmp(models->list[i].dir, dir) == 0)
            return &models->list[i];
    return NULL;
}

static pd_app_resident *add_resident(pd_app_models *models, const char *dir)
{
    pd_app_resident *list = pd_mem_realloc(models->list, models->n + 1, sizeof *list);
    if (!list)
        return NULL;
    models->list = list;
    pd_app_resident *one = &list[models->n];
    *one = (pd_app_resident){ .dir = pd_mem_dup_string(dir) };
    if (!one->dir)
        return NULL;
    (void)snprintf(one->key, sizeof one->key, "%s", pd_path_name(dir));
    models->n++;
    return one;
}

/* Parts of one directory are one model. */
static void gather(void *user, const pd_resident *part)
{
    gathering *g = user;
    pd_app_resident *one = find_resident(&g->models, part->dir);
    if (!one)
        one = add_resident(&g->models, part->dir);
    g->failed |= !one;
    if (!one)
        return;
    if (part->part == PD_PART_CAPTIONER)
        one->kind = PD_HUB_CAPTIONS;
    if (part->part == PD_PART_TEXT) {
        one->text = part->state;
        one->text_fraction = part->fraction;
        one->text_ms = part->load_ms;
    }
    if (part->state == PD_RESIDENCE_LOADING)
        one->fraction = part->fraction;
    if (part->error)
        (void)snprintf(one->error, sizeof one->error, "%s", part->error);
    one->bytes += part->bytes;
    if (pd_residence_rank(part->state) > pd_residence_rank(one->state))
        one->state = part->state;
}

static bool are_equal(const pd_app_models *a, const pd_app_models *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++) {
        const pd_app_resident *x = &a->list[i], *y = &b->list[i];
        equal = strcmp(x->dir, y->dir) == 0 && x->state == y->state && x->text == y->text && x->bytes == y->bytes &&
                x->fraction == y->fraction && x->text_fraction == y->text_fraction && x->text_ms == y->text_ms &&
                strcmp(x->error, y->error) == 0;
    }
    return equal;
}

/* Something was put away, and nothing is in memory or on its way there. */
static bool do_rest(const pd_app_models *models)
{
    bool any_idle = false, any_busy = false;
    for (size_t i = 0; i < models->n; i++) {
        any_idle |= models->list[i].state == PD_RESIDENCE_IDLE;
        any_busy |= models->list[i].state == PD_RESIDENCE_READY || models->list[i].state == PD_RESIDENCE_LOADING;
    }
    return any_idle && !any_busy;
}

/* With lock held. What was seen before comes back in `seen`. */
static void put_models(pd_app *app, pd_app_models *seen, int64_t rest_bytes)
{
    pd_app_models *models = &app->engine.models;
    const bool equal = are_equal(models, seen);
    const pd_app_models old = *models;
    models->list = seen->list;
    models->n = seen->n;
    *seen = old;
    models->rests = rest_bytes > 0 && !app->job.running;
    if (models->rests)
        models->resting_bytes = rest_bytes;
    if (!equal)
        pd_app_changed(app);
}

void pd_app_models_look(pd_app *app)
{
    gathering g = { .failed = false };
    pthread_mutex_lock(&app->engine.look_lock);
    pd_residency_visit(pd_library_residency(app->options.library), gather, &g);
    if (!g.failed) {
        const int64_t bytes = do_rest(&g.models) ? pd_app_resident_bytes() : 0;
        pthread_mutex_lock(&app->lock);
        put_models(app, &g.models, bytes);
        pthread_mutex_unlock(&app->lock);
    }
    pthread_mutex_unlock(&app->engine.look_lock);
    pd_app_models_done(&g.models);
}

const pd_app_resident *pd_app_answering(const pd_app *app)
{
    const char *name = pd_library_model_name(app->options.library);
    for (size_t i = 0; i < app->engine.models.n; i++)
        if (app->engine.models.list[i].kind == PD_HUB_SEARCH && strcmp(app->engine.models.list[i].key, name) == 0)
            return &app->engine.models.list[i];
    return NULL;
}

static bool take_next(void *user, const pd_library_model *model)
{
    char *next = user;
    if (model->kind == PD_HUB_SEARCH && model->chosen && !model->answering)
        (void)snprintf(next, PD_HUB_KEY_BYTES, "%s", model->key);
    return true;
}

void pd_app_models_ask(pd_app *app)
{
    char next[PD_HUB_KEY_BYTES] = "";
    pthread_mutex_lock(&app->engine.look_lock);
    if (pd_library_models(app->options.library, take_next, next, NULL) == PD_OK) {
        pthread_mutex_lock(&app->lock);
        if (strcmp(next, app->engine.models.next) != 0) {
            memcpy(app->engine.models.next, next, sizeof next);
            pd_app_changed(app);
        }
        pthread_mutex_unlock(&app->lock);
    }
    pthread_mutex_unlock(&app->engine.look_lock);
}

void pd_app_prefetch(pd_app *app, pd_model_part part)
{
    char *dir = NULL;
    pthread_mutex_lock(&app->lock);
    const pd_app_resident *one = pd_app_answering(app);
    if (one && !app->closing)
        dir = pd_mem_dup_string(one->dir);
    pthread_mutex_unlock(&app->lock);
    if (dir)
        pd_residency_prefetch(pd_library_residency(app->options.library), dir, part);
    pd_mem_free(dir);
}

typedef struct chosen_search {
    const char *key;
    bool found;
} chosen_search;

static bool look_for_chosen(void *user, const pd_library_model *model)
{
    chosen_search *search = user;
    search->found |= model->chosen && model->kind == PD_HUB_SEARCH && strcmp(model->key, search->key) == 0;
    return !search->found;
}

/* A model in use was fetched anew: as another revision it knows nothing yet. */
static void learn_anew(pd_app *app, const char *key)
{
    chosen_search search = { .key = key };
    pthread_mutex_lock(&app->lock);
    const bool learns = app->job.running; /* when it was fetched to be used the library has begun */
    pthread_mutex_unlock(&app->lock);
    if (!learns && pd_library_models(app->options.library, look_for_chosen, &search, NULL) == PD_OK && search.found)
        (void)!pd_app_relearn(app, NULL); /* busy: the same job, which is not looked at yet */
}

/* With lock held. True: it has ended since it was looked at last. */
static bool put_fetching(pd_app *app, const pd_pull_state *state)
{
    pd_app_fetching *fetching = &app->engine.fetching;
    const bool differs =
        !fetching->any || fetching->state.seq != state->seq || fetching->state.running != state->running;
    const bool ended = fetching->any && fetching->state.running && !state->running;
    fetching->any = true;
    fetching->state = *state;
    if (ended && state->outcome == PD_OK)
        pd_app_log(app, PD_LOG_INFO, "the model '%s' was fetched", state->reference.key);
    else if (ended && state->outcome != PD_ERR_CANCELLED)
        pd_app_log(app, PD_LOG_ERROR, "%s", state->message);
    if (differs)
        pd_app_changed(app);
    return ended;
}

void pd_app_fetching_look(pd_app *app)
{
    pd_pull_state state;
    bool ended = false;
    pthread_mutex_lock(&app->engine.look_lock);
    if (pd_library_pull_look(app->options.library, &state)) {
        pthread_mutex_lock(&app->lock);
        ended = put_fetching(app, &state);
        pthread_mutex_unlock(&app->lock);
    }
    pthread_mutex_unlock(&app->engine.look_lock);
    if (ended)
        pd_app_models_ask(app);
    if (ended && state.outcome == PD_OK)
        learn_anew(app, state.reference.key);
}
