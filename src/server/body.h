/* body.h: what a JSON body says. Foreign bytes: everything is checked. */
#ifndef PD_SERVER_BODY_H
#define PD_SERVER_BODY_H

#include "base/error.h"
#include "base/json.h"
#include "server/app.h"
#include "server/request.h"

/* The object that was sent. PD_ERR_FORMAT: no JSON; PD_ERR_USAGE: another shape. */
PD_MUST_USE pd_status pd_body_object(const pd_request *request, pd_json **ret_json, pd_error *err);

/* A text without a NUL, borrowed; NULL when there is none of that name. PD_ERR_USAGE: something else is there. */
PD_MUST_USE pd_status pd_body_text(const pd_json *json, const char *name, const char **ret_text, pd_error *err);

/* true or false; *ret_value stays as it is when there is none of that name. `json` NULL: nothing was sent. */
PD_MUST_USE pd_status pd_body_bool(const pd_json *json, const char *name, bool *ret_value, pd_error *err);

typedef struct pd_body_range {
    int64_t min, max;
} pd_body_range;
/* A whole number; *ret_value stays as it is when there is none of that name. PD_ERR_USAGE: something else is there. */
PD_MUST_USE pd_status pd_body_number(const pd_json *json, const char *name, pd_body_range range, int64_t *ret_value,
                                     pd_error *err);

/* The ids in `list`, on the heap: at least one, at most n_max. */
PD_MUST_USE pd_status pd_body_ids(const pd_json *list, const char *name, size_t n_max, int64_t **ret_ids, size_t *ret_n,
                                  pd_error *err);

/* The photos that are meant: "photos", or a part of "result" ("first", "n"). Ids on the heap. */
PD_MUST_USE pd_status pd_body_photos(pd_app *app, const pd_json *json, int64_t **ret_ids, size_t *ret_n, pd_error *err);

#endif
