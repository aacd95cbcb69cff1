/* app_snapshot.c: the snapshot as JSON (docs/http.md). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer/answer.h"
#include "base/mem.h"
#include "server/app_parts.h"

static const char *state_name(const pd_app *app)
{
    if (app->job.running)
        return "LOADING";
    if (app->trouble.status != PD_OK)
        return "ERROR";
    return app->shelf.learned > 0 ? "ADVANCED" : "FAST_UI";
}

static pd_json *library_json(const pd_app *app)
{
    const pd_app_shelf *shelf = &app->shelf;
    if (!shelf->known)
        return pd_json_null();
    bool failed = false;
    pd_json *json = pd_json_object(), *roots = pd_json_array();
    for (size_t i = 0; i < shelf->n_roots; i++) {
        const pd_root root = { .path = shelf->roots[i].path,
                               .n_photos = shelf->roots[i].n_photos,
                               .offline = shelf->roots[i].offline };
        failed |= pd_json_append_take(roots, pd_answer_root(&root));
    }
    failed |= pd_json_set_text(json, "dir", pd_library_dir(app->options.library));
    failed |= pd_json_set_int(json, "files", shelf->files);
    failed |= pd_json_set_int(json, "learned", shelf->learned);
    failed |= pd_json_set_int(json, "errors", shelf->errors);
    failed |= pd_json_set_int(json, "offline", shelf->offline);
    failed |= pd_json_set_take(json, "roots", roots);
    if (failed)
        pd_json_free(&json);
    return json;
}

static const char *text_or_null(const char *text) { return *text ? text : NULL; }

/* Of what questions wait for. */
static const char *model_state(const pd_app *app, const pd_app_resident *model)
{
    const pd_app_step *step = &app->steps[PD_STEP_MODEL];
    if (step->state == PD_STEP_FAILED && step->error.status == PD_ERR_NOT_FOUND)
        return "missing";
    if (step->state == PD_STEP_WORKING && (!model || model->text == PD_RESIDENCE_COLD))
        return pd_residence_name(PD_RESIDENCE_LOADING);
    if (!model)
        return pd_residence_name(step->state == PD_STEP_FAILED ? PD_RESIDENCE_FAILED : PD_RESIDENCE_COLD);
    return pd_residence_name(model->text);
}

static pd_json *model_json(const pd_app *app)
{
    const pd_app_resident *model = pd_app_answering(app);
    const bool loads = model && model->text == PD_RESIDENCE_LOADING, loaded = model && model->text_ms > 0;
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "name", pd_library_model_name(app->options.library));
    failed |= pd_json_set_text(json, "state", model_state(app, model));
    failed |= pd_json_set_take(json, "ms", loaded ? pd_json_number(model->text_ms) : pd_json_null());
    failed |= pd_json_set_take(json, "fraction", loads ? pd_json_number(model->text_fraction) : pd_json_null());
    failed |= pd_json_set_text(json, "next", text_or_null(app->engine.models.next));
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_json *models_json(const pd_app *app)
{
    bool failed = false;
    pd_json *array = pd_json_array();
    for (size_t i = 0; i < app->engine.models.n; i++) {
        const pd_app_resident *model = &app->engine.models.list[i];
        const bool loads = model->state == PD_RESIDENCE_LOADING, fails = model->state == PD_RESIDENCE_FAILED;
        pd_json *json = pd_json_object();
        failed |= pd_json_set_text(json, "key", model->key);
        failed |= pd_json_set_text(json, "kind", pd_answer_kind(model->kind));
        failed |= pd_json_set_text(json, "state", pd_residence_name(model->state));
        failed |= pd_json_set_take(json, "fraction", loads ? pd_json_number(model->fraction) : pd_json_null());
        failed |= pd_json_set_int(json, "memory_bytes", model->bytes);
        failed |= pd_json_set_text(json, "error", fails ? text_or_null(model->error) : NULL);
        failed |= pd_json_append_take(array, json);
    }
    if (failed)
        pd_json_free(&array);
    return array;
}

static pd_json *steps_json(const pd_app *app)
{
    static const char *const names[PD_STEP_COUNT] = { [PD_STEP_CATALOGUE] = "catalogue", [PD_STEP_MODEL] = "model" };
    static const char *const states[] = {
        [PD_STEP_WAITING] = "waiting",
        [PD_STEP_WORKING] = "working",
        [PD_STEP_READY] = "ready",
        [PD_STEP_FAILED] = "failed",
    };
    bool failed = false;
    pd_json *array = pd_json_array();
    for (size_t i = 0; i < PD_STEP_COUNT; i++) {
        const pd_app_step *step = &app->steps[i];
        pd_json *json = pd_json_object();
        failed |= pd_json_set_text(json, "name", names[i]);
        failed |= pd_json_set_text(json, "state", states[step->state]);
        failed |=
            pd_json_set_take(json, "ms", step->state == PD_STEP_READY ? pd_json_number(step->ms) : pd_json_null());
        failed |= pd_json_set_text(json, "message", step->state == PD_STEP_FAILED ? step->error.message : NULL);
        failed |= pd_json_append_take(array, json);
    }
    if (failed)
        pd_json_free(&array);
    return array;
}

static pd_json *newest_json(const pd_progress *progress)
{
    bool failed = false;
    pd_json *array = pd_json_array();
    for (size_t i = 0; i < progress->n_newest; i++) {
        pd_json *json = pd_json_object();
        failed |= pd_json_set_int(json, "id", progress->newest[i].photo);
        failed |= pd_json_set_int(json, "width", progress->newest[i].width);
        failed |= pd_json_set_int(json, "height", progress->newest[i].height);
        failed |= pd_json_append_take(array, json);
    }
    if (failed)
        pd_json_free(&array);
    return array;
}

