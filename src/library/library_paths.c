#include "library/library_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

/* NULL-tolerant, so that paths may be built in a row and checked once. */
static char *join(const char *a, const char *b) { return a ? pd_path_join(a, b) : NULL; }

static char *choose_dir(const pd_library_options *options)
{
    if (options->dir)
        return pd_library_resolve(options->dir);
    return join(options->data_home, PD_LIBRARY_FOLDER);
}

static char *name_models(const pd_library_options *options, const char *dir)
{
    char *shared = options->data_home ? join(options->data_home, PD_LIBRARY_FOLDER) : NULL;
    char *models = join(options->data_home ? shared : dir, "models");
    pd_mem_free(shared);
    return models;
}

pd_status pd_library_paths_init(pd_library_paths *ret_paths, const pd_library_options *options, pd_error *err)
{
    if (!options->dir && !options->data_home)
        return pd_error_set(err, PD_ERR_USAGE, "no place for the library is known: neither a folder nor a home is set");
    if (options->dir && options->dir[0] == '\0')
        return pd_error_set(err, PD_ERR_USAGE, "the library's folder has an empty name");
    pd_library_paths paths = { .dir = choose_dir(options) };
    char *cache = options->cache_home ? join(options->cache_home, PD_LIBRARY_FOLDER) : join(paths.dir, "cache");
    paths.catalogue = join(paths.dir, "catalogue.sqlite");
    paths.vectors = join(paths.dir, "vectors");
    paths.columns = join(paths.dir, "columns");
    paths.lock = join(paths.dir, "learner.lock");
    paths.annotator = join(paths.dir, "annotator.lock");
    paths.thumbs = join(cache, "thumbs");
    paths.views = join(cache, "views");
    paths.prepared = join(cache, "prepared");
    paths.models = name_models(options, paths.dir);
    pd_mem_free(cache);
    char *const *const all[] = { &paths.dir,       &paths.catalogue, &paths.vectors, &paths.columns,  &paths.lock,
                                 &paths.annotator, &paths.thumbs,    &paths.views,   &paths.prepared, &paths.models };
    for (size_t i = 0; i < PD_COUNT_OF(all); i++)
        if (!*all[i]) {
            pd_library_paths_done(&paths);
            return pd_error_set_nomem(err);
        }
    *ret_paths = paths;
    return PD_OK;
}

void pd_library_paths_done(pd_library_paths *paths)
{
    pd_mem_free(paths->dir);
    pd_mem_free(paths->catalogue);
    pd_mem_free(paths->vectors);
    pd_mem_free(paths->columns);
    pd_mem_free(paths->lock);
    pd_mem_free(paths->annotator);
    pd_mem_free(paths->thumbs);
    pd_mem_free(paths->views);
    pd_mem_free(paths->prepared);
    pd_mem_free(paths->models);
    *paths = (pd_library_paths){ 0 };
}

char *pd_library_models_dir(const pd_library_paths *paths, size_t place)
{
    if (place == 2)
        return pd_mem_dup_string(PD_MODELS_DIR);
    if (place == 3)
        return pd_mem_dup_string(paths->models);
    char *program = pd_executable_dir();
    char *dir = join(program, place == 0 ? "models" : "../share/" PD_LIBRARY_FOLDER "/models");
    pd_mem_free(program);
    return dir;
}

/* "<models>/<name>.part"; NULL when out of memory. */
static char *name_part(const char *models, const char *name)
{
    char *dir = join(models, name);
    const size_t len = dir ? strlen(dir) : 0;
    char *longer = dir ? pd_mem_realloc(dir, len + sizeof PD_LIBRARY_PART_SUFFIX, 1) : NULL;
    if (!longer)
        pd_mem_free(dir);
    else
        memcpy(longer + len, PD_LIBRARY_PART_SUFFIX, sizeof PD_LIBRARY_PART_SUFFIX);
    return longer;
}

