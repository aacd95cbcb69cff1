/* store_fixture.h: a scratch folder and short forms for the tests of the catalogue. */
#ifndef PD_STORE_FIXTURE_H
#define PD_STORE_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"
#include "test.h"

#define FIXTURE_DIM 64

typedef struct fixture {
    char dir[64];
    char path[128];
} fixture;

static inline fixture fixture_make(void)
{
    fixture f;
    snprintf(f.dir, sizeof f.dir, "/tmp/pd-store-XXXXXX");
    if (!mkdtemp(f.dir))
        abort();
    snprintf(f.path, sizeof f.path, "%s/catalogue.sqlite", f.dir);
    return f;
}

static inline void fixture_remove(const fixture *f)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", f->path, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(f->dir);
}

/* Facts of a content whose SHA-256 is made of a number. */
static inline pd_content content_of(uint32_t number)
{
    pd_content c = { .type = "jpeg",
                     .width = 40,
                     .height = 30,
                     .pages = 1,
                     .orientation = 1,
                     .taken = "",
                     .taken_source = "",
                     .make = "",
                     .camera = "",
                     .lens = "",
                     .exposure_s = (double)NAN,
                     .fnumber = (double)NAN,
                     .focal_mm = (double)NAN,
                     .gps_lat = (double)NAN,
                     .gps_lon = (double)NAN,
                     .gps_alt = (double)NAN };
    memcpy(c.sha256, &number, sizeof number);
    return c;
}

static inline int64_t add_content(pd_store *store, uint32_t number)
{
    const pd_content c = content_of(number);
    int64_t id = 0;
    CHECK(pd_store_content_put(store, &c, &id, NULL) == PD_OK);
    return id;
}

static inline int64_t add_photo(pd_store *store, int64_t root, const char *path, int64_t content)
{
    const pd_photo_file file = { .root_id = root, .path = path, .bytes = 100, .mtime_ns = 5, .content = content };
    int64_t id = 0;
    CHECK(pd_store_photo_put(store, &file, &id, NULL) == PD_OK);
    return id;
}

static inline int64_t add_embedding(pd_store *store, int64_t content, int64_t model, uint16_t first)
{
    uint16_t half[FIXTURE_DIM] = { first };
    int64_t seq = 0;
    CHECK(pd_store_embedding_put(store, content, model, half, FIXTURE_DIM, &seq, NULL) == PD_OK);
    return seq;
}

/* What the test's own work_of() tells of a photo. */
#define IS(photo, line)                                                    \
    do {                                                                   \
        const char *is = work_of(photo);                                   \
        if (strcmp(is, line) != 0)                                         \
            fprintf(stderr, "%d: '%s' is not '%s'\n", __LINE__, is, line); \
        CHECK(strcmp(is, line) == 0);                                      \
    } while (0)

#endif
