#include <string.h>

#include "base/mem.h"
#include "model/captioner_parts.h"
#include "model/model_parts.h"
#include "model/preprocess.h"

/* Beams times tokens of one caption: keys and values of each are kept. Address space, mostly: what a caption does not
 * reach is never touched. */
#define SLOTS_MAX 2048

/* A text in the making. Rows are beams; a row's path names the slots of its tokens. */
typedef struct pd_writing {
    pd_caption_session *session;
    float *cache;                          /* [n_layers, n_slots, 2 * width] */
    float *x;                              /* [rows, width] */
    uint32_t *paths, *paths_new;           /* [rows, length_max] */
    uint32_t *slots, *positions, *lengths; /* [rows] */
    size_t n_slots, n_used, length;        /* of slots; of every row's path */
} pd_writing;

struct pd_caption_session {
    const pd_captioner *captioner;
    const pd_model *encoder; /* NULL: the captioner's own tower */
    pd_arena arena;
    size_t base;         /* of the arena, above what follows */
    float *map, *memory; /* of the picture: [n_map, width_memory], [n_layers, n_map, 2 * width] */
    size_t n_map, rows_max, length_max;
    pd_nn nn; /* points at the arena above */
};

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }
static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static const pd_preprocess_config *preprocess_of(const pd_caption_session *session)
{
    return session->encoder ? &session->encoder->config.preprocess : &session->captioner->config.preprocess;
}

static size_t need_tower(const pd_caption_session *session)
{
    const pd_model *encoder = session->encoder;
    return encoder ? pd_mobilenet_tower_need(&encoder->mobilenet) + pd_arena_need(encoder->config.dim, sizeof(float))
                   : pd_vit_map_need(&session->captioner->tower, true);
}

/* From pixels to the picture's map. */
static size_t need_look(const pd_caption_session *session)
{
    const pd_preprocess_config *config = preprocess_of(session);
    const size_t n = config->side * config->side;
    return pd_arena_need(n, 3) + pd_arena_need(n, 3 * sizeof(float)) +
           larger(pd_preprocess_need(config), need_tower(session));
}

static size_t need_writing(const pd_caption_session *session)
{
    const pd_caption_decoder *decoder = &session->captioner->decoder;
    const pd_generate_options most = { .n_beams = PD_CAPTION_BEAMS_MAX, .max_tokens = session->length_max };
    const size_t rows = session->rows_max, width = decoder->writer.width;
    return pd_arena_need(SLOTS_MAX * decoder->writer.n_layers, 2 * width * sizeof(float)) +
           pd_arena_need(rows, width * sizeof(float)) +
           2 * pd_arena_need(PD_CAPTION_BEAMS_MAX * session->length_max, sizeof(uint32_t)) +
           3 * pd_arena_need(rows, sizeof(uint32_t)) + pd_arena_need(session->length_max, sizeof(int32_t)) +
           pd_generate_need(&most, decoder->vocabulary, session->length_max) +
           pd_caption_decoder_need(decoder, rows, session->length_max, session->n_map);
}

/* The encoder must be the very one whose maps the decoder was fitted to. */
static pd_status check_encoder(const pd_captioner *captioner, const pd_model *encoder, pd_error *err)
{
    if (!captioner->encoder_dir)
        return PD_OK;
    if (!encoder || !(encoder->towers & PD_MODEL_VISION))
        return pd_error_set(err, PD_ERR_USAGE, "captioner '%s' reads the image tower of '%s', which is not there",
                            captioner->dir, captioner->encoder_dir);
    if (strcmp(encoder->weights_sha256, captioner->config.encoder_sha256) != 0 ||
        encoder->config.vision != PD_VISION_MOBILENET_V2 || encoder->mobilenet.head.n != captioner->config.width_memory)
        return pd_error_set(err, PD_ERR_FORMAT,
                            "captioner '%s' was fitted to another image tower than that of '%s' (its weights have "
                            "SHA-256 %.12s..., not %.12s...)",
                            captioner->dir, encoder->dir, encoder->weights_sha256, captioner->config.encoder_sha256);
    return PD_OK;
}

