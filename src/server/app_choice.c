/* app_choice.c: what the user chooses: models to use and to fetch, and settings. */
#include "base/thread.h"
#include "server/app_parts.h"

pd_status pd_app_use_model(pd_app *app, const char *key, const atomic_bool *cancelled, pd_error *err)
{
    int64_t learned;
    pd_app_attend(app);
    PD_TRY(pd_library_model_use(app->options.library, key, cancelled, &learned, err));
    pd_app_models_ask(app);
    if (learned >= 0)
        return pd_app_relearn(app, err);
    if (pd_app_wants_captions(app))
        pd_app_writing_due(app, true);
    return PD_OK;
}

pd_status pd_app_pull(pd_app *app, const char *reference, bool use, pd_error *err)
{
    pd_app_attend(app);
    PD_TRY(pd_library_pull(app->options.library, reference, use, err));
    pd_app_fetching_look(app);
    return PD_OK;
}

bool pd_app_pull_cancel(pd_app *app)
{
    pd_app_fetching_look(app);
    pthread_mutex_lock(&app->lock);
    const bool running = app->engine.fetching.state.running;
    pthread_mutex_unlock(&app->lock);
    if (running)
        pd_library_pull_cancel(app->options.library);
    return running;
}

pd_status pd_app_settings_get(pd_app *app, pd_app_settings *ret_settings, pd_error *err)
{
    pd_app_settings settings = { .threads_max = pd_thread_cpu_count() };
    PD_TRY(pd_library_threads_get(app->options.library, &settings.threads, err));
    PD_TRY(pd_library_captions_get(app->options.library, &settings.captions, err));
    settings.idle_s = pd_library_idle(app->options.library);
    *ret_settings = settings;
    return PD_OK;
}

void pd_app_memory(pd_app *app, int64_t *ret_bytes, int64_t *ret_resting_bytes)
{
    pd_app_models_look(app);
    *ret_bytes = pd_app_resident_bytes();
    pthread_mutex_lock(&app->lock);
    if (app->engine.models.rests)
        app->engine.models.resting_bytes = *ret_bytes;
    *ret_resting_bytes = app->engine.models.resting_bytes;
    pthread_mutex_unlock(&app->lock);
}
