/* uri.h: the target of a request, decoded: path and parameters.
 *
 * Foreign bytes: everything is checked. Values are bytes (a path need not be UTF-8) and never hold a NUL. */
#ifndef PD_SERVER_URI_H
#define PD_SERVER_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_URI_PARAMS_MAX 16 /* more are refused */

typedef struct pd_uri_param {
    const char *name, *value;
} pd_uri_param;

/* Owned; names and values point into `text`. */
typedef struct pd_uri {
    char *text;
    const char *path; /* begins with '/' */
    size_t n_params;
    pd_uri_param params[PD_URI_PARAMS_MAX];
} pd_uri;

/* PD_ERR_USAGE with a sentence: not of the form "/path?name=value&...", a broken escape, or a NUL. */
PD_MUST_USE pd_status pd_uri_parse(pd_uri *ret_uri, const char *target, size_t len, pd_error *err);
void pd_uri_done(pd_uri *uri);

const char *pd_uri_text(const pd_uri *uri, const char *name); /* the first of this name; NULL: none */
typedef struct pd_uri_range {
    uint64_t preset, min, max;
} pd_uri_range;
/* A whole number; the preset when it is not there. PD_ERR_USAGE with a sentence when it is something else. */
PD_MUST_USE pd_status pd_uri_number(const pd_uri *uri, const char *name, const pd_uri_range *range, uint64_t *ret_value,
                                    pd_error *err);

#endif
