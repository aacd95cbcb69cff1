/* written.c: what machines write about a picture, and how far they are. */
#include <math.h>

#include "answer/answer.h"

static pd_json *measure_json(float value)
{
    return isfinite(value) ? pd_json_number(round((double)value * 1e4) / 1e4) : pd_json_null();
}

static pd_json *written_tags_json(const pd_written *written)
{
    bool failed = false;
    pd_json *json = pd_json_array();
    for (size_t i = 0; i < written->n_tags; i++) {
        pd_json *tag = pd_json_object();
        failed |= pd_json_set_text(tag, "name", written->tags[i].word) != PD_OK;
        failed |= pd_json_set_take(tag, "score", measure_json(written->tags[i].score)) != PD_OK;
        failed |= pd_json_set_bool(tag, "doubtful", written->tags[i].doubtful) != PD_OK;
        failed |= pd_json_append_take(json, tag) != PD_OK;
    }
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_written(const char *picture, const pd_written *written, const char *error)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "path", picture) != PD_OK;
    failed |= pd_json_set_text(json, "caption", error || !written->caption[0] ? NULL : written->caption) != PD_OK;
    failed |= pd_json_set_take(json, "score", measure_json(error ? NAN : written->caption_score)) != PD_OK;
    failed |= pd_json_set_bool(json, "doubtful", !error && written->caption_doubtful) != PD_OK;
    failed |= pd_json_set_take(json, "cosine", measure_json(error ? NAN : written->caption_cosine)) != PD_OK;
    failed |= pd_json_set_take(json, "likelihood", measure_json(error ? NAN : written->caption_likelihood)) != PD_OK;
    failed |= pd_json_set_take(json, "tags", error ? pd_json_array() : written_tags_json(written)) != PD_OK;
    failed |= pd_json_set_text(json, "error", error) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_annotation(const pd_annotation_state *state)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_bool(json, "running", state->running) != PD_OK;
    failed |= pd_json_set_bool(json, "paused", state->paused) != PD_OK;
    failed |= pd_json_set_bool(json, "waiting", state->waiting) != PD_OK;
    failed |= pd_json_set_text(json, "phase", state->captioning ? "captions" : "tags") != PD_OK;
    failed |= pd_json_set_int(json, "todo", state->todo) != PD_OK;
    failed |= pd_json_set_int(json, "done", state->done) != PD_OK;
    failed |= pd_json_set_int(json, "tagged", state->tagged) != PD_OK;
    failed |= pd_json_set_int(json, "captioned", state->captioned) != PD_OK;
    failed |= pd_json_set_int(json, "doubtful", state->doubtful) != PD_OK;
    failed |= pd_json_set_int(json, "failed", state->failed) != PD_OK;
    failed |= pd_json_set_take(json, "rate", state->rate > 0 ? pd_json_number(state->rate) : pd_json_null()) != PD_OK;
    failed |=
        pd_json_set_take(json, "eta_s", state->eta_s < 0 ? pd_json_null() : pd_json_number(state->eta_s)) != PD_OK;
    failed |= pd_json_set_text(json, "outcome", state->running ? NULL : pd_status_name(state->outcome)) != PD_OK;
    failed |= pd_json_set_text(json, "message", state->message[0] ? state->message : NULL) != PD_OK;
    if (failed)
        pd_json_free(&json);
    return json;
}
