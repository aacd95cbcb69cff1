#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "model/captioner_parts.h"

#define CALIBRATION_TOKENS 24

/* What calibration runs on: some words, and a picture. */
typedef struct pd_rehearsal {
    float *x, *vectors, *memory, *cache; /* [n, width], [n_map, width_cross], of one layer each */
    uint32_t slots[CALIBRATION_TOKENS], lengths[CALIBRATION_TOKENS];
    size_t n, n_map;
} pd_rehearsal;

static const char *prefix_of(const pd_caption_config *config) { return config->blip ? "text_decoder." : "decoder."; }

typedef char pd_name[PD_TENSOR_NAME_BYTES];

static void make_name(pd_name ret_name, const pd_caption_config *config, const char *name)
{
    snprintf(ret_name, PD_TENSOR_NAME_BYTES, "%s%s", prefix_of(config), name);
}

/* "<name>.weight" and "<name>.bias" of a layer norm. */
static pd_status prepare_norm(pd_preparer *preparer, const char *name, size_t width, const float **ret_w,
                              const float **ret_b)
{
    char full[PD_TENSOR_NAME_BYTES + 80];
    snprintf(full, sizeof full, "%s.weight", name);
    PD_TRY(pd_prepare_floats(preparer, full, 1, width, ret_w));
    snprintf(full, sizeof full, "%s.bias", name);
    return pd_prepare_floats(preparer, full, 1, width, ret_b);
}

enum { QKV, OUT, CROSS_Q, CROSS_KV, CROSS_OUT, FC1, FC2, LAYERS };

static void list_sources(const char *block, const pd_writer *writer, pd_linear_source ret_sources[LAYERS])
{
    const size_t width = writer->width;
    const struct {
        const char *names[3];
        size_t n_names, n, k;
    } rows[LAYERS] = {
        [QKV] = { { "attention.self.query", "attention.self.key", "attention.self.value" }, 3, width, width },
        [OUT] = { { "attention.output.dense" }, 1, width, width },
        [CROSS_Q] = { { "crossattention.self.query" }, 1, width, width },
        [CROSS_KV] = { { "crossattention.self.key", "crossattention.self.value" }, 2, width, writer->width_memory },
        [CROSS_OUT] = { { "crossattention.output.dense" }, 1, width, width },
        [FC1] = { { "intermediate.dense" }, 1, writer->width_mlp, width },
        [FC2] = { { "output.dense" }, 1, width, writer->width_mlp },
    };
    for (size_t i = 0; i < LAYERS; i++) {
        pd_linear_source *source = &ret_sources[i];
        *source = (pd_linear_source){ .n_names = rows[i].n_names, .n = rows[i].n, .k = rows[i].k, .bias = true };
        for (size_t j = 0; j < rows[i].n_names; j++)
            snprintf(source->names[j], sizeof source->names[j], "%s%s", block, rows[i].names[j]);
    }
}

/* The block in floats, over what is rehearsed. */
static pd_status observe_block(pd_draft drafts[LAYERS], const pd_writer_block *norms, const pd_writer *writer,
                               pd_rehearsal *rehearsal, pd_preparer *preparer)
{
    pd_writer_block twin = *norms;
    pd_writer alone = *writer;
    twin.qkv = drafts[QKV].linear;
    twin.out = drafts[OUT].linear;
    twin.cross_q = drafts[CROSS_Q].linear;
    twin.cross_kv = drafts[CROSS_KV].linear;
    twin.cross_out = drafts[CROSS_OUT].linear;
    twin.fc1 = drafts[FC1].linear;
    twin.fc2 = drafts[FC2].linear;
    alone.n_layers = 1;
    alone.blocks = &twin;
    const size_t n = rehearsal->n, n_map = rehearsal->n_map;
    pd_calibration calibration;
    PD_TRY(pd_calibration_begin(&calibration, preparer, drafts, LAYERS, pd_writer_need(&alone, n, n, n_map)));
    pd_writer_remember(&calibration.nn, &alone, rehearsal->vectors, n_map, rehearsal->memory);
    pd_writer_run(&calibration.nn, &alone,
                  &(pd_writer_step){ .n_rows = n,
                                     .x = rehearsal->x,
                                     .slots = rehearsal->slots,
                                     .paths = rehearsal->slots,
                                     .lengths = rehearsal->lengths,
                                     .cache = rehearsal->cache,
                                     .n_slots = n,
                                     .memory = rehearsal->memory,
                                     .n_memory = n_map });
    return pd_calibration_end(&calibration);
}