pd_status pd_caption_session_open(pd_caption_session **ret_session, const pd_captioner *captioner,
                                  const pd_model *encoder, const pd_session_options *options, pd_error *err)
{
    PD_TRY(check_encoder(captioner, encoder, err));
    const pd_writer *writer = &captioner->decoder.writer;
    pd_caption_session *session = pd_mem_alloc(1, sizeof *session);
    if (!session)
        return pd_error_set_nomem(err);
    session->captioner = captioner;
    session->encoder = captioner->encoder_dir ? encoder : NULL;
    session->n_map = session->encoder ? pd_mobilenet_tower_map(&encoder->mobilenet) : captioner->tower.n_tokens;
    session->length_max = smaller(captioner->config.n_positions, PD_CAPTION_TOKENS_MAX);
    session->rows_max = larger(PD_CAPTION_BEAMS_MAX, session->length_max);
    const size_t n_map_values = session->n_map * captioner->config.width_memory;
    const size_t n_memory = writer->n_layers * session->n_map * 2 * writer->width;
    const size_t fixed = pd_arena_need(n_map_values, sizeof(float)) + pd_arena_need(n_memory, sizeof(float));
    if (pd_arena_init(&session->arena, fixed + larger(need_look(session), need_writing(session))) != PD_OK) {
        pd_mem_free(session);
        return pd_error_set_nomem(err);
    }
    session->map = pd_arena_take(&session->arena, n_map_values, sizeof(float));
    session->memory = pd_arena_take(&session->arena, n_memory, sizeof(float));
    session->base = session->arena.used;
    session->nn = (pd_nn){
        .kernels = &captioner->kernels, .arena = &session->arena, .tap = options->tap, .tap_user = options->tap_user
    };
    *ret_session = session;
    return PD_OK;
}

pd_status pd_caption_session_create(pd_caption_session **ret_session, const pd_captioner *captioner,
                                    const pd_model *encoder, pd_error *err)
{
    return pd_caption_session_open(ret_session, captioner, encoder, &(pd_session_options){ 0 }, err);
}

void pd_caption_session_free(pd_caption_session **session)
{
    pd_caption_session *freeing = *session;
    if (freeing) {
        pd_arena_done(&freeing->arena);
        pd_mem_free(freeing);
        *session = NULL;
    }
}

/* The encoder's tower: map and embedding of one run. */
static pd_status run_encoder(pd_caption_session *session, const float *input, float *ret_embedding, pd_error *err)
{
    const pd_model *encoder = session->encoder;
    const size_t dim = encoder->config.dim;
    pd_nn nn = session->nn;
    nn.kernels = &encoder->kernels;
    float *embedding = pd_arena_take(&session->arena, dim, sizeof *embedding);
    pd_mobilenet_tower_run(&nn, &encoder->mobilenet, input, session->map, embedding);
    if (!pd_unit_make(embedding, dim))
        return pd_error_set(err, PD_ERR_FORMAT,
                            "model '%s' makes no usable vector of this picture (zero, or not finite)", encoder->dir);
    if (ret_embedding)
        memcpy(ret_embedding, embedding, dim * sizeof *embedding);
    return PD_OK;
}

pd_status pd_caption_session_look(pd_caption_session *session, const float *input, float *ret_embedding, pd_error *err)
{
    const pd_captioner *captioner = session->captioner;
    const size_t mark = session->arena.used;
    pd_status status = PD_OK;
    if (session->encoder)
        status = run_encoder(session, input, ret_embedding, err);
    else
        pd_vit_map_run(&session->nn, &captioner->tower, input, session->map);
    if (status == PD_OK)
        pd_caption_decoder_look(&session->nn, &captioner->decoder, session->map, session->n_map, session->memory);
    pd_arena_rewind(&session->arena, mark);
    return status;
}

static pd_status look_at_pixels(pd_caption_session *session, const pd_pixels *pixels, float *ret_embedding,
                                pd_error *err)
{
    const pd_preprocess_config *config = preprocess_of(session);
    const size_t mark = session->arena.used, n = config->side * config->side;
    uint8_t *crop = pd_arena_take(&session->arena, n, 3);
    float *input = pd_arena_take(&session->arena, n, 3 * sizeof *input);
    pd_status status = pd_preprocess_run(config, session->nn.kernels, &session->arena, pixels, crop, err);
    if (status == PD_OK) {
        session->nn.kernels->normalise_rgb(crop, n, config->mul, config->add, input);
        pd_nn_tap_map(&session->nn, "pixel_values", input, config->side, config->side, 3);
        status = pd_caption_session_look(session, input, ret_embedding, err);
    }
    pd_arena_rewind(&session->arena, mark);
    return status;
}

