/* What a CLIP checkpoint may look like, and what is said of one that is wrong. Weights are made up: that the numbers
 * are the reference's is model_parity's business. */
#include "test.h"

#include <math.h>
#include <unistd.h>

#include "base/cpu.h"
#include "clip_fixture.h"
#include "model/model.h"

enum { DIM_MAX = 64, SIDE = 41 };

static char scratch[] = "/tmp/pd-test-checkpoints-XXXXXX", dir[PATH_MAX];

typedef struct pair {
    float text[DIM_MAX], image[DIM_MAX];
    char id[PD_SHA256_TEXT_BYTES];
} pair;

static pd_status open_model(pd_model **ret_model, unsigned towers, const char *cpu, pd_precision precision,
                            pd_error *err)
{
    pd_model_options options;
    pd_model_options_init(&options);
    options.towers = towers;
    options.precision = precision;
    if (cpu && !pd_cpu_level(cpu, &options.cpu_mask))
        abort();
    return pd_model_open(ret_model, dir, &options, err);
}

/* Opens the model in `dir` and embeds a text and a picture. */
static bool embed(const char *cpu, pd_precision precision, pair *ret_pair)
{
    static uint8_t bytes[SIDE * SIDE * 3];
    const unsigned both = PD_MODEL_TEXT | PD_MODEL_VISION;
    const pd_pixels pixels = { .data = bytes, .width = SIDE, .height = SIDE, .row_bytes = SIDE * 3 };
    const pd_session_options options = { .towers = both };
    pd_model *model = NULL;
    pd_session *session = NULL;
    pd_error err = { 0 };
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 2654435761U >> 11);
    bool ok = open_model(&model, both, cpu, precision, &err) == PD_OK && pd_model_dim(model) <= DIM_MAX &&
              pd_session_create(&session, model, &options, &err) == PD_OK &&
              pd_session_embed_text(session, "a dog runs", 10, ret_pair->text, &err) == PD_OK &&
              pd_session_embed_pixels(session, &pixels, ret_pair->image, &err) == PD_OK;
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    for (size_t i = 0; ok && i < pd_model_dim(model); i++)
        ok = isfinite(ret_pair->text[i]) && isfinite(ret_pair->image[i]);
    if (ok)
        memcpy(ret_pair->id, pd_model_id(model), sizeof ret_pair->id);
    pd_session_free(&session);
    pd_model_close(&model);
    return ok;
}

static double cosine(const float *a, const float *b, size_t n)
{
    double dot = 0;
    for (size_t i = 0; i < n; i++)
        dot += (double)a[i] * b[i];
    return dot;
}

/* Every kernel this CPU has computes what the specification does, whatever the shape. */
static void shapes_of_all_kinds_open(void)
{
    static const clip_fixture fixtures[] = {
        { { 24, 40, 2, 2 }, { 40, 64, 2, 2 }, 12, 32, 16, 16, "quick_gelu", "F32", FIXTURE_EOS, 0, 0, 0, 0 },
        { { 16, 16, 1, 1 }, { 80, 30, 3, 1 }, 7, 45, 14, 24, "gelu", "F16", 2, 0, 0, 0, 0 }, /* 45 = 3 * 14 + 3 */
        { { 60, 100, 3, 3 }, { 18, 72, 1, 6 }, 77, 64, 32, 64, "gelu_python", "BF16", FIXTURE_EOS, 0, 0, 0, 0 },
        { { 8, 512, 1, 8 }, { 8, 8, 1, 4 }, 2, 8, 8, 1, "gelu_fast", "F32", FIXTURE_EOS, 0, 0, 0, 0 },
        { { 32, 32, 12, 4 }, { 48, 96, 10, 3 }, 77, 224, 32, 32, "gelu_new", "F16", FIXTURE_EOS, 0, 0, 0, 0 },
        { { 32, 32, 1, 4 }, { 33, 33, 1, 3 }, 77, 33, 11, 5, "gelu_pytorch_tanh", "F16", 2, 0, 0, 0, 0 },
    };
    for (size_t i = 0; i < PD_COUNT_OF(fixtures); i++) {
        pair scalar = { 0 }, native = { 0 }, bytes = { 0 };
        clip_write(dir, &fixtures[i]);
        CHECK(embed("scalar", PD_PRECISION_FP32, &scalar));
        CHECK(embed(NULL, PD_PRECISION_FP32, &native));
        CHECK(embed(NULL, PD_PRECISION_INT8, &bytes));
        for (size_t k = 0; k < fixtures[i].dim; k++) /* measured 3e-6 */
            CHECK(fabsf(scalar.text[k] - native.text[k]) < 2e-5f && fabsf(scalar.image[k] - native.image[k]) < 2e-5f);
        const double text = cosine(scalar.text, bytes.text, DIM_MAX);
        const double image = cosine(scalar.image, bytes.image, DIM_MAX);
        printf("%zu: int8 cosines %.4f %.4f\n", i, text, image);
        CHECK(text > 0.99 && image > 0.99);
    }
}