static pd_status prepare_norms(pd_writer_block *block, const char *name, size_t width, pd_preparer *preparer)
{
    char norm[PD_TENSOR_NAME_BYTES + 40];
    snprintf(norm, sizeof norm, "%sattention.output.LayerNorm", name);
    PD_TRY(prepare_norm(preparer, norm, width, &block->self_w, &block->self_b));
    snprintf(norm, sizeof norm, "%scrossattention.output.LayerNorm", name);
    PD_TRY(prepare_norm(preparer, norm, width, &block->cross_w, &block->cross_b));
    snprintf(norm, sizeof norm, "%soutput.LayerNorm", name);
    return prepare_norm(preparer, norm, width, &block->mlp_w, &block->mlp_b);
}

/* rehearsal: NULL when nothing is fresh; its x goes through the block. */
static pd_status prepare_block(pd_writer_block *block, const char *name, const pd_writer *writer,
                               pd_rehearsal *rehearsal, pd_preparer *preparer)
{
    pd_linear_source sources[LAYERS];
    pd_draft drafts[LAYERS] = { 0 };
    pd_linear *const layers[LAYERS] = { &block->qkv,       &block->out, &block->cross_q, &block->cross_kv,
                                        &block->cross_out, &block->fc1, &block->fc2 };
    list_sources(name, writer, sources);
    pd_status status = prepare_norms(block, name, writer->width, preparer);
    for (size_t i = 0; status == PD_OK && i < LAYERS; i++)
        status = pd_draft_begin(&drafts[i], &sources[i], preparer);
    if (status == PD_OK && rehearsal)
        status = observe_block(drafts, block, writer, rehearsal, preparer);
    for (size_t i = 0; status == PD_OK && i < LAYERS; i++)
        status = pd_draft_settle(&drafts[i], preparer, layers[i]);
    for (size_t i = 0; i < LAYERS; i++)
        pd_draft_done(&drafts[i]);
    return status;
}

static bool has_tensor(const pd_preparer *preparer, const char *name)
{
    pd_tensor tensor;
    return pd_weights_find(preparer->weights, name, &tensor);
}

/* Words, positions and types. The output's weights and the words' are one and the same where a file has only one of
 * them. */
static pd_status prepare_embeddings(pd_caption_decoder *decoder, const pd_caption_config *config, pd_preparer *preparer)
{
    const size_t width = config->decoder.width;
    pd_name name, tied;
    make_name(name, config, "bert.embeddings.word_embeddings.weight");
    make_name(tied, config, "cls.predictions.decoder.weight");
    const bool only_tied = !has_tensor(preparer, name) && has_tensor(preparer, tied);
    PD_TRY(pd_prepare_table(preparer, only_tied ? tied : name, config->vocabulary, width, &decoder->words));
    make_name(name, config, "bert.embeddings.position_embeddings.weight");
    PD_TRY(pd_prepare_floats(preparer, name, config->n_positions, width, &decoder->positions));
    make_name(name, config, "bert.embeddings.token_type_embeddings.weight");
    if (config->n_types && has_tensor(preparer, name))
        PD_TRY(pd_prepare_floats(preparer, name, config->n_types, width, &decoder->type));
    make_name(name, config, "bert.embeddings.LayerNorm");
    return prepare_norm(preparer, name, width, &decoder->norm_w, &decoder->norm_b);
}

/* "cls.predictions.decoder" where the file has it, else the words' weights and the bias beside. */
static pd_linear_source find_output(const pd_caption_config *config, const pd_preparer *preparer)
{
    pd_linear_source source = { .n_names = 1, .n = config->vocabulary, .k = config->decoder.width, .bias = true };
    pd_name name;
    make_name(name, config, "cls.predictions.decoder.weight");
    make_name(source.names[0], config,
              has_tensor(preparer, name) ? "cls.predictions.decoder" : "bert.embeddings.word_embeddings");
    make_name(name, config, "cls.predictions.decoder.bias");
    make_name(source.bias_name, config,
              has_tensor(preparer, name) ? "cls.predictions.decoder.bias" : "cls.predictions.bias");
    return source;
}

static pd_status prepare_head(pd_caption_decoder *decoder, const pd_caption_config *config, pd_rehearsal *rehearsal,
                              pd_preparer *preparer)
{
    const size_t width = config->decoder.width, n = rehearsal ? rehearsal->n : 0;
    float *x = rehearsal ? rehearsal->x : NULL;
    pd_name name;
    pd_linear_source transform = { .n_names = 1, .n = width, .k = width, .bias = true };
    make_name(transform.names[0], config, "cls.predictions.transform.dense");
    PD_TRY(pd_draft_linear(preparer, &transform, x, n, &decoder->transform));
    make_name(name, config, "cls.predictions.transform.LayerNorm");
    PD_TRY(prepare_norm(preparer, name, width, &decoder->transform_w, &decoder->transform_b));
    if (rehearsal) {
        pd_calibration calibration;
        PD_TRY(pd_calibration_begin(&calibration, preparer, NULL, 0, pd_linear_need(&decoder->transform, n)));
        pd_linear_run(&calibration.nn, &decoder->transform, x, width,
                      &(pd_gemm){
                          .m = n, .activation = config->decoder.activation, .c = rehearsal->cache, .ld_c = width });
        preparer->kernels->layer_norm(rehearsal->cache, n, width, decoder->transform_w, decoder->transform_b,
                                      config->decoder.eps, x);
        PD_TRY(pd_calibration_end(&calibration));
    }
    const pd_linear_source output = find_output(config, preparer);
    return pd_draft_linear(preparer, &output, x, n, &decoder->output);
}

