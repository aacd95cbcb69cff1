/* random_checkpoint.c: a CLIP model of full size with random weights, in Hugging Face layout, for benchmarks.
 *
 *     random_checkpoint b32|b16|l14 DIR [--seed N] [--outliers] [--tokenizer DIR]
 *
 * The same seed gives the same bytes everywhere. Weights are spread as transformers initialises them, in fp16. With
 * --outliers every block has what trained CLIP models have and random ones lack: layer-norm channels 50 times as loud
 * as the others (their weight columns as much quieter: the same function), output rows of the MLP 20 times as large,
 * and two channels of the residual stream that the first block drives far up. The tokenizer's files are copied, so that
 * queries work; sizes of vocabulary and contexts are CLIP's own. */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/half.h"
#include "base/mem.h"

#define NAME_BYTES 160
#define HEADER_BYTES ((size_t)1 << 20)
#define TENSORS_MAX 1024
#define VOCABULARY 49408
#define POSITIONS 77
#define LOUD 50.0f   /* of a layer-norm channel */
#define LARGE 20.0f  /* of an output row */
#define DRIVEN 30.0f /* bias of a channel of the residual stream */
#define EVERY 311    /* which channels are outliers: those at 7 + a multiple of it */

typedef struct tower {
    size_t width, layers, heads;
} tower;

typedef struct shape {
    const char *name;
    tower vision, text;
    size_t side, patch, dim;
} shape;

static const shape shapes[] = {
    { "b32", { 768, 12, 12 }, { 512, 12, 8 }, 224, 32, 512 },
    { "b16", { 768, 12, 12 }, { 512, 12, 8 }, 224, 16, 512 },
    { "l14", { 1024, 24, 16 }, { 768, 12, 12 }, 224, 14, 768 },
};

/* How a tensor is filled: value = mean + spread * normal, times or plus something in outlier rows or columns. */
typedef struct plan {
    char name[NAME_BYTES];
    size_t rank, dims[4];
    float mean, spread;
    float column_factor; /* of outlier columns; 1: none are */
    float row_factor;    /* of outlier rows */
    float row_bias;      /* added to them */
} plan;

typedef struct checkpoint {
    const shape *shape;
    bool outliers;
    uint64_t random;
    plan plans[TENSORS_MAX];
    size_t n_plans;
} checkpoint;

static void fail(const char *what)
{
    fprintf(stderr, "random_checkpoint: %s\n", what);
    exit(1);
}

/* xorshift64 (Marsaglia). */
static uint64_t next_random(checkpoint *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

/* The sum of four uniform 16-bit numbers, scaled to variance 1: near enough to normal. */
static float random_normal(checkpoint *c)
{
    const uint64_t bits = next_random(c);
    const int32_t sum = (int32_t)(bits & 0xFFFF) + (int32_t)(bits >> 16 & 0xFFFF) + (int32_t)(bits >> 32 & 0xFFFF) +
                        (int32_t)(bits >> 48);
    return ((float)sum - 131070.0f) * (1.7320508f / 65536.0f);
}

static plan *add(checkpoint *c, float mean, float spread, const char *format, ...) __attribute__((format(printf, 4, 5)));
static plan *add(checkpoint *c, float mean, float spread, const char *format, ...)
{
    if (c->n_plans == TENSORS_MAX)
        fail("too many tensors");
    plan *p = &c->plans[c->n_plans++];
    *p = (plan){ .rank = 1, .dims = { 1, 1, 1, 1 }, .mean = mean, .spread = spread };
    p->column_factor = p->row_factor = 1.0f;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->name, sizeof p->name, format, args);
    va_end(args);
    return p;
}

static void add_vector(checkpoint *c, float mean, float spread, const char *name, size_t n)
{
    add(c, mean, spread, "%s", name)->dims[0] = n;
}

static void add_norm(checkpoint *c, const char *name, size_t width, float loud)
{
    plan *gain = add(c, 1.0f, 0.1f, "%s.weight", name);
    gain->dims[0] = width;
    gain->row_factor = loud;
    add(c, 0.0f, 0.02f, "%s.bias", name)->dims[0] = width;
}

static plan *add_linear(checkpoint *c, const char *name, size_t n, size_t k, float spread)
{
    plan *w = add(c, 0.0f, spread, "%s.weight", name);
    w->rank = 2;
    w->dims[0] = n;
    w->dims[1] = k;
    return w;
}

static plan *add_bias(checkpoint *c, const char *name, size_t n)
{
    plan *bias = add(c, 0.0f, 0.01f, "%s.bias", name);
    bias->dims[0] = n;
    return bias;
}

