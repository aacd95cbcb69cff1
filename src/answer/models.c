/* models.c: models that there are, and fetching them. */
#include <math.h>

#include "answer/answer.h"

static const char *text_or_null(const char *text) { return text && *text ? text : NULL; }

static pd_json *count_or_null(int64_t value) { return value > 0 ? pd_json_int(value) : pd_json_null(); }

/* What is not known is negative, or not finite. */
static pd_json *measure_or_null(double value)
{
    return isfinite(value) && value >= 0 ? pd_json_number(value) : pd_json_null();
}

const char *pd_answer_kind(pd_hub_kind kind) { return kind == PD_HUB_CAPTIONS ? "captions" : "search"; }

static const char *state_name(const pd_library_model *model)
{
    if (!model->dir)
        return "absent";
    return model->complete ? pd_residence_name(model->state) : "partial";
}

static bool set_entry(pd_json *json, const pd_hub_entry *entry)
{
    bool failed = false;
    failed |= pd_json_set_text(json, "licence", entry ? entry->licence : NULL);
    failed |= pd_json_set_text(json, "languages", entry ? entry->languages : NULL);
    failed |= pd_json_set_text(json, "text", entry ? entry->text : NULL);
    failed |= pd_json_set_take(json, "picture_ms", count_or_null(entry ? entry->picture_ms : 0));
    failed |= pd_json_set_take(json, "dial", count_or_null(entry ? entry->dial : 0));
    failed |= pd_json_set_take(json, "download_bytes", count_or_null(entry ? entry->bytes : 0));
    return failed;
}

pd_json *pd_answer_model(const pd_library_model *model)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "key", model->key);
    failed |= pd_json_set_text(json, "name", model->entry ? model->entry->name : model->key);
    failed |= pd_json_set_text(json, "repository", text_or_null(model->repository));
    failed |= pd_json_set_text(json, "revision", text_or_null(model->revision));
    failed |= pd_json_set_text(json, "kind", pd_answer_kind(model->kind));
    failed |= pd_json_set_bool(json, "built_in", model->built_in);
    failed |= pd_json_set_bool(json, "complete", model->complete);
    failed |= pd_json_set_bool(json, "chosen", model->chosen);
    failed |= pd_json_set_bool(json, "answering", model->answering);
    failed |= set_entry(json, model->entry);
    failed |= pd_json_set_int(json, "disk_bytes", model->disk_bytes);
    failed |= pd_json_set_int(json, "memory_bytes", model->memory_bytes);
    failed |= pd_json_set_text(json, "state", state_name(model));
    const bool loads = model->state == PD_RESIDENCE_LOADING;
    failed |= pd_json_set_take(json, "fraction", loads ? pd_json_number(model->fraction) : pd_json_null());
    failed |= pd_json_set_number(json, "idle_s", model->idle_s);
    failed |= pd_json_set_take(json, "load_ms", model->load_ms > 0 ? pd_json_number(model->load_ms) : pd_json_null());
    failed |= pd_json_set_text(json, "error", text_or_null(model->error));
    failed |= pd_json_set_take(json, "learned", model->learned < 0 ? pd_json_null() : pd_json_int(model->learned));
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_pull(const pd_pull_state *pull)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "key", text_or_null(pull->reference.key));
    failed |= pd_json_set_text(json, "repository", text_or_null(pull->reference.repository));
    failed |= pd_json_set_text(json, "revision", text_or_null(pull->reference.revision));
    failed |= pd_json_set_text(json, "phase", pd_pull_phase_name(pull->phase));
    failed |= pd_json_set_bool(json, "running", pull->running);
    failed |= pd_json_set_int(json, "done_bytes", pull->done_bytes);
    failed |= pd_json_set_take(json, "total_bytes", count_or_null(pull->total_bytes));
    failed |= pd_json_set_take(json, "rate", measure_or_null(pull->running ? pull->rate : -1));
    failed |= pd_json_set_take(json, "eta_s", measure_or_null(pull->running ? pull->eta_s : -1));
    failed |= pd_json_set_bool(json, "vision_ready", pull->vision_ready);
    failed |= pd_json_set_take(json, "vision_bytes", count_or_null(pull->vision_bytes));
    failed |= pd_json_set_text(json, "outcome", pull->running ? NULL : pd_status_name(pull->outcome));
    failed |= pd_json_set_text(json, "message", text_or_null(pull->message));
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_removal(const char *name, const pd_remove_options *options, const pd_removal *removal)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, options->dry_run ? "would_remove" : "removed", name);
    failed |= pd_json_set_bool(json, "embeddings", options->embeddings);
    failed |= pd_json_set_int(json, "files_bytes", removal->files_bytes);
    failed |= pd_json_set_int(json, "prepared_bytes", removal->prepared_bytes);
    failed |= pd_json_set_int(json, "photos", removal->photos);
    failed |= pd_json_set_int(json, "embeddings_bytes", removal->embeddings_bytes);
    if (failed)
        pd_json_free(&json);
    return json;
}
