/* app_library.c: what the library holds, and getting it ready. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/beneath.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"
#include "server/app_parts.h"

void pd_app_shelf_done(pd_app_shelf *shelf)
{
    for (size_t i = 0; i < shelf->n_roots; i++)
        pd_mem_free(shelf->roots[i].path);
    pd_mem_free(shelf->roots);
    *shelf = (pd_app_shelf){ 0 };
}

typedef struct root_collector {
    pd_app_shelf *shelf;
    bool failed; /* out of memory */
} root_collector;

static bool collect_root(void *user, const pd_root *root)
{
    root_collector *collector = user;
    pd_app_shelf *shelf = collector->shelf;
    pd_app_root *roots = pd_mem_realloc(shelf->roots, shelf->n_roots + 1, sizeof *roots);
    char *path = roots ? pd_mem_dup_string(root->path) : NULL;
    if (roots)
        shelf->roots = roots;
    collector->failed = !path;
    if (path)
        roots[shelf->n_roots++] = (pd_app_root){ .path = path, .n_photos = root->n_photos, .offline = root->offline };
    return path != NULL;
}

pd_status pd_app_shelf_read(pd_app *app, pd_app_shelf *shelf, pd_error *err)
{
    pd_app_shelf now = { .known = true };
    root_collector collector = { .shelf = &now };
    pd_library_totals totals;
    pd_status status = pd_library_totals_get(app->options.library, &totals, err);
    if (status == PD_OK)
        status = pd_library_roots(app->options.library, collect_root, &collector, err);
    if (status == PD_OK && collector.failed)
        status = pd_error_set_nomem(err);
    if (status != PD_OK) {
        pd_app_shelf_done(&now);
        return status;
    }
    now.files = totals.files;
    now.learned = totals.learned;
    now.errors = totals.errors;
    now.offline = totals.offline;
    *shelf = now;
    return PD_OK;
}

static bool are_roots_equal(const pd_app_shelf *a, const pd_app_shelf *b)
{
    bool equal = a->n_roots == b->n_roots;
    for (size_t i = 0; equal && i < a->n_roots; i++)
        equal = a->roots[i].n_photos == b->roots[i].n_photos && a->roots[i].offline == b->roots[i].offline &&
                strcmp(a->roots[i].path, b->roots[i].path) == 0;
    return equal;
}

bool pd_app_shelf_put(pd_app *app, pd_app_shelf *shelf)
{
    const pd_app_shelf *old = &app->shelf;
    const bool equal = old->known == shelf->known && old->files == shelf->files && old->learned == shelf->learned &&
                       old->errors == shelf->errors && old->offline == shelf->offline && are_roots_equal(old, shelf);
    pd_app_shelf_done(&app->shelf);
    app->shelf = *shelf;
    *shelf = (pd_app_shelf){ 0 };
    return !equal;
}

static void begin_step(pd_app *app, pd_app_step_id id)
{
    pthread_mutex_lock(&app->lock);
    app->steps[id] = (pd_app_step){ .state = PD_STEP_WORKING };
    pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
}

/* With the lock held. */
static void end_step(pd_app *app, pd_app_step_id id, int64_t begun_ns, pd_status status, const pd_error *error)
{
    static const char *const nouns[PD_STEP_COUNT] = {
        [PD_STEP_CATALOGUE] = "library opened", [PD_STEP_MODEL] = "model ready for searching"
    };
    pd_app_step *step = &app->steps[id];
    step->state = status == PD_OK ? PD_STEP_READY : PD_STEP_FAILED;
    step->ms = (double)(pd_clock_ns() - begun_ns) / (double)PD_NS_PER_MS;
    if (status == PD_OK) {
        pd_app_log(app, PD_LOG_INFO, "%s in %.1f ms", nouns[id], step->ms);
    } else {
        step->error = *error;
        pd_app_log(app, PD_LOG_ERROR, "%s", error->message);
    }
    pd_app_changed(app);
}

static pd_status prepare_catalogue(pd_app *app)
{
    const int64_t begun_ns = pd_clock_ns();
    pd_error err = { 0 };
    pd_app_shelf shelf = { 0 };
    begin_step(app, PD_STEP_CATALOGUE);
    pd_status status = pd_library_prepare_catalogue(app->options.library, &err);
    if (status == PD_OK)
        status = pd_app_shelf_read(app, &shelf, &err);
    pthread_mutex_lock(&app->lock);
    if (status == PD_OK) {
        (void)pd_app_shelf_put(app, &shelf); /* told with the step */
        app->trouble.status = PD_OK;
    } else {
        app->trouble = err;
        app->trouble.status = status;
    }
    end_step(app, PD_STEP_CATALOGUE, begun_ns, status, &err);
    pthread_mutex_unlock(&app->lock);
    return status;
}

