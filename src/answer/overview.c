/* overview.c: the library as a whole. */
#include "answer/answer.h"

pd_json *pd_answer_root(const pd_root *root)
{
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_text(json, "path", root->path);
    failed |= pd_json_set_int(json, "photos", root->n_photos);
    failed |= pd_json_set_bool(json, "offline", root->offline);
    if (failed)
        pd_json_free(&json);
    return json;
}

static pd_json *job_json(const pd_library_status *status)
{
    if (!status->learner_pid)
        return pd_json_null();
    bool failed = false;
    pd_json *json = pd_json_object();
    failed |= pd_json_set_int(json, "pid", status->learner_pid);
    if (failed)
        pd_json_free(&json);
    return json;
}

/* Takes the roots. */
pd_json *pd_answer_status_take(const char *dir, const pd_library_status *status, pd_json *roots)
{
    bool failed = false;
    pd_json *json = pd_json_object(), *model = pd_json_object(), *bytes = pd_json_object();
    failed |= pd_json_set_text(json, "library", dir);
    failed |= pd_json_set_take(json, "roots", roots);
    failed |= pd_json_set_int(json, "files", status->files);
    failed |= pd_json_set_int(json, "learned", status->learned);
    failed |= pd_json_set_int(json, "errors", status->errors);
    failed |= pd_json_set_int(json, "offline", status->offline);
    failed |= pd_json_set_text(model, "name", status->model_name);
    failed |= pd_json_set_text(model, "state", status->model_state);
    failed |= pd_json_set_take(json, "model", model);
    failed |= pd_json_set_int(bytes, "catalogue", status->catalogue_bytes);
    failed |= pd_json_set_int(bytes, "vectors", status->vectors_bytes);
    failed |= pd_json_set_int(bytes, "thumbs", status->thumbs_bytes);
    failed |= pd_json_set_int(bytes, "prepared", status->prepared_bytes);
    failed |= pd_json_set_take(json, "bytes", bytes);
    failed |= pd_json_set_take(json, "job", job_json(status));
    if (failed)
        pd_json_free(&json);
    return json;
}
