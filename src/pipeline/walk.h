/* walk.h: the files below a folder, found without recursion and without opening any of them.
 *
 * Private to the room. Not followed: symbolic links. Left out: hidden files and folders, `@eaDir`, and a folder that
 * holds `.pixeldetectiveignore`, with all below it. Other file systems are walked into. A folder that contains itself
 * (a bind mount) is entered once. Names are bytes. */
#ifndef PD_PIPELINE_WALK_H
#define PD_PIPELINE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PD_WALK_IGNORE_FILE ".pixeldetectiveignore"

/* Every member is called with the `user` of the walk. Returning false ends the walk, which is PD_ERR_CANCELLED. */
typedef struct pd_walk_visitor {
    /* A folder is about to be read. *root is the number its parent has, and may be changed for all below. */
    bool (*folder)(void *user, const char *path, size_t *root);
    /* A regular file whose name says that it is a picture. */
    bool (*file)(void *user, const char *path, size_t root, int64_t bytes, int64_t mtime_ns);
    /* Left aside: known but not learned (PDF, video), behind a symbolic link, no regular file, or its path too long. */
    bool (*skipped)(void *user);
    /* A folder cannot be read (or not to its end): what is in it is not known. The first folder may give ENOENT. */
    bool (*unreadable)(void *user, const char *path, size_t root, int sys_errno);
    /* A file of another kind. NULL: nobody wants to know. */
    bool (*other)(void *user);
} pd_walk_visitor;

/* `folder` is absolute, without a slash at its end. NOMEM, CANCELLED or OK. */
PD_MUST_USE pd_status pd_walk(const char *folder, size_t root, const pd_walk_visitor *visitor, void *user,
                              pd_error *err);

/* Whether a walk from `outer` comes by `inner` (which need not exist): within it, and nothing between is left out. */
bool pd_walk_reaches(const char *outer, const char *inner);

#endif