static pd_writing begin_writing(pd_caption_session *session, size_t n_slots)
{
    const pd_writer *writer = &session->captioner->decoder.writer;
    const size_t rows = session->rows_max, paths = PD_CAPTION_BEAMS_MAX * session->length_max;
    pd_arena *arena = &session->arena;
    return (pd_writing){ .session = session,
                         .cache = pd_arena_take(arena, n_slots * writer->n_layers, 2 * writer->width * sizeof(float)),
                         .x = pd_arena_take(arena, rows, writer->width * sizeof(float)),
                         .paths = pd_arena_take(arena, paths, sizeof(uint32_t)),
                         .paths_new = pd_arena_take(arena, paths, sizeof(uint32_t)),
                         .slots = pd_arena_take(arena, rows, sizeof(uint32_t)),
                         .positions = pd_arena_take(arena, rows, sizeof(uint32_t)),
                         .lengths = pd_arena_take(arena, rows, sizeof(uint32_t)),
                         .n_slots = n_slots };
}

/* n rows through the decoder; ld_paths 0: they share one path, and see as much of it as their lengths say. */
static void run_rows(pd_writing *writing, const int32_t *ids, size_t n, size_t ld_paths)
{
    const pd_caption_session *session = writing->session;
    const pd_caption_decoder *decoder = &session->captioner->decoder;
    pd_caption_decoder_embed(&session->nn, decoder, ids, writing->positions, n, writing->x);
    pd_writer_run(&session->nn, &decoder->writer,
                  &(pd_writer_step){ .n_rows = n,
                                     .x = writing->x,
                                     .slots = writing->slots,
                                     .paths = writing->paths,
                                     .lengths = writing->lengths,
                                     .ld_paths = ld_paths,
                                     .cache = writing->cache,
                                     .n_slots = writing->n_slots,
                                     .memory = session->memory,
                                     .n_memory = session->n_map });
}

static void tap_logits(const pd_caption_session *session, const float *x, size_t n)
{
    const size_t mark = session->nn.arena->used, vocabulary = session->captioner->decoder.vocabulary;
    float *logits = pd_arena_take(session->nn.arena, n * vocabulary, sizeof *logits);
    pd_caption_decoder_tell(&session->nn, &session->captioner->decoder, x, n, logits);
    pd_nn_tap_rows(&session->nn, "logits", logits, n, vocabulary);
    pd_arena_rewind(session->nn.arena, mark);
}

/* A beginning, all its ids at once: each sees those before it. */
static void begin_text(void *user, const int32_t *ids, size_t n, float *ret_logits)
{
    pd_writing *writing = user;
    const pd_caption_session *session = writing->session;
    const pd_caption_decoder *decoder = &session->captioner->decoder;
    for (size_t i = 0; i < n; i++) {
        writing->slots[i] = writing->positions[i] = writing->paths[i] = (uint32_t)i;
        writing->lengths[i] = (uint32_t)i + 1;
    }
    run_rows(writing, ids, n, 0);
    writing->n_used = writing->length = n;
    if (session->nn.tap)
        tap_logits(session, writing->x, n);
    pd_caption_decoder_tell(&session->nn, decoder, writing->x + (n - 1) * decoder->writer.width, 1, ret_logits);
}

static void continue_text(void *user, size_t n, const uint32_t *parents, const int32_t *tokens, float *ret_logits)
{
    pd_writing *writing = user;
    const pd_caption_session *session = writing->session;
    const size_t ld = session->length_max, length = writing->length;
    for (size_t i = 0; i < n; i++) {
        uint32_t *path = writing->paths_new + i * ld;
        memcpy(path, writing->paths + parents[i] * ld, length * sizeof *path);
        path[length] = writing->slots[i] = (uint32_t)writing->n_used++;
        writing->positions[i] = (uint32_t)length;
        writing->lengths[i] = (uint32_t)length + 1;
    }
    uint32_t *const swapped = writing->paths;
    writing->paths = writing->paths_new;
    writing->paths_new = swapped;
    writing->length++;
    run_rows(writing, tokens, n, ld);
    pd_caption_decoder_tell(&session->nn, &session->captioner->decoder, writing->x, n, ret_logits);
}

