/* library_search.c: one query from words or pictures to photos. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "library/library_parts.h"
#include "media/media.h"

#define QUERY_BYTES_MAX 4096
#define EXAMPLES_MAX 64

typedef struct question {
    pd_library *library;
    int64_t model; /* the store's number */
    size_t dim;
    float *query;   /* [dim]: what is looked for */
    float *one;     /* [dim]: one example */
    uint16_t *half; /* [dim] */
    int64_t exclude[EXAMPLES_MAX];
    size_t n_exclude;
    pd_media_pool *pool; /* for pictures that the library does not know */
} question;

static void end_question(question *q)
{
    pd_media_pool_free(&q->pool);
    pd_mem_free(q->query);
    pd_mem_free(q->one);
    pd_mem_free(q->half);
    pthread_mutex_unlock(&q->library->searcher.lock);
}

/* Takes the searcher and opens what every question needs. end_question in every case. */
static pd_status begin_question(question *q, pd_library *library, unsigned towers, pd_error *err)
{
    *q = (question){ .library = library };
    pthread_mutex_lock(&library->searcher.lock);
    PD_TRY(pd_library_need_store(library, err));
    PD_TRY(pd_library_need_model(library, towers, err));
    q->dim = pd_model_dim(library->searcher.model);
    q->query = pd_mem_alloc(q->dim, sizeof *q->query);
    q->one = pd_mem_alloc(q->dim, sizeof *q->one);
    q->half = pd_mem_alloc(q->dim, sizeof *q->half);
    if (!q->query || !q->one || !q->half)
        return pd_error_set_nomem(err);
    int64_t count = 0, last_seq;
    const pd_status status =
        pd_store_model_find(library->searcher.store, pd_model_id(library->searcher.model), &q->model, err);
    if (status == PD_OK)
        PD_TRY(pd_store_embedding_extent(library->searcher.store, q->model, &count, &last_seq, err));
    else if (status != PD_ERR_NO_MATCH)
        return status;
    if (count == 0)
        return pd_error_set(err, PD_ERR_NO_MATCH, "no photo has been learned with the model '%s' yet",
                            pd_library_model_name(library));
    return PD_OK;
}

static pd_status find_photos(question *q, size_t n, pd_hits *ret_hits, pd_error *err)
{
    pd_library_searcher *searcher = &q->library->searcher;
    PD_TRY(pd_library_need_index(q->library, q->model, err));
    const pd_search_options options = { .model = q->model,
                                        .dim = q->dim,
                                        .n = n,
                                        .n_threads = q->library->n_threads,
                                        .exclude = q->exclude,
                                        .n_exclude = q->n_exclude };
    return pd_search_vector(searcher->store, searcher->index, &q->library->kernels, q->query, &options, ret_hits, err);
}

static pd_status need_session(question *q, pd_session **session, unsigned tower, pd_error *err)
{
    const pd_session_options options = { .towers = tower };
    return *session ? PD_OK : pd_session_create(session, q->library->searcher.model, &options, err);
}

