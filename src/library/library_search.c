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
} question;

static void end_question(question *q)
{
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

static pd_status check_window(const pd_window *window, pd_error *err)
{
    if (window->n <= PD_SEARCH_N_MAX && window->offset <= PD_SEARCH_N_MAX - window->n)
        return PD_OK;
    return pd_error_set(err, PD_ERR_LIMIT, "%zu photos behind the first %zu were asked for; the first %d are shown",
                        window->n, window->offset, PD_SEARCH_N_MAX);
}

/* Any order but that by score is one of all that may be shown, of which the window is then cut. */
static pd_status find_photos(question *q, const pd_window *window, pd_hits *ret_hits, pd_error *err)
{
    pd_library_searcher *searcher = &q->library->searcher;
    PD_TRY(pd_library_need_index(q->library, q->model, err));
    const bool by_score = window->order == PD_ORDER_SCORE;
    const pd_search_options options = { .model = q->model,
                                        .dim = q->dim,
                                        .offset = by_score ? window->offset : 0,
                                        .n = by_score ? window->n : PD_SEARCH_N_MAX,
                                        .n_threads = q->library->n_threads,
                                        .exclude = q->exclude,
                                        .n_exclude = q->n_exclude };
    PD_TRY(pd_search_vector(searcher->store, searcher->index, &q->library->kernels, q->query, &options, ret_hits, err));
    if (!by_score) {
        pd_hits_sort(ret_hits, window->order);
        pd_hits_cut(ret_hits, window->offset, window->n);
    }
    return PD_OK;
}

static pd_status need_session(pd_library *library, pd_session **session, unsigned tower, pd_error *err)
{
    const pd_session_options options = { .towers = tower };
    if (!*session)
        PD_TRY(pd_session_create(session, library->searcher.model, &options, err));
    atomic_store(&library->is_model_ready, true);
    return PD_OK;
}

pd_status pd_library_prepare_catalogue(pd_library *library, pd_error *err)
{
    pd_error opening;
    pthread_mutex_lock(&library->reader.lock);
    pd_status status = pd_library_need_reader(library, &opening);
    pthread_mutex_unlock(&library->reader.lock);
    if (status == PD_OK) {
        pthread_mutex_lock(&library->searcher.lock);
        status = pd_library_need_store(library, &opening);
        pthread_mutex_unlock(&library->searcher.lock);
    }
    if (status == PD_ERR_NOT_FOUND || status == PD_ERR_NO_MATCH)
        return PD_OK;
    return status == PD_OK ? PD_OK : pd_error_hand_on(err, &opening);
}

pd_status pd_library_prepare_model(pd_library *library, pd_error *err)
{
    pthread_mutex_lock(&library->searcher.lock);
    pd_status status = pd_library_need_model(library, PD_MODEL_TEXT, err);
    if (status == PD_OK)
        status = need_session(library, &library->searcher.text, PD_MODEL_TEXT, err);
    pthread_mutex_unlock(&library->searcher.lock);
    return status;
}

pd_status pd_library_search(pd_library *library, const char *query, const pd_window *window, pd_hits *ret_hits,
                            pd_error *err)
{
    const size_t len = strlen(query);
    PD_TRY(check_window(window, err));
    if (len > QUERY_BYTES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "the query has %zu bytes; %d are allowed", len, QUERY_BYTES_MAX);
    question q;
    pd_session **session = &library->searcher.text;
    pd_status status = begin_question(&q, library, PD_MODEL_TEXT, err);
    if (status == PD_OK)
        status = need_session(library, session, PD_MODEL_TEXT, err);
    if (status == PD_OK)
        status = pd_session_embed_text(*session, query, len, q.query, err);
    if (status == PD_OK)
        status = find_photos(&q, window, ret_hits, err);
    end_question(&q);
    return status;
}

pd_status pd_library_browse(pd_library *library, const pd_window *window, pd_hits *ret_hits, pd_error *err)
{
    PD_TRY(check_window(window, err));
    pthread_mutex_lock(&library->reader.lock);
    pd_status status = pd_library_need_reader(library, err);
    if (status == PD_ERR_NOT_FOUND)
        status = pd_library_explain_nothing(err);
    if (status == PD_OK)
        status = pd_search_browse(library->reader.store, window->order, window->offset, window->n, ret_hits, err);
    pthread_mutex_unlock(&library->reader.lock);
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
    pd_library_searcher *searcher = &q->library->searcher;
    PD_TRY(pd_library_need_model(q->library, PD_MODEL_VISION, err));
    PD_TRY(need_session(q->library, &searcher->vision, PD_MODEL_VISION, err));
    return pd_session_embed_pixels(searcher->vision, &pixels, q->one, err);
}

/* A picture that the library does not know, or knows otherwise: decoded for this question, and never stored. Others
 * search while it is decoded. */
static pd_status embed_file(question *q, int fd, pd_error *err)
{
    pd_library *library = q->library;
    const pd_media_request request = { .short_side_min = (uint32_t)(2 * pd_model_image_side(library->searcher.model)) };
    pd_picture picture = { 0 };
    pthread_mutex_unlock(&library->searcher.lock);
    pd_status status = pd_library_decode(library, fd, &request, &picture, err);
    pthread_mutex_lock(&library->searcher.lock);
    if (status == PD_OK)
        status = embed_decoded(q, &picture, err);
    pd_library_picture_done(library, &picture);
    return status;
}

static pd_status embed_path(question *q, const char *path, pd_error *err)
{
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return pd_error_set_errno(err, errno, "cannot open '%s'", path);
    const pd_status status = embed_file(q, fd, err);
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

/* A photo of the library that this model has not learned. Its path is taken. */
static pd_status embed_known_take(question *q, char *path, pd_error *err)
{
    char *root = NULL;
    int fd = -1;
    pd_status status =
        path ? pd_library_root_of(q->library->searcher.store, path, &root, err) : pd_error_set_nomem(err);
    if (status == PD_OK)
        status = pd_library_open_original(root, path, &fd, err);
    if (status == PD_OK) {
        status = embed_file(q, fd, err);
        close(fd);
        if (status != PD_OK)
            pd_error_prefix(err, "'%s'", path);
    }
    pd_mem_free(root);
    pd_mem_free(path);
    return status;
}

static pd_status embed_text(question *q, const char *example, pd_error *err)
{
    pd_photo photo = { 0 };
    bool known = false;
    PD_TRY(find_example(q, example, &photo, &known, err));
    if (!known)
        return embed_path(q, example, err);
    pd_store *store = q->library->searcher.store;
    const int64_t id = photo.id, content = photo.content;
    const pd_status status =
        content ? pd_store_embedding_get(store, content, q->model, q->half, q->dim, err) : PD_ERR_NO_MATCH;
    if (status == PD_ERR_NO_MATCH) {
        PD_TRY(pd_store_photo_by_id(store, id, &photo, err)); /* its strings were borrowed */
        return embed_known_take(q, pd_mem_dup_string(photo.path), err);
    }
    PD_TRY(status);
    q->library->kernels.float_of_half(q->half, q->dim, q->one);
    q->exclude[q->n_exclude++] = content;
    return PD_OK;
}

static pd_status average_examples(question *q, const pd_example *examples, size_t n_examples, pd_error *err)
{
    for (size_t i = 0; i < n_examples; i++) {
        PD_TRY(examples[i].text ? embed_text(q, examples[i].text, err) : embed_file(q, examples[i].fd, err));
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

pd_status pd_library_similar(pd_library *library, const pd_example *examples, size_t n_examples,
                             const pd_window *window, pd_hits *ret_hits, pd_error *err)
{
    if (n_examples == 0 || n_examples > EXAMPLES_MAX)
        return pd_error_set(err, PD_ERR_LIMIT, "%zu examples were given; 1 to %d are possible", n_examples,
                            EXAMPLES_MAX);
    PD_TRY(check_window(window, err));
    question q;
    pd_status status = begin_question(&q, library, 0, err);
    if (status == PD_OK)
        status = average_examples(&q, examples, n_examples, err);
    if (status == PD_OK)
        status = find_photos(&q, window, ret_hits, err);
    end_question(&q);
    return status;
}
