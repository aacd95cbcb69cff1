/* columns_fixture.h: photos of chance, the columns of them, and a scratch folder with a catalogue. */
#ifndef PD_COLUMNS_FIXTURE_H
#define PD_COLUMNS_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "columns/columns_private.h"
#include "store/store.h"
#include "test.h"

typedef struct fixture {
    char dir[64];
    char path[128], cache[128];
    pd_store *store;
} fixture;

static inline fixture fixture_make(void)
{
    fixture f = { .dir = "/tmp/pd-columns-XXXXXX" };
    if (!mkdtemp(f.dir))
        abort();
    snprintf(f.path, sizeof f.path, "%s/catalogue.sqlite", f.dir);
    snprintf(f.cache, sizeof f.cache, "%s/columns", f.dir);
    if (pd_store_open(&f.store, f.path, PD_STORE_WRITE, NULL) != PD_OK)
        abort();
    return f;
}

static inline void fixture_remove(fixture *f)
{
    static const char *const ends[] = { "/catalogue.sqlite", "/catalogue.sqlite-wal", "/catalogue.sqlite-shm",
                                        "/columns" };
    pd_store_close(&f->store);
    for (size_t i = 0; i < PD_COUNT_OF(ends); i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", f->dir, ends[i]);
        (void)unlink(name);
    }
    (void)rmdir(f->dir);
}

/* From a counter: the same on every machine. */
static inline uint32_t chance(uint32_t *seed, uint32_t below)
{
    uint64_t n = (*seed)++ + UINT64_C(1);
    n *= UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((n ^ n >> 31) >> 20) % below;
}

/* A row and the texts that it points to. */
typedef struct photo {
    pd_photo_row row;
    char path[160], time[24];
} photo;

static inline void fill_shot(photo *p, uint32_t *seed)
{
    static const char *const cameras[][2] = {
        { "", "" },
        { "Canon", "Canon EOS 5D" },
        { "Canon", "Canon EOS 5D Mark II" },
        { "Canon", "EOS R" },
        { "NIKON CORPORATION", "NIKON D70" },
        { "NIKON CORPORATION", "NIKON D700" },
        { "Apple", "iPhone 6" },
        { "Apple", "iPhone 6 Plus" },
        { "Café", "Élan 3" },
        { "Canon", "" },
        { "NIKON CORPORATION", "NIKON D70s" },
    };
    static const char *const lenses[] = { "", "EF50mm f/1.8 II", "EF-S18-150mm f/3.5-6.3", "50.0 mm", "Zuiko 150mm" };
    static const double apertures[] = { (double)NAN, 1.8, 2.8, 28.0 / 10, 2.79999, 4, 5.6, 22 };
    static const double exposures[] = { (double)NAN, 1.0 / 60, 0.016667, 1.0 / 125, 0.5, 30 };
    static const double lengths[] = { (double)NAN, 24, 50, 50.02, 70, 5.40625 };
    static const char *const types[] = { "jpeg", "jpeg", "png", "heif", "raw", "tiff" };
    const uint32_t camera = chance(seed, PD_COUNT_OF(cameras));
    p->row.make = cameras[camera][0];
    p->row.camera = cameras[camera][1];
    p->row.lens = lenses[chance(seed, PD_COUNT_OF(lenses))];
    p->row.type = types[chance(seed, PD_COUNT_OF(types))];
    p->row.fnumber = apertures[chance(seed, PD_COUNT_OF(apertures))];
    p->row.exposure_s = exposures[chance(seed, PD_COUNT_OF(exposures))];
    p->row.focal_mm = lengths[chance(seed, PD_COUNT_OF(lengths))];
    p->row.iso = chance(seed, 4) ? 100U << chance(seed, 7) : 0;
    p->row.flash = (int)chance(seed, 3) - 1;
}

static inline void fill_file(photo *p, uint32_t *seed)
{
    static const char *const folders[] = { "/home/me/Pictures/2019/Holidays",
                                           "/home/me/Pictures/2019",
                                           "/home/me/Pictures",
                                           "/data/holidays/2019/beach",
                                           "/data/Übung",
                                           "" };
    static const char *const names[] = { "IMG_%04u.JPG", "img_%04u.png",
                                         "DSC%05u.NEF",  "Öffnung %u.jpg",
                                         "%u",           "a very long name that goes on and on %u.jpeg" };
    char name[80];
    snprintf(name, sizeof name, names[chance(seed, PD_COUNT_OF(names))], chance(seed, 3000));
    snprintf(p->path, sizeof p->path, "%s/%s", folders[chance(seed, PD_COUNT_OF(folders))], name);
    snprintf(p->time, sizeof p->time, "%04u-%02u-%02uT%02u:%02u:%02u", 2015 + chance(seed, 8), 1 + chance(seed, 12),
             1 + chance(seed, 28), chance(seed, 24), chance(seed, 60), chance(seed, 60));
    p->row.path = p->path;
    p->row.sort_time = chance(seed, 20) ? p->time : "";
    p->row.is_dated = chance(seed, 2);
    p->row.bytes = chance(seed, 10) ? chance(seed, 20000000) : INT64_C(6000000000);
    p->row.width = chance(seed, 10) ? 1000 + chance(seed, 1000) : 0;
    p->row.height = chance(seed, 3) ? 1000 + chance(seed, 1000) : p->row.width;
    if (!p->row.width)
        p->row.height = 0;
}

static inline void fill_photo(photo *p, int64_t id, uint32_t *seed)
{
    *p = (photo){ .row = { .id = id, .content = 100000 + id, .root_id = 1 } };
    fill_file(p, seed);
    fill_shot(p, seed);
    p->row.lat = p->row.lon = (double)NAN;
    if (chance(seed, 2)) {
        p->row.lat = chance(seed, 180000) / 1000.0 - 90;
        p->row.lon = chance(seed, 360000) / 1000.0 - 180;
    }
    if (chance(seed, 4) == 0) {
        p->row.lat = 48.5 + chance(seed, 1000) / 1000.0;
        p->row.lon = 2 + chance(seed, 1000) / 1000.0;
    }
    p->row.rating = (int)chance(seed, 6);
    p->row.marks.is_rated = p->row.rating || chance(seed, 2);
    p->row.marks.favorite = chance(seed, 5) == 0;
    p->row.marks.has_tag = chance(seed, 2);
    p->row.marks.has_caption = chance(seed, 3) == 0;
    p->row.marks.has_album = chance(seed, 4) == 0;
    p->row.look.n_colours = chance(seed, PD_LOOK_COLOURS_MAX + 1);
    for (uint32_t i = 0; i < p->row.look.n_colours; i++)
        p->row.look.colours[i] = (pd_look_colour){ (uint8_t)chance(seed, 256), (uint8_t)chance(seed, 256),
                                                   (uint8_t)chance(seed, 256), (uint8_t)(60 / (i + 1)) };
}

/* Columns of no catalogue: rows are put in by hand. */
static inline pd_columns *columns_make(const fixture *f)
{
    pd_columns *columns = NULL;
    if (pd_columns_open(&columns, f->store, NULL, NULL) != PD_OK)
        abort();
    return columns;
}

static inline pd_slots find(const pd_columns *columns, pd_store *store, const char *text)
{
    pd_query *query = NULL;
    pd_slots slots = { 0 };
    pd_error err = { 0 };
    CHECK(pd_query_parse(&query, text, strlen(text), NULL) == PD_OK);
    CHECK(pd_columns_filter(columns, store, query, PD_FIELD_COUNT, &slots, &err) == PD_OK);
    pd_query_free(&query);
    return slots;
}

#endif