static void add_block(checkpoint *c, const char *prefix, const tower *t, size_t layer)
{
    static const char *const inputs[] = { "q_proj", "k_proj", "v_proj" };
    const size_t width = t->width;
    const float into = 1.0f / sqrtf((float)width), out_of = into / sqrtf(2.0f * (float)t->layers);
    const float loud = c->outliers ? LOUD : 1.0f;
    char name[NAME_BYTES], block[64];
    (void)snprintf(block, sizeof block, "%s.encoder.layers.%zu", prefix, layer);
    (void)snprintf(name, sizeof name, "%s.layer_norm1", block);
    add_norm(c, name, width, loud);
    for (size_t i = 0; i < PD_COUNT_OF(inputs); i++) {
        (void)snprintf(name, sizeof name, "%s.self_attn.%s", block, inputs[i]);
        add_linear(c, name, width, width, into)->column_factor = 1.0f / loud;
        add_bias(c, name, width);
    }
    (void)snprintf(name, sizeof name, "%s.self_attn.out_proj", block);
    add_linear(c, name, width, width, out_of);
    add_bias(c, name, width);
    (void)snprintf(name, sizeof name, "%s.layer_norm2", block);
    add_norm(c, name, width, loud);
    (void)snprintf(name, sizeof name, "%s.mlp.fc1", block);
    add_linear(c, name, 4 * width, width, 1.0f / sqrtf(2.0f * (float)width))->column_factor = 1.0f / loud;
    add_bias(c, name, 4 * width);
    (void)snprintf(name, sizeof name, "%s.mlp.fc2", block);
    add_linear(c, name, width, 4 * width, out_of)->row_factor = c->outliers ? LARGE : 1.0f;
    plan *bias = add_bias(c, name, width);
    bias->row_bias = c->outliers && layer == 0 ? DRIVEN : 0.0f;
}

static void add_tower(checkpoint *c, const char *prefix, const tower *t)
{
    for (size_t layer = 0; layer < t->layers; layer++)
        add_block(c, prefix, t, layer);
}

static void plan_tensors(checkpoint *c)
{
    const shape *s = c->shape;
    const size_t patches = s->side / s->patch * (s->side / s->patch);
    add_vector(c, 2.6592f, 0.0f, "logit_scale", 1);
    c->plans[0].rank = 0;
    add_linear(c, "text_model.embeddings.token_embedding", VOCABULARY, s->text.width, 0.02f);
    add_linear(c, "text_model.embeddings.position_embedding", POSITIONS, s->text.width, 0.02f);
    add_tower(c, "text_model", &s->text);
    add_norm(c, "text_model.final_layer_norm", s->text.width, 1.0f);
    add_linear(c, "text_projection", s->dim, s->text.width, 1.0f / sqrtf((float)s->text.width));
    add_vector(c, 0.0f, 1.0f / sqrtf((float)s->vision.width), "vision_model.embeddings.class_embedding",
               s->vision.width);
    plan *patch = add(c, 0.0f, 0.02f, "vision_model.embeddings.patch_embedding.weight");
    *patch = (plan){ .rank = 4, .dims = { s->vision.width, 3, s->patch, s->patch }, .spread = 0.02f };
    patch->column_factor = patch->row_factor = 1.0f;
    (void)snprintf(patch->name, sizeof patch->name, "vision_model.embeddings.patch_embedding.weight");
    add_linear(c, "vision_model.embeddings.position_embedding", patches + 1, s->vision.width, 0.02f);
    add_norm(c, "vision_model.pre_layrnorm", s->vision.width, 1.0f);
    add_tower(c, "vision_model", &s->vision);
    add_norm(c, "vision_model.post_layernorm", s->vision.width, 1.0f);
    add_linear(c, "visual_projection", s->dim, s->vision.width, 1.0f / sqrtf((float)s->vision.width));
}

static size_t count_values(const plan *p) { return p->dims[0] * p->dims[1] * p->dims[2] * p->dims[3]; }

static void write_header(const checkpoint *c, FILE *file)
{
    char *text = pd_mem_alloc(HEADER_BYTES, 1);
    if (!text)
        fail("out of memory");
    size_t len = 0, at = 0;
    for (size_t i = 0; i < c->n_plans; i++) {
        const plan *p = &c->plans[i];
        const size_t end = at + count_values(p) * sizeof(uint16_t);
        len += (size_t)snprintf(text + len, HEADER_BYTES - len, "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[", i ? "," : "{",
                                p->name);
        for (size_t dim = 0; dim < p->rank; dim++)
            len += (size_t)snprintf(text + len, HEADER_BYTES - len, dim ? ",%zu" : "%zu", p->dims[dim]);
        len += (size_t)snprintf(text + len, HEADER_BYTES - len, "],\"data_offsets\":[%zu,%zu]}", at, end);
        at = end;
    }
    len += (size_t)snprintf(text + len, HEADER_BYTES - len, "}");
    while (len % 8)
        text[len++] = ' ';
    const uint64_t length = len;
    (void)fwrite(&length, sizeof length, 1, file);
    (void)fwrite(text, 1, len, file);
    pd_mem_free(text);
}

static bool is_outlier(size_t channel) { return channel % EVERY == 7; }

