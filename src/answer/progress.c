/* progress.c: how far a job is, and what it could not do. */
#include <stddef.h>
#include <string.h>

#include "answer/answer.h"

pd_json *pd_answer_progress(const pd_progress *progress)
{
    static const struct {
        const char *key;
        size_t offset;
    } counts[] = {
        { "found", offsetof(pd_progress, found) },         { "todo", offsetof(pd_progress, todo) },
        { "done", offsetof(pd_progress, done) },           { "learned", offsetof(pd_progress, learned) },
        { "unchanged", offsetof(pd_progress, unchanged) }, { "moved", offsetof(pd_progress, moved) },
        { "removed", offsetof(pd_progress, removed) },     { "skipped", offsetof(pd_progress, skipped) },
        { "failed", offsetof(pd_progress, failed) },
    };
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "seq", (int64_t)progress->seq);
    failed |= pd_json_set_text(json, "phase", pd_phase_name(progress->phase));
    failed |= pd_json_set_bool(json, "running", progress->running);
    failed |= pd_json_set_bool(json, "paused", progress->paused);
    failed |= pd_json_set_bool(json, "cancelling", progress->cancelling);
    for (size_t i = 0; i < PD_COUNT_OF(counts); i++) {
        int64_t value;
        memcpy(&value, (const char *)progress + counts[i].offset, sizeof value);
        failed |= pd_json_set_int(json, counts[i].key, value);
    }
    failed |= pd_json_set_take(json, "rate", progress->rate > 0 ? pd_json_number(progress->rate) : pd_json_null());
    failed |= pd_json_set_take(json, "eta_s", progress->eta_s < 0 ? pd_json_null() : pd_json_number(progress->eta_s));
    failed |= pd_json_set_number(json, "fraction", progress->fraction);
    failed |= pd_json_set_number(json, "elapsed_s", progress->elapsed_s);
    const bool ended = progress->phase == PD_PHASE_READY && !progress->running;
    failed |= pd_json_set_text(json, "outcome", ended ? pd_status_name(progress->outcome) : NULL);
    if (failed)
        pd_json_free(&json);
    return json;
}

pd_json *pd_answer_file_error(const char *path, pd_status why, const char *sentence)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "path", path);
    failed |= pd_json_set_text(json, "reason", sentence && *sentence ? sentence : pd_status_name(why));
    failed |= pd_json_set_text(json, "status", pd_status_name(why));
    if (failed)
        pd_json_free(&json);
    return json;
}