/* The words' embeddings and the picture's vectors, as the first block gets them. */
static pd_status begin_rehearsal(pd_rehearsal *rehearsal, const pd_caption_decoder *decoder, const float *map,
                                 pd_preparer *preparer)
{
    int32_t ids[CALIBRATION_TOKENS];
    const pd_linear *project = &decoder->project;
    const size_t n = rehearsal->n, n_map = rehearsal->n_map;
    for (size_t i = 0; i < n; i++) {
        ids[i] = (int32_t)((i * 7919 + 320) % decoder->vocabulary);
        rehearsal->slots[i] = (uint32_t)i;
        rehearsal->lengths[i] = (uint32_t)i + 1;
    }
    pd_calibration calibration;
    PD_TRY(
        pd_calibration_begin(&calibration, preparer, NULL, 0, decoder->projects ? pd_linear_need(project, n_map) : 1));
    pd_caption_decoder_embed(&calibration.nn, decoder, ids, rehearsal->slots, n, rehearsal->x);
    if (decoder->projects)
        pd_linear_run(&calibration.nn, project, map, project->k,
                      &(pd_gemm){ .m = n_map, .c = rehearsal->vectors, .ld_c = project->n });
    else
        memcpy(rehearsal->vectors, map, n_map * decoder->writer.width_memory * sizeof *map);
    return pd_calibration_end(&calibration);
}

/* rehearsal: its memory is there; NULL when nothing is fresh. */
static pd_status prepare_all(pd_caption_decoder *decoder, const pd_caption_config *config, const float *map,
                             pd_rehearsal *rehearsal, pd_preparer *preparer)
{
    if (config->projects) {
        /* small beside the tower, and what it gives is all that the decoder ever sees of the picture */
        pd_linear_source source = {
            .n_names = 1, .n = config->width_cross, .k = config->width_memory, .bias = true, .keep_float = true
        };
        snprintf(source.names[0], sizeof source.names[0], "enc_to_dec_proj");
        PD_TRY(pd_draft_linear(preparer, &source, NULL, 0, &decoder->project));
    }
    PD_TRY(prepare_embeddings(decoder, config, preparer));
    if (rehearsal)
        PD_TRY(begin_rehearsal(rehearsal, decoder, map, preparer));
    for (size_t i = 0; i < decoder->writer.n_layers; i++) {
        pd_name name;
        snprintf(name, sizeof name, "%sbert.encoder.layer.%zu.", prefix_of(config), i);
        PD_TRY(prepare_block(&decoder->blocks[i], name, &decoder->writer, rehearsal, preparer));
    }
    return prepare_head(decoder, config, rehearsal, preparer);
}

static void end_rehearsal(pd_rehearsal *rehearsal)
{
    pd_mem_free(rehearsal->x);
    pd_mem_free(rehearsal->vectors);
    pd_mem_free(rehearsal->memory);
    pd_mem_free(rehearsal->cache);
}

static pd_status rehearse(pd_caption_decoder *decoder, const pd_caption_config *config, const float *map, size_t n_map,
                          pd_preparer *preparer)
{
    const size_t n = config->n_positions < CALIBRATION_TOKENS ? config->n_positions : CALIBRATION_TOKENS;
    const size_t width = config->decoder.width;
    pd_rehearsal rehearsal = { .n = n, .n_map = n_map };
    rehearsal.x = pd_mem_alloc(n * width, sizeof(float));
    rehearsal.vectors = pd_mem_alloc(n_map * config->width_cross, sizeof(float));
    rehearsal.memory = pd_mem_alloc(n_map * 2 * width, sizeof(float));
    rehearsal.cache = pd_mem_alloc(n * 2 * width, sizeof(float));
    const bool made = rehearsal.x && rehearsal.vectors && rehearsal.memory && rehearsal.cache;
    const pd_status status =
        made ? prepare_all(decoder, config, map, &rehearsal, preparer) : pd_error_set_nomem(preparer->err);
    end_rehearsal(&rehearsal);
    return status;
}