static void write_values(checkpoint *c, const plan *p, FILE *file)
{
    const size_t columns = count_values(p) / p->dims[0];
    uint16_t *row = pd_mem_alloc(columns, sizeof *row);
    if (!row)
        fail("out of memory");
    for (size_t i = 0; i < p->dims[0]; i++) {
        const float factor = is_outlier(i) ? p->row_factor : 1.0f, bias = is_outlier(i) ? p->row_bias : 0.0f;
        for (size_t j = 0; j < columns; j++) {
            const float value = p->mean + p->spread * random_normal(c);
            row[j] = pd_half_of_float(value * factor * (is_outlier(j) ? p->column_factor : 1.0f) + bias);
        }
        (void)fwrite(row, sizeof *row, columns, file);
    }
    pd_mem_free(row);
}

static FILE *create(const char *dir, const char *name)
{
    char *path = pd_path_join(dir, name);
    FILE *file = path ? fopen(path, "wb") : NULL;
    if (!file)
        fail("a file cannot be written");
    pd_mem_free(path);
    return file;
}

static void finish(FILE *file)
{
    const bool wrong = ferror(file);
    if (fclose(file) != 0 || wrong)
        fail("a file was not written in full");
}

static void write_tower_config(FILE *file, const char *name, const tower *t, const char *more)
{
    fprintf(file,
            "  \"%s\": { \"hidden_size\": %zu, \"intermediate_size\": %zu, \"num_hidden_layers\": %zu, "
            "\"num_attention_heads\": %zu, \"hidden_act\": \"quick_gelu\", \"layer_norm_eps\": 1e-05, %s }",
            name, t->width, 4 * t->width, t->layers, t->heads, more);
}

static void write_configs(const checkpoint *c, const char *dir)
{
    const shape *s = c->shape;
    char more[160];
    FILE *file = create(dir, "config.json");
    fprintf(file, "{\n  \"architectures\": [\"CLIPModel\"], \"model_type\": \"clip\", \"projection_dim\": %zu,\n", s->dim);
    (void)snprintf(more, sizeof more, "\"vocab_size\": %d, \"max_position_embeddings\": %d, \"eos_token_id\": 2",
                   VOCABULARY, POSITIONS);
    write_tower_config(file, "text_config", &s->text, more);
    (void)snprintf(more, sizeof more, "\"image_size\": %zu, \"patch_size\": %zu", s->side, s->patch);
    fprintf(file, ",\n");
    write_tower_config(file, "vision_config", &s->vision, more);
    fprintf(file, "\n}\n");
    finish(file);
    file = create(dir, "preprocessor_config.json");
    fprintf(file,
            "{ \"size\": %zu, \"crop_size\": %zu, \"do_resize\": true, \"do_center_crop\": true, \"do_normalize\": true, "
            "\"resample\": 3, \"image_mean\": [0.48145466, 0.4578275, 0.40821073], "
            "\"image_std\": [0.26862954, 0.26130258, 0.27577711] }\n",
            s->side, s->side);
    finish(file);
}

static void copy_tokenizer(const char *from, const char *dir)
{
    static const char *const names[] = { "vocab.json", "merges.txt", "tokenizer_config.json",
                                         "special_tokens_map.json" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        pd_file_map map;
        char *path = pd_path_join(from, names[i]);
        if (!path || pd_file_map_open(&map, path, NULL) != PD_OK)
            fail("the tokenizer's files are not there; see --tokenizer");
        FILE *file = create(dir, names[i]);
        (void)fwrite(map.data, 1, map.len, file);
        finish(file);
        pd_file_map_close(&map);
        pd_mem_free(path);
    }
}

static const shape *find_shape(const char *name)
{
    for (size_t i = 0; i < PD_COUNT_OF(shapes); i++)
        if (strcmp(name, shapes[i].name) == 0)
            return &shapes[i];
    fail("shapes are b32, b16 and l14");
    return NULL;
}

int main(int argc, char **argv)
{
    const char *tokenizer = "models/tiny";
    if (argc < 3)
        fail("usage: random_checkpoint b32|b16|l14 DIR [--seed N] [--outliers] [--tokenizer DIR]");
    checkpoint *c = pd_mem_alloc(1, sizeof *c);
    if (!c)
        fail("out of memory");
    c->shape = find_shape(argv[1]);
    c->random = 88172645463325252u;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--outliers") == 0)
            c->outliers = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            c->random ^= strtoull(argv[++i], NULL, 10) * UINT64_C(0x9E3779B97F4A7C15);
        else if (strcmp(argv[i], "--tokenizer") == 0 && i + 1 < argc)
            tokenizer = argv[++i];
        else
            fail("an option is not known");
    }
    if (pd_dir_make(argv[2], NULL) != PD_OK)
        fail("the folder cannot be made");
    plan_tensors(c);
    FILE *file = create(argv[2], "model.safetensors");
    write_header(c, file);
    for (size_t i = 0; i < c->n_plans; i++)
        write_values(c, &c->plans[i], file);
    finish(file);
    write_configs(c, argv[2]);
    copy_tokenizer(tokenizer, argv[2]);
    pd_mem_free(c);
    return 0;
}
