/* make_library.c: a library of any size without a single picture, through the store's own calls: what bench/startup.py
 * starts beside. Arguments: the library's folder (it has to be there), the model's folder, how many photos. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "kernels/kernels.h"
#include "model/model.h"
#include "store/store.h"

#define FOLDERS 500 /* the photos lie in so many */

static void must(pd_status status, const pd_error *err)
{
    if (status == PD_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

/* Unlike any other; searching it is nobody's business here. */
static void make_vector(uint64_t n, size_t dim, float *ret_vector)
{
    for (size_t i = 0; i < dim; i++) {
        n = n * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ret_vector[i] = (float)(int32_t)(n >> 32) / 2147483648.0f;
    }
}

typedef struct filling {
    pd_store *store;
    pd_kernels kernels;
    int64_t root, model;
    size_t dim;
    float *vector;
    uint16_t *half;
} filling;

static pd_status put_photo(const filling *f, uint64_t i, pd_error *err)
{
    pd_content facts = { .type = "jpeg",
                         .width = 4000,
                         .height = 3000,
                         .pages = 1,
                         .orientation = 1,
                         .taken_source = "exif",
                         .make = "Maker",
                         .camera = "Camera" };
    char taken[32], path[64];
    int64_t content, id, seq;
    (void)snprintf(taken, sizeof taken, "20%02u-%02u-%02uT12:%02u:%02u", (unsigned)(i % 25), (unsigned)(i % 12 + 1),
                   (unsigned)(i % 28 + 1), (unsigned)(i / 60 % 60), (unsigned)(i % 60));
    (void)snprintf(path, sizeof path, "/photos/%03u/IMG_%07u.jpg", (unsigned)(i % FOLDERS), (unsigned)i);
    facts.taken = taken;
    memcpy(facts.sha256, &i, sizeof i);
    make_vector(i, f->dim, f->vector);
    f->kernels.half_of_float(f->vector, f->dim, f->half);
    PD_TRY(pd_store_content_put(f->store, &facts, &content, err));
    PD_TRY(pd_store_embedding_put(f->store, content, f->model, f->half, f->dim, &seq, err));
    const pd_photo_file file = {
        .root_id = f->root, .path = path, .bytes = 3000000, .mtime_ns = 1, .content = content
    };
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
    for (uint64_t i = 0; i < n; i++)
        must(put_photo(&f, i, &err), &err);
    must(pd_store_commit(f.store, &err), &err);
    pd_store_close(&f.store);
    pd_model_close(&model);
    free(f.vector);
    free(f.half);
    return 0;
}
