/* library_paths.h: where things of a library lie. Private to the room. */
#ifndef PD_LIBRARY_PATHS_H
#define PD_LIBRARY_PATHS_H

#include "library/library.h"

#define PD_LIBRARY_FOLDER "pixel-detective" /* below the data and the cache home */

/*     <dir>/catalogue.sqlite   the record
 *     <dir>/vectors/           vector files, rebuilt from the record
 *     <dir>/columns            what filters look at, rebuilt from the record
 *     <dir>/learner.lock
 *     <dir>/annotator.lock
 *     <cache>/thumbs/          by content, shared by all libraries
 *     <cache>/views/           by content and size, shared by all libraries
 *     <cache>/prepared/        weights, shared by all libraries
 *     <models>/                models that were fetched, shared by all libraries
 *
 * All on the heap; <cache> is <dir>/cache when the cache home is not known, <models> lies in <dir> when the data home
 * is not, else in <data home>/pixel-detective. */
typedef struct pd_library_paths {
    char *dir, *catalogue, *vectors, *columns, *lock, *annotator;
    char *thumbs, *views, *prepared;
    char *models;
} pd_library_paths;

PD_MUST_USE pd_status pd_library_paths_init(pd_library_paths *ret_paths, const pd_library_options *options,
                                            pd_error *err);
void pd_library_paths_done(pd_library_paths *paths);

/* The directories that hold models, in the order in which they are searched; on the heap, NULL when out of memory. */
#define PD_LIBRARY_MODEL_PLACES 4
PD_MUST_USE char *pd_library_models_dir(const pd_library_paths *paths, size_t place);

/* A directory that a model is fetched into. */
bool pd_library_is_arriving(const char *dir); /* NULL: no */

/* A path, or the name of a folder among the models: not "", "." or one that is hidden. PD_ERR_USAGE with a sentence. */
PD_MUST_USE pd_status pd_library_check_model_name(const char *name, pd_error *err);
/* The directory of a model: `name` itself when it has a '/'; else the first of <program>/models,
 * <program>/../share/pixel-detective/models, the source tree's models and <models> that holds it, and after these
 * <models>/<name>.part, which still arrives. On the heap. PD_ERR_NOT_FOUND tells where it was looked for. */
#define PD_LIBRARY_PART_SUFFIX ".part"
PD_MUST_USE pd_status pd_library_find_model(const pd_library_paths *paths, const char *name, char **ret_dir,
                                            pd_error *err);

/* A path as the catalogue has it: absolute, links resolved as far as the file or its folder is there. On the heap; NULL
 * when out of memory or when there is no current directory. */
PD_MUST_USE char *pd_library_resolve(const char *path);

/* Bytes of the files in `dir` and the folders in it. */
int64_t pd_library_dir_bytes(const char *dir);

#endif