/* Functions with several names are one function; three functions are three. */
static void names_of_activations_mean_what_they_say(void)
{
    static const struct {
        const char *name;
        int function;
    } names[] = { { "quick_gelu", 0 }, { "gelu", 1 },      { "gelu_python", 1 },   { "gelu_pytorch_tanh", 2 },
                  { "gelu_new", 2 },   { "gelu_fast", 2 }, { "gelu_accurate", 2 }, { "gelu_python_tanh", 2 } };
    pair first[3] = { 0 };
    bool seen[3] = { false };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        pair now = { 0 };
        pair *was = &first[names[i].function];
        clip_fixture f = clip_plain;
        f.activation = names[i].name;
        clip_write(dir, &f);
        REQUIRE(embed(NULL, PD_PRECISION_FP32, &now));
        if (seen[names[i].function])
            CHECK(memcmp(now.text, was->text, sizeof now.text) == 0 && memcmp(now.image, was->image, 64) == 0);
        *was = now;
        seen[names[i].function] = true;
    }
    CHECK(memcmp(first[0].text, first[1].text, 64) && memcmp(first[1].text, first[2].text, 64) &&
          memcmp(first[0].image, first[2].image, 64));
}

static void the_two_ways_to_find_the_end_agree_here(void)
{
    pair legacy = { 0 }, named = { 0 };
    clip_fixture f = clip_plain;
    clip_write(dir, &f);
    CHECK(embed(NULL, PD_PRECISION_FP32, &named));
    f.eos = 2;
    clip_write(dir, &f);
    CHECK(embed(NULL, PD_PRECISION_FP32, &legacy));
    CHECK(memcmp(legacy.text, named.text, sizeof named.text) == 0);
    CHECK(strcmp(legacy.id, named.id) != 0); /* another config.json */
}

static bool is_refused(unsigned towers, pd_status status, const char *const says[2])
{
    pd_model *model = NULL;
    pd_error err = { 0 };
    const size_t live = pd_mem_live();
    const pd_status got = open_model(&model, towers, NULL, PD_PRECISION_INT8, &err);
    const bool ok = got == status && err.status == status && strstr(err.message, says[0]) &&
                    strstr(err.message, says[1]) && !strchr(err.message, '\n');
    if (!ok)
        fprintf(stderr, "wanted %s, '%s' and '%s'; got %s: %s\n", pd_status_name(status), says[0], says[1],
                pd_status_name(got), err.message);
    pd_model_close(&model);
    return ok && pd_mem_live() == live;
}
#define CHECK_REFUSED(status, says, and_says) \
    CHECK(is_refused(PD_MODEL_TEXT | PD_MODEL_VISION, status, (const char *const[]){ says, and_says }))

static void wrong_tensors_are_named(void)
{
    static const char *const names[] = { "text_model.embeddings.token_embedding.weight",
                                         "text_model.embeddings.position_embedding.weight",
                                         "text_model.encoder.layers.1.self_attn.k_proj.bias",
                                         "text_model.encoder.layers.0.layer_norm2.weight",
                                         "text_model.final_layer_norm.bias",
                                         "text_projection.weight",
                                         "vision_model.embeddings.class_embedding",
                                         "vision_model.embeddings.patch_embedding.weight",
                                         "vision_model.pre_layrnorm.weight",
                                         "vision_model.encoder.layers.1.mlp.fc2.weight",
                                         "vision_model.post_layernorm.bias",
                                         "visual_projection.weight" };
    for (size_t i = 0; i < PD_COUNT_OF(names); i++) {
        clip_fixture f = clip_plain;
        f.missing = names[i];
        clip_write(dir, &f);
        CHECK_REFUSED(PD_ERR_FORMAT, names[i], "hold no tensor");
        if (!strstr(names[i], "patch_embedding")) { /* its four dimensions are another matter */
            f.missing = NULL;
            f.misshapen = names[i];
            clip_write(dir, &f);
            CHECK_REFUSED(PD_ERR_FORMAT, names[i], "by config.json it is [");
        }
        f.missing = f.misshapen = NULL;
        f.poisoned = names[i];
        f.dtype = i % 3 == 0 ? "F32" : i % 3 == 1 ? "F16" : "BF16";
        clip_write(dir, &f);
        CHECK_REFUSED(PD_ERR_FORMAT, names[i], "not a finite number");
        f.poisoned = NULL;
        f.doubled = names[i];
        clip_write(dir, &f);
        CHECK_REFUSED(PD_ERR_UNSUPPORTED, names[i], "of type F64");
    }
}