static void prepare_model(pd_app *app)
{
    const int64_t begun_ns = pd_clock_ns();
    pd_error err = { 0 };
    begin_step(app, PD_STEP_MODEL);
    const pd_status status = pd_library_prepare_model(app->options.library, &err);
    err.status = status;
    pthread_mutex_lock(&app->lock);
    if (status == PD_ERR_CANCELLED) { /* the program ends: that is no failure to be told of */
        app->steps[PD_STEP_MODEL] = (pd_app_step){ .state = PD_STEP_WAITING };
        pd_app_changed(app);
    } else {
        end_step(app, PD_STEP_MODEL, begun_ns, status, &err);
    }
    pthread_mutex_unlock(&app->lock);
}

void *pd_app_prepare(void *user)
{
    pd_app *app = user;
    if (prepare_catalogue(app) == PD_OK) {
        (void)pd_app_wants_captions(app); /* read now */
        prepare_model(app);
        pd_app_models_ask(app);
        pd_app_writing_due(app, false); /* what was not written the last time */
    }
    pthread_mutex_lock(&app->lock);
    app->threads.preparing = false;
    pthread_mutex_unlock(&app->lock);
    return NULL;
}

void pd_app_prepare_again(pd_app *app)
{
    pthread_mutex_lock(&app->lock);
    const bool again = app->threads.prepares && !app->threads.preparing && !app->closing;
    app->threads.prepares = app->threads.prepares && !again;
    pthread_mutex_unlock(&app->lock);
    if (!again)
        return;
    pthread_join(app->threads.preparer, NULL); /* it has nothing left to do */
    pd_app_wake(app);
}

/* A program may ask for a photo before any page was opened: the roots are not known then. */
static void need_shelf(pd_app *app)
{
    pd_app_shelf shelf = { 0 };
    pthread_mutex_lock(&app->lock);
    const bool known = app->shelf.known;
    pthread_mutex_unlock(&app->lock);
    if (known || pd_app_shelf_read(app, &shelf, NULL) != PD_OK)
        return;
    pthread_mutex_lock(&app->lock);
    if (pd_app_shelf_put(app, &shelf))
        pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
}

/* Adds the root that the photo lies under; roots do not lie in each other. */
static bool add_place(pd_app *app, pd_json *json, const char *path)
{
    bool failed = false, offline = false;
    const char *root = NULL;
    pthread_mutex_lock(&app->lock);
    for (size_t i = 0; i < app->shelf.n_roots && !root; i++)
        if (pd_path_is_within(path, app->shelf.roots[i].path)) {
            root = app->shelf.roots[i].path;
            offline = app->shelf.roots[i].offline;
        }
    failed |= pd_json_set_text(json, "name", pd_path_name(path));
    failed |= pd_json_set_text(json, "root", root);
    failed |= pd_json_set_bool(json, "offline", offline);
    pthread_mutex_unlock(&app->lock);
    return !failed;
}

pd_status pd_app_photo(pd_app *app, uint64_t id, pd_json **ret_json, pd_error *err)
{
    char digits[24];
    pd_photo photo;
    pd_work work = { 0 };
    pd_json *json = NULL;
    (void)snprintf(digits, sizeof digits, "%" PRIu64, id);
    need_shelf(app);
    pthread_mutex_lock(&app->show_lock);
    pd_status status = pd_library_show(app->options.library, digits, &photo, &work, err);
    if (status == PD_OK) {
        json = pd_answer_photo(&photo, &work);
        if (!json || !add_place(app, json, photo.path)) {
            pd_json_free(&json);
            status = pd_error_set_nomem(err);
        }
    }
    pthread_mutex_unlock(&app->show_lock);
    if (status == PD_OK)
        *ret_json = json;
    return status;
}

/* A photo that nothing was compared with. */
static pd_status make_hit(const pd_photo *photo, const pd_work *work, pd_hit *ret_hit, pd_error *err)
{
    pd_hit hit = { .id = photo->id,
                   .path = pd_mem_dup_string(photo->path),
                   .score = NAN,
                   .match = -1,
                   .width = photo->facts.width,
                   .height = photo->facts.height,
                   .rating = work->rating,
                   .favorite = work->favorite,
                   .caption = *work->caption ? pd_mem_dup_string(work->caption) : NULL,
                   .caption_by = work->caption_by,
                   .caption_doubtful = work->caption_doubtful };
    (void)snprintf(hit.taken, sizeof hit.taken, "%s", photo->facts.taken);
    if (!hit.path || (*work->caption && !hit.caption)) {
        pd_hit_done(&hit);
        return pd_error_set_nomem(err);
    }
    *ret_hit = hit;
    return PD_OK;
}

pd_status pd_app_hit(pd_app *app, int64_t id, pd_hit *ret_hit, pd_error *err)
{
    char digits[24];
    pd_photo photo;
    pd_work work = { 0 };
    (void)snprintf(digits, sizeof digits, "%" PRId64, id);
    pthread_mutex_lock(&app->show_lock);
    pd_status status = pd_library_show(app->options.library, digits, &photo, &work, err);
    if (status == PD_OK)
        status = make_hit(&photo, &work, ret_hit, err);
    pthread_mutex_unlock(&app->show_lock);
    return status;
}
