/* clip_fixture.h: CLIP checkpoints of any shape with made-up weights, written to a directory; and what can be wrong
 * with them. */
#ifndef PD_TESTS_CLIP_FIXTURE_H
#define PD_TESTS_CLIP_FIXTURE_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"

enum { FIXTURE_LETTERS = 26, FIXTURE_BOS = 52, FIXTURE_EOS = 53, FIXTURE_VOCABULARY = 54 };

typedef struct clip_tower {
    size_t width, width_mlp, n_layers, n_heads;
} clip_tower;

typedef struct clip_fixture {
    clip_tower text, vision;
    size_t positions, side, patch, dim;
    const char *activation, *dtype; /* "F32" "F16" "BF16" */
    int eos;

    /* what is wrong; NULL: nothing */
    const char *missing;   /* this tensor is not there */
    const char *misshapen; /* this one has a row more */
    const char *poisoned;  /* the last value of this one is not finite */
    const char *doubled;   /* this one is of doubles */
} clip_fixture;

static const clip_fixture clip_plain = { .text = { 24, 40, 2, 2 },
                                         .vision = { 40, 64, 2, 2 },
                                         .positions = 12,
                                         .side = 32,
                                         .patch = 16,
                                         .dim = 16,
                                         .activation = "quick_gelu",
                                         .dtype = "F32",
                                         .eos = FIXTURE_EOS };

typedef struct clip_writer {
    const clip_fixture *fixture;
    pd_buf header, data;
    uint64_t random;
} clip_writer;

static float clip_random(clip_writer *w)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return (float)(int32_t)(w->random >> 32) * 0x1p-31f;
}

static size_t clip_put_value(clip_writer *w, const char *dtype, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t half = strcmp(dtype, "F16") == 0 ? pd_half_of_float(value) : (uint16_t)(bits >> 16);
    const double wide = value;
    if (strcmp(dtype, "F32") == 0)
        pd_buf_append(&w->data, &value, sizeof value);
    else if (strcmp(dtype, "F64") == 0)
        pd_buf_append(&w->data, &wide, sizeof wide);
    else
        pd_buf_append(&w->data, &half, sizeof half);
    return 0;
}

static bool clip_is(const char *wanted, const char *name) { return wanted && strcmp(wanted, name) == 0; }

/* [m, k], or [m] when k is 0; values around `mean`. */
static void clip_put(clip_writer *w, const char *name, size_t m, size_t k, float mean, const char *shape)
{
    const clip_fixture *f = w->fixture;
    const char *dtype = clip_is(f->doubled, name) ? "F64" : f->dtype;
    const size_t begin = w->data.len, rows = m + (clip_is(f->misshapen, name) ? 1 : 0), n = rows * (k ? k : 1);
    char own_shape[64];
    if (clip_is(f->missing, name))
        return;
    for (size_t i = 0; i < n; i++)
        clip_put_value(w, dtype,
                       clip_is(f->poisoned, name) && i + 1 == n ? __builtin_inff() - __builtin_inff()
                                                                : mean + 0.3f * clip_random(w));
    snprintf(own_shape, sizeof own_shape, k ? "[%zu,%zu]" : "[%zu]", rows, k);
    pd_buf_appendf(&w->header, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                   w->header.len > 1 ? "," : "", name, dtype, shape ? shape : own_shape, begin, w->data.len);
}

static void clip_put_pair(clip_writer *w, const char *prefix, const char *name, size_t m, size_t k)
{
    char full[200];
    snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    clip_put(w, full, m, k, k ? 0.0f : 1.0f, NULL);
    snprintf(full, sizeof full, "%s%s.bias", prefix, name);
    clip_put(w, full, m, 0, 0, NULL);
}

