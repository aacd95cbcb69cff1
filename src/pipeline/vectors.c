#include "pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

typedef struct catching {
    pd_vindex *index;
    const pd_vectors_of *of;
    float *vector; /* [dim] */
    pd_status status;
    pd_error *err;
} catching;

char *pd_vectors_path(const char *dir, const char *model_id)
{
    static const char suffix[] = ".vectors";
    const size_t bytes = strlen(dir) + 1 + strlen(model_id) + sizeof suffix;
    char *path = pd_mem_alloc(bytes, 1);
    if (path)
        snprintf(path, bytes, "%s/%s%s", dir, model_id, suffix);
    return path;
}

static bool append_embedding(void *user, int64_t seq, int64_t content, const uint16_t *half, size_t dim)
{
    catching *c = user;
    if (dim != c->of->dim) {
        c->status = pd_error_set(c->err, PD_ERR_CORRUPT, "the catalogue holds a vector of %zu numbers where %zu belong",
                                 dim, c->of->dim);
        return false;
    }
    c->of->kernels->float_of_half(half, dim, c->vector);
    c->status = pd_vindex_append(c->index, seq, content, c->vector, c->err);
    return c->status == PD_OK;
}

pd_status pd_vectors_catch_up(pd_vindex *index, pd_store *store, const pd_vectors_of *of, pd_error *err)
{
    catching c = { .index = index, .of = of, .err = err };
    c.vector = pd_mem_alloc(of->dim, sizeof *c.vector);
    if (!c.vector)
        return pd_error_set_nomem(err);
    pd_status status = pd_store_embeddings(store, of->model, pd_vindex_last_seq(index), append_embedding, &c, err);
    if (status == PD_OK)
        status = c.status;
    if (status == PD_OK)
        status = pd_vindex_commit(index, err);
    pd_mem_free(c.vector);
    return status;
}

pd_status pd_vectors_agree(const pd_vindex *index, pd_store *store, int64_t model, bool *ret_agree, pd_error *err)
{
    int64_t count, last_seq;
    PD_TRY(pd_store_embedding_extent(store, model, &count, &last_seq, err));
    *ret_agree = count == (int64_t)pd_vindex_count(index) && last_seq == pd_vindex_last_seq(index);
    return PD_OK;
}

pd_status pd_vectors_open(pd_vindex **ret_index, const char *path, pd_store *store, const pd_vectors_of *of,
                          pd_error *err)
{
    pd_vindex *index = NULL;
    bool agree = false;
    pd_status status = PD_OK;
    for (int attempt = 0; status == PD_OK && !agree && attempt < 2; attempt++) {
        pd_vindex_close(&index);
        if (attempt > 0 && path && unlink(path) != 0 && errno != ENOENT)
            status = pd_error_set_errno(err, errno, "cannot start '%s' anew", path);
        if (status == PD_OK)
            status = pd_vindex_open(&index, path, PD_VINDEX_APPEND, of->model_id, of->dim, of->kernels, err);
        if (status == PD_OK)
            status = pd_vectors_catch_up(index, store, of, err);
        if (status == PD_OK)
            status = pd_vectors_agree(index, store, of->model, &agree, err);
    }
    if (status == PD_OK && !agree)
        status = pd_error_set(err, PD_ERR_CORRUPT, "the catalogue counts other vectors than it holds");
    if (status == PD_OK)
        *ret_index = index;
    else
        pd_vindex_close(&index);
    return status;
}
