/* deeds.c: what the user did, and what came of it. */
#include "answer/answer.h"
#include "base/clock.h"

pd_json *pd_answer_edited(const pd_step *step)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "edited", step->photos);
    failed |= pd_json_set_take(json, "step", step->number ? pd_json_int(step->number) : pd_json_null());
    failed |= pd_json_set_text(json, "sentence", step->sentence);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_would(size_t n_photos)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "photos", (int64_t)n_photos);
    failed |= pd_json_set_bool(json, "dry_run", true);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_step(const pd_step *step)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_take(json, "step", step->number ? pd_json_int(step->number) : pd_json_null());
    failed |= pd_json_set_text(json, "sentence", step->sentence);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_album(const pd_album *album)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "id", album->id);
    failed |= pd_json_set_text(json, "name", album->name);
    failed |= pd_json_set_int(json, "photos", album->n_photos);
    failed |= pd_json_set_take(json, "cover", album->cover ? pd_json_int(album->cover) : pd_json_null());
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_saved(const pd_saved *saved)
{
    char at[PD_TIME_TEXT_BYTES];
    bool failed = false;
    pd_json *json = pd_json_object();
    pd_time_format_utc(saved->at, at);
    if (saved->name[0])
        failed |= pd_json_set_text(json, "name", saved->name);
    failed |= pd_json_set_text(json, "query", saved->query);
    failed |= pd_json_set_text(json, "at", at);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_copies(const pd_copies *copies, size_t n_photos)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "copied", copies->copied);
    failed |= pd_json_set_int(json, "renamed", copies->renamed);
    failed |= pd_json_set_int(json, "failed", copies->failed);
    failed |= pd_json_set_int(json, "of", (int64_t)n_photos);
    failed |= pd_json_set_int(json, "bytes", copies->bytes);
    failed |= pd_json_set_text(json, "message", copies->first_failure[0] ? copies->first_failure : NULL);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_sidecars(const pd_sidecars *sidecars, size_t n_photos)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "written", sidecars->written);
    failed |= pd_json_set_int(json, "unchanged", sidecars->unchanged);
    failed |= pd_json_set_int(json, "failed", sidecars->failed);
    failed |= pd_json_set_int(json, "of", (int64_t)n_photos);
    failed |= pd_json_set_text(json, "message", sidecars->first_failure[0] ? sidecars->first_failure : NULL);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_work_counts(const pd_work_counts *counts)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "edits", counts->edits);
    failed |= pd_json_set_int(json, "photos", counts->photos);
    failed |= pd_json_set_int(json, "waiting", counts->waiting);
    failed |= pd_json_set_int(json, "albums", counts->albums);
    failed |= pd_json_set_int(json, "searches", counts->searches);
    if (failed)
        pd_json_free(&json);
    return json;
}
