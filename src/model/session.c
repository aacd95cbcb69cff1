#include "base/mem.h"
#include "model/model_parts.h"
#include "model/preprocess.h"

struct pd_session {
    const pd_model *model;
    unsigned towers;
    pd_arena arena;
    pd_nn nn; /* points at the arena above */
};

static size_t count_pixels(const pd_model *model)
{
    return model->config.preprocess.side * model->config.preprocess.side;
}

/* Space for the tower, and for what the calls above it keep meanwhile: ids, crop and normalised input. */
static size_t need_text(const pd_model *model, bool tapped)
{
    return pd_arena_need(model->config.text.n_positions, sizeof(int32_t)) + pd_text_tower_need(&model->text, tapped);
}

static size_t need_vision(const pd_model *model, bool tapped)
{
    const size_t n = count_pixels(model), resize = pd_preprocess_need(&model->config.preprocess);
    const size_t tower = model->config.vision == PD_VISION_VIT ? pd_vit_tower_need(&model->vit, tapped)
                                                               : pd_mobilenet_tower_need(&model->mobilenet);
    return pd_arena_need(n, 3) + pd_arena_need(n, 3 * sizeof(float)) + (tower > resize ? tower : resize);
}

pd_status pd_session_create(pd_session **ret_session, const pd_model *model, const pd_session_options *options,
                            pd_error *err)
{
    if (!options->towers || options->towers & ~model->towers)
        return pd_error_set(err, PD_ERR_USAGE, "model '%s' was opened with %s only", model->dir,
                            pd_towers_name(model->towers));
    const size_t text = options->towers & PD_MODEL_TEXT ? need_text(model, options->tap) : 0;
    const size_t vision = options->towers & PD_MODEL_VISION ? need_vision(model, options->tap) : 0;
    pd_session *session = pd_mem_alloc(1, sizeof *session);
    if (!session || pd_arena_init(&session->arena, text > vision ? text : vision) != PD_OK) {
        pd_mem_free(session);
        return pd_error_set_nomem(err);
    }
    session->model = model;
    session->towers = options->towers;
    session->nn = (pd_nn){
        .kernels = &model->kernels, .arena = &session->arena, .tap = options->tap, .tap_user = options->tap_user
    };
    *ret_session = session;
    return PD_OK;
}

void pd_session_free(pd_session **session)
{
    if (!*session)
        return;
    pd_arena_done(&(*session)->arena);
    pd_mem_free(*session);
    *session = NULL;
}

size_t pd_session_bytes(const pd_session *session) { return session->arena.size; }

static pd_status require_tower(const pd_session *session, unsigned tower, pd_error *err)
{
    if (session->towers & tower)
        return PD_OK;
    return pd_error_set(err, PD_ERR_USAGE, "the session of model '%s' was created without %s", session->model->dir,
                        pd_towers_name(tower));
}

static pd_status finish_embedding(const pd_session *session, const char *what, float *embedding, pd_error *err)
{
    if (pd_unit_make(embedding, session->model->config.dim))
        return PD_OK;
    return pd_error_set(err, PD_ERR_FORMAT, "model '%s' makes no usable vector of this %s (zero, or not finite)",
                        session->model->dir, what);
}

pd_status pd_session_embed_ids(pd_session *session, const int32_t *ids, size_t n_ids, float *ret_embedding,
                               pd_error *err)
{
    const pd_text_config *config = &session->model->config.text;
    PD_TRY(require_tower(session, PD_MODEL_TEXT, err));
    if (n_ids < 1 || n_ids > config->n_positions)
        return pd_error_set(err, PD_ERR_LIMIT, "a text of %zu tokens; model '%s' takes 1 to %zu", n_ids,
                            session->model->dir, config->n_positions);
    for (size_t i = 0; i < n_ids; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= config->vocabulary)
            return pd_error_set(err, PD_ERR_USAGE, "token id %d is not among the %zu of model '%s'", (int)ids[i],
                                config->vocabulary, session->model->dir);
    pd_text_tower_run(&session->nn, &session->model->text, ids, n_ids, ret_embedding);
    return finish_embedding(session, "text", ret_embedding, err);
}

pd_status pd_session_embed_text(pd_session *session, const char *text, size_t len, float *ret_embedding, pd_error *err)
{
    PD_TRY(require_tower(session, PD_MODEL_TEXT, err));
    const size_t mark = session->arena.used, n = session->model->config.text.n_positions;
    int32_t *ids = pd_arena_take(&session->arena, n, sizeof *ids);
    size_t n_used = 0;
    pd_status status = pd_model_tokenize(session->model, text, len, ids, &n_used, err);
    if (status == PD_OK)
        status = pd_session_embed_ids(session, ids, n, ret_embedding, err);
    pd_arena_rewind(&session->arena, mark);
    return status;
}

pd_status pd_session_preprocess(pd_session *session, const pd_pixels *pixels, uint8_t *ret_crop, pd_error *err)
{
    PD_TRY(require_tower(session, PD_MODEL_VISION, err));
    return pd_preprocess_run(&session->model->config.preprocess, &session->model->kernels, &session->arena, pixels,
                             ret_crop, err);
}

pd_status pd_session_embed_input(pd_session *session, const float *input, float *ret_embedding, pd_error *err)
{
    const pd_model *model = session->model;
    PD_TRY(require_tower(session, PD_MODEL_VISION, err));
    if (model->config.vision == PD_VISION_VIT)
        pd_vit_tower_run(&session->nn, &model->vit, input, ret_embedding);
    else
        pd_mobilenet_tower_run(&session->nn, &model->mobilenet, input, NULL, ret_embedding);
    return finish_embedding(session, "picture", ret_embedding, err);
}

pd_status pd_session_embed_pixels(pd_session *session, const pd_pixels *pixels, float *ret_embedding, pd_error *err)
{
    PD_TRY(require_tower(session, PD_MODEL_VISION, err));
    const pd_preprocess_config *config = &session->model->config.preprocess;
    const size_t mark = session->arena.used, n = count_pixels(session->model);
    uint8_t *crop = pd_arena_take(&session->arena, n, 3);
    float *input = pd_arena_take(&session->arena, n, 3 * sizeof *input);
    pd_status status = pd_session_preprocess(session, pixels, crop, err);
    if (status == PD_OK) {
        session->nn.kernels->normalise_rgb(crop, n, config->mul, config->add, input);
        pd_nn_tap_map(&session->nn, "pixel_values", input, config->side, config->side, 3);
        status = pd_session_embed_input(session, input, ret_embedding, err);
    }
    pd_arena_rewind(&session->arena, mark);
    return status;
}
