/* vindex_fixture.h: a scratch file and reproducible vectors. */
#ifndef PD_VINDEX_FIXTURE_H
#define PD_VINDEX_FIXTURE_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "test.h"
#include "vindex/vindex.h"

#define MODEL "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct fixture {
    char dir[64];
    char path[96];
    pd_kernels kernels;
} fixture;

static inline fixture fixture_make(void)
{
    fixture f;
    snprintf(f.dir, sizeof f.dir, "/tmp/pd-vindex-XXXXXX");
    if (!mkdtemp(f.dir))
        abort();
    snprintf(f.path, sizeof f.path, "%s/model.vectors", f.dir);
    pd_kernels_init(&f.kernels, pd_cpu_detect());
    return f;
}

static inline void fixture_remove(const fixture *f)
{
    (void)unlink(f->path);
    (void)rmdir(f->dir);
}

/* [-1, 1), from a counter: the same on every machine. */
static inline float noise(uint64_t n)
{
    n = (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    n = (n ^ n >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    n = (n ^ n >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((double)((n ^ n >> 31) >> 11) / (double)(UINT64_C(1) << 52) - 1);
}

/* Unit vector number n of a cloud with clusters: neighbours in a cluster have cosines around 0.9. */
static inline void make_vector(uint64_t n, size_t dim, float *ret_vector)
{
    double square = 0;
    for (size_t i = 0; i < dim; i++) {
        ret_vector[i] = noise(n % 50 * 5000 + i) + 0.35f * noise(1000000 + n * dim + i);
        square += (double)ret_vector[i] * ret_vector[i];
    }
    for (size_t i = 0; i < dim; i++)
        ret_vector[i] = (float)(ret_vector[i] / sqrt(square));
}

static inline pd_status append_vectors(pd_vindex *index, uint64_t first, uint64_t n, size_t dim)
{
    float *vector = malloc(dim * sizeof *vector);
    pd_status status = PD_OK;
    for (uint64_t i = first; i < first + n && status == PD_OK; i++) {
        make_vector(i, dim, vector);
        status = pd_vindex_append(index, (int64_t)(10 * i + 1), (int64_t)(i + 1), vector, NULL);
    }
    free(vector);
    return status;
}

#endif