/* Takes the first of the candidates that is a directory, and frees the others. */
static pd_status choose_model(char **ret_dir, char *const *places, size_t n, const char *name, pd_error *err)
{
    char *chosen = NULL;
    bool complete = true;
    for (size_t i = 0; i < n; i++) {
        complete = complete && places[i];
        if (!chosen && places[i] && pd_dir_exists(places[i]))
            chosen = places[i];
    }
    pd_status status = PD_OK;
    if (chosen)
        *ret_dir = chosen;
    else if (!complete)
        status = pd_error_set_nomem(err);
    else
        status =
            pd_error_set(err, PD_ERR_NOT_FOUND,
                         "there is no model '%s' ('model list' tells what there is, 'model pull' fetches more): looked "
                         "for %s, %s, %s and %s",
                         name, places[0], places[1], places[2], places[3]);
    for (size_t i = 0; i < n; i++) {
        if (places[i] != chosen)
            pd_mem_free(places[i]);
    }
    return status;
}

bool pd_library_is_arriving(const char *dir)
{
    const size_t len = dir ? strlen(dir) : 0, suffix_len = sizeof PD_LIBRARY_PART_SUFFIX - 1;
    return len > suffix_len && strcmp(dir + len - suffix_len, PD_LIBRARY_PART_SUFFIX) == 0;
}

pd_status pd_library_check_model_name(const char *name, pd_error *err)
{
    if (name[0] && (name[0] != '.' || strchr(name, '/')))
        return PD_OK;
    return pd_error_set(err, PD_ERR_USAGE, "'%s' is no name of a model: 'model list' tells what there is", name);
}

pd_status pd_library_find_model(const pd_library_paths *paths, const char *name, char **ret_dir, pd_error *err)
{
    PD_TRY(pd_library_check_model_name(name, err));
    if (strchr(name, '/')) {
        if (!pd_dir_exists(name))
            return pd_error_set(err, PD_ERR_NOT_FOUND, "there is no model directory '%s'", name);
        *ret_dir = pd_mem_dup_string(name);
        return *ret_dir ? PD_OK : pd_error_set_nomem(err);
    }
    char *places[PD_LIBRARY_MODEL_PLACES + 1] = { NULL };
    for (size_t i = 0; i < PD_LIBRARY_MODEL_PLACES; i++) {
        char *dir = pd_library_models_dir(paths, i);
        places[i] = join(dir, name);
        pd_mem_free(dir);
    }
    places[PD_LIBRARY_MODEL_PLACES] = name_part(paths->models, name);
    return choose_model(ret_dir, places, PD_COUNT_OF(places), name, err);
}

static char *resolve_existing(const char *path)
{
    char resolved[PATH_MAX];
    return realpath(path, resolved) ? pd_mem_dup_string(resolved) : NULL;
}

char *pd_library_resolve(const char *path)
{
    char *resolved = resolve_existing(path);
    if (resolved)
        return resolved;
    /* The file is not there (any more): at least its folder may be. */
    const char *name = pd_path_name(path);
    char *folder = pd_mem_dup_text(path, (size_t)(name - path));
    char *above = folder ? resolve_existing(folder[0] ? folder : ".") : NULL;
    pd_mem_free(folder);
    if (above && name[0]) {
        resolved = pd_path_join(above, name);
    } else {
        char here[PATH_MAX];
        resolved = getcwd(here, sizeof here) ? pd_path_join(here, path) : NULL;
        for (size_t len = resolved ? strlen(resolved) : 0; len > 1 && resolved[len - 1] == '/'; len--)
            resolved[len - 1] = '\0';
    }
    pd_mem_free(above);
    return resolved;
}

static int64_t add_entries(int dir_fd, bool enter_folders)
{
    DIR *dir = fdopendir(dir_fd);
    if (!dir) {
        close(dir_fd);
        return 0;
    }
    int64_t bytes = 0;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        struct stat st;
        if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISREG(st.st_mode)) {
            bytes += (int64_t)st.st_size;
        } else if (S_ISDIR(st.st_mode) && enter_folders) {
            const int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            bytes += fd < 0 ? 0 : add_entries(fd, false);
        }
    }
    closedir(dir);
    return bytes;
}

int64_t pd_library_dir_bytes(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? 0 : add_entries(fd, true);
}
