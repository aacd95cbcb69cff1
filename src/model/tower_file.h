/* tower_file.h: a network's prepared weights, from the cache or made now. Private to the room. */
#ifndef PD_MODEL_TOWER_FILE_H
#define PD_MODEL_TOWER_FILE_H

#include "model/prepare.h"

typedef struct pd_tower_file {
    const char *id, *dir; /* of the model */
    const char *name;     /* in the names of prepared files: "text" */
    const pd_weights *weights;
    const pd_kernels *kernels;
    const pd_model_options *options;
    pd_prepare_progress *progress;
    /* Makes the network; called again when the file turns out to be damaged. */
    pd_status (*prepare)(void *user, pd_preparer *preparer);
    void *user;
} pd_tower_file;

/* *ret_prepared holds what the network points to. */
PD_MUST_USE pd_status pd_tower_file_open(const pd_tower_file *file, pd_prepared **ret_prepared, pd_error *err);

#endif
