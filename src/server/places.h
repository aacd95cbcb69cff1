/* places.h: folders as people name them, and the one door through which a request may look at the disk.
 *
 * With a browse root nothing outside it is looked at: a path is resolved first (links and '..' included), then
 * compared. */
#ifndef PD_SERVER_PLACES_H
#define PD_SERVER_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "server/app.h"
#include "server/response.h"

#define PD_PLACE_BYTES_MAX 4096 /* of a path, as in Linux */

typedef enum pd_place_kind {
    PD_PLACE_FOLDER,
    PD_PLACE_FILE,
    PD_PLACE_MISSING,
    PD_PLACE_UNREADABLE,
    PD_PLACE_OUTSIDE, /* of the browse root: nothing else is told about it */
    PD_PLACE_KIND_COUNT
} pd_place_kind;

const char *pd_place_kind_name(pd_place_kind kind); /* "folder" */

typedef struct pd_place {
    pd_place_kind kind;
    char *path;                           /* absolute, as typed, '~' put in */
    char *real;                           /* links resolved; NULL when it is not there or outside */
    char message[PD_ERROR_MESSAGE_BYTES]; /* why it is no folder to be learned; "" for a folder */
} pd_place;

/* PD_ERR_USAGE: `typed` neither begins with '/' nor with '~'. Free with pd_place_done. */
PD_MUST_USE pd_status pd_place_find(pd_app *app, const char *typed, pd_place *ret_place, pd_error *err);
void pd_place_done(pd_place *place);
void pd_place_refuse(const pd_place *place, pd_reply *reply); /* anything but a folder */

/* Whether a path that is there lies inside the browse root, links resolved. */
bool pd_place_is_allowed(pd_app *app, const char *path);

/* Where pictures may be: home, pictures, downloads, drives, folders that are known. NULL when out of memory. */
PD_MUST_USE pd_json *pd_places_json(pd_app *app);

/* The names of the folders in a folder, sorted, hidden ones left out; at most PD_SERVER_FOLDERS_MAX. */
typedef struct pd_folder_names {
    char **items;
    size_t n;
    bool truncated;
} pd_folder_names;
PD_MUST_USE pd_status pd_folder_names_read(pd_app *app, const char *folder, pd_folder_names *ret_names, pd_error *err);
void pd_folder_names_done(pd_folder_names *names);

#endif