static pd_json *errors_json(const pd_progress *progress)
{
    bool failed = false;
    pd_json *array = pd_json_array();
    for (size_t i = 0; i < progress->n_errors; i++) {
        pd_json *json = pd_json_object();
        failed |= pd_json_set_text(json, "path", progress->errors[i].path);
        failed |= pd_json_set_text(json, "reason", progress->errors[i].reason);
        failed |= pd_json_append_take(array, json);
    }
    if (failed)
        pd_json_free(&array);
    return array;
}

static pd_json *job_json(const pd_app *app)
{
    const pd_app_job *job = &app->job;
    if (job->number == 0)
        return pd_json_null();
    bool failed = false;
    pd_json *json = pd_answer_progress(&job->progress), *roots = pd_json_array();
    for (size_t i = 0; i < job->n_roots; i++)
        failed |= pd_json_append_take(roots, pd_json_string(job->roots[i], strlen(job->roots[i])));
    failed |= pd_json_set_int(json, "number", (int64_t)job->number);
    failed |= pd_json_set_take(json, "roots", roots);
    failed |= pd_json_set_text(json, "speed", pd_speed_name(job->running ? job->progress.speed : app->speed));
    failed |= pd_json_set_bool(json, "retry_waits", job->retry_waits);
    failed |= pd_json_set_text(json, "message", job->progress.message[0] ? job->progress.message : NULL);
    failed |= pd_json_set_take(json, "newest", newest_json(&job->progress));
    failed |= pd_json_set_take(json, "errors", errors_json(&job->progress));
    if (failed)
        pd_json_free(&json);
    return json;
}

/* What is left after something went wrong, and what can be done: a row a cause, the last for all others. */
typedef struct comfort {
    pd_status status;
    const char *kept, *advice;
} comfort;

#define KEPT "Your pictures were not touched, and everything that was learned before is kept."

static const comfort *find_comfort(pd_status status)
{
    static const comfort rows[] = {
        { PD_ERR_FULL, KEPT, "Make room on the disk, then try again: it goes on where it stopped." },
        { PD_ERR_NOMEM, KEPT, "Close other programs, then try again, or learn a smaller folder." },
        { PD_ERR_NOT_FOUND, KEPT, "See that the folder or drive is there, then try again, or choose another folder." },
        { PD_ERR_CORRUPT, "Your pictures were not touched.",
          "Try again; if that does not help, move the library's folder away and learn your pictures anew." },
        { PD_ERR_UNSUPPORTED, KEPT, "This library or model is of another version: start the newest Pixel Detective." },
        { PD_ERR_BUSY, KEPT, "Another program uses the library: wait until it has ended, then try again." },
        { PD_ERR_INTERNAL, KEPT, "This is a fault of the program: please report it with the details, then try again." },
        { PD_OK, KEPT, "Try again, or choose another folder." },
    };
    const comfort *row = rows;
    while (row->status != PD_OK && row->status != status)
        row++;
    return row;
}

static pd_json *trouble_json(const pd_app *app)
{
    const pd_error *trouble = &app->trouble;
    if (trouble->status == PD_OK)
        return pd_json_null();
    const comfort *found = find_comfort(trouble->status);
    char details[PD_ERROR_MESSAGE_BYTES + 256];
    (void)snprintf(details, sizeof details,
                   "pixel-detective %s\nstatus: %s\nerror: %s\nsystem error: %d\njob: %" PRIu64 ", phase %s, %" PRId64
                   " of %" PRId64 " files, %" PRId64 " learned",
                   app->options.version, pd_status_name(trouble->status), trouble->message, trouble->sys_errno,
                   app->job.number, pd_phase_name(app->job.progress.phase), app->job.progress.done,
                   app->job.progress.todo, app->job.progress.learned);
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "status", pd_status_name(trouble->status));
    failed |= pd_json_set_text(json, "message", trouble->message);
    failed |= pd_json_set_text(json, "kept", found->kept);
    failed |= pd_json_set_text(json, "advice", found->advice);
    failed |= pd_json_set_text(json, "details", details);
    if (failed)
        pd_json_free(&json);
    return json;
}

char *pd_app_write(const pd_app *app)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "seq", (int64_t)app->seq);
    failed |= pd_json_set_text(json, "state", state_name(app));
    failed |= pd_json_set_text(json, "version", app->options.version);
    failed |= pd_json_set_text(json, "started", app->started);
    failed |= pd_json_set_take(json, "library", library_json(app));
    failed |= pd_json_set_take(json, "model", model_json(app));
    failed |= pd_json_set_take(json, "models", models_json(app));
    const bool fetched = app->engine.fetching.any, written = app->writing.any;
    failed |= pd_json_set_take(json, "pull", fetched ? pd_answer_pull(&app->engine.fetching.state) : pd_json_null());
    failed |=
        pd_json_set_take(json, "annotation", written ? pd_answer_annotation(&app->writing.state) : pd_json_null());
    failed |= pd_json_set_bool(json, "captions", app->writing.captions);
    failed |= pd_json_set_take(json, "preparation", steps_json(app));
    failed |= pd_json_set_take(json, "job", job_json(app));
    failed |= pd_json_set_take(json, "error", trouble_json(app));
    pd_buf buf;
    pd_buf_init(&buf, PD_JSON_BYTES_MAX);
    char *text = NULL;
    if (!failed && pd_json_write(json, false, &buf) == PD_OK) {
        buf.data[buf.len - 1] = '\0'; /* the brace: the log follows */
        text = pd_buf_take(&buf);
    }
    pd_json_free(&json);
    pd_buf_done(&buf);
    return text;
}