size_t pd_caption_session_generate(pd_caption_session *session, const pd_generate_options *options,
                                   const int32_t *beginning, size_t n_beginning, pd_generated *ret_generated)
{
    pd_arena_rewind(&session->arena, session->base);
    pd_writing writing = begin_writing(session, n_beginning + options->n_beams * options->max_tokens);
    const pd_language language = { .vocabulary = session->captioner->decoder.vocabulary,
                                   .begin = begin_text,
                                   .go_on = continue_text,
                                   .user = &writing };
    return pd_generate_run(&language, options, beginning, n_beginning, &session->arena, ret_generated);
}

/* The start and the prompt's words. */
static pd_status begin_ids(const pd_caption_session *session, const char *prompt, int32_t *ret_ids, size_t *ret_n,
                           pd_error *err)
{
    const pd_captioner *captioner = session->captioner;
    size_t n = 0;
    ret_ids[0] = captioner->config.start;
    if (prompt) {
        PD_TRY(pd_wordpiece_encode(captioner->wordpiece, pd_str_of(prompt), session->length_max - 1, ret_ids + 1, &n,
                                   err));
    }
    *ret_n = n + 1;
    return PD_OK;
}

/* n_beginning: start and prompt. */
static pd_status check_options(const pd_caption_session *session, const pd_caption_options *options, size_t n_beginning,
                               pd_error *err)
{
    const size_t n = options->n_beams, last = n_beginning + options->max_tokens;
    if (n < 1 || n > PD_CAPTION_BEAMS_MAX || options->n_captions < 1 || options->n_captions > n)
        return pd_error_set(err, PD_ERR_USAGE,
                            "%zu captions of %zu beams; 1 to %d beams and as many captions are handled",
                            options->n_captions, n, PD_CAPTION_BEAMS_MAX);
    if (options->max_tokens < 1 || last > session->length_max || n_beginning + n * options->max_tokens > SLOTS_MAX)
        return pd_error_set(err, PD_ERR_LIMIT,
                            "a caption of %zu words' pieces behind %zu of the prompt, in %zu beams, is more than "
                            "captioner '%s' handles: %zu in all, and %d for all beams together",
                            options->max_tokens, n_beginning, n, session->captioner->dir, session->length_max,
                            SLOTS_MAX);
    return PD_OK;
}

static void tell_caption(const pd_captioner *captioner, const pd_generated *generated, pd_caption *ret_caption)
{
    const int32_t *ids = generated->ids + 1;
    size_t n = generated->n - 1;
    if (n && ids[n - 1] == captioner->config.stop)
        n--;
    pd_wordpiece_decode(captioner->wordpiece, ids, n, ret_caption->text, sizeof ret_caption->text);
    ret_caption->score = generated->score;
    ret_caption->likelihood = generated->likelihood;
    ret_caption->repeats = pd_generate_repeats(ids, n);
}

pd_status pd_caption_session_write(pd_caption_session *session, const pd_pixels *pixels,
                                   const pd_caption_options *options, pd_captions *ret_captions, float *ret_embedding,
                                   pd_error *err)
{
    const pd_captioner *captioner = session->captioner;
    pd_generated generated[PD_CAPTION_BEAMS_MAX];
    int32_t ids[PD_CAPTION_TOKENS_MAX];
    size_t n_ids = 0;
    pd_arena_rewind(&session->arena, session->base);
    PD_TRY(begin_ids(session, options->prompt, ids, &n_ids, err));
    PD_TRY(check_options(session, options, n_ids, err));
    PD_TRY(look_at_pixels(session, pixels, ret_embedding, err));
    const pd_generate_options generate = {
        .n_beams = options->n_beams,
        .n_captions = options->n_captions,
        .max_tokens = options->max_tokens,
        .min_tokens = options->min_tokens,
        .no_repeat_ngram = options->no_repeat_ngram,
        .length_penalty = options->length_penalty,
        .repetition_penalty = options->repetition_penalty,
        .stopping = options->early_stopping ? PD_STOPPING_EARLY : PD_STOPPING_HEURISTIC,
        .no_triples = options->no_repeat_ngram > 0, /* three of a kind are one 3-gram, which may stand once */
        .stop = captioner->config.stop,
        .suppressed = captioner->config.suppressed,
        .n_suppressed = captioner->config.n_suppressed,
    };
    ret_captions->n = pd_caption_session_generate(session, &generate, ids, n_ids, generated);
    for (size_t i = 0; i < ret_captions->n; i++)
        tell_caption(captioner, &generated[i], &ret_captions->list[i]);
    return PD_OK;
}