/* The other tower is none of its business. */
static void a_tower_is_not_harmed_by_the_other(void)
{
    pd_model *model = NULL;
    clip_fixture f = clip_plain;
    f.poisoned = "vision_model.post_layernorm.bias";
    clip_write(dir, &f);
    CHECK(open_model(&model, PD_MODEL_TEXT, NULL, PD_PRECISION_INT8, NULL) == PD_OK);
    pd_model_close(&model);
    CHECK(is_refused(PD_MODEL_VISION, PD_ERR_FORMAT, (const char *const[]){ "post_layernorm", "finite" }));
}

static void shapes_by_the_config_are_those_of_the_file(void)
{
    clip_fixture f = clip_plain;
    clip_write(dir, &f);
    f.dim = 17;
    clip_write_config(dir, &f);
    CHECK_REFUSED(PD_ERR_FORMAT, "'text_projection.weight' has shape [16, 24]", "it is [17, 24]");
    f = clip_plain;
    f.vision.n_layers = 3;
    clip_write_config(dir, &f);
    CHECK_REFUSED(PD_ERR_FORMAT, "vision_model.encoder.layers.2.", "hold no tensor");
    f = clip_plain;
    f.side = 48;
    clip_write_config(dir, &f);
    CHECK_REFUSED(PD_ERR_FORMAT, "vision_model.embeddings.position_embedding", "it is [10, 40]");
}

static void configs_that_do_not_fit_are_refused(void)
{
    static const struct {
        const char *config, *says, *and_says;
        pd_status status;
    } configs[] = {
        { "{\"architectures\":[\"SiglipModel\"]}", "'SiglipModel'", "CLIPModel", PD_ERR_UNSUPPORTED },
        { "{\"architectures\":[\"ChineseCLIPModel\"]}", "'ChineseCLIPModel'", "are handled", PD_ERR_UNSUPPORTED },
        { "{\"model_type\":\"bert\"}", "'bert'", "are handled", PD_ERR_UNSUPPORTED },
        { "{}", "config.json", "\"architectures\"", PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"hidden_act\":\"relu\"}}", "text_config.hidden_act",
          "'relu'; quick_gelu, gelu and", PD_ERR_UNSUPPORTED },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"num_attention_heads\":7}}", "text_config.hidden_size",
          "7 attention heads", PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"hidden_size\":0}}", "text_config.hidden_size", "is 0",
          PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"hidden_size\":99999999}}", "text_config.hidden_size",
          "16384", PD_ERR_LIMIT },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"hidden_size\":\"wide\"}}", "text_config.hidden_size",
          "whole number", PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"text_config\":{\"layer_norm_eps\":-1}}", "text_config.layer_norm_eps",
          "more than 0", PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"vision_config\":{\"image_size\":64}}", "vision_config.image_size",
          "crops to 32", PD_ERR_UNSUPPORTED },
        { "{\"architectures\":[\"CLIPModel\"],\"vision_config\":{\"image_size\":32,\"patch_size\":33}}",
          "vision_config.patch_size", "1 to 32", PD_ERR_LIMIT },
        { "{\"architectures\":[\"CLIPModel\"],\"vision_config\":{\"image_size\":32,\"num_channels\":1}}",
          "vision_config.num_channels", "is 1", PD_ERR_FORMAT },
        { "{\"architectures\":[\"CLIPModel\"],\"projection_dim\":5000}", "projection_dim", "4096", PD_ERR_LIMIT },
        { "{\"architectures\":[\"CLIPModel\"", "config.json", "not valid JSON", PD_ERR_FORMAT },
        { "version https://git-lfs.github.com/spec/v1\n", "config.json", "not valid JSON", PD_ERR_FORMAT },
    };
    clip_write(dir, &clip_plain);
    for (size_t i = 0; i < PD_COUNT_OF(configs); i++) {
        clip_write_text(dir, "config.json", configs[i].config);
        CHECK_REFUSED(configs[i].status, configs[i].says, configs[i].and_says);
    }
    clip_write(dir, &clip_plain);
    clip_write_text(dir, "preprocessor_config.json", "{\"size\":{\"height\":32,\"width\":32},\"crop_size\":32}");
    CHECK_REFUSED(PD_ERR_UNSUPPORTED, "preprocessor_config.json", "shortest_edge");
    clip_write_text(dir, "preprocessor_config.json", "{\"size\":32,\"crop_size\":32,\"resample\":2}");
    CHECK_REFUSED(PD_ERR_UNSUPPORTED, "resample", "only 3");
    clip_write_text(dir, "preprocessor_config.json", "{\"size\":32,\"crop_size\":32,\"image_std\":[0,1,1]}");
    CHECK_REFUSED(PD_ERR_FORMAT, "image_std", "more than 0");
    clip_write_config(dir, &clip_plain);
}

