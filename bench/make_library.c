/* make_library.c: a library of any size without a single picture, through the store's own calls: what bench/startup.py
 * starts beside and bench/bench_query.c asks. Arguments: the library's folder (it has to be there), the model's folder,
 * how many photos. Cameras, lenses, dates, places, names, keywords and vectors are spread as people's are: a few
 * cameras took most, trips lie in folders, a third has a place, a tenth has keywords, vectors lie in clusters. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "store/store.h"

#define CLUSTERS 2000
#define BATCH 20000 /* photos in one transaction */

static void must(pd_status status, const pd_error *err)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static uint64_t mix(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return n ^ n >> 31;
}

/* [-1, 1) */
static float noise(uint64_t n) { return (float)((double)(mix(n) >> 11) / (double)(UINT64_C(1) << 52) - 1); }

/* Clusters under a shared direction; two vectors of a cluster have a cosine near 0.9. */
static void make_vector(uint64_t n, size_t dim, float *ret_vector)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        ret_vector[i] = 0.5f * noise(7 + i) + noise((n % CLUSTERS + 100) * dim + i) +
                        0.4f * noise(UINT64_C(1) << 40 | (n * dim + i));
        square += (double)ret_vector[i] * ret_vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        ret_vector[i] = (float)(ret_vector[i] / sqrt(square));
}

typedef struct filling {
    pd_store *store;
    pd_kernels kernels;
    int64_t root, model;
    size_t dim;
    float *vector;
    uint16_t *half;
} filling;

static const struct {
    const char *make, *camera, *lens;
} cameras[] = {
    { "Canon", "Canon EOS 5D Mark III", "EF50mm f/1.4 USM" },
    { "NIKON CORPORATION", "NIKON D750", "24-70mm f/2.8" },
    { "SONY", "ILCE-7M3", "FE 85mm F1.8" },
    { "FUJIFILM", "X-T3", "XF35mmF2 R WR" },
    { "Apple", "iPhone 12", "iPhone 12 back camera" },
    { "OLYMPUS", "E-M5", "M.14-42mm F3.5-5.6" },
    { "Panasonic", "DMC-GH4", "LUMIX G 20/F1.7" },
    { "samsung", "SM-G973F", "" },
};

static const char *const subjects[] = { "beach",  "mountain", "dog",    "birthday", "garden", "city",
                                        "museum", "sunset",   "bridge", "train",    "snow",   "market" };

static pd_texts make_texts(uint64_t i, pd_buf *buf)
{
    pd_buf_clear(buf);
    if (i % 10 == 0) {
        const char *words[] = { subjects[mix(i) % 12], subjects[mix(i + 1) % 12] };
        if (i % 50 == 0)
            (void)pd_texts_append(buf, PD_TEXT_DESCRIPTION, words[0], strlen(words[0]));
        for (size_t w = 0; w < 2; w++)
            (void)pd_texts_append(buf, PD_TEXT_KEYWORD, words[w], strlen(words[w]));
    }
    return (pd_texts){ buf->data, buf->len };
}

/* Skewed: the first camera took half, the second a quarter ... */
static size_t camera_of(uint64_t i)
{
    const uint64_t bits = mix(i / 300) | UINT64_C(1) << 7; /* a trip, one camera */
    return (size_t)__builtin_ctzll(bits);
}