pd_status pd_caption_decoder_prepare(pd_caption_decoder *ret_decoder, const pd_caption_config *config, const float *map,
                                     size_t n_map, pd_preparer *preparer)
{
    const pd_tower_config *shape = &config->decoder;
    pd_caption_decoder decoder = { .vocabulary = config->vocabulary,
                                   .n_positions = config->n_positions,
                                   .projects = config->projects,
                                   .blocks = pd_mem_alloc(shape->n_layers, sizeof *decoder.blocks) };
    decoder.writer = (pd_writer){ .width = shape->width,
                                  .width_mlp = shape->width_mlp,
                                  .width_memory = config->width_cross,
                                  .n_heads = shape->n_heads,
                                  .n_layers = shape->n_layers,
                                  .eps = shape->eps,
                                  .activation = shape->activation,
                                  .blocks = decoder.blocks };
    pd_status status = decoder.blocks ? PD_OK : pd_error_set_nomem(preparer->err);
    if (status == PD_OK)
        status = map ? rehearse(&decoder, config, map, n_map, preparer)
                     : prepare_all(&decoder, config, NULL, NULL, preparer);
    if (status == PD_OK)
        *ret_decoder = decoder;
    else
        pd_caption_decoder_done(&decoder);
    return status;
}

void pd_caption_decoder_done(pd_caption_decoder *decoder)
{
    pd_mem_free(decoder->blocks);
    *decoder = (pd_caption_decoder){ 0 };
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t pd_caption_decoder_need(const pd_caption_decoder *decoder, size_t rows_max, size_t length_max, size_t n_map)
{
    const size_t width = decoder->writer.width;
    const size_t look = decoder->projects ? pd_arena_need(n_map * width, sizeof(float)) : 0;
    const size_t project = decoder->projects ? pd_linear_need(&decoder->project, n_map) : 0;
    const size_t tell =
        pd_arena_need(rows_max * width, sizeof(float)) +
        larger(pd_linear_need(&decoder->transform, rows_max), pd_linear_need(&decoder->output, rows_max));
    return larger(look + larger(project, pd_writer_need(&decoder->writer, rows_max, length_max, n_map)), tell);
}

void pd_caption_decoder_look(const pd_nn *nn, const pd_caption_decoder *decoder, const float *map, size_t n_map,
                             float *ret_memory)
{
    const size_t mark = nn->arena->used, width = decoder->writer.width;
    const float *vectors = map;
    if (decoder->projects) {
        float *projected = pd_arena_take(nn->arena, n_map * width, sizeof *projected);
        pd_linear_run(nn, &decoder->project, map, decoder->project.k,
                      &(pd_gemm){ .m = n_map, .c = projected, .ld_c = width });
        pd_nn_tap_rows(nn, "vision_projected", projected, n_map, width);
        vectors = projected;
    }
    pd_writer_remember(nn, &decoder->writer, vectors, n_map, ret_memory);
    pd_arena_rewind(nn->arena, mark);
}

void pd_caption_decoder_embed(const pd_nn *nn, const pd_caption_decoder *decoder, const int32_t *ids,
                              const uint32_t *positions, size_t n, float *ret_x)
{
    const size_t width = decoder->writer.width;
    for (size_t i = 0; i < n; i++) {
        float *row = ret_x + i * width;
        const float *position = decoder->positions + positions[i] * width;
        PD_CHECK(pd_tensor_read_f32(&decoder->words, (size_t)ids[i] * width, width, row, NULL) == PD_OK);
        for (size_t j = 0; j < width; j++)
            row[j] += position[j] + (decoder->type ? decoder->type[j] : 0);
    }
    nn->kernels->layer_norm(ret_x, n, width, decoder->norm_w, decoder->norm_b, decoder->writer.eps, ret_x);
    pd_nn_tap_rows(nn, "text_embeddings", ret_x, n, width);
}

void pd_caption_decoder_tell(const pd_nn *nn, const pd_caption_decoder *decoder, const float *x, size_t n,
                             float *ret_logits)
{
    const size_t mark = nn->arena->used, width = decoder->writer.width;
    float *y = pd_arena_take(nn->arena, n * width, sizeof *y);
    pd_linear_run(nn, &decoder->transform, x, width,
                  &(pd_gemm){ .m = n, .activation = decoder->writer.activation, .c = y, .ld_c = width });
    nn->kernels->layer_norm(y, n, width, decoder->transform_w, decoder->transform_b, decoder->writer.eps, y);
    pd_nn_tap_rows(nn, "text_head_transform", y, n, width);
    pd_linear_run(nn, &decoder->output, y, width, &(pd_gemm){ .m = n, .c = ret_logits, .ld_c = decoder->vocabulary });
    pd_arena_rewind(nn->arena, mark);
}