static void remove_file(const char *name)
{
    char *path = pd_path_join(dir, name);
    CHECK(path && unlink(path) == 0);
    pd_mem_free(path);
}

static void a_vocabulary_of_another_model_is_refused(void)
{
    clip_fixture f = clip_plain;
    clip_write(dir, &f);
    clip_write_text(dir, "vocab.json", "{\"a\":0,\"<|startoftext|>\":1,\"<|endoftext|>\":54}");
    CHECK_REFUSED(PD_ERR_FORMAT, "tokenizer has 55 words, its text tower 54", "not of one model");
    clip_write_text(dir, "vocab.json", "{\"a\":0,\"<|startoftext|>\":1,\"<|endoftext|>\":5}");
    CHECK_REFUSED(PD_ERR_FORMAT, "ends a text with 5, its text tower looks for 53", "not of one model");
    clip_write_text(dir, "vocab.json", "{\"a\":0,\"b\":1}");
    CHECK_REFUSED(PD_ERR_FORMAT, "vocab.json", "'<|startoftext|>' is not in it");
    remove_file("vocab.json");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "no vocab.json", "or tokenizer.json");
    clip_write_words(dir);
    remove_file("merges.txt");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "no merges.txt", "or tokenizer.json");
    clip_write_text(dir, "tokenizer.json", "{\"model\":{\"type\":\"Unigram\"}}");
    CHECK_REFUSED(PD_ERR_UNSUPPORTED, "tokenizer.json", "'Unigram' is not one of CLIP's");
    remove_file("tokenizer.json");
    clip_write_words(dir);
}

static void directories_without_a_model_are_called_what_they_are(void)
{
    char name[PATH_MAX];
    memcpy(name, dir, sizeof name);
    snprintf(dir, sizeof dir, "%s/nowhere", scratch);
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "nowhere", "No such file");
    snprintf(dir, sizeof dir, "%s/empty", scratch);
    CHECK(pd_dir_make(dir, NULL) == PD_OK);
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "empty'", "the directory is empty");
    clip_write_words(dir);
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "no config.json in it", "Hugging Face");
    clip_write(dir, &clip_plain);
    remove_file("preprocessor_config.json");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "no preprocessor_config.json in it", "Hugging Face");
    clip_write_config(dir, &clip_plain);
    remove_file("model.safetensors");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "no model.safetensors and no pytorch_model.bin", "empty'");
    clip_write_text(dir, "open_clip_pytorch_model.bin", "PK");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "open_clip_pytorch_model.bin is not read", "empty'");
    clip_write_text(dir, "model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
    CHECK_REFUSED(PD_ERR_UNSUPPORTED, "model.safetensors", "git-lfs pointer");
    remove_file("model.safetensors");
    clip_write_text(dir, "model.safetensors.index.json", "{\"weight_map\":{\"a\":\"model-1.safetensors\"}}");
    CHECK_REFUSED(PD_ERR_NOT_FOUND, "model-1.safetensors", "No such file");
    remove_file("model.safetensors.index.json");
    clip_write_text(dir, "pytorch_model.bin", "PK\3\4 and so on");
    CHECK_REFUSED(PD_ERR_FORMAT, "pytorch_model.bin", "cut short");
    memcpy(dir, name, sizeof dir);
}

int main(void)
{
    if (!mkdtemp(scratch))
        return 1;
    snprintf(dir, sizeof dir, "%s/model", scratch);
    RUN(shapes_of_all_kinds_open);
    RUN(names_of_activations_mean_what_they_say);
    RUN(the_two_ways_to_find_the_end_agree_here);
    RUN(wrong_tensors_are_named);
    RUN(a_tower_is_not_harmed_by_the_other);
    RUN(shapes_by_the_config_are_those_of_the_file);
    RUN(configs_that_do_not_fit_are_refused);
    RUN(a_vocabulary_of_another_model_is_refused);
    RUN(directories_without_a_model_are_called_what_they_are);
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    return system(command) == 0 ? TEST_RESULT() : 1;
}