static pd_content make_facts(uint64_t i, char taken[32])
{
    const uint64_t random = mix(i ^ UINT64_C(1) << 50), trip = i / 300;
    const size_t camera = camera_of(i);
    const bool upright = random % 4 == 0, has_place = trip % 3 == 0;
    (void)snprintf(taken, 32, "20%02u-%02u-%02uT%02u:%02u:%02u", (unsigned)(5 + mix(trip) % 20),
                   (unsigned)(mix(trip + 1) % 12 + 1), (unsigned)(random % 28 + 1), (unsigned)(random / 28 % 24),
                   (unsigned)(i / 60 % 60), (unsigned)(i % 60));
    return (pd_content){
        .type = random % 16 == 0   ? "png"
                : random % 16 == 1 ? "heic"
                                   : "jpeg",
        .width = upright ? 3000 : 4000,
        .height = upright ? 4000 : 3000,
        .pages = 1,
        .orientation = 1,
        .taken = taken,
        .taken_source = "exif",
        .make = cameras[camera].make,
        .camera = cameras[camera].camera,
        .lens = cameras[camera].lens,
        .iso = 100U << random / 7 % 7,
        .exposure_s = 1.0 / (double)(30 << random / 49 % 6),
        .fnumber = 1.4 + (double)(random / 294 % 8),
        .focal_mm = (double)(24 + random / 2352 % 100),
        .gps_lat = has_place ? 50 * noise(trip) + 0.05 * noise(i + 3) : NAN,
        .gps_lon = has_place ? 180 * noise(trip + 9) + 0.05 * noise(i + 4) : NAN,
        .gps_alt = NAN,
        .shot = { .focal35_mm = NAN,
                  .flash = (int32_t)(random % 10 == 0),
                  .white_balance = PD_STORE_ABSENT,
                  .subsec = "" },
        .rating = random % 20 == 0 ? (int32_t)(random / 20 % 6) : PD_STORE_ABSENT,
        .has_phash = true,
        .phash = random,
        .look = { .sharpness = NAN },
    };
}

static pd_status put_photo(const filling *f, uint64_t i, pd_buf *texts, pd_error *err)
{
    char taken[32], path[96];
    int64_t content, id, seq;
    pd_content facts = make_facts(i, taken);
    (void)snprintf(path, sizeof path, "/photos/20%02u/%04u %s/IMG_%07u.jpg", (unsigned)(5 + mix(i / 300) % 20),
                   (unsigned)(i / 300), subjects[mix(i / 300 + 7) % 12], (unsigned)i);
    facts.texts = make_texts(i, texts);
    memcpy(facts.sha256, &i, sizeof i);
    make_vector(i, f->dim, f->vector);
    f->kernels.half_of_float(f->vector, f->dim, f->half);
    PD_TRY(pd_store_content_put(f->store, &facts, &content, err));
    PD_TRY(pd_store_embedding_put(f->store, content, f->model, f->half, f->dim, &seq, err));
    const pd_photo_file file = { .root_id = f->root,
                                 .path = path,
                                 .bytes = 1000000 + (int64_t)(mix(i + 5) % 8000000),
                                 .mtime_ns = (int64_t)(1100000000 + i) * 1000000000,
                                 .content = content };
    return pd_store_photo_put(f->store, &file, &id, err);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: make_library LIBRARY MODEL PHOTOS\n", stderr);
        return 2;
    }
    char path[PD_STORE_PATH_BYTES_MAX];
    pd_error err = { 0 };
    pd_model *model = NULL;
    filling f = { 0 };
    const pd_model_options options = { .towers = PD_MODEL_VISION, .cpu_mask = pd_cpu_detect() };
    const uint64_t n = strtoull(argv[3], NULL, 10);
    pd_kernels_init(&f.kernels, pd_cpu_detect());
    must(pd_model_open(&model, argv[2], &options, &err), &err);
    f.dim = pd_model_dim(model);
    f.vector = malloc(f.dim * sizeof *f.vector);
    f.half = malloc(f.dim * sizeof *f.half);
    if (!f.vector || !f.half)
        return 1;
    (void)snprintf(path, sizeof path, "%s/catalogue.sqlite", argv[1]);
    must(pd_store_open(&f.store, path, PD_STORE_WRITE, &err), &err);
    must(pd_store_begin(f.store, &err), &err);
    must(pd_store_root_add(f.store, "/photos", &f.root, &err), &err);
    must(pd_store_model_add(f.store, pd_model_id(model), pd_model_name(model), f.dim, &f.model, &err), &err);
    pd_buf texts;
    pd_buf_init(&texts, PD_TEXTS_BYTES_MAX);
    for (uint64_t i = 0; i < n; i++) {
        must(put_photo(&f, i, &texts, &err), &err);
        if (i % BATCH == BATCH - 1) {
            must(pd_store_commit(f.store, &err), &err);
            must(pd_store_begin(f.store, &err), &err);
        }
    }
    must(pd_store_commit(f.store, &err), &err);
    pd_buf_done(&texts);
    pd_store_close(&f.store);
    pd_model_close(&model);
    free(f.vector);
    free(f.half);
    return 0;
}
