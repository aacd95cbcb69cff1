/* beneath.h: files that lie in a folder, and nothing else: no link leads out of it. */
#ifndef PD_BASE_BENEATH_H
#define PD_BASE_BENEATH_H

#include <stdbool.h>

#include "base/error.h"

/* Whether `inner` is the folder `outer` or lies below it; both absolute, without a slash at the end. */
bool pd_path_is_within(const char *inner, const char *outer);

/* Opens `path`, which lies in the folder `root` by its name, for reading. NOT_FOUND when it is not there any more, or
 * when a link on the way leads out of the folder. */
PD_MUST_USE pd_status pd_file_open_beneath(const char *root, const char *path, int *ret_fd, pd_error *err);

#endif