static void clip_put_blocks(clip_writer *w, const char *prefix, const clip_tower *tower)
{
    static const char *const square[] = { "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                          "self_attn.out_proj" };
    for (size_t i = 0; i < tower->n_layers; i++) {
        char block[100];
        snprintf(block, sizeof block, "%sencoder.layers.%zu.", prefix, i);
        for (size_t k = 0; k < 4; k++)
            clip_put_pair(w, block, square[k], tower->width, tower->width);
        clip_put_pair(w, block, "layer_norm1", tower->width, 0);
        clip_put_pair(w, block, "layer_norm2", tower->width, 0);
        clip_put_pair(w, block, "mlp.fc1", tower->width_mlp, tower->width);
        clip_put_pair(w, block, "mlp.fc2", tower->width, tower->width_mlp);
    }
}

static void clip_put_all(clip_writer *w)
{
    const clip_fixture *f = w->fixture;
    const size_t n = f->side / f->patch, area = f->patch * f->patch;
    char shape[64];
    clip_put(w, "text_model.embeddings.token_embedding.weight", FIXTURE_VOCABULARY, f->text.width, 0, NULL);
    clip_put(w, "text_model.embeddings.position_embedding.weight", f->positions, f->text.width, 0, NULL);
    clip_put_blocks(w, "text_model.", &f->text);
    clip_put_pair(w, "text_model.", "final_layer_norm", f->text.width, 0);
    clip_put(w, "text_projection.weight", f->dim, f->text.width, 0, NULL);
    clip_put(w, "vision_model.embeddings.class_embedding", f->vision.width, 0, 0, NULL);
    snprintf(shape, sizeof shape, "[%zu,3,%zu,%zu]", f->vision.width, f->patch, f->patch);
    clip_put(w, "vision_model.embeddings.patch_embedding.weight", f->vision.width, 3 * area, 0, shape);
    clip_put(w, "vision_model.embeddings.position_embedding.weight", n * n + 1, f->vision.width, 0, NULL);
    clip_put_pair(w, "vision_model.", "pre_layrnorm", f->vision.width, 0);
    clip_put_blocks(w, "vision_model.", &f->vision);
    clip_put_pair(w, "vision_model.", "post_layernorm", f->vision.width, 0);
    clip_put(w, "visual_projection.weight", f->dim, f->vision.width, 0, NULL);
}

static void clip_write_file(const char *dir, const char *name, const void *data, size_t len)
{
    char *path = pd_path_join(dir, name);
    if (!path || pd_dir_make(dir, NULL) != PD_OK || pd_file_replace(path, data, len, false, NULL) != PD_OK)
        abort();
    pd_mem_free(path);
}

static void clip_write_text(const char *dir, const char *name, const char *text)
{
    clip_write_file(dir, name, text, strlen(text));
}

static void clip_write_weights(const char *dir, const clip_fixture *f)
{
    clip_writer w = { .fixture = f, .random = 5 };
    pd_buf_init(&w.header, (size_t)1 << 20);
    pd_buf_init(&w.data, (size_t)1 << 30);
    pd_buf_append_string(&w.header, "{");
    clip_put_all(&w);
    pd_buf_append_string(&w.header, "}");
    pd_buf file;
    pd_buf_init(&file, (size_t)1 << 30);
    const uint64_t len = w.header.len;
    pd_buf_append(&file, &len, sizeof len);
    pd_buf_append(&file, w.header.data, w.header.len);
    pd_buf_append(&file, w.data.data, w.data.len);
    clip_write_file(dir, "model.safetensors", file.data, file.len);
    pd_buf_done(&w.header);
    pd_buf_done(&w.data);
    pd_buf_done(&file);
}

static void clip_write_tower(pd_buf *buf, const char *name, const clip_tower *tower, const char *activation)
{
    pd_buf_appendf(buf,
                   ",\"%s\":{\"hidden_size\":%zu,\"intermediate_size\":%zu,\"num_hidden_layers\":%zu,"
                   "\"num_attention_heads\":%zu,\"hidden_act\":\"%s\"",
                   name, tower->width, tower->width_mlp, tower->n_layers, tower->n_heads, activation);
}

/* config.json and preprocessor_config.json */
static void clip_write_config(const char *dir, const clip_fixture *f)
{
    pd_buf buf;
    pd_buf_init(&buf, (size_t)1 << 20);
    pd_buf_appendf(&buf, "{\"architectures\":[\"CLIPModel\"],\"projection_dim\":%zu", f->dim);
    clip_write_tower(&buf, "text_config", &f->text, f->activation);
    pd_buf_appendf(&buf, ",\"vocab_size\":%d,\"max_position_embeddings\":%zu,\"eos_token_id\":%d}", FIXTURE_VOCABULARY,
                   f->positions, f->eos);
    clip_write_tower(&buf, "vision_config", &f->vision, f->activation);
    pd_buf_appendf(&buf, ",\"image_size\":%zu,\"patch_size\":%zu}}", f->side, f->patch);
    clip_write_file(dir, "config.json", buf.data, buf.len);
    pd_buf_clear(&buf);
    pd_buf_appendf(&buf, "{\"size\":{\"shortest_edge\":%zu},\"crop_size\":{\"height\":%zu,\"width\":%zu}}", f->side,
                   f->side, f->side);
    clip_write_file(dir, "preprocessor_config.json", buf.data, buf.len);
    pd_buf_done(&buf);
}

/* Letters, and letters at a word's end. */
static void clip_write_words(const char *dir)
{
    pd_buf buf;
    pd_buf_init(&buf, (size_t)1 << 16);
    pd_buf_append_string(&buf, "{");
    for (int i = 0; i < FIXTURE_LETTERS; i++)
        pd_buf_appendf(&buf, "\"%c\":%d,\"%c</w>\":%d,", 'a' + i, i, 'a' + i, FIXTURE_LETTERS + i);
    pd_buf_appendf(&buf, "\"<|startoftext|>\":%d,\"<|endoftext|>\":%d}", FIXTURE_BOS, FIXTURE_EOS);
    clip_write_file(dir, "vocab.json", buf.data, buf.len);
    clip_write_text(dir, "merges.txt", "#version: 0.2\n");
    pd_buf_done(&buf);
}

static void clip_write(const char *dir, const clip_fixture *f)
{
    clip_write_config(dir, f);
    clip_write_words(dir);
    clip_write_weights(dir, f);
}

#endif
