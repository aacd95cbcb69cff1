/* library_fixture.h: a library in a scene (tests/pipeline/scene.h), with the real decoder and the models that ship.
 *
 * What is prepared of models in one scene is there in the next, or every case would do it again. */
#ifndef PD_LIBRARY_FIXTURE_H
#define PD_LIBRARY_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/library.h"
#include "scene.h"
#include "test.h"

#define PREPARED "cache/pixel-detective/prepared"

static const char *source, *decoder;
static char model_dir[4096];
static unsigned n_threads; /* of libraries that are opened; 0: as they are by themselves */

/* Once, first. The program ends as skipped where nobody says what to test. */
static inline void find_program(void)
{
    source = getenv("PD_SOURCE");
    decoder = getenv("PD_DECODER");
    if (!source || !decoder)
        SKIP_ALL("PD_SOURCE and PD_DECODER are not set: run it through meson test");
    (void)snprintf(model_dir, sizeof model_dir, "%s/models/tiny", source);
    scene_keep(PREPARED);
}

/* A scene in which nothing is prepared. */
static inline bool begin_unprepared(void)
{
    scene_keep(NULL);
    const bool is_begun = scene_begin();
    scene_keep(PREPARED);
    return is_begun;
}

/* `data`: the folder of the scene that holds the library. The strings are good until the next call. */
static inline pd_library_options options_of(const char *data)
{
    static char data_home[4096], cache_home[4096];
    (void)snprintf(data_home, sizeof data_home, "%s", scene_path(data));
    (void)snprintf(cache_home, sizeof cache_home, "%s", scene_path("cache"));
    pd_library_options options;
    pd_library_options_init(&options);
    options.data_home = data_home;
    options.cache_home = cache_home;
    options.model = model_dir;
    options.decoder_path = decoder;
    options.n_threads = n_threads ? n_threads : options.n_threads;
    return options;
}

static inline pd_library *open_with(const pd_library_options *options)
{
    pd_library *library = NULL;
    pd_error error = { 0 };
    CHECK(pd_library_open(&library, options, &error) == PD_OK);
    if (!library)
        fprintf(stderr, "%s\n", error.message);
    return library;
}

static inline pd_library *open_library(void)
{
    const pd_library_options options = options_of("data");
    return open_with(&options);
}

/* A folder of the scene. */
static inline pd_status begin_folder(pd_library *library, const char *folder, const pd_index_options *wanted)
{
    const char *const folders[] = { scene_path(folder) };
    pd_index_options options = *wanted;
    options.folders = folders;
    options.n_folders = 1;
    pd_error error = { 0 };
    const pd_status status = pd_library_index(library, &options, &error);
    if (status != PD_OK)
        fprintf(stderr, "%s\n", error.message);
    return status;
}

static inline pd_status begin_learning(pd_library *library, const pd_index_options *wanted)
{
    return begin_folder(library, "photos", wanted);
}

/* And waits for the end. */
static inline pd_progress learn_folder(pd_library *library, const char *folder)
{
    pd_progress last = { .outcome = PD_ERR_INTERNAL, .learned = -1 };
    if (begin_folder(library, folder, &(pd_index_options){ 0 }) == PD_OK)
        pd_library_job_finish(library, &last);
    return last;
}

static inline pd_progress learn(pd_library *library) { return learn_folder(library, "photos"); }

/* A library that has learned the n pictures of a scene; NULL when that fails. */
static inline pd_library *learn_all(unsigned n)
{
    pd_library *library = open_library();
    if (library && learn(library).learned != (int64_t)n)
        pd_library_close(&library);
    return library;
}

#endif