pd_status pd_library_search(pd_library *library, const char *query, size_t n, pd_hits *ret_hits, pd_error *err)
{
    const size_t len = strlen(query);
    if (len > QUERY_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the query has %zu bytes; %d are allowed", len, QUERY_BYTES_MAX);
    question q;
    pd_session **session = &library->searcher.text;
    pd_status status = begin_question(&q, library, PD_MODEL_TEXT, err);
    if (status == PD_OK)
        status = need_session(&q, session, PD_MODEL_TEXT, err);
    if (status == PD_OK)
        status = pd_session_embed_text(*session, query, len, q.query, err);
    if (status == PD_OK)
        status = find_photos(&q, n, ret_hits, err);
    end_question(&q);
    return status;
}

static pd_status embed_decoded(question *q, const pd_picture *picture, pd_error *err)
{
    if (!picture->has_pixels)
        return pd_error_set(err, PD_ERR_FORMAT, "%s", picture->pixels_error);
    const pd_pixels pixels = { .data = picture->pixels,
                               .width = picture->pixel_width,
                               .height = picture->pixel_height,
                               .row_bytes = (size_t)picture->pixel_width * 3 };
    PD_TRY(pd_library_need_model(q->library, PD_MODEL_VISION, err));
    PD_TRY(need_session(q, &q->library->searcher.vision, PD_MODEL_VISION, err));
    return pd_session_embed_pixels(q->library->searcher.vision, &pixels, q->one, err);
}

/* A picture that the library does not know, or knows otherwise: decoded for this question, and never stored. */
static pd_status embed_file(question *q, const char *path, pd_error *err)
{
    if (!q->pool) {
        pd_media_options options;
        pd_media_options_init(&options);
        options.decoder_path = q->library->decoder_path;
        options.n_processes = options.n_slots = 1;
        PD_TRY(pd_media_pool_create(&q->pool, &options, err));
    }
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    const pd_media_request request = { .short_side_min =
                                           (uint32_t)(2 * pd_model_image_side(q->library->searcher.model)) };
    pd_picture picture = { 0 };
    pd_status status = pd_media_decode(q->pool, fd, &request, &picture, err);
    if (status == PD_OK)
        status = embed_decoded(q, &picture, err);
    pd_picture_release(&picture);
    close(fd);
    if (status != PD_OK)
        pd_error_prefix(err, "'%s'", path);
    return status;
}

static pd_status find_example(question *q, const char *example, pd_photo *ret_photo, bool *ret_known, pd_error *err)
{
    pd_store *store = q->library->searcher.store;
    uint64_t id;
    if (pd_parse_u64(example, INT64_MAX, &id)) {
        const pd_status status = pd_store_photo_by_id(store, (int64_t)id, ret_photo, err);
        *ret_known = status == PD_OK;
        return status == PD_ERR_NO_MATCH ? pd_error_set(err, status, "the library has no photo %s", example) : status;
    }
    char *path = pd_library_resolve(example);
    if (!path)
        return pd_error_set_nomem(err);
    const pd_status status = pd_store_photo_by_path(store, path, ret_photo, err);
    pd_mem_free(path);
    *ret_known = status == PD_OK;
    return status == PD_ERR_NO_MATCH ? PD_OK : status;
}

static pd_status embed_example(question *q, const char *example, pd_error *err)
{
    pd_photo photo = { 0 };
    bool known = false;
    PD_TRY(find_example(q, example, &photo, &known, err));
    if (!known)
        return embed_file(q, example, err);
    pd_store *store = q->library->searcher.store;
    const int64_t id = photo.id, content = photo.content;
    const pd_status status =
        content ? pd_store_embedding_get(store, content, q->model, q->half, q->dim, err) : PD_ERR_NO_MATCH;
    if (status == PD_ERR_NO_MATCH) {
        PD_TRY(pd_store_photo_by_id(store, id, &photo, err)); /* its strings were borrowed */
        return embed_file(q, photo.path, err);
    }
    PD_TRY(status);
    q->library->kernels.float_of_half(q->half, q->dim, q->one);
    q->exclude[q->n_exclude++] = content;
    return PD_OK;
}

static pd_status average_examples(question *q, const char *const *examples, size_t n_examples, pd_error *err)
{
    for (size_t i = 0; i < n_examples; i++) {
        PD_TRY(embed_example(q, examples[i], err));
        for (size_t d = 0; d < q->dim; d++)
            q->query[d] += q->one[d];
    }
    const float length = sqrtf(q->library->kernels.dot_f32(q->query, q->query, q->dim));
    if (!(length > 1e-6F))
        return pd_error_set(err, PD_ERR_USAGE, "these examples cancel each other out");
    for (size_t d = 0; d < q->dim; d++)
        q->query[d] /= length;
    return PD_OK;
}

pd_status pd_library_similar(pd_library *library, const char *const *examples, size_t n_examples, size_t n,
                             pd_hits *ret_hits, pd_error *err)
{
    if (n_examples == 0 || n_examples > EXAMPLES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu examples were given; 1 to %d are possible", n_examples,
                            EXAMPLES_MAX);
    question q;
    pd_status status = begin_question(&q, library, 0, err);
    if (status == PD_OK)
        status = average_examples(&q, examples, n_examples, err);
    if (status == PD_OK)
        status = find_photos(&q, n, ret_hits, err);
    end_question(&q);
    return status;
}
