/* place.h: the folder that a model arrives in, held by one process at a time, and its way to the final name. */
#ifndef PD_FETCH_PLACE_H
#define PD_FETCH_PLACE_H

#include "base/error.h"
#include "fetch/record.h"

#define PD_PLACE_SPARE_BYTES (INT64_C(1) << 20) /* besides the files: the record, and the file system's own */

typedef struct pd_place {
    char *models, *part, *final; /* <models>/<key>.part, <models>/<key> */
    int lock_fd;                 /* -1: not held */
} pd_place;

/* Makes the folder where it is missing, and takes it. BUSY: another process fetches into it. */
PD_MUST_USE pd_status pd_place_open(pd_place *ret_place, const char *models_dir, const char *key, pd_error *err);
void pd_place_done(pd_place *place); /* safe for one that was not opened, when lock_fd is -1 */

/* FULL, with both numbers: there is no room for `bytes` more. */
PD_MUST_USE pd_status pd_place_check_room(const pd_place *place, int64_t bytes, pd_error *err);

/* All is here and checked: files and names to the disk, then the final name. What had it before is removed. */
PD_MUST_USE pd_status pd_place_finish(pd_place *place, const pd_record *record, pd_error *err);

#endif
