/* folder.h: folders as users name them. Private to the room. */
#ifndef PD_PIPELINE_FOLDER_H
#define PD_PIPELINE_FOLDER_H

#include "base/error.h"

/* The folder, absolute and resolved, on the heap. NOT_FOUND: there is none; FORMAT: it is a file; IO: it cannot be
 * read; each with a sentence. */
PD_MUST_USE pd_status pd_folder_resolve(const char *folder, char **ret_path, pd_error *err);

#endif
