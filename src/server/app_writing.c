/* app_writing.c: the background queue of tags and captions as the snapshot tells it: started, watched, and again. */
#include <inttypes.h>

#include "server/app_parts.h"

bool pd_app_wants_captions(pd_app *app)
{
    bool on = false;
    pthread_mutex_lock(&app->lock);
    const bool known = app->writing.known, kept = app->writing.captions;
    pthread_mutex_unlock(&app->lock);
    if (known || pd_library_captions_get(app->options.library, &on, NULL) != PD_OK)
        return kept;
    pthread_mutex_lock(&app->lock);
    app->writing.known = true;
    if (app->writing.captions != on)
        pd_app_changed(app);
    app->writing.captions = on;
    pthread_mutex_unlock(&app->lock);
    return on;
}

/* With lock held: the queue is over. */
static void tell_end(pd_app *app, const pd_annotation_state *state)
{
    if (state->outcome != PD_OK && state->outcome != PD_ERR_CANCELLED && state->outcome != PD_ERR_PARTIAL)
        pd_app_log(app, PD_LOG_ERROR, "%s", state->message[0] ? state->message : pd_status_name(state->outcome));
    else if (state->tagged || state->captioned)
        pd_app_log(app, PD_LOG_INFO, "tags of %" PRId64 " and captions of %" PRId64 " photos were written",
                   state->tagged, state->captioned);
}

void pd_app_writing_look(pd_app *app)
{
    pd_library *library = app->options.library;
    pd_annotation_state state = { 0 };
    pthread_mutex_lock(&app->lock);
    const bool any = app->writing.any && app->writing.state.running;
    pthread_mutex_unlock(&app->lock);
    if (!any || !pd_library_annotate_look(library, &state))
        return;
    if (!state.running)
        pd_library_annotate_finish(library, &state);
    pthread_mutex_lock(&app->lock);
    pd_annotation_state *old = &app->writing.state;
    if (old->running) { /* two may look at its end */
        const bool differs = old->seq != state.seq || !state.running;
        *old = state;
        if (!state.running)
            tell_end(app, &state);
        if (differs)
            pd_app_changed(app);
    }
    pthread_mutex_unlock(&app->lock);
}

/* Without a captioner there are tags all the same. *captions becomes what is written. */
static pd_status start_queue(pd_app *app, bool *captions, pd_error *err)
{
    pd_library *library = app->options.library;
    pd_error missing;
    const pd_status status =
        pd_library_annotate(library, &(pd_annotate_options){ .tags = true, .captions = *captions }, &missing);
    if (status != PD_ERR_NOT_FOUND || !*captions)
        return status == PD_OK ? PD_OK : pd_error_hand_on(err, &missing);
    *captions = false;
    PD_TRY(pd_library_annotate(library, &(pd_annotate_options){ .tags = true }, err));
    pthread_mutex_lock(&app->lock);
    pd_app_log(app, PD_LOG_WARNING, "no captions are written: %s", missing.message);
    pthread_mutex_unlock(&app->lock);
    return PD_OK;
}

static pd_status start(pd_app *app, pd_error *err)
{
    pd_annotation_state state = { .running = true };
    pthread_mutex_lock(&app->lock);
    app->writing.due = false; /* who wants it otherwise from here on is heard */
    pthread_mutex_unlock(&app->lock);
    bool captions = pd_app_wants_captions(app);
    pd_app_writing_look(app); /* one that has just ended makes room */
    PD_TRY(start_queue(app, &captions, err));
    (void)pd_library_annotate_look(app->options.library, &state);
    pthread_mutex_lock(&app->lock);
    state.running = true; /* its end, should it have come already, is told by looking */
    app->writing.any = true;
    app->writing.state = state;
    /* the program ends, or captions were switched off since that was looked at: what is due comes next */
    const bool unwanted = app->closing || (app->writing.due && captions && !app->writing.captions);
    pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
    if (unwanted)
        pd_library_annotate_cancel(app->options.library);
    return PD_OK;
}

void pd_app_writing_begin(pd_app *app)
{
    pd_error err;
    pthread_mutex_lock(&app->lock);
    const bool now =
        app->writing.due && !app->writing.state.running && !app->job.running && !app->closing && app->shelf.learned > 0;
    if (now)
        app->writing.due = false;
    pthread_mutex_unlock(&app->lock);
    if (!now)
        return;
    const pd_status status = start(app, &err);
    if (status == PD_OK || status == PD_ERR_BUSY) /* another process writes: as good */
        return;
    pthread_mutex_lock(&app->lock);
    pd_app_log(app, PD_LOG_WARNING, "no tags and captions are written: %s", err.message);
    pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
}

void pd_app_writing_due(pd_app *app, bool again)
{
    pthread_mutex_lock(&app->lock);
    app->writing.due = true;
    const bool stop = again && app->writing.state.running;
    pd_app_look_soon(app);
    pthread_mutex_unlock(&app->lock);
    if (stop)
        pd_library_annotate_cancel(app->options.library);
}

pd_status pd_app_write_about(pd_app *app, pd_error *err)
{
    PD_TRY(start(app, err));
    pd_app_attend(app);
    return PD_OK;
}

/* Whether a queue runs; brings the snapshot up to date. */
static bool is_running(pd_app *app)
{
    pd_app_writing_look(app);
    pthread_mutex_lock(&app->lock);
    const bool running = app->writing.state.running;
    pthread_mutex_unlock(&app->lock);
    return running;
}

bool pd_app_writing_pause(pd_app *app, bool paused)
{
    const bool running = is_running(app);
    if (running)
        pd_library_annotate_pause(app->options.library, paused);
    pd_app_writing_look(app);
    return running;
}

bool pd_app_writing_cancel(pd_app *app)
{
    const bool running = is_running(app);
    pthread_mutex_lock(&app->lock);
    app->writing.due = false;
    pthread_mutex_unlock(&app->lock);
    if (running)
        pd_library_annotate_cancel(app->options.library);
    pd_app_writing_look(app);
    return running;
}

pd_status pd_app_captions_set(pd_app *app, bool on, pd_error *err)
{
    PD_TRY(pd_library_captions_set(app->options.library, on, err));
    pthread_mutex_lock(&app->lock);
    const bool differs = !app->writing.known || app->writing.captions != on;
    app->writing.known = true;
    app->writing.captions = on;
    pd_app_changed(app);
    pthread_mutex_unlock(&app->lock);
    if (differs)
        pd_app_writing_due(app, true);
    pd_app_attend(app);
    return PD_OK;
}
