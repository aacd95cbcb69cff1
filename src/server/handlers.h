/* handlers.h: what answers the rows of routes.c. Each fills a zeroed reply; none knows who asks. */
#ifndef PD_SERVER_HANDLERS_H
#define PD_SERVER_HANDLERS_H

#include "server/app.h"
#include "server/response.h"
#include "server/request.h"

void pd_handle_page(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_status(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_errors(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_snapshot(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_events(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_search(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_similar(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_query(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_values(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_edit(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_undo_next(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_undo(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_albums(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_album(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_saved(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_save(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_history(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_history_change(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_export(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_copy(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_work(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_work_take(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_photo(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_thumb(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_view(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_job(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_job_pause(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_job_resume(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_job_cancel(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_job_retry(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_job_speed(pd_app *app, const pd_request *request, pd_reply *reply);

/* 202 and the snapshot: what was asked for has begun. */
void pd_reply_snapshot(pd_app *app, pd_reply *reply);

void pd_handle_models(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_pull(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_pull_cancel(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_model_load(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_model_unload(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_model_use(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_model_remove(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_settings(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_settings_change(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_describe(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_looking(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_annotate(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_sidecars(pd_app *app, const pd_request *request, pd_reply *reply);

void pd_handle_folders(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_look(pd_app *app, const pd_request *request, pd_reply *reply);
void pd_handle_count(pd_app *app, const pd_request *request, pd_reply *reply);

#endif
