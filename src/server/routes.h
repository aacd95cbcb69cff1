/* routes.h: every request that is answered, as one table. docs/http.md lists its rows; a test compares. */
#ifndef PD_SERVER_ROUTES_H
#define PD_SERVER_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/app.h"
#include "server/response.h"
#include "server/request.h"

typedef enum pd_route_body {
    PD_TAKES_NOTHING, /* a short body is read and forgotten */
    PD_TAKES_JSON,
    PD_TAKES_PHOTOS, /* JSON that may name very many */
    PD_TAKES_WORK,   /* JSON that was exported */
    PD_TAKES_PICTURE /* or JSON, as Content-Type says */
} pd_route_body;

typedef struct pd_route {
    const char *method; /* "GET" serves HEAD too */
    const char *path;   /* a part "ID" stands for the number of a photo, "KEY" for any name */
    bool open;          /* needs no token: holds no user data */
    bool streams;       /* goes on until one side ends it */
    pd_route_body body;
    void (*answer)(pd_app *app, const pd_request *request, pd_reply *reply);
} pd_route;

/* Finds the route and sets the photo's id. NULL: the reply says why (404, 405, 400). */
const pd_route *pd_route_find(const char *method, const char *path, uint64_t *ret_id, pd_reply *reply);

bool pd_path_is_api(const char *path);

#endif
